//! The number of this node, which is part of every id that it draws.

use parking_lot::Mutex;
use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::{IdSequence, Timestamp};

use super::statements::statements;
use crate::Result;

statements! {
    BEAT = "UPDATE node SET beat_at = clock_timestamp(), last_id = greatest(last_id, $3) \
        WHERE node_id = $1 AND instance = $2",
        across: "nodes serve all businesses";
}

/// This node: its number while it holds one, and its ids.
pub(super) struct Node {
    ids: Mutex<IdSequence>,
}

impl Node {
    pub(super) const fn new(number: u8) -> Self {
        Self {
            ids: Mutex::new(IdSequence::clocked(number, 0)),
        }
    }

    /// Refuses to write while the node holds no number.
    pub(super) fn may_write(&self) -> Result<()> {
        Ok(())
    }

    /// The next id of this node above `floor`.
    pub(super) fn next_id_above(&self, of: IdFor, now: Timestamp, floor: i64) -> i64 {
        self.ids.lock().next_above(of, now, floor)
    }
}
