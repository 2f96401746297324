//! Saved replies, and the page on which they are edited.

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

/// The page.
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
