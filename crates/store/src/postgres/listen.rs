//! What this node's commits changed, told to those who wait here and on other nodes.

use prilavok_domain::BusinessId;
use tokio::sync::broadcast;

use super::db::Db;
use super::statements::statements;
use crate::{Changes, Result};

statements! {
    /// What is told to the other nodes.
    NOTIFY = "SELECT pg_notify('prilavok', $1)", across: "one message tells of many businesses";
}

/// Commits that a listener may be behind before it is told only that it missed some.
const CHANGES: usize = 1_024;

/// What a commit changed.
#[derive(Debug, Default)]
pub(super) struct Committed {
    /// Businesses for which somebody may wait.
    pub(super) touched: Vec<BusinessId>,
    /// The events that were written.
    pub(super) events: Vec<(BusinessId, i64)>,
    /// The new access version, if it was raised.
    pub(super) access_version: Option<i64>,
    /// The new version of subscriptions, if it was raised.
    pub(super) subscriptions_version: Option<i64>,
}

/// Tells of commits.
pub(super) struct News {
    changes: broadcast::Sender<Changes>,
}

impl News {
    pub(super) fn new() -> Self {
        let (changes, _) = broadcast::channel(CHANGES);
        Self { changes }
    }

    /// Called after each commit of this node.
    pub(super) fn committed(&self, committed: Committed) {
        if !committed.touched.is_empty() {
            // Nobody listening is nothing to worry about.
            let _ = self.changes.send(committed.touched.into());
        }
    }

    pub(super) fn changes(&self) -> broadcast::Receiver<Changes> {
        self.changes.subscribe()
    }
}

pub(super) async fn access_version(db: &Db) -> Result<u64> {
    super::not_yet()
}

pub(super) async fn subscriptions_version(db: &Db) -> Result<u64> {
    super::not_yet()
}
