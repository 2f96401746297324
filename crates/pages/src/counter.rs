//! The seller's counter: the list of chats, and one of them beside it.

use askama::Template;

use crate::conversation::Conversation;
use crate::frame::Frame;
use crate::inbox::List;

/// The page.
#[derive(Template)]
#[template(path = "counter.html")]
pub struct Counter {
    /// What is around it.
    pub frame: Frame,
    /// The chats.
    pub list: List,
    /// The chat that is open.
    pub conversation: Option<Conversation>,
}
