//! What is kept no longer: chats and files whose time is over, people who were erased.

use std::collections::HashSet;

use prilavok_domain::{BusinessId, ChatId, PublicId, Timestamp};

/// What a bounded step took away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    /// How many chats, or files, were done with.
    pub count: u64,
    /// Objects of the file store that no message names any more: to be removed now. Whoever cannot leaves them to the
    /// sweep of files that nobody names.
    pub objects: Vec<String>,
    /// Whether there may be more to take away.
    pub more: bool,
}

/// The erasure of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Who is erased.
    pub customer: PublicId,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When the last chat was done; `None` while it is under way.
    pub finished_at: Option<Timestamp>,
    /// The customer's chats, of all businesses.
    pub chats: u64,
    /// How many of them are done.
    pub chats_done: u64,
}

/// A chat that something was taken away from: texts, or all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenFrom {
    /// Its place in the order in which it happened; a chat is at the place of the last time.
    pub place: i64,
    /// When.
    pub at: Timestamp,
    /// The business of the chat.
    pub business: BusinessId,
    /// The chat.
    pub chat: ChatId,
}

/// How many messages are erased in one transaction, so that no step holds up others for long.
pub(crate) const ERASED_AT_ONCE: usize = 500;
/// How many chats of a customer are looked at in one step.
pub(crate) const CHATS_AT_ONCE: usize = 100;
/// How many rows of removed chats go in one transaction.
pub(crate) const ROWS_AT_ONCE: usize = 1_000;
/// How many old chats of a kind are looked at in one step.
pub(crate) const OLD_CHATS: usize = 100;
/// How many files are taken away in one transaction.
pub(crate) const FILES_AT_ONCE: usize = 500;
/// In how many chats what was taken away is forgotten in one transaction.
pub(crate) const TAKEN_AT_ONCE: usize = 1_000;

/// A message that no other one is behind.
const LAST: i64 = i64::MAX;

/// An erasure and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) erasure: Erasure,
    /// Every chat before this one is done.
    pub(crate) business: i64,
    pub(crate) chat: i64,
    /// Of the chat, every message up to this one is; the greatest number there is where the chat is done as well.
    pub(crate) message: i64,
}

impl Progress {
    /// Before the first step.
    pub(crate) fn begun(customer: PublicId, chats: u64, now: Timestamp) -> Self {
        Self {
            erasure: Erasure {
                customer,
                asked_at: now,
                finished_at: None,
                chats,
                chats_done: 0,
            },
            business: 0,
            chat: 0,
            message: LAST,
        }
    }

    /// The place behind which there are chats to do. A chat that has messages left is looked at again.
    pub(crate) const fn behind(&self) -> (i64, i64) {
        let chat = if self.message == LAST {
            self.chat
        } else {
            self.chat - 1
        };
        (self.business, chat)
    }

    /// Goes to a chat; answers behind which of its messages there is something to do.
    pub(crate) fn enter(&mut self, business: BusinessId, chat: ChatId) -> i64 {
        let here = (business.get(), chat.get());
        let behind = if here == (self.business, self.chat) {
            self.message
        } else {
            0
        };
        (self.business, self.chat) = here;
        behind
    }

    /// Stays at a message of the chat: there is no room for more in this step.
    pub(crate) const fn stay_at(&mut self, message: i64) {
        self.message = message;
    }

    /// The chat is done.
    pub(crate) const fn leave(&mut self) {
        self.message = LAST;
        self.erasure.chats_done += 1;
    }

    /// All chats are done.
    pub(crate) const fn finish(&mut self, now: Timestamp) {
        self.erasure.finished_at = Some(now);
        self.erasure.chats = self.erasure.chats_done;
    }
}

/// The events of a business that a subscription waits for.
pub(crate) struct WaitedFor {
    settled: i64,
    again: HashSet<i64>,
}

impl WaitedFor {
    /// All behind the first that an enabled subscription has settled, and those that are sent again.
    pub(crate) fn new(settled: Option<i64>, again: HashSet<i64>) -> Self {
        Self {
            settled: settled.unwrap_or(i64::MAX),
            again,
        }
    }

    pub(crate) fn has(&self, event: i64) -> bool {
        event > self.settled || self.again.contains(&event)
    }
}
