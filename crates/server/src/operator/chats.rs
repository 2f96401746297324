//! Chats: started for a customer, listed, read, escalated and finished.

use axum::extract::State;
use axum::http::StatusCode;
use prilavok_domain::rules::Initiator;
use prilavok_domain::{BusinessId, Chat, ChatId, ContextType, OrderId, ReturnId};
use prilavok_store::{ChatChange, ChatCursor, ChatFilter, Entity, Idempotency, StartChat};
use utoipa::IntoParams;
use utoipa::PartialSchema;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::ArrayBuilder;

use super::auth::Operator;
use super::openapi::{ActionErrors, CHATS, ReadErrors, WriteErrors};
use crate::app::{App, SharedApp};
use crate::json_api::body::Json;
use crate::json_api::chat_json::{ChatJson, StartBody};
use crate::json_api::error::{ApiError, IN_PATH};
use crate::json_api::fields;
use crate::json_api::idempotency::{Answer, Once};
use crate::json_api::json_id::JsonId;
use crate::json_api::names::{ChatStatusName, ChatTypeName, ContextTypeName};
use crate::json_api::page::{Page, Paging};
use crate::json_api::path::{Id, InBusiness};
use crate::json_api::query::{FromQuery, Parameters, Query, parameter};

/// Start a chat
///
/// As its customer. Where the context has a chat already, answers that one, and so does a replay: with 200,
/// since the chat is there.
#[utoipa::path(
    post,
    path = "/businesses/{businessId}/chats",
    tag = CHATS,
    operation_id = "startChat",
    params(InBusiness, Once),
    request_body = StartBody,
    responses(
        (status = 200, description = "The chat that was there already.", body = ChatJson),
        (status = 201, description = "The new chat.", body = ChatJson),
        WriteErrors,
    ),
)]
pub(super) async fn start_chat(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    once: Once,
    Json {
        value: body,
        canonical,
    }: Json<StartBody>,
) -> Result<Answer<ChatJson>, ApiError> {
    let once = once.of("startChat", &[canonical.as_bytes()]);
    let context = body.context;
    let start = StartChat {
        initiator: Initiator::Customer,
        subject: context.subject,
        customer: context.customer,
    };
    let started = app.store.start_chat(business, start, once, app.now()).await;
    let started = started.map_err(|error| ApiError::of_store(error, named_by_context))?;
    let status = if started.value.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(Answer {
        status,
        body: started.value.chat.into(),
        replayed: started.replayed,
    })
}

const fn named_by_context(entity: &Entity) -> Option<&'static str> {
    match entity {
        Entity::Order(_) | Entity::Return(_) => Some("context.id"),
        Entity::Customer(_) => Some("context.customerId"),
        _ => None,
    }
}

/// Which chats a list shows, and which page of it.
#[derive(Debug)]
pub(super) struct ChatsQuery {
    filter: ChatFilter,
    paging: Paging<ChatCursor>,
}

impl FromQuery for ChatsQuery {
    fn from_query(query: &mut Parameters<'_>) -> Option<Self> {
        let types = query.many("type", fields::one_of);
        let statuses = query.many("status", fields::one_of);
        let context_types = query.many("contextType", fields::one_of);
        let orders = query.many("orderId", fields::text_id::<OrderId>);
        let returns = query.many("returnId", fields::text_id::<ReturnId>);
        let paging = Paging::from_query(query);
        Some(Self {
            filter: ChatFilter {
                orders: orders?.into_iter().map(OrderId::get).collect(),
                contexts: returns?
                    .into_iter()
                    .map(|id| (ContextType::Return, id.get()))
                    .collect(),
                context_types: context_types?,
                types: types?,
                statuses: statuses?,
            },
            paging: paging?,
        })
    }
}

impl IntoParams for ChatsQuery {
    fn into_params(provider: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let several = |schema| ArrayBuilder::new().items(schema).max_items(Some(100));
        let filters = [
            ("type", "Chats of these types.", several(ChatTypeName::schema())),
            (
                "status",
                "Chats in these statuses.",
                several(ChatStatusName::schema()),
            ),
            (
                "contextType",
                "Chats about these kinds of things.",
                several(ContextTypeName::schema()),
            ),
            (
                "orderId",
                "Chats about these orders, and about returns of them.",
                several(JsonId::schema()),
            ),
            (
                "returnId",
                "Chats about these returns.",
                several(JsonId::schema()),
            ),
        ];
        let filters = filters.into_iter().map(|(name, description, schema)| {
            let description = format!("{description} Several values: repeated, or with commas between them.");
            parameter(name, &description, schema)
        });
        filters
            .chain(Paging::<ChatCursor>::into_params(provider))
            .collect()
    }
}

