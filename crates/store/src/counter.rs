//! What the people share who answer the chats of a business: saved replies.

use prilavok_domain::{BusinessId, MessageText, Name, SavedReplyId};

/// The most saved replies that a business may have.
pub const MAX_SAVED_REPLIES: usize = 100;

/// A reply to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedReply {
    /// The business that it belongs to.
    pub business: BusinessId,
    /// Its id.
    pub id: SavedReplyId,
    /// What it says.
    pub content: ReplyContent,
}

/// What a saved reply says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyContent {
    /// The name that it is chosen by, unique within its business.
    pub name: Name,
    /// Its text.
    pub text: MessageText,
}
