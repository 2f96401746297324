//! One node's share of an hour's calls that several nodes count together: what it takes in advance, and when it
//! gives back what it does not need. Arithmetic only; `shared` asks the store.
//!
//! All that nodes hold is counted as used, so together they never exceed a limit. While plenty is left they claim as much as
//! makes questions rare, and keep it. The claim that leaves no more than a small part finds the limit scarce: all others
//! are told, and give back what they hold beyond such a part. So none is refused much too early.

use prilavok_domain::Timestamp;
use prilavok_store::limits::is_open;
use prilavok_store::{Calls, Granted};

use super::settings::Limit;

/// What all nodes but one may hold together while the last one is refused: one of so many parts of the limit.
const SLACK_PARTS: u32 = 50;

/// What is claimed at once at the most, however slowly calls come: one of so many parts of the limit, and no more than so
/// many calls. Who is killed takes as much with it.
const PORTION_PARTS: u32 = 16;
const PORTION: u32 = 60;

/// Where calls come fast, the others are told so much earlier as they may take to give back: one of so many parts of a second.
const TOLD_WITHIN: u32 = 4;

/// For how long a limit that is used up is not asked about, each time that nothing was left, in ticks; the last goes on. What
/// others give back when they are told is there within the first, and what those do who did not hear of it within the second.
const RESTS: [u32; 4] = [1, 4, 64, 256];

/// For how long more than the slack is held of a scarce limit, in ticks.
const PATIENCE: u32 = 3;

/// How nodes share a limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) limit: Limit,
    /// Nodes that count, this one included.
    pub(super) nodes: u32,
}

impl Terms {
    /// Calls that a node may hold for long without making them.
    fn slack(self) -> u32 {
        match self.limit {
            Limit::Unlimited => 0,
            Limit::At(limit) => limit / SLACK_PARTS / self.nodes.saturating_sub(1).max(1),
        }
    }

    /// What a node claims at least.
    fn least(self) -> u32 {
        self.slack().max(1)
    }

    /// What a node claims at most while few calls come.
    fn portion(self) -> u32 {
        let part = match self.limit {
            Limit::Unlimited => u32::MAX,
            Limit::At(limit) => limit / PORTION_PARTS,
        };
        part.min(PORTION)
    }

    /// Whether no more than so many calls are left.
    fn is_down_to(self, calls: u32, used: u64) -> bool {
        match self.limit {
            Limit::Unlimited => false,
            Limit::At(limit) => used.saturating_add(calls.into()) >= limit.into(),
        }
    }
}

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Yes,
    No,
    /// Only the store can tell: this has to be claimed first.
    Ask(Calls),
}

/// A node's share of one operation's calls of one business.
#[derive(Debug, Clone)]
pub(super) struct Share {
    /// The window.
    hour: Timestamp,
    /// Calls that were taken in advance.
    held: u32,
    /// Calls that were made without having been taken: they count from the next claim on.
    owed: u32,
    /// What this node has taken of the hour.
    taken: u64,
    /// What all nodes had taken when the store was asked last.
    used: u64,
    /// Calls since the last tick, and between the two before it.
    recent: [u32; 2],
    /// Ticks since calls were claimed.
    idle: u32,
    /// Ticks until the store is asked again, and which of [`RESTS`] comes next; while nothing is left.
    rest: Option<(u32, usize)>,
    /// The limit is scarce, and all nodes were told.
    scarce: bool,
}

impl Share {
    pub(super) const fn new(hour: Timestamp) -> Self {
        Self {
            hour,
            held: 0,
            owed: 0,
            taken: 0,
            used: 0,
            recent: [0; 2],
            idle: 0,
            rest: None,
            scarce: false,
        }
    }

    pub(super) const fn hour(&self) -> Timestamp {
        self.hour
    }

    /// Goes over to the window of `hour`, if that is another one.
    pub(super) fn turn_to(&mut self, hour: Timestamp) {
        if !is_open(self.hour, hour) {
            *self = Self::new(hour);
        }
    }

    /// One more call.
    pub(super) fn take(&mut self, terms: Terms) -> Taken {
        if terms.limit == Limit::Unlimited {
            self.owed += 1;
        } else if self.held > 0 {
            self.held -= 1;
        } else {
            return self.wants(terms).map_or(Taken::No, Taken::Ask);
        }
        self.recent[0] += 1;
        Taken::Yes
    }

    /// Counts a call that is not refused whatever is left.
    pub(super) fn charge(&mut self) {
        match self.held.checked_sub(1) {
            Some(held) => self.held = held,
            None => self.owed += 1,
        }
        self.recent[0] += 1;
    }

    /// A call that does not count in the end.
    pub(super) fn give_back(&mut self) {
        match self.owed.checked_sub(1) {
            Some(owed) => self.owed = owed,
            None => self.held += 1,
        }
    }

