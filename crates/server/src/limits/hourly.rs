//! Calls an hour, counted per business and operation in windows aligned to the clock hour (UTC).

use foldhash::HashMap;
use parking_lot::Mutex;
use prilavok_domain::{BusinessId, Timestamp};
use prilavok_store::Usage;
use prilavok_store::limits::is_open;
use prilavok_wire::Operation;

use super::settings::Limit;

const HOUR_MS: i64 = 3_600_000;

/// A count reaches the store when it has grown by one of so many parts of its limit,
const STEPS: u32 = 50;
/// or at the latest after twice as many rounds as this: what changed is kept in passes of so many rounds. To keep all in each
/// round would keep the disk, and a processor, busy with nothing but counts.
const ROUNDS: usize = 15;

/// What the `X-RateLimit-Resource-*` headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Calls an hour.
    pub limit: u32,
    /// Calls left in this window.
    pub remaining: u32,
    /// When the window ends.
    pub until: Timestamp,
}

impl Window {
    pub(super) fn unused(limit: Limit, now: Timestamp) -> Self {
        Self::after(limit, 0, now.hour_start())
    }

    pub(super) fn after(limit: Limit, used: u64, hour: Timestamp) -> Self {
        let limit = limit.as_number();
        let used = u32::try_from(used).unwrap_or(u32::MAX);
        Self {
            limit,
            remaining: limit.saturating_sub(used),
            until: hour.plus_millis(HOUR_MS),
        }
    }
}

/// What is counted by itself.
pub(super) type Key = (BusinessId, Operation);

#[derive(Clone, Copy)]
struct Count {
    hour: Timestamp,
    used: u64,
    /// How many the store knows of.
    kept: u64,
    keeping: Keeping,
}

impl Count {
    const fn unused(hour: Timestamp) -> Self {
        Self {
            hour,
            used: 0,
            kept: 0,
            keeping: Keeping::Kept,
        }
    }
}

/// Whether the store knows of a count, and when it will.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Keeping {
    Kept,
    /// In this pass or the next.
    InTurn,
    /// In the next round.
    Next,
}

#[derive(Default)]
struct Counts {
    by_key: HashMap<Key, Count>,
    /// What is left of the pass under way, by business: neighbours share a page of the store, and a round changes few pages.
    pass: Vec<Key>,
    /// For the next pass. A key may be here and in the pass under way.
    changed: Vec<Key>,
    next: Vec<Key>,
    /// Rounds of this pass, and how many keys each takes.
    round: usize,
    share: usize,
    /// The hour seen last; when it moves, what other hours left behind is dropped.
    latest: Option<Timestamp>,
}

/// Calls of the current hour.
#[derive(Default)]
pub(super) struct HourlyCounts(Mutex<Counts>);

impl HourlyCounts {
    pub(super) fn new(kept: &[Usage]) -> Self {
        let counts = Self::default();
        {
            let mut inner = counts.0.lock();
            for usage in kept {
                // Operations that an older or newer version counted and this one does not know.
                let Ok(operation) = usage.operation.parse() else {
                    continue;
                };
                inner.by_key.insert(
                    (usage.business, operation),
                    Count {
                        used: usage.used,
                        kept: usage.used,
                        ..Count::unused(usage.hour)
                    },
                );
            }
        }
        counts
    }

    /// One more call, unless the limit is reached.
    pub(super) fn take(
        &self,
        operation: Operation,
        business: BusinessId,
        now: Timestamp,
        limit: Limit,
    ) -> bool {
        let key = (business, operation);
        let mut counts = self.0.lock();
        let count = counts.current(key, now.hour_start());
        if !limit.allows_after(count.used) {
            return false;
        }
        count.used += 1;
        let grown = match limit {
            Limit::At(limit) => count.used.saturating_sub(count.kept) >= u64::from((limit / STEPS).max(1)),
            Limit::Unlimited => false,
        };
        let when = if grown { Keeping::Next } else { Keeping::InTurn };
        if count.keeping < when {
            counts.keep(key, when);
        }
        true
    }

