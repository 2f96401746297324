//! One chat: its messages, the box to reply in, and what is known about it.

use askama::Template;
use prilavok_domain::{Attachment, Chat, ChatStatus, Message, MessageText, Sender, Verdict};

use crate::frame::Frame;
use crate::language::Language;
use crate::replies::Reply;
use crate::texts::Texts;
use crate::when;

/// A chat that is open.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The chat.
    pub chat: Chat,
    /// Its latest messages, oldest first.
    pub messages: Vec<Message>,
    /// Whether there are messages before them.
    pub earlier: bool,
    /// What is known about it.
    pub card: Card,
    /// Whether the reader may write into it.
    pub may_write: bool,
    /// Replies to choose from.
    pub replies: Vec<Reply>,
    /// The key under which the next message is sent, where the browser runs no scripts.
    pub once: String,
    /// The query of the list that one came from.
    pub query: String,
}

impl Conversation {
    pub(crate) fn is_finished(&self) -> bool {
        self.chat.status == ChatStatus::Finished
    }

    pub(crate) fn is_of_erased(&self) -> bool {
        self.chat.customer.erased_at.is_some()
    }

    /// Whether nobody can reply.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_finished() || self.is_of_erased()
    }

    pub(crate) fn last_id(&self) -> i64 {
        self.messages.last().map_or(0, |message| message.id.get())
    }

    pub(crate) fn order_text(&self) -> String {
        self.chat
            .context
            .order()
            .map(|order| order.to_string())
            .unwrap_or_default()
    }
}

/// What is known about a chat beside its messages.
#[derive(Debug, Clone)]
pub struct Card {
    /// The address or name of the store.
    pub store: Option<String>,
    /// Other chats about the same thing: the dispute beside a chat, the chat beside a dispute.
    pub beside: Vec<Beside>,
    /// How the dispute was settled.
    pub verdict: Option<Verdict>,
}

/// Another chat about the same thing.
#[derive(Debug, Clone)]
pub struct Beside {
    /// The chat.
    pub chat: Chat,
    /// Its latest messages, oldest first.
    pub messages: Vec<Message>,
}

impl Beside {
    pub(crate) fn is_dispute(&self) -> bool {
        self.chat.kind == prilavok_domain::ChatType::Arbitrage
    }
}

/// What is new in a chat that is shown already.
#[derive(Template)]
#[template(path = "news.html")]
pub struct News {
    /// What is around it.
    pub frame: Frame,
    /// The chat, with its new messages only.
    pub conversation: Conversation,
}

/// Messages alone, to be put with others that are shown already.
#[derive(Template)]
#[template(path = "messages.html")]
pub struct Messages {
    /// What is around it.
    pub frame: Frame,
    /// The messages, oldest first.
    pub messages: Vec<Message>,
    /// Whether there are messages before them.
    pub earlier: bool,
}

pub(crate) fn side(message: &Message) -> &'static str {
    match message.sender {
        Sender::Partner => "own",
        Sender::Customer => "customer",
        Sender::Market | Sender::Support => "market",
    }
}

/// What the customer of a chat is called.
pub(crate) fn name<'a>(t: &'a Texts, chat: &'a Chat) -> &'a str {
    match chat.customer.erased_at {
        None => chat.customer.name.as_str(),
        Some(_) => t.conversation.erased_name,
    }
}

/// What was said, or that it was erased.
pub(crate) fn said<'a>(t: &'a Texts, text: &'a MessageText) -> &'a str {
    if text.is_erased() {
        t.conversation.erased_text
    } else {
        text.as_str()
    }
}

pub(crate) fn text<'a>(t: &'a Texts, message: &'a Message) -> &'a str {
    message.text.as_ref().map_or("", |text| said(t, text))
}

pub(crate) fn is_erased(message: &Message) -> bool {
    message.text.as_ref().is_some_and(MessageText::is_erased)
}

/// What a file is called, or that it was erased.
pub(crate) fn file_name<'a>(t: &'a Texts, file: &'a Attachment) -> &'a str {
    if file.name.is_erased() && file.removed_at.is_some() {
        t.conversation.erased_file
    } else {
        file.name.as_str()
    }
}

/// Whether a file is a picture that browsers show.
pub(crate) fn is_picture(file: &Attachment) -> bool {
    matches!(
        file.media_type.as_str(),
        "image/png" | "image/jpeg" | "image/gif" | "image/webp" | "image/avif"
    )
}

pub(crate) fn size(language: &Language, file: &Attachment) -> String {
    when::size(*language, file.size)
}
