//! What is asked of chats, and how lists of them are paged.

use prilavok_domain::rules::{Initiator, WaitFor};
use prilavok_domain::{
    Attachment, Chat, ChatId, ChatStatus, ChatType, ContextType, Event, FileId, FileName, MessageId,
    MessageText, OrderId, PublicId, ReturnId, Sender, Timestamp,
};

/// What a chat to be started is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An order of the business.
    Order(OrderId),
    /// A return of the business.
    Return(ReturnId),
    /// A direct question; the customer must be named.
    Direct,
}

/// A chat to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartChat {
    /// Who starts it.
    pub initiator: Initiator,
    /// What it is about.
    pub subject: Subject,
    /// The customer: needed for a direct question, checked against the order's otherwise.
    pub customer: Option<PublicId>,
}

/// A chat that was started, or was there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The chat.
    pub chat: prilavok_domain::Chat,
    /// Whether it was started now.
    pub created: bool,
}

/// A file whose bytes lie in the file store already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Where in the file store.
    pub object: String,
    /// The name that its sender gave it.
    pub name: FileName,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type, found from its content.
    pub media_type: String,
}

/// A message to be written: text, files or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Who writes.
    pub sender: Sender,
    /// The text.
    pub text: Option<MessageText>,
    /// The files.
    pub files: Vec<StoredFile>,
    /// Whom a SUPPORT message leaves the chat waiting for.
    pub wait_for: Option<WaitFor>,
}

/// What an operator does to a chat besides writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatChange {
    /// Hands it to the marketplace.
    Escalate,
    /// Ends it: the dispute of an `ARBITRAGE`, the conversation of a `CHAT`.
    Finish,
}

/// Which chats a list shows. An empty field lets all pass; within a field any match will do, and
/// every field must match.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChatFilter {
    /// Chats about these orders, be it the order itself or a return of it.
    pub orders: Vec<i64>,
    /// Chats about exactly these orders and returns.
    pub contexts: Vec<(ContextType, i64)>,
    /// Chats about this kind of thing.
    pub context_types: Vec<ContextType>,
    /// Chats of these types.
    pub types: Vec<ChatType>,
    /// Chats in these statuses.
    pub statuses: Vec<ChatStatus>,
}

/// The place in a list of chats after which a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatCursor {
    /// The last chat's `updated_at`.
    pub updated_at: Timestamp,
    /// The last chat.
    pub id: ChatId,
}

/// Which messages a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MessageRange {
    /// This message and all after it; any number, whether such a message exists or not.
    pub from: Option<i64>,
    /// Messages after this one: the last of the page before.
    pub after: Option<MessageId>,
}

/// The chats of a business that are shown to one of its customers: all of theirs, or those about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerChats {
    /// The customer.
    pub customer: PublicId,
    /// Only chats about this order or returns of it.
    pub order: Option<OrderId>,
    /// Only chats about this return.
    pub returned: Option<ReturnId>,
}

impl CustomerChats {
    /// Whether a chat is among them.
    #[must_use]
    pub fn has(&self, chat: &Chat) -> bool {
        let context = &chat.context;
        chat.customer.public_id == self.customer
            && self.order.is_none_or(|order| context.order() == Some(order))
            && self.returned.is_none_or(|it| context.returned() == Some(it))
    }
}

/// Events of a customer's chats, and how far was looked for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerEvents {
    /// The events, in order.
    pub events: Vec<Event>,
    /// The last event of the business that was looked at, whosever it is.
    pub seen: i64,
    /// Whether there may be further ones.
    pub more: bool,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Whether there are rows after them.
    pub more: bool,
}

impl<T> Page<T> {
    /// Nothing.
    pub(crate) const fn none() -> Self {
        Self {
            items: Vec::new(),
            more: false,
        }
    }

    /// The page of at most `limit` rows that begins these, of which one more was asked for.
    pub(crate) fn beginning(mut rows: Vec<T>, limit: usize) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        Self { items: rows, more }
    }
}

/// Every kind of chat that a filter asks for, once each and in order.
pub(crate) fn kinds(filter: &ChatFilter) -> Vec<(ChatType, ChatStatus, ContextType)> {
    fn or_all<'a, T>(wanted: &'a [T], all: &'a [T]) -> &'a [T] {
        if wanted.is_empty() { all } else { wanted }
    }
    let mut kinds = Vec::new();
    for kind in or_all(&filter.types, ChatType::ALL) {
        for status in or_all(&filter.statuses, ChatStatus::ALL) {
            for context in or_all(&filter.context_types, ContextType::ALL) {
                // Nobody disputes a direct question, and a dispute is never new.
                let possible = *kind == ChatType::Chat
                    || (*context != ContextType::Direct && *status != ChatStatus::New);
                if possible {
                    kinds.push((*kind, *status, *context));
                }
            }
        }
    }
    // What was asked for twice is one range all the same, or its chats would be listed twice.
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

impl StoredFile {
    /// The file as readers see it.
    pub(crate) fn attachment(&self, id: FileId) -> Attachment {
        Attachment {
            id,
            name: self.name.clone(),
            size: self.size,
            media_type: self.media_type.clone(),
            removed_at: None,
        }
    }
}