    /// What is to be claimed before the next call: what is left, divided by the traffic of all as it was up to now, within
    /// bounds. Nothing while there is something to take, or as good as certainly nothing left.
    pub(super) fn wants(&self, terms: Terms) -> Option<Calls> {
        let resting = self.rest.is_some_and(|(ticks, _)| ticks > 0);
        if self.held > 0 || resting || terms.limit == Limit::At(0) {
            return None;
        }
        let least = terms.least();
        let most = terms.portion().max(self.lately().saturating_mul(2)).max(least);
        Some(Calls::Take {
            least: least + self.owed,
            most: most.saturating_add(self.owed),
            parts: self.parts(terms),
        })
    }

    /// Calls in a second, not long ago.
    fn lately(&self) -> u32 {
        self.recent.into_iter().max().unwrap_or_default()
    }

    /// Into how many parts what is left is divided: as many nodes as this one would serve all traffic with. Two at the
    /// least: who finds a limit scarce then holds no more than the slack itself.
    fn parts(&self, terms: Terms) -> u32 {
        let nodes = terms.nodes.max(2);
        let of_traffic = (self.used + self.taken / 2).checked_div(self.taken);
        of_traffic
            .and_then(|parts| u32::try_from(parts).ok())
            .map_or(nodes, |parts| parts.clamp(2, nodes))
    }

    /// What the store said to a claim. Answers whether the others have to be told that the limit is scarce.
    pub(super) fn granted(&mut self, terms: Terms, claimed: Calls, granted: Granted) -> bool {
        // An answer about another window than ours: ours is over, or that one is.
        if granted.hour > self.hour {
            *self = Self::new(granted.hour);
        } else if granted.hour < self.hour {
            return false;
        }
        self.used = granted.used;
        let is_scarce = terms.is_down_to(terms.least(), granted.used);
        let soon_is = terms.is_down_to(self.lately() / TOLD_WITHIN, granted.used);
        self.scarce &= is_scarce || soon_is;
        if matches!(claimed, Calls::GiveBack(_)) {
            return false;
        }
        self.idle = 0;
        self.taken += u64::from(granted.calls);
        let paid = self.owed.min(granted.calls);
        self.owed -= paid;
        self.held += granted.calls - paid;
        // Exactly one claim makes it scarce. Whoever made it may have died before it told.
        let before = granted.used.saturating_sub(granted.calls.into());
        let was_scarce = terms.is_down_to(terms.least(), before);
        let tells = (is_scarce && !was_scarce) || (soon_is && !self.scarce);
        self.scarce |= tells;
        self.rest = match self.rest {
            _ if granted.calls > 0 => None,
            rest => {
                let next = rest.map_or(0, |(_, next)| next);
                Some((RESTS[next], (next + 1).min(RESTS.len() - 1)))
            }
        };
        if self.rest.is_some() {
            // Nothing is left to pay with.
            self.owed = 0;
        }
        tells
    }

    /// The store could not be told.
    pub(super) fn failed(&mut self, hour: Timestamp, claimed: Calls) {
        if let Calls::GiveBack(calls) = claimed
            && hour == self.hour
        {
            self.held += calls;
            self.taken += u64::from(calls);
            // It is due at the next tick.
            self.idle = PATIENCE;
        }
    }

    /// A second is over: what is to be claimed for what was made, or given back.
    pub(super) fn tick(&mut self, terms: Terms) -> Option<Calls> {
        self.idle += 1;
        self.recent = [0, self.recent[0]];
        self.rest = self.rest.map(|(ticks, next)| (ticks.saturating_sub(1), next));
        if self.owed > 0 {
            return match terms.limit {
                // Nobody waits for it: it is told when it is worth a question.
                Limit::Unlimited if self.owed < PORTION => None,
                Limit::Unlimited => Some(self.debt()),
                Limit::At(_) => self.wants(terms),
            };
        }
        if self.scarce && self.idle >= PATIENCE {
            self.keep(terms.slack())
        } else {
            None
        }
    }

    /// Another node found the limit scarce: what is held beyond the slack is given back.
    pub(super) fn told_scarce(&mut self, terms: Terms) -> Option<Calls> {
        self.scarce = true;
        match terms.limit {
            Limit::Unlimited => None,
            Limit::At(_) => self.keep(terms.slack()),
        }
    }

    /// Gives back all but so many.
    fn keep(&mut self, calls: u32) -> Option<Calls> {
        let unneeded = self.held.saturating_sub(calls);
        self.held -= unneeded;
        self.taken = self.taken.saturating_sub(unneeded.into());
        (unneeded > 0).then_some(Calls::GiveBack(unneeded))
    }

    /// What was made without having been taken.
    const fn debt(&self) -> Calls {
        Calls::Take {
            least: self.owed,
            most: self.owed,
            parts: 1,
        }
    }

    /// Everything that is held, when the node stops, or owed.
    pub(super) fn leave(&mut self) -> Option<Calls> {
        match self.owed {
            0 => self.keep(0),
            _ => Some(self.debt()),
        }
    }

    /// Calls that count, as far as this node knows: what others hold counts as made.
    pub(super) fn used(&self) -> u64 {
        (self.used + u64::from(self.owed)).saturating_sub(self.held.into())
    }
}
