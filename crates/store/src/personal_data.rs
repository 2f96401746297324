//! What is kept no longer: chats and files whose time is over, people who were erased.

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
