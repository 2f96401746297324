//! Messages of own chats: written, listed in both directions, and read.

use axum::extract::State;
use prilavok_domain::{ChatId, Message, MessageId, MessageText, Sender};
use prilavok_store::{Entity, MessageRange, NewMessage};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::auth::{Buyer, Sending};
use super::once::{self, OnceKey};
use super::openapi::{MESSAGES, ReadErrors, WriteErrors};
use crate::app::SharedApp;
use crate::json_api::body::{Json, JsonBody};
use crate::json_api::error::ApiError;
use crate::json_api::fields::{self, Fields, FromFields};
use crate::json_api::idempotency::{Answer, Once};
use crate::json_api::json_id::JsonId;
use crate::json_api::message_json::{self, MessageJson, Shown};
use crate::json_api::page::{Page, Paging};
use crate::json_api::path::Id;
use crate::json_api::query::{FromQuery, Parameters, Query, parameter};
use crate::public_url::PublicUrl;

/// A message to write.
#[derive(Debug, ToSchema)]
#[schema(as = SendMessage, example = json!({"message": "Здравствуйте! Когда придёт посылка?"}))]
pub(super) struct SendBody {
    /// The text.
    #[schema(value_type = String, min_length = 1, max_length = 4096)]
    message: MessageText,
}

impl FromFields for SendBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let message = fields.required("message", message_json::text_of_json);
        Some(Self { message: message? })
    }
}

impl JsonBody for SendBody {}

/// Write a message
///
/// As the customer. An ordinary chat then waits for the seller, a dispute for the arbiter; a finished ordinary chat is
/// open again.
#[utoipa::path(
    post,
    path = "/chats/{chatId}/messages",
    tag = MESSAGES,
    operation_id = "sendMessage",
    params(Id<ChatId>, OnceKey),
    request_body = SendBody,
    responses((status = 201, description = "The message.", body = MessageJson), WriteErrors),
)]
pub(super) async fn send_message(
    Sending(buyer): Sending,
    State(app): State<SharedApp>,
    Id(chat): Id<ChatId>,
    once: Once,
    PublicUrl(base): PublicUrl,
    Json {
        value: body,
        canonical,
    }: Json<SendBody>,
) -> Result<Answer<MessageJson>, ApiError> {
    buyer.chat(&app, chat).await?;
    let asked: [&[u8]; 2] = [&chat.get().to_be_bytes(), canonical.as_bytes()];
    let once = once::of(once, &buyer, "sendMessage", &asked);
    let now = app.now();
    let new = NewMessage {
        sender: Sender::Customer,
        text: Some(body.message),
        files: Vec::new(),
        wait_for: None,
    };
    let written = app
        .store
        .append_message(buyer.business(), chat, new, once, now)
        .await?;
    Ok(Shown::of(&app, buyer.business(), chat, &base).sent(written))
}

/// In which order messages are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Order {
    #[default]
    OldestFirst,
    NewestFirst,
}

/// Which messages a list shows, and which page of it.
#[derive(Debug)]
pub(super) struct MessagesQuery {
    order: Order,
    from: Option<i64>,
    paging: Paging<MessageId>,
}

impl FromQuery for MessagesQuery {
    fn from_query(query: &mut Parameters<'_>) -> Option<Self> {
        let order = query.one("order", |text| match text {
            "OLDEST_FIRST" => Ok(Order::OldestFirst),
            "NEWEST_FIRST" => Ok(Order::NewestFirst),
            _ => Err("must be one of OLDEST_FIRST, NEWEST_FIRST".to_owned()),
        });
        let newest_first = order == Some(Some(Order::NewestFirst));
        let from = query.one("messageIdFrom", |text| {
            if newest_first {
                return Err("goes with OLDEST_FIRST only".to_owned());
            }
            fields::text_id::<MessageId>(text)
        });
        let paging = Paging::from_query(query);
        Some(Self {
            order: order?.unwrap_or_default(),
            from: from?.map(MessageId::get),
            paging: paging?,
        })
    }
}

impl IntoParams for MessagesQuery {
    fn into_params(provider: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let order = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(["OLDEST_FIRST", "NEWEST_FIRST"]))
            .default(Some("OLDEST_FIRST".into()));
        let from = "This message and all after it. Pass the last one that you know, and you get what is new. Only with \
                    `OLDEST_FIRST`.";
        let own = [
            parameter("order", "In which order they are listed.", order),
            parameter("messageIdFrom", from, JsonId::schema()),
        ];
        own.into_iter()
            .chain(Paging::<MessageId>::into_params(provider))
            .collect()
    }
}

/// List the messages of an own chat
#[utoipa::path(
    get,
    path = "/chats/{chatId}/messages",
    tag = MESSAGES,
    operation_id = "listMessages",
    params(Id<ChatId>, MessagesQuery),
    responses((status = 200, description = "A page of messages.", body = Page<MessageJson>), ReadErrors),
)]
pub(super) async fn list_messages(
    buyer: Buyer,
    State(app): State<SharedApp>,
    Id(chat): Id<ChatId>,
    PublicUrl(base): PublicUrl,
    Query(MessagesQuery { order, from, paging }): Query<MessagesQuery>,
) -> Result<axum::Json<Page<MessageJson>>, ApiError> {
    buyer.chat(&app, chat).await?;
    let (business, after, limit) = (buyer.business(), paging.after, paging.limit);
    let messages = match order {
        Order::OldestFirst => {
            let range = MessageRange { from, after };
            app.store.messages(business, chat, range, limit).await?
        }
        Order::NewestFirst => app.store.messages_before(business, chat, after, limit).await?,
    };
    let shown = Shown::of(&app, business, chat, &base);
    Ok(axum::Json(Page::of_store(
        messages,
        |it| shown.message(it),
        |message: &Message| message.id,
    )))
}

/// Show a message of an own chat
#[utoipa::path(
    get,
    path = "/chats/{chatId}/messages/{messageId}",
    tag = MESSAGES,
    operation_id = "getMessage",
    params(Id<ChatId>, Id<MessageId>),
    responses((status = 200, description = "The message.", body = MessageJson), ReadErrors),
)]
pub(super) async fn get_message(
    buyer: Buyer,
    State(app): State<SharedApp>,
    Id(chat): Id<ChatId>,
    Id(id): Id<MessageId>,
    PublicUrl(base): PublicUrl,
) -> Result<axum::Json<MessageJson>, ApiError> {
    buyer.chat(&app, chat).await?;
    let found = app.store.message(buyer.business(), chat, id).await?;
    let message = found.ok_or_else(|| ApiError::not_found(&Entity::Message(id)))?;
    Ok(axum::Json(
        Shown::of(&app, buyer.business(), chat, &base).message(message),
    ))
}
