//! Files of own chats: sent as one message, and downloaded.

use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use prilavok_domain::{ChatId, FileId, Sender};
use utoipa::ToSchema;

use super::auth::{Buyer, Sending};
use super::once::{self, OnceKey};
use super::openapi::{MESSAGES, ReadErrors, WriteErrors};
use crate::app::SharedApp;
use crate::json_api::error::ApiError;
use crate::json_api::form::{Author, FormBody};
use crate::json_api::idempotency::{Answer, Once};
use crate::json_api::message_json::{MessageJson, Shown};
use crate::json_api::path::Id;
use crate::partner;
use crate::public_url::PublicUrl;

/// The parts of the form, in any order.
#[derive(ToSchema)]
#[schema(as = SendFiles)]
#[expect(dead_code, reason = "describes the form; `form` reads it")]
pub(super) struct SendFilesForm {
    /// One to ten files of up to 5 MiB each, each a part of its own with the name `file`. Their names are
    /// kept; their types are found from their content.
    #[schema(value_type = Vec<String>, format = Binary, min_items = 1, max_items = 10)]
    file: Vec<Vec<u8>>,
    /// A text to go with them.
    #[schema(min_length = 1, max_length = 4096)]
    message: Option<String>,
}

/// Send files
///
/// As one message of the customer, with or without a text.
#[utoipa::path(
    post,
    path = "/chats/{chatId}/files",
    tag = MESSAGES,
    operation_id = "sendFiles",
    params(Id<ChatId>, OnceKey),
    request_body(content = SendFilesForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "The message that carries the files.", body = MessageJson), WriteErrors),
)]
pub(super) async fn send_files(
    Sending(buyer): Sending,
    State(app): State<SharedApp>,
    Id(chat): Id<ChatId>,
    once: Once,
    PublicUrl(base): PublicUrl,
    form: FormBody,
) -> Result<Answer<MessageJson>, ApiError> {
    // Nobody should send 50 MiB only to hear that the chat does not exist.
    buyer.chat(&app, chat).await?;
    let business = buyer.business();
    let form = form.read(&app, business, Author::Is(Sender::Customer)).await?;
    let asked: [&[u8]; 2] = [&chat.get().to_be_bytes(), &form.fingerprint()];
    let once = once::of(once, &buyer, "sendFiles", &asked);
    let written = form.send(&app, chat, once).await?;
    Ok(Shown::of(&app, business, chat, &base).sent(written))
}

/// Download a file of an own chat
///
/// Always as an attachment. The `url` of a file opens without a token, for a while.
#[utoipa::path(
    get,
    path = "/files/{fileId}",
    tag = MESSAGES,
    operation_id = "getFile",
    params(Id<FileId>),
    responses(
        (status = 200, description = "The content.", body = Vec<u8>, content_type = "application/octet-stream"),
        ReadErrors,
    ),
)]
pub(super) async fn get_file(
    buyer: Buyer,
    State(app): State<SharedApp>,
    Id(id): Id<FileId>,
) -> Result<Response<Body>, ApiError> {
    let not_there = || ApiError::missing(&format!("file {id}"), "fileId");
    let chat = app.store.chat_of_file(buyer.business(), id).await?;
    let chat = chat.ok_or_else(not_there)?;
    buyer.chat(&app, chat).await.map_err(|_| not_there())?;
    let found = app.store.file(buyer.business(), id).await?;
    let (_, stored) = found.ok_or_else(not_there)?;
    Ok(partner::content(&app, &stored).await?)
}
