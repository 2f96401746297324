//! What an export looks like. [`CustomerExport`] is never in memory as a whole: `writer` writes it part by part.

use prilavok_domain::{Attachment, AuditLine, Event, Message, MessageId, Verdict};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::customers::CustomerJson;
use super::super::erasure::ErasureJson;
use super::super::orders::OrderJson;
use super::super::returns::ReturnJson;
use crate::json_api::chat_json::ChatJson;
use crate::json_api::json_id::JsonId;
use crate::json_api::names::{DecidedForName, DeedName, NotificationTypeName, SenderName};
use crate::json_api::time::Utc;

/// All that is kept about a customer.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the document; `writer` writes it")]
pub(super) struct CustomerExport {
    /// When it was asked for.
    exported_at: Utc,
    /// The customer.
    customer: CustomerJson,
    /// The last erasure of the customer; absent where there was none.
    #[schema(nullable = false)]
    erasure: Option<ErasureJson>,
    /// What the customer bought, by business and order.
    orders: Vec<OrderJson>,
    /// What the customer sent back, by business and order.
    returns: Vec<ReturnJson>,
    /// Chats and disputes, by business and chat.
    chats: Vec<ExportedChat>,
    /// What happened in the chats and is kept still, by business, in the order in which it happened.
    events: Vec<ExportedEvent>,
}

/// A chat with all that was said in it.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the document; `writer` writes it")]
pub(super) struct ExportedChat {
    /// The chat.
    chat: ChatJson,
    /// How it was settled; only for a dispute that was.
    #[schema(nullable = false)]
    verdict: Option<ExportedVerdict>,
    /// What the marketplace's people did to it, the newest first; empty but for disputes.
    audit: Vec<ExportedAudit>,
    /// What was said, oldest first.
    messages: Vec<ExportedMessage>,
}

/// A message of an export.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the document; `writer` writes it")]
pub(super) struct ExportedMessage {
    /// Its id.
    message_id: JsonId,
    /// When it was accepted.
    created_at: Utc,
    /// Who wrote it.
    sender: SenderName,
    /// Its text; absent where it only carries files.
    #[schema(nullable = false)]
    message: Option<String>,
    /// Its files.
    files: Vec<ExportedFile>,
}

/// A file of an export.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the document; `writer` writes it")]
pub(super) struct ExportedFile {
    /// Its id.
    file_id: JsonId,
    /// Its name.
    name: String,
    /// Its size in bytes.
    size: u64,
    /// Its media type.
    media_type: String,
    /// When its content was removed, if it was.
    #[schema(nullable = false)]
    removed_at: Option<Utc>,
    /// Its content in Base64; absent where it was removed or not asked for.
    #[schema(nullable = false)]
    content: Option<String>,
}

/// The part of a message before its files.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageHead<'a> {
    message_id: JsonId,
    created_at: Utc,
    sender: SenderName,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

impl<'a> From<&'a Message> for MessageHead<'a> {
    fn from(message: &'a Message) -> Self {
        Self {
            message_id: JsonId(message.id.get()),
            created_at: Utc(message.created_at),
            sender: SenderName(message.sender),
            message: message.text.as_ref().map(|text| text.as_str()),
        }
    }
}

/// The part of a file before its content.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileHead<'a> {
    file_id: JsonId,
    name: &'a str,
    size: u64,
    media_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed_at: Option<Utc>,
}

impl<'a> From<&'a Attachment> for FileHead<'a> {
    fn from(file: &'a Attachment) -> Self {
        Self {
            file_id: JsonId(file.id.get()),
            name: file.name.as_str(),
            size: file.size,
            media_type: &file.media_type,
            removed_at: file.removed_at.map(Utc),
        }
    }
}

/// How a dispute was settled.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExportedVerdict {
    /// For whom.
    decided_for: DecidedForName,
    /// What both sides were told.
    text: String,
    /// When.
    at: Utc,
}

impl From<Verdict> for ExportedVerdict {
    fn from(verdict: Verdict) -> Self {
        Self {
            decided_for: DecidedForName(verdict.decided_for),
            text: verdict.text.as_str().to_owned(),
            at: Utc(verdict.at),
        }
    }
}

/// A line of the audit trail.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExportedAudit {
    /// What was done.
    deed: DeedName,
    /// When.
    at: Utc,
    /// How: a decision, or whom the dispute waits for then; may be empty.
    about: String,
}

impl From<AuditLine> for ExportedAudit {
    fn from(line: AuditLine) -> Self {
        Self {
            deed: DeedName(line.deed),
            at: Utc(line.at),
            about: line.about,
        }
    }
}

/// Something that happened in a chat.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExportedEvent {
    /// Its id.
    event_id: JsonId,
    /// The business of the chat.
    business_id: JsonId,
    /// The chat.
    chat_id: JsonId,
    /// What happened.
    r#type: NotificationTypeName,
    /// The message, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    message_id: Option<JsonId>,
    /// When it happened.
    at: Utc,
}

impl From<Event> for ExportedEvent {
    fn from(event: Event) -> Self {
        Self {
            event_id: JsonId(event.id.get()),
            business_id: JsonId(event.business.get()),
            chat_id: JsonId(event.chat.get()),
            r#type: NotificationTypeName(event.kind),
            message_id: event.message.map(MessageId::get).map(JsonId),
            at: Utc(event.at),
        }
    }
}