    pub(super) fn give_back(&self, operation: Operation, business: BusinessId, taken_at: Timestamp) {
        let key = (business, operation);
        let mut counts = self.0.lock();
        if let Some(count) = counts.by_key.get_mut(&key)
            && count.hour == taken_at.hour_start()
        {
            count.used = count.used.saturating_sub(1);
            counts.keep(key, Keeping::InTurn);
        }
    }

    pub(super) fn window(
        &self,
        operation: Operation,
        business: BusinessId,
        now: Timestamp,
        limit: Limit,
    ) -> Window {
        let counts = self.0.lock();
        let hour = now.hour_start();
        match counts.by_key.get(&(business, operation)) {
            Some(count) if is_open(count.hour, hour) => Window::after(limit, count.used, count.hour),
            _ => Window::after(limit, 0, hour),
        }
    }

    /// What the store is to be told of in this round.
    pub(super) fn drain_round(&self) -> Vec<Usage> {
        let mut counts = self.0.lock();
        if counts.round == 0 {
            counts.begin_pass();
        }
        counts.round = (counts.round + 1) % ROUNDS;
        let rest = counts.pass.len().saturating_sub(counts.share);
        let mut keys = counts.pass.split_off(rest);
        keys.append(&mut counts.next);
        counts.drain(keys)
    }

    /// All that the store does not know of.
    pub(super) fn drain(&self) -> Vec<Usage> {
        let mut counts = self.0.lock();
        counts.begin_pass();
        let mut keys = std::mem::take(&mut counts.pass);
        keys.append(&mut counts.next);
        counts.drain(keys)
    }

    /// The store could not be told.
    pub(super) fn mark_changed(&self, usage: &[Usage]) {
        let mut counts = self.0.lock();
        for one in usage {
            if let Ok(operation) = one.operation.parse() {
                counts.keep((one.business, operation), Keeping::Next);
            }
        }
    }
}

impl Counts {
    /// The count of the window that `hour` falls into.
    fn current(&mut self, key: Key, hour: Timestamp) -> &mut Count {
        if self.latest != Some(hour) {
            self.latest = Some(hour);
            self.by_key.retain(|_, count| is_open(count.hour, hour));
        }
        let count = self.by_key.entry(key).or_insert(Count::unused(hour));
        if !is_open(count.hour, hour) {
            *count = Count::unused(hour);
        }
        count
    }

    /// Has the store told of a count.
    fn keep(&mut self, key: Key, when: Keeping) {
        let Some(count) = self.by_key.get_mut(&key) else {
            return;
        };
        if count.keeping >= when {
            return;
        }
        count.keeping = when;
        match when {
            Keeping::Kept => {}
            Keeping::InTurn => self.changed.push(key),
            Keeping::Next => self.next.push(key),
        }
    }

    fn begin_pass(&mut self) {
        self.pass.append(&mut self.changed);
        self.pass.sort_unstable_by_key(|(business, _)| *business);
        self.share = self.pass.len().div_ceil(ROUNDS);
    }

    fn drain(&mut self, keys: Vec<Key>) -> Vec<Usage> {
        let unkept = keys.into_iter().filter_map(|key| {
            let count = self.by_key.get_mut(&key)?;
            if count.keeping == Keeping::Kept {
                return None;
            }
            count.keeping = Keeping::Kept;
            count.kept = count.used;
            Some(usage(key, *count))
        });
        unkept.collect()
    }
}

