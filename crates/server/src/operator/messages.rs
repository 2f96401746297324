//! Messages: written for the customer, the market or support; listed and read.

use axum::extract::State;
use prilavok_domain::{ChatId, Message, MessageId};
use prilavok_store::{Entity, MessageRange, NewMessage};
use utoipa::IntoParams;
use utoipa::PartialSchema;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::auth::Operator;
use super::chats;
use super::openapi::{MESSAGES, ReadErrors, WriteErrors};
use crate::app::SharedApp;
use crate::json_api::body::Json;
use crate::json_api::error::ApiError;
use crate::json_api::fields;
use crate::json_api::idempotency::{Answer, Once};
use crate::json_api::json_id::JsonId;
use crate::json_api::message_json::{MessageJson, SendBody, Shown};
use crate::json_api::page::{Page, Paging};
use crate::json_api::path::{Id, InBusiness};
use crate::json_api::query::{FromQuery, Parameters, Query, parameter};
use crate::public_url::PublicUrl;

/// Write a message
///
/// As `CUSTOMER`, `MARKET` or `SUPPORT`; partners write through the Partner API. The chat's status moves as the
/// rules say: a message of the customer makes an ordinary chat wait for the partner and an arbitration for
/// the arbiter, and reopens a finished ordinary chat; a message of `MARKET` moves nothing; with one of `SUPPORT`,
/// `waitFor` says whose turn it is.
#[utoipa::path(
    post,
    path = "/businesses/{businessId}/chats/{chatId}/messages",
    tag = MESSAGES,
    operation_id = "sendMessage",
    params(InBusiness, Id<ChatId>, Once),
    request_body = SendBody,
    responses((status = 201, description = "The message.", body = MessageJson), WriteErrors),
)]
pub(super) async fn send_message(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(chat): Id<ChatId>,
    once: Once,
    PublicUrl(base): PublicUrl,
    Json {
        value: body,
        canonical,
    }: Json<SendBody>,
) -> Result<Answer<MessageJson>, ApiError> {
    let once = once.of("sendMessage", &[&chat.get().to_be_bytes(), canonical.as_bytes()]);
    let now = app.now();
    let new = NewMessage {
        sender: body.sender,
        text: Some(body.message),
        files: Vec::new(),
        wait_for: body.wait_for,
    };
    let written = app.store.append_message(business, chat, new, once, now).await?;
    Ok(Shown::of(&app, business, chat, &base).sent(written))
}

/// Which messages a list shows, and which page of it.
#[derive(Debug)]
pub(super) struct MessagesQuery {
    from: Option<i64>,
    paging: Paging<MessageId>,
}

impl FromQuery for MessagesQuery {
    fn from_query(query: &mut Parameters<'_>) -> Option<Self> {
        let from = query.one("messageIdFrom", fields::text_id::<MessageId>);
        let paging = Paging::from_query(query);
        Some(Self {
            from: from?.map(MessageId::get),
            paging: paging?,
        })
    }
}

impl IntoParams for MessagesQuery {
    fn into_params(provider: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description =
            "This message and all after it. Pass the last one that you know, and you get what is new.";
        let from = parameter("messageIdFrom", description, JsonId::schema());
        [from]
            .into_iter()
            .chain(Paging::<MessageId>::into_params(provider))
            .collect()
    }
}

/// List the messages of a chat
///
/// Oldest first.
#[utoipa::path(
    get,
    path = "/businesses/{businessId}/chats/{chatId}/messages",
    tag = MESSAGES,
    operation_id = "listMessages",
    params(InBusiness, Id<ChatId>, MessagesQuery),
    responses((status = 200, description = "A page of messages.", body = Page<MessageJson>), ReadErrors),
)]
pub(super) async fn list_messages(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(chat): Id<ChatId>,
    PublicUrl(base): PublicUrl,
    Query(MessagesQuery { from, paging }): Query<MessagesQuery>,
) -> Result<axum::Json<Page<MessageJson>>, ApiError> {
    let range = MessageRange {
        from,
        after: paging.after,
    };
    let found = app.store.history(business, chat, range, paging.limit).await?;
    let (_, messages) = found.ok_or_else(|| ApiError::not_found(&Entity::Chat(chat)))?;
    let shown = Shown::of(&app, business, chat, &base);
    Ok(axum::Json(Page::of_store(
        messages,
        |it| shown.message(it),
        |message: &Message| message.id,
    )))
}

/// Show a message
#[utoipa::path(
    get,
    path = "/businesses/{businessId}/chats/{chatId}/messages/{messageId}",
    tag = MESSAGES,
    operation_id = "getMessage",
    params(InBusiness, Id<ChatId>, Id<MessageId>),
    responses((status = 200, description = "The message.", body = MessageJson), ReadErrors),
)]
pub(super) async fn get_message(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(chat): Id<ChatId>,
    Id(id): Id<MessageId>,
    PublicUrl(base): PublicUrl,
) -> Result<axum::Json<MessageJson>, ApiError> {
    let Some(message) = app.store.message(business, chat, id).await? else {
        chats::existing(&app, business, chat).await?;
        return Err(ApiError::not_found(&Entity::Message(id)));
    };
    Ok(axum::Json(
        Shown::of(&app, business, chat, &base).message(message),
    ))
}
