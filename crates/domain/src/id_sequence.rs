//! Ids without a central sequence: time, node and counter in 53 bits.

use crate::Timestamp;

/// 2024-01-01T00:00:00Z, the day that the ids' milliseconds are counted from.
const EPOCH_MS: i64 = 1_704_067_200_000;
const COUNTER_BITS: u32 = 7;
const NODE_BITS: u32 = 5;
/// So long a sequence may run ahead of what is kept of it.
const RESERVED_MS: i64 = 125;

/// The number of nodes that may hand out ids side by side: node numbers are below it.
pub const NODES: u8 = 1 << NODE_BITS;

/// Hands out strictly increasing ids. Chats, messages and files share one sequence.
///
/// A clocked sequence holds 41 bits of milliseconds, 5 bits of node and 7 bits of counter, so nodes
/// never meet, and it never goes below what it handed out before: a clock that steps back only
/// makes it run ahead of the clock for a while. A plain sequence counts from one, separately for
/// each kind of id: the demo's small, fixed ids.
#[derive(Debug, Clone)]
pub enum IdSequence {
    /// Time, node and counter.
    Clocked {
        /// This node's number, below [`NODES`].
        node: u8,
        /// The highest id handed out or seen.
        last: i64,
    },
    /// 1, 2, 3 …
    Plain {
        /// The last chat's id.
        chats: i64,
        /// The last message's id.
        messages: i64,
        /// The last file's id.
        files: i64,
        /// The last event's id.
        events: i64,
    },
}

/// Which of the ids is asked for; only a plain sequence tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdFor {
    /// A chat.
    Chat,
    /// A message.
    Message,
    /// A file, a credential and whatever else needs an id of its own.
    File,
    /// An event.
    Event,
}

impl IdSequence {
    /// A sequence for one node that never goes at or below `last`.
    #[must_use]
    pub const fn clocked(node: u8, last: i64) -> Self {
        Self::Clocked {
            node: node % NODES,
            last,
        }
    }

    /// A sequence that starts at 1 for each kind.
    #[must_use]
    pub const fn plain() -> Self {
        Self::Plain {
            chats: 0,
            messages: 0,
            files: 0,
            events: 0,
        }
    }

    /// The next id, above every earlier one of its kind.
    pub fn next(&mut self, of: IdFor, now: Timestamp) -> i64 {
        match self {
            Self::Plain {
                chats,
                messages,
                files,
                events,
            } => {
                let last = match of {
                    IdFor::Chat => chats,
                    IdFor::Message => messages,
                    IdFor::File => files,
                    IdFor::Event => events,
                };
                *last += 1;
                *last
            }
            Self::Clocked { node, last } => {
                let of_now = compose((now.as_millis() - EPOCH_MS).max(1), *node);
                let of_last = if of_now > *last {
                    of_now
                } else {
                    after(*last, *node)
                };
                *last = of_last;
                of_last
            }
        }
    }

    /// The highest id handed out by a clocked sequence, which its successor must start above;
    /// zero for a plain one, whose ids lie far below every clocked one.
    #[must_use]
    pub const fn last(&self) -> i64 {
        match self {
            Self::Clocked { last, .. } => *last,
            Self::Plain { .. } => 0,
        }
    }

    /// An id above [`last`](Self::last) that is not reached before an eighth of a second is over, unless ids are drawn
    /// faster than a clock allows. Who keeps this one as the highest need not keep each; a successor begins above it.
    #[must_use]
    pub const fn reserved(&self) -> i64 {
        match self {
            Self::Clocked { last, .. } => *last + (RESERVED_MS << (NODE_BITS + COUNTER_BITS)),
            Self::Plain { .. } => 0,
        }
    }
}

fn compose(millis: i64, node: u8) -> i64 {
    (millis << (NODE_BITS + COUNTER_BITS)) | (i64::from(node) << COUNTER_BITS)
}

/// The lowest id of `node` above `last`: the next count of its millisecond, or the next millisecond.
fn after(last: i64, node: u8) -> i64 {
    let millis = last >> (NODE_BITS + COUNTER_BITS);
    let this_millisecond = compose(millis, node);
    let counter_end = this_millisecond + (1 << COUNTER_BITS);
    if last < this_millisecond {
        this_millisecond
    } else if last + 1 < counter_end {
        last + 1
    } else {
        compose(millis + 1, node)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::MAX_ID;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(EPOCH_MS + millis).expect("in range")
    }

    #[test]
    fn a_clock_that_steps_back_breaks_nothing() {
        let mut ids = IdSequence::clocked(3, 0);
        let before = ids.next(IdFor::Message, at(7_200_000));
        let after = ids.next(IdFor::Message, at(3_600_000));
        assert!(after > before);
    }

    #[test]
    fn nodes_never_meet_within_a_millisecond() {
        let mut seen = std::collections::HashSet::new();
        for node in 0..NODES {
            let mut ids = IdSequence::clocked(node, 0);
            for _ in 0..300 {
                assert!(
                    seen.insert(ids.next(IdFor::Message, at(5))),
                    "node {node} met another"
                );
            }
        }
    }

    #[test]
    fn ids_fit_until_2093() {
        let mut ids = IdSequence::clocked(31, 0);
        let far = Timestamp::from_millis(3_881_520_000_000).expect("in range");
        assert!(ids.next(IdFor::Message, far) <= MAX_ID);
    }

    #[test]
    fn a_plain_sequence_counts_each_kind() {
        let mut ids = IdSequence::plain();
        let drawn = [IdFor::Chat, IdFor::Chat, IdFor::Message, IdFor::File].map(|of| ids.next(of, at(0)));
        assert_eq!(drawn, [1, 2, 1, 1]);
    }

    #[test]
    fn what_is_reserved_lasts_for_an_eighth_of_a_second() {
        let mut ids = IdSequence::clocked(3, 0);
        ids.next(IdFor::Message, at(1_000));
        let reserved = ids.reserved();
        assert!(ids.next(IdFor::Message, at(1_000 + RESERVED_MS - 1)) < reserved);
        assert!(ids.next(IdFor::Message, at(1_000 + RESERVED_MS + 1)) > reserved);
        let mut successor = IdSequence::clocked(3, reserved);
        assert!(successor.next(IdFor::Message, at(1_000)) > reserved);
        assert_eq!(IdSequence::plain().reserved(), 0);
    }

    proptest! {
        #[test]
        fn ids_increase_whatever_the_clock_does(node in 0..NODES, times in prop::collection::vec(0_i64..1_000, 1..500)) {
            let mut ids = IdSequence::clocked(node, 0);
            let mut last = 0;
            for time in times {
                let id = ids.next(IdFor::Message, at(time));
                prop_assert!(id > last);
                prop_assert_eq!((id >> COUNTER_BITS) & i64::from(NODES - 1), i64::from(node));
                last = id;
            }
        }
    }
}
