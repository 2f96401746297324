//! Files sent into a chat: a form whose files are streamed into the file store as they come, and then
//! named by one message.

use axum::extract::State;
use prilavok_domain::ChatId;
use utoipa::ToSchema;

use super::auth::Operator;
use super::chats;
use super::openapi::{MESSAGES, WriteErrors};
use crate::app::SharedApp;
use crate::json_api::error::ApiError;
use crate::json_api::form::{Author, FormBody};
use crate::json_api::idempotency::{Answer, Once};
use crate::json_api::message_json::{MessageJson, Shown};
use crate::json_api::names::{SenderName, WaitForName};
use crate::json_api::path::{Id, InBusiness};
use crate::public_url::PublicUrl;

/// The parts of the form, in any order.
#[derive(ToSchema)]
#[schema(as = SendFiles, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the form; `form` reads it")]
pub(super) struct SendFilesForm {
    /// Who sends: `CUSTOMER`, `MARKET` or `SUPPORT`.
    sender: SenderName,
    /// One to ten files of up to 5 MiB each, each a part of its own with the name `file`. Their names are
    /// kept; their types are found from their content.
    #[schema(value_type = Vec<String>, format = Binary, min_items = 1, max_items = 10)]
    file: Vec<Vec<u8>>,
    /// A text to go with them.
    #[schema(min_length = 1, max_length = 4096)]
    message: Option<String>,
    /// Whom the chat waits for after a message of `SUPPORT`.
    wait_for: Option<WaitForName>,
}

/// Send files
///
/// As one message of `CUSTOMER`, `MARKET` or `SUPPORT`, with or without a text. What holds for a message holds
/// here.
#[utoipa::path(
    post,
    path = "/businesses/{businessId}/chats/{chatId}/files",
    tag = MESSAGES,
    operation_id = "sendFiles",
    params(InBusiness, Id<ChatId>, Once),
    request_body(content = SendFilesForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "The message that carries the files.", body = MessageJson), WriteErrors),
)]
pub(super) async fn send_files(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(chat): Id<ChatId>,
    once: Once,
    PublicUrl(base): PublicUrl,
    form: FormBody,
) -> Result<Answer<MessageJson>, ApiError> {
    // Nobody should send 50 MiB only to hear that the chat does not exist.
    chats::existing(&app, business, chat).await?;
    let form = form.read(&app, business, Author::Named).await?;
    let once = once.of("sendFiles", &[&chat.get().to_be_bytes(), &form.fingerprint()]);
    let written = form.send(&app, chat, once).await?;
    Ok(Shown::of(&app, business, chat, &base).sent(written))
}
