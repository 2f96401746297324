//! Saved replies, and the pages on which they are edited.

use askama::Template;

use crate::frame::Frame;

/// A saved reply. `{customer}` and `{order}` in its text stand for those of the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its id.
    pub id: i64,
    /// The name that it is chosen by.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// All of them, each with the beginning of its text.
#[derive(Template)]
#[template(path = "replies.html")]
pub struct Replies {
    /// What is around it.
    pub frame: Frame,
    /// All replies of the business, by name.
    pub replies: Vec<Reply>,
    /// Whether the reader may change them.
    pub may_write: bool,
}

/// One of them.
#[derive(Template)]
#[template(path = "reply.html")]
pub struct ReplyPage {
    /// What is around it.
    pub frame: Frame,
    /// The reply.
    pub reply: Reply,
    /// Whether the reader may change it.
    pub may_write: bool,
}
