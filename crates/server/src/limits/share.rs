//! One node's share of an hour's calls that several nodes count together: what it takes in advance, and when it
//! gives back what it does not need. Arithmetic only; `shared` asks the store.
//!
//! All that nodes hold is counted as used, so together they never exceed a limit. Near its end nodes hold little, and who
//! holds more than a small part without needing it gives it back within a second: so none is refused much too early.

use prilavok_domain::Timestamp;
use prilavok_store::limits::is_open;
use prilavok_store::{Calls, Granted};

use super::settings::Limit;

/// What all nodes but one may hold together while the last one is refused: one of so many parts of the limit.
const SLACK_PARTS: u32 = 50;

/// The longest that a limit which is used up is not asked about again, in ticks.
const LONGEST_REST: u32 = 16;

/// For how long calls are held that are not made, in ticks.
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
    /// What all nodes had taken when the store was asked last.
    used: u64,
    /// Calls since the last tick, and between the two before it.
    recent: [u32; 2],
    /// Ticks since calls were claimed.
    idle: u32,
    /// Ticks until the store is asked again, and how many it will be the next time; while nothing is left.
    rest: Option<(u32, u32)>,
}

impl Share {
    pub(super) const fn new(hour: Timestamp) -> Self {
        Self {
            hour,
            held: 0,
            owed: 0,
            used: 0,
            recent: [0; 2],
            idle: 0,
            rest: None,
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

    /// What is to be claimed before the next call: at least what a node may hold for long, at most twice as many as were
    /// made lately. Nothing while there is something to take, or as good as certainly nothing left.
    pub(super) fn wants(&self, terms: Terms) -> Option<Calls> {
        let resting = self.rest.is_some_and(|(ticks, _)| ticks > 0);
        if self.held > 0 || resting || terms.limit == Limit::At(0) {
            return None;
        }
        let least = terms.slack().max(1);
        let lately = self.recent.into_iter().max().unwrap_or_default();
        Some(Calls::Take {
            least: least + self.owed,
            most: lately.saturating_mul(2).max(least) + self.owed,
            parts: terms.nodes + terms.nodes / 2,
        })
    }

    /// What the store said to a claim.
    pub(super) fn granted(&mut self, claimed: Calls, granted: Granted) {
        // An answer about another window than ours: ours is over, or that one is.
        if granted.hour > self.hour {
            *self = Self::new(granted.hour);
        } else if granted.hour < self.hour {
            return;
        }
        self.used = granted.used;
        if matches!(claimed, Calls::GiveBack(_)) {
            return;
        }
        self.idle = 0;
        let paid = self.owed.min(granted.calls);
        self.owed -= paid;
        self.held += granted.calls - paid;
        self.rest = match self.rest {
            _ if granted.calls > 0 => None,
            Some((_, ticks)) => Some((ticks, (ticks * 2).min(LONGEST_REST))),
            None => Some((1, 2)),
        };
        if self.rest.is_some() {
            // Nothing is left to pay with.
            self.owed = 0;
        }
    }

    /// The store could not be told.
    pub(super) fn failed(&mut self, hour: Timestamp, claimed: Calls) {
        if let Calls::GiveBack(calls) = claimed
            && hour == self.hour
        {
            self.held += calls;
        }
    }

    /// A second is over: what is to be claimed for what was made, or given back.
    pub(super) fn tick(&mut self, terms: Terms) -> Option<Calls> {
        let keep = terms.slack().max(self.recent[0]);
        self.idle += 1;
        self.recent = [0, self.recent[0]];
        self.rest = self.rest.map(|(ticks, next)| (ticks.saturating_sub(1), next));
        if self.owed > 0 {
            let (least, most) = (self.owed, self.owed);
            return Some(Calls::Take {
                least,
                most,
                parts: 1,
            });
        }
        if self.idle < PATIENCE {
            return None;
        }
        let unneeded = self.held.saturating_sub(keep);
        self.held -= unneeded;
        (unneeded > 0).then_some(Calls::GiveBack(unneeded))
    }

    /// Everything that is held, when the node stops.
    pub(super) fn leave(&mut self) -> Option<Calls> {
        let held = std::mem::take(&mut self.held);
        (held > 0).then_some(Calls::GiveBack(held))
    }

    /// Calls that count, as far as this node knows: what others hold counts as made.
    pub(super) fn used(&self) -> u64 {
        (self.used + u64::from(self.owed)).saturating_sub(self.held.into())
    }
}
