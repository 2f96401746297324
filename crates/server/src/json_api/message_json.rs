//! Messages as JSON: what is asked to write one, and what one looks like.

use axum::http::StatusCode;
use prilavok_domain::message::{InvalidText, MAX_TEXT_CHARS};
use prilavok_domain::rules::WaitFor;
use prilavok_domain::{Attachment, BusinessId, ChatId, Message, MessageText, Sender, Timestamp};
use prilavok_store::Applied;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::body::JsonBody;
use super::fields::{self, Fields, FromFields};
use super::idempotency::Answer;
use super::json_id::JsonId;
use super::names::{SenderName, WaitForName};
use super::time::Utc;
use crate::app::App;

/// A message to write.
#[derive(Debug, ToSchema)]
#[schema(
    as = SendMessage,
    rename_all = "camelCase",
    example = json!({"sender": "SUPPORT", "message": "Ждём фото упаковки", "waitFor": "CUSTOMER"}),
)]
pub(crate) struct SendBody {
    /// Who writes: `CUSTOMER`, `MARKET` or `SUPPORT`.
    #[schema(value_type = SenderName)]
    pub(crate) sender: Sender,
    /// The text.
    #[schema(value_type = String, min_length = 1, max_length = 4096)]
    pub(crate) message: MessageText,
    /// Whom the chat waits for after a message of `SUPPORT`; absent: as before. Not allowed for others.
    #[schema(value_type = Option<WaitForName>)]
    pub(crate) wait_for: Option<WaitFor>,
}

impl FromFields for SendBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let sender = fields.required("sender", |value| sender(fields::text(value)?));
        let message = fields.required("message", text_of_json);
        let wait_for = fields.optional("waitFor", fields::named);
        Some(Self {
            sender: sender?,
            message: message?,
            wait_for: wait_for?,
        })
    }
}

impl JsonBody for SendBody {}

/// Reads who writes: anybody but partners.
pub(crate) fn sender(text: &str) -> Result<Sender, String> {
    match text.parse() {
        Ok(Sender::Partner) => {
            Err("must be CUSTOMER, MARKET or SUPPORT: partners write through the Partner API".into())
        }
        Ok(sender) => Ok(sender),
        Err(_) => Err("must be one of CUSTOMER, MARKET, SUPPORT".into()),
    }
}

/// Reads the text of a message.
pub(crate) fn text(text: String) -> Result<MessageText, String> {
    MessageText::new(text).map_err(|error| match error {
        InvalidText::Length(chars) => format!("must have 1 to {MAX_TEXT_CHARS} characters, not {chars}"),
        InvalidText::Nul => "must not contain the NUL character".to_owned(),
    })
}

pub(crate) fn text_of_json(value: &Value) -> Result<MessageText, String> {
    text(fields::text(value)?.to_owned())
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Message)]
pub(crate) struct MessageJson {
    /// Its id, unique on the server and increasing within its chat.
    message_id: JsonId,
    /// The chat that it was written into.
    chat_id: JsonId,
    /// When it was accepted.
    created_at: Utc,
    /// Who wrote it.
    sender: SenderName,
    /// Its text; absent where it only carries files.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    message: Option<String>,
    /// Its files.
    files: Vec<FileJson>,
}

/// A file that a message carries.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = File)]
pub(crate) struct FileJson {
    /// Its id.
    file_id: JsonId,
    /// Its name, as its sender gave it.
    #[schema(example = "фото упаковки.jpg")]
    name: String,
    /// Its size in bytes.
    size: u64,
    /// Its media type, found from its content.
    #[schema(example = "image/jpeg")]
    media_type: String,
    /// Where it can be downloaded without a token, for a while.
    #[schema(format = "uri")]
    url: String,
    /// When its content was removed, if it was: `url` answers 404 then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    removed_at: Option<Utc>,
}

/// Shows messages of one chat.
pub(crate) struct Shown<'a> {
    app: &'a App,
    business: BusinessId,
    chat: ChatId,
    /// Where links to files begin.
    base: &'a str,
    now: Timestamp,
}

impl<'a> Shown<'a> {
    /// Messages of a chat, with links that open from now on.
    pub(crate) fn of(app: &'a App, business: BusinessId, chat: ChatId, base: &'a str) -> Self {
        Self {
            app,
            business,
            chat,
            base,
            now: app.now(),
        }
    }

    /// The answer to whoever wrote a message.
    pub(crate) fn sent(&self, written: Applied<Message>) -> Answer<MessageJson> {
        Answer {
            status: StatusCode::CREATED,
            body: self.message(written.value),
            replayed: written.replayed,
        }
    }

    pub(crate) fn message(&self, message: Message) -> MessageJson {
        MessageJson {
            message_id: JsonId(message.id.get()),
            chat_id: JsonId(self.chat.get()),
            created_at: Utc(message.created_at),
            sender: SenderName(message.sender),
            message: message.text.map(|text| text.as_str().to_owned()),
            files: message.files.into_iter().map(|file| self.file(file)).collect(),
        }
    }

    fn file(&self, file: Attachment) -> FileJson {
        FileJson {
            file_id: JsonId(file.id.get()),
            url: self.app.links.url(self.base, self.business, file.id, self.now),
            name: file.name.as_str().to_owned(),
            size: file.size,
            media_type: file.media_type,
            removed_at: file.removed_at.map(Utc),
        }
    }
}
