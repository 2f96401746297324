//! What a check of the store found.

/// What a check of the store found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// Chats looked at.
    pub chats: u64,
    /// Messages looked at.
    pub messages: u64,
    /// Files named by messages.
    pub files: u64,
    /// Events that are kept.
    pub events: u64,
    /// What is wrong, one sentence each; empty where all is well.
    pub problems: Vec<String>,
}