fn usage((business, operation): Key, count: Count) -> Usage {
    Usage {
        business,
        operation: operation.as_str().to_owned(),
        hour: count.hour,
        used: count.used,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATION: Operation = Operation::GetChat;

    fn business(id: i64) -> BusinessId {
        BusinessId::new(id).expect("id")
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(1_732_406_400_000 + minutes * 60_000).expect("in range")
    }

    #[test]
    fn windows_are_clock_hours() {
        let counts = HourlyCounts::default();
        let limit = Limit::At(2);
        for (minute, business_id, taken) in [
            (0, 1, true),
            (30, 1, true),
            (59, 1, false),
            (59, 2, true),
            (60, 1, true),
        ] {
            assert_eq!(
                counts.take(OPERATION, business(business_id), at(minute), limit),
                taken,
                "{minute}"
            );
        }
        assert_eq!(
            counts.window(OPERATION, business(1), at(61), limit),
            Window {
                limit: 2,
                remaining: 1,
                until: at(120)
            }
        );
    }

    #[test]
    fn what_is_given_back_can_be_taken_again_within_its_hour() {
        let counts = HourlyCounts::default();
        let limit = Limit::At(1);
        assert!(counts.take(OPERATION, business(1), at(0), limit));
        counts.give_back(OPERATION, business(1), at(0));
        assert!(counts.take(OPERATION, business(1), at(1), limit));
        assert!(counts.take(OPERATION, business(1), at(61), limit));
        counts.give_back(OPERATION, business(1), at(1));
        assert!(!counts.take(OPERATION, business(1), at(62), limit));
    }

    #[test]
    fn a_clock_that_steps_back_gives_no_second_hour() {
        let counts = HourlyCounts::default();
        let limit = Limit::At(1);
        assert!(counts.take(OPERATION, business(1), at(60), limit));
        assert!(!counts.take(OPERATION, business(1), at(0), limit));
        assert!(counts.take(OPERATION, business(1), at(120), limit));
    }

    #[test]
    fn a_clock_that_was_far_ahead_holds_no_window_open() {
        let counts = HourlyCounts::default();
        let limit = Limit::At(1);
        assert!(counts.take(OPERATION, business(1), at(60 * 24 * 365), limit));
        assert_eq!(counts.window(OPERATION, business(1), at(0), limit).until, at(60));
        assert!(counts.take(OPERATION, business(1), at(0), limit));
        assert!(!counts.take(OPERATION, business(1), at(59), limit));
        assert!(counts.take(OPERATION, business(1), at(60), limit));
    }

    #[test]
    fn counts_go_on_from_what_was_kept() {
        let before = HourlyCounts::default();
        assert!(before.take(OPERATION, business(1), at(0), Limit::At(2)));
        let kept = before.drain();
        assert!(before.drain().is_empty());
        let after = HourlyCounts::new(&kept);
        assert!(after.take(OPERATION, business(1), at(5), Limit::At(2)));
        assert!(!after.take(OPERATION, business(1), at(5), Limit::At(2)));
    }

    #[test]
    fn counts_are_kept_in_steps_of_their_limit_and_each_within_a_pass_or_two() {
        let counts = HourlyCounts::default();
        let limit = Limit::At(200);
        for id in (1..=60).rev() {
            assert!(counts.take(OPERATION, business(id), at(0), limit));
        }
        let mut kept: Vec<Vec<i64>> = Vec::new();
        for _ in 0..ROUNDS {
            let told = counts.drain_round();
            kept.push(told.iter().map(|usage| usage.business.get()).collect());
            assert!(counts.take(OPERATION, business(60), at(0), Limit::Unlimited));
        }
        let neighbours = |part: i64| (part * 4 + 1..=part * 4 + 4).collect::<Vec<i64>>();
        assert_eq!(kept, (0..15).rev().map(neighbours).collect::<Vec<_>>());
        assert_eq!(
            counts.drain_round().len(),
            1,
            "what changed since is in the next pass"
        );
        for calls in 1..=4 {
            assert!(counts.take(OPERATION, business(7), at(0), limit));
            let told = counts.drain_round();
            assert_eq!(told.len(), usize::from(calls == 4), "after {calls}");
        }
        assert!(counts.drain().is_empty());
    }

    #[test]
    fn what_could_not_be_kept_is_in_the_next_round() {
        let counts = HourlyCounts::default();
        assert!(counts.take(OPERATION, business(1), at(0), Limit::Unlimited));
        let unkept = counts.drain();
        counts.mark_changed(&unkept);
        assert_eq!(counts.drain_round(), unkept);
    }

    #[test]
    fn an_unlimited_operation_is_counted() {
        let counts = HourlyCounts::default();
        for _ in 0..3 {
            assert!(counts.take(OPERATION, business(1), at(0), Limit::Unlimited));
        }
        assert_eq!(counts.drain()[0].used, 3);
    }
}
