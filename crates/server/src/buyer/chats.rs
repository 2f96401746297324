//! The customer's own chats: started, listed and read.

use axum::extract::State;
use axum::http::StatusCode;
use prilavok_domain::rules::Initiator;
use prilavok_domain::{Chat, ChatId, ContextType, OrderId};
use prilavok_store::{Conflict, Entity, Refusal, StartChat, StoreError, Subject};
use utoipa::openapi::schema::{ObjectBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::auth::{Buyer, Sending};
use super::once::{self, OnceKey};
use super::openapi::{CHATS, ReadErrors, WriteErrors};
use crate::app::{App, SharedApp};
use crate::json_api::body::{Json, JsonBody};
use crate::json_api::chat_json::ChatJson;
use crate::json_api::error::ApiError;
use crate::json_api::fields::{self, Fields, FromFields};
use crate::json_api::idempotency::{Answer, Once};
use crate::json_api::json_id::JsonId;
use crate::json_api::names::ContextTypeName;
use crate::json_api::page::{Page, Paging};
use crate::json_api::path::Id;
use crate::json_api::query::Query;

/// A chat to start.
#[derive(Debug, ToSchema)]
#[schema(as = StartChat, example = json!({"context": {"type": "ORDER", "id": 7}}))]
pub(super) struct StartBody {
    /// What it is about.
    context: StartContext,
}

/// What a chat to start is about.
#[derive(Debug)]
struct StartContext(Subject);

impl FromFields for StartBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            context: fields.object("context")?,
        })
    }
}

impl FromFields for StartContext {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let subject = match fields.required("type", fields::named::<ContextType>) {
            Some(ContextType::Order) => fields.required("id", fields::json_id).map(Subject::Order),
            Some(ContextType::Return) => fields.required("id", fields::json_id).map(Subject::Return),
            Some(ContextType::Direct) => fields
                .absent("id", "is not allowed for DIRECT")
                .map(|()| Subject::Direct),
            None => {
                fields.let_all_pass();
                None
            }
        };
        subject.map(Self)
    }
}

impl JsonBody for StartBody {}

impl PartialSchema for StartContext {
    fn schema() -> RefOr<Schema> {
        let id = Ref::builder().ref_location_from_schema_name(JsonId::name());
        ObjectBuilder::new()
            .property("type", Ref::from_schema_name(ContextTypeName::name()))
            .required("type")
            .property(
                "id",
                id.description(Some("The order's or the return's id; not for `DIRECT`.")),
            )
            .description(Some("What a chat to start is about."))
            .into()
    }
}

impl ToSchema for StartContext {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((ContextTypeName::name().into_owned(), ContextTypeName::schema()));
        schemas.push((JsonId::name().into_owned(), JsonId::schema()));
    }
}

/// Start a chat
///
/// About an own order or return, or, as `DIRECT`, with a question to the business. Where there is such a chat already,
/// answers that one, and so does a replay: with 200, since the chat is there.
#[utoipa::path(
    post,
    path = "/chats",
    tag = CHATS,
    operation_id = "startChat",
    params(OnceKey),
    request_body = StartBody,
    responses(
        (status = 200, description = "The chat that was there already.", body = ChatJson),
        (status = 201, description = "The new chat.", body = ChatJson),
        WriteErrors,
    ),
)]
pub(super) async fn start_chat(
    Sending(buyer): Sending,
    State(app): State<SharedApp>,
    once: Once,
    Json {
        value: StartBody {
            context: StartContext(subject),
        },
        canonical,
    }: Json<StartBody>,
) -> Result<Answer<ChatJson>, ApiError> {
    within_token(&app, &buyer, &subject).await?;
    let once = once::of(once, &buyer, "startChat", &[canonical.as_bytes()]);
    let start = StartChat {
        initiator: Initiator::Customer,
        subject: subject.clone(),
        customer: Some(buyer.chats().customer.clone()),
    };
    let started = app
        .store
        .start_chat(buyer.business(), start, once, app.now())
        .await;
    let started = started.map_err(|error| refused(error, &subject))?;
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

/// Fails where the token is narrowed to something else.
async fn within_token(app: &App, buyer: &Buyer, subject: &Subject) -> Result<(), ApiError> {
    let chats = buyer.chats();
    let (order, returned) = match subject {
        Subject::Order(id) => (Some(*id), None),
        Subject::Return(id) if chats.order.is_some() => {
            let found = app.store.returned(buyer.business(), *id).await?;
            (found.map(|it| it.order), Some(*id))
        }
        Subject::Return(id) => (None, Some(*id)),
        Subject::Direct => (None, None),
    };
    let fits = chats.order.is_none_or(|only: OrderId| order == Some(only))
        && chats.returned.is_none_or(|only| returned == Some(only));
    if fits {
        return Ok(());
    }
    Err(ApiError::field("context", "is not what the token is for"))
}

/// What is not there and what is another customer's are told apart by nobody.
fn refused(error: StoreError, subject: &Subject) -> ApiError {
    let not_there = matches!(
        &error,
        StoreError::Refused(
            Refusal::NotFound(Entity::Order(_) | Entity::Return(_))
                | Refusal::Conflict(Conflict::OtherCustomer)
        )
    );
    let entity = match subject {
        Subject::Order(id) => Entity::Order(*id),
        Subject::Return(id) => Entity::Return(*id),
        Subject::Direct => return error.into(),
    };
    if not_there {
        return ApiError::field("context.id", format!("names what does not exist: {entity}"));
    }
    error.into()
}

/// List own chats
///
/// The one that began last first.
#[utoipa::path(
    get,
    path = "/chats",
    tag = CHATS,
    operation_id = "listChats",
    params(Paging<ChatId>),
    responses((status = 200, description = "A page of chats.", body = Page<ChatJson>), ReadErrors),
)]
pub(super) async fn list_chats(
    buyer: Buyer,
    State(app): State<SharedApp>,
    Query(paging): Query<Paging<ChatId>>,
) -> Result<axum::Json<Page<ChatJson>>, ApiError> {
    let chats = app
        .store
        .customer_chats(buyer.business(), buyer.chats(), paging.after, paging.limit)
        .await?;
    Ok(axum::Json(Page::of_store(
        chats,
        ChatJson::from,
        |chat: &Chat| chat.id,
    )))
}

/// Show an own chat
#[utoipa::path(
    get,
    path = "/chats/{chatId}",
    tag = CHATS,
    operation_id = "getChat",
    params(Id<ChatId>),
    responses((status = 200, description = "The chat.", body = ChatJson), ReadErrors),
)]
pub(super) async fn get_chat(
    buyer: Buyer,
    State(app): State<SharedApp>,
    Id(id): Id<ChatId>,
) -> Result<axum::Json<ChatJson>, ApiError> {
    Ok(axum::Json(buyer.chat(&app, id).await?.into()))
}
