//! The arbiter's desk: disputes of all businesses, and one of them with both sides' chat beside it.

use askama::Template;
use prilavok_domain::{
    AuditLine, BusinessId, Chat, ChatStatus, DecidedFor, Deed, Message, Sender, Timestamp, Verdict,
};

use crate::frame::Frame;
use crate::inbox;
use crate::texts::Texts;
use crate::when::span;

/// A dispute in the list.
#[derive(Debug, Clone)]
pub struct Row {
    /// The dispute.
    pub chat: Chat,
    /// The name of its business.
    pub business: String,
    /// Whether it is open beside the list.
    pub current: bool,
}

/// The list.
#[derive(Debug, Clone)]
pub struct List {
    /// The disputes, the one that has waited longest first.
    pub rows: Vec<Row>,
    /// The place after which the next page begins, if there is one.
    pub more: Option<String>,
    /// Whether this is the first page.
    pub first: bool,
    /// Now.
    pub now: Timestamp,
}

impl List {
    pub(crate) fn waiting(&self, frame: &Frame, row: &Row) -> String {
        let waited = self.now.as_millis() - row.chat.updated_at.as_millis();
        span(frame.language, waited)
    }
}

/// A dispute that is open.
#[derive(Debug, Clone)]
pub struct Dispute {
    /// The dispute.
    pub chat: Chat,
    /// The name of its business.
    pub business: String,
    /// The address or name of the store.
    pub store: Option<String>,
    /// Its latest messages, oldest first.
    pub messages: Vec<Message>,
    /// Whether there are messages before them.
    pub earlier: bool,
    /// The ordinary chat about the same thing.
    pub beside: Option<Beside>,
    /// How it was settled.
    pub verdict: Option<Verdict>,
    /// What was done here, newest first.
    pub audit: Vec<AuditLine>,
    /// The keys under which the next message and the verdict are sent.
    pub once: [String; 2],
}

/// The ordinary chat beside a dispute.
#[derive(Debug, Clone)]
pub struct Beside {
    /// The chat.
    pub chat: Chat,
    /// Its latest messages, oldest first.
    pub messages: Vec<Message>,
    /// Whether there are messages before them.
    pub earlier: bool,
}

impl Dispute {
    pub(crate) fn is_finished(&self) -> bool {
        self.chat.status == ChatStatus::Finished
    }

    /// The ordinary chat, if one may write into it.
    pub(crate) fn open_beside(&self) -> Option<&Chat> {
        let chat = self.beside.as_ref().map(|beside| &beside.chat);
        chat.filter(|chat| chat.status != ChatStatus::Finished)
    }
}

/// The page.
#[derive(Template)]
#[template(path = "desk.html")]
pub struct Desk {
    /// What is around it.
    pub frame: Frame,
    /// The disputes.
    pub list: List,
    /// The one that is open.
    pub dispute: Option<Dispute>,
}

/// The list alone, to be put in the place of an older one.
#[derive(Template)]
#[template(path = "disputes.html")]
pub struct ListPart {
    /// What is around it.
    pub frame: Frame,
    /// The disputes.
    pub list: List,
}

/// What a page shows of a dispute and may have changed.
#[derive(Template)]
#[template(path = "dispute_news.html")]
pub struct DisputeNews {
    /// What is around it.
    pub frame: Frame,
    /// The dispute.
    pub dispute: Dispute,
}

pub(crate) fn sender(t: &'static Texts, sender: &Sender) -> &'static str {
    match sender {
        Sender::Partner => t.desk.seller,
        other => inbox::sender(t, other),
    }
}

pub(crate) fn side(message: &Message) -> &'static str {
    match message.sender {
        Sender::Support => "own",
        Sender::Customer => "customer",
        Sender::Partner => "seller",
        Sender::Market => "market",
    }
}

pub(crate) fn status(t: &'static Texts, status: &ChatStatus) -> &'static str {
    match status {
        ChatStatus::WaitingForPartner => t.desk.waiting_for_seller,
        ChatStatus::WaitingForArbiter => t.desk.waiting_for_you,
        other => inbox::status(t, other),
    }
}

/// In words for whom a dispute was decided.
pub(crate) const fn decided_for(t: &'static Texts, decided_for: &DecidedFor) -> &'static str {
    match decided_for {
        DecidedFor::Buyer => t.desk.buyer,
        DecidedFor::Seller => t.desk.seller_side,
        DecidedFor::Both => t.desk.both,
    }
}

/// In words what somebody did.
pub(crate) const fn deed(t: &'static Texts, deed: &Deed) -> &'static str {
    let o = &t.operator;
    match deed {
        Deed::Wrote => o.wrote,
        Deed::WroteBoth => o.wrote_both,
        Deed::Settled => o.settled,
        Deed::ChangedState => o.changed_state,
        Deed::CreatedKey => o.created_key,
        Deed::RevokedKey => o.revoked_key,
        Deed::Enabled => o.enabled_subscription,
        Deed::Disabled => o.disabled_subscription,
        Deed::SentAgain => o.sent_again,
    }
}

/// In words how it was done, where that is a name of ours; as it is, where it is one from outside.
pub(crate) fn about(t: &'static Texts, line: &AuditLine) -> String {
    let d = &t.desk;
    let known = match (line.deed, &*line.about) {
        (Deed::Settled, about) => about.parse().ok().map(|it| decided_for(t, &it)),
        (Deed::Wrote | Deed::WroteBoth, about) => match about {
            "CUSTOMER" => Some(d.waits_customer),
            "PARTNER" => Some(d.waits_partner),
            "ARBITER" => Some(d.waits_arbiter),
            "MARKET" => Some(d.waits_market),
            _ => None,
        },
        (Deed::ChangedState, about) => about.parse().ok().map(|it| crate::operator::state(t, &it)),
        _ => None,
    };
    match (line.deed, known) {
        (Deed::Wrote | Deed::WroteBoth, Some(whom)) => format!("{} {whom}", d.waits),
        (Deed::Settled, Some(whom)) => format!("{} {whom}", d.decided_for),
        (_, Some(known)) => known.to_owned(),
        (_, None) => line.about.clone(),
    }
}

pub(crate) fn link(business: &BusinessId, chat: &prilavok_domain::ChatId) -> String {
    format!("/ui/arbiter/{business}/{chat}")
}