/// List chats
///
/// Those of the business that pass every filter, the one with the newest message first. A chat that gets
/// a message while you page moves to the first page; chats that stay still are neither skipped nor
/// repeated.
#[utoipa::path(
    get,
    path = "/businesses/{businessId}/chats",
    tag = CHATS,
    operation_id = "listChats",
    params(InBusiness, ChatsQuery),
    responses((status = 200, description = "A page of chats.", body = Page<ChatJson>), ReadErrors),
)]
pub(super) async fn list_chats(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Query(ChatsQuery { filter, paging }): Query<ChatsQuery>,
) -> Result<axum::Json<Page<ChatJson>>, ApiError> {
    let chats = app
        .store
        .chats(business, &filter, paging.after, paging.limit)
        .await?;
    let position = |chat: &Chat| ChatCursor {
        updated_at: chat.updated_at,
        id: chat.id,
    };
    Ok(axum::Json(Page::of_store(chats, ChatJson::from, position)))
}

/// Show a chat
#[utoipa::path(
    get,
    path = "/businesses/{businessId}/chats/{chatId}",
    tag = CHATS,
    operation_id = "getChat",
    params(InBusiness, Id<ChatId>),
    responses((status = 200, description = "The chat.", body = ChatJson), ReadErrors),
)]
pub(super) async fn get_chat(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(id): Id<ChatId>,
) -> Result<axum::Json<ChatJson>, ApiError> {
    Ok(axum::Json(existing(&app, business, id).await?.into()))
}

/// A chat that must exist.
pub(super) async fn existing(app: &App, business: BusinessId, id: ChatId) -> Result<Chat, ApiError> {
    let found = app.store.chat(business, id).await?;
    found.ok_or_else(|| ApiError::not_found(&Entity::Chat(id)))
}

/// Escalate a chat to the marketplace
///
/// An ordinary chat that is not finished then waits for the marketplace.
#[utoipa::path(
    post,
    path = "/businesses/{businessId}/chats/{chatId}/escalate",
    tag = CHATS,
    operation_id = "escalateChat",
    params(InBusiness, Id<ChatId>, Once),
    responses((status = 200, description = "The chat as it is now.", body = ChatJson), ActionErrors),
)]
pub(super) async fn escalate_chat(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(id): Id<ChatId>,
    once: Once,
) -> Result<Answer<ChatJson>, ApiError> {
    let once = once.of("escalateChat", &[&id.get().to_be_bytes()]);
    change(&app, business, id, ChatChange::Escalate, once).await
}

/// Finish a chat or an arbitration
///
/// An ordinary chat is reopened by the customer's next message; an arbitration stays finished.
#[utoipa::path(
    post,
    path = "/businesses/{businessId}/chats/{chatId}/finish",
    tag = CHATS,
    operation_id = "finishChat",
    params(InBusiness, Id<ChatId>, Once),
    responses((status = 200, description = "The chat as it is now.", body = ChatJson), ActionErrors),
)]
pub(super) async fn finish_chat(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(id): Id<ChatId>,
    once: Once,
) -> Result<Answer<ChatJson>, ApiError> {
    let once = once.of("finishChat", &[&id.get().to_be_bytes()]);
    change(&app, business, id, ChatChange::Finish, once).await
}

async fn change(
    app: &App,
    business: BusinessId,
    id: ChatId,
    change: ChatChange,
    once: Option<Idempotency>,
) -> Result<Answer<ChatJson>, ApiError> {
    let changed = app.store.change_chat(business, id, change, once, app.now()).await;
    let changed = changed.map_err(|error| ApiError::of_store(error, IN_PATH))?;
    Ok(Answer {
        status: StatusCode::OK,
        body: changed.value.into(),
        replayed: changed.replayed,
    })
}
