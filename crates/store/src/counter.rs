//! What the people share who answer the chats of a business: saved replies.

use prilavok_domain::{BusinessId, MessageText, Name, SavedReplyId};

use crate::{Conflict, Refusal, Result};

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

/// Refuses a name that another reply than `own` has.
pub(crate) fn must_be_free(
    replies: &[SavedReply],
    own: Option<SavedReplyId>,
    content: &ReplyContent,
) -> Result<()> {
    let taken = replies
        .iter()
        .any(|reply| Some(reply.id) != own && reply.content.name == content.name);
    match taken {
        true => Err(Refusal::Conflict(Conflict::NameTaken).into()),
        false => Ok(()),
    }
}
