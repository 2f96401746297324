//! Who may do what in a marketplace chat: ids, contexts, statuses, transitions and time.
//!
//! This crate does no I/O and knows nothing of HTTP, JSON or SQL. Everything that decides whether
//! an event is legal lives in [`rules`]; the rest are the types that the rules speak in.

mod named;

pub mod access;
pub mod business;
pub mod chat;
pub mod desk;
pub mod event;
pub mod id;
pub mod id_sequence;
pub mod message;
pub mod rules;
pub mod time;

pub use access::{Access, CredentialId, CredentialKind, CredentialName, Scope, ScopeSet};
pub use business::{
    Business, BusinessState, Campaign, CampaignState, Customer, Name, Order, Placement, PublicId, Return,
};
pub use chat::{Chat, ChatStatus, ChatType, Context, ContextType};
pub use desk::{AuditLine, DecidedFor, Deed, Verdict};
pub use event::{Event, EventTypes};
pub use id::{
    BusinessId, CampaignId, ChatId, EventId, FileId, MessageId, OrderId, ReturnId, SavedReplyId,
    SubscriptionId,
};
pub use id_sequence::IdSequence;
pub use message::{Attachment, FileName, Message, MessageText, Sender};
pub use time::{Clock, ManualClock, SystemClock, Timestamp};

/// A text that names no variant of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {of}")]
pub struct UnknownName {
    /// The enumeration that was asked for.
    pub of: &'static str,
    /// The text as it came.
    pub text: String,
}
