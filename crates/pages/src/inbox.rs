//! The list of chats.

use askama::Template;
use prilavok_domain::{Chat, ChatStatus, ChatType, ContextType, Message, Sender, Timestamp};

use crate::conversation;
use crate::frame::Frame;
use crate::texts::Texts;
use crate::when::span;

/// What of the list is asked for. Nothing lets all pass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Chats in this status.
    pub status: Option<ChatStatus>,
    /// Chats about this kind of thing.
    pub context: Option<ContextType>,
    /// Chats of this type.
    pub kind: Option<ChatType>,
    /// The words that are looked for.
    pub words: String,
}

impl Filter {
    /// As the query of an address, with the question mark; empty where nothing is asked for.
    #[must_use]
    pub fn query(&self) -> String {
        let pairs = [
            ("status", self.status.map(ChatStatus::as_str)),
            ("context", self.context.map(ContextType::as_str)),
            ("type", self.kind.map(ChatType::as_str)),
            ("q", Some(self.words.as_str()).filter(|words| !words.is_empty())),
        ];
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in pairs {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        let query = query.finish();
        if query.is_empty() {
            query
        } else {
            format!("?{query}")
        }
    }
}

/// A chat in the list.
#[derive(Debug, Clone)]
pub struct Row {
    /// The chat.
    pub chat: Chat,
    /// Its last message.
    pub last: Option<Message>,
    /// Whether its last message was not seen here yet.
    pub unread: bool,
    /// Whether it is open beside the list.
    pub current: bool,
    /// The message in which the words are that were looked for, around them; empty where it is shown by its last message.
    pub found: Vec<Part>,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The text.
    pub text: String,
    /// Whether it is what was looked for.
    pub found: bool,
}

impl Row {
    /// Whether the seller owes an answer.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.chat.status == ChatStatus::WaitingForPartner
    }

    pub(crate) fn last_text<'a>(&'a self, t: &'a Texts) -> &'a str {
        self.last.as_ref().map_or("", |last| conversation::text(t, last))
    }

    pub(crate) fn last_file<'a>(&'a self, t: &'a Texts) -> &'a str {
        let file = self.last.as_ref().and_then(|last| last.files.first());
        file.map_or("", |file| conversation::file_name(t, file))
    }

    pub(crate) fn is_own(&self) -> bool {
        self.last
            .as_ref()
            .is_some_and(|last| last.sender == Sender::Partner)
    }
}

/// The list.
#[derive(Debug, Clone)]
pub struct List {
    /// What is asked for.
    pub filter: Filter,
    /// The chats.
    pub rows: Vec<Row>,
    /// The place after which the next page begins, if there is one.
    pub more: Option<String>,
    /// Whether this is the first page.
    pub first: bool,
    /// Whether there is a search to offer.
    pub searchable: bool,
    /// Whether there may be more than the search knows yet.
    pub incomplete: bool,
    /// Now.
    pub now: Timestamp,
}

impl List {
    pub(crate) fn waiting(&self, frame: &Frame, row: &Row) -> String {
        span(
            frame.language,
            self.now.as_millis() - row.chat.updated_at.as_millis(),
        )
    }
}

/// The list alone, to be put in the place of an older one.
#[derive(Template)]
#[template(path = "list.html")]
pub struct ListPart {
    /// What is around it.
    pub frame: Frame,
    /// The chats.
    pub list: List,
}

/// What a chat is about, in words.
#[must_use]
pub fn subject(t: &'static Texts, chat: &Chat) -> String {
    let t = &t.inbox;
    match (chat.context.returned(), chat.context.order()) {
        (Some(returned), _) => format!("{} {returned}", t.of_return),
        (None, Some(order)) => format!("{} {order}", t.of_order),
        (None, None) => t.direct.to_owned(),
    }
}

/// A status in words.
#[must_use]
pub const fn status(t: &'static Texts, status: &ChatStatus) -> &'static str {
    let t = &t.inbox;
    match status {
        ChatStatus::New => t.new,
        ChatStatus::WaitingForCustomer => t.waiting_for_customer,
        ChatStatus::WaitingForPartner => t.waiting_for_partner,
        ChatStatus::WaitingForArbiter => t.waiting_for_arbiter,
        ChatStatus::WaitingForMarket => t.waiting_for_market,
        ChatStatus::Finished => t.finished,
    }
}

/// A kind of context in words.
#[must_use]
pub const fn context(t: &'static Texts, context: &ContextType) -> &'static str {
    let t = &t.inbox;
    match context {
        ContextType::Order => t.orders,
        ContextType::Return => t.returns,
        ContextType::Direct => t.directs,
    }
}

/// A type of chat in words.
#[must_use]
pub const fn kind(t: &'static Texts, kind: &ChatType) -> &'static str {
    match kind {
        ChatType::Chat => t.inbox.chats,
        ChatType::Arbitrage => t.inbox.disputes,
    }
}

/// A sender in words.
#[must_use]
pub const fn sender(t: &'static Texts, sender: &Sender) -> &'static str {
    let t = &t.conversation;
    match sender {
        Sender::Partner => t.partner,
        Sender::Customer => t.customer,
        Sender::Market => t.market,
        Sender::Support => t.support,
    }
}
