//! The delivery log: a line for each try to notify a subscription, and sending again.

use axum::extract::State;
use prilavok_domain::{MessageId, SubscriptionId, Timestamp};
use prilavok_store::{Again, AttemptFilter, Entity, LoggedAttempt, Refusal, StoreError};
use serde::Serialize;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::auth::Operator;
use super::openapi::{ActionErrors, DELIVERIES, ReadErrors, WriteErrors};
use crate::app::SharedApp;
use crate::json_api::body::{Json, JsonBody};
use crate::json_api::error::{ApiError, Code};
use crate::json_api::fields::{self, Fields, FromFields};
use crate::json_api::json_id::JsonId;
use crate::json_api::names::{NotificationTypeName, OutcomeName};
use crate::json_api::page::{Page, Paging};
use crate::json_api::path::{DeliveryId, Id, InBusiness};
use crate::json_api::query::{FromQuery, Parameters, Query, parameter};
use crate::json_api::time::Utc;

/// A try to deliver an event to a subscription.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Delivery)]
pub(super) struct DeliveryJson {
    /// Its id; later tries have higher ones.
    delivery_id: JsonId,
    /// The subscription, which may have been deleted since.
    subscription_id: JsonId,
    /// The event: `webhook-id` is `evt_` and this number.
    event_id: JsonId,
    /// What happened.
    notification_type: NotificationTypeName,
    /// The chat.
    chat_id: JsonId,
    /// The message, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    message_id: Option<JsonId>,
    /// When it happened.
    event_at: Utc,
    /// When the try began.
    at: Utc,
    /// How long it took, in milliseconds.
    #[schema(example = 12)]
    duration_ms: u32,
    /// The HTTP status of the answer; absent where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 200)]
    status: Option<u16>,
    /// What was wrong, if anything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<String>,
    /// The first 2 KB of the answer's body.
    answer: String,
    /// What followed.
    outcome: OutcomeName,
}

impl From<LoggedAttempt> for DeliveryJson {
    fn from(logged: LoggedAttempt) -> Self {
        let LoggedAttempt { event, attempt, .. } = logged;
        Self {
            delivery_id: JsonId(logged.id),
            subscription_id: JsonId(logged.subscription.get()),
            event_id: JsonId(event.id.get()),
            notification_type: NotificationTypeName(event.kind),
            chat_id: JsonId(event.chat.get()),
            message_id: event.message.map(MessageId::get).map(JsonId),
            event_at: Utc(event.at),
            at: Utc(attempt.at),
            duration_ms: attempt.duration_ms,
            status: attempt.status,
            error: attempt.error,
            answer: attempt.answer,
            outcome: OutcomeName(logged.outcome),
        }
    }
}

/// Which tries a list shows, and which page of it.
#[derive(Debug)]
pub(super) struct DeliveriesQuery {
    filter: AttemptFilter,
    paging: Paging<DeliveryId>,
}

impl FromQuery for DeliveriesQuery {
    fn from_query(query: &mut Parameters<'_>) -> Option<Self> {
        let subscription = query.one("subscriptionId", fields::text_id);
        let outcome = query.one("outcome", fields::one_of);
        let event = query.one("eventId", fields::text_id);
        let from = query.one("from", fields::instant_text);
        let until = query.one("until", fields::instant_text);
        let paging = Paging::from_query(query);
        Some(Self {
            filter: AttemptFilter {
                subscription: subscription?,
                outcome: outcome?,
                event: event?,
                from: from?,
                until: until?,
            },
            paging: paging?,
        })
    }
}

impl IntoParams for DeliveriesQuery {
    fn into_params(provider: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let filters = [
            ("subscriptionId", "To this subscription.", JsonId::schema()),
            ("outcome", "With this outcome.", OutcomeName::schema()),
            ("eventId", "Of this event.", JsonId::schema()),
            ("from", "Begun at this instant or later.", Utc::schema()),
            ("until", "Begun before this instant.", Utc::schema()),
        ];
        let filters = filters
            .into_iter()
            .map(|(name, description, schema)| parameter(name, description, schema));
        filters
            .chain(Paging::<DeliveryId>::into_params(provider))
            .collect()
    }
}

/// List deliveries
///
/// Every try to notify the business's subscriptions that passes all filters, the newest first. The settings say for
/// how many days they are kept (`notifications.log_days`).
#[utoipa::path(
    get,
    path = "/businesses/{businessId}/deliveries",
    tag = DELIVERIES,
    operation_id = "listDeliveries",
    params(InBusiness, DeliveriesQuery),
    responses((status = 200, description = "A page of deliveries.", body = Page<DeliveryJson>), ReadErrors),
)]
pub(super) async fn list_deliveries(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Query(DeliveriesQuery { filter, paging }): Query<DeliveriesQuery>,
) -> Result<axum::Json<Page<DeliveryJson>>, ApiError> {
    let before = paging.after.map(|DeliveryId(id)| id);
    let logged = app.store.attempts(business, filter, before, paging.limit).await?;
    let position = |logged: &LoggedAttempt| DeliveryId(logged.id);
    Ok(axum::Json(Page::of_store(logged, DeliveryJson::from, position)))
}

/// Show a delivery
#[utoipa::path(
    get,
    path = "/businesses/{businessId}/deliveries/{deliveryId}",
    tag = DELIVERIES,
    operation_id = "getDelivery",
    params(InBusiness, Id<DeliveryId>),
    responses((status = 200, description = "The delivery.", body = DeliveryJson), ReadErrors),
)]
pub(super) async fn get_delivery(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(DeliveryId(id)): Id<DeliveryId>,
) -> Result<axum::Json<DeliveryJson>, ApiError> {
    let found = app.store.attempt(business, id).await?;
    let logged = found.ok_or_else(|| missing(DeliveryId(id)))?;
    Ok(axum::Json(logged.into()))
}

fn missing(DeliveryId(id): DeliveryId) -> ApiError {
    ApiError::missing(&format!("delivery {id}"), "deliveryId")
}

/// How many events will be sent again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Queued)]
pub(super) struct QueuedJson {
    /// Events that were queued: those of the types that the subscription is told of.
    queued: u64,
}

/// Send an event again
///
/// To the subscription of this delivery, before what waits for it in turn; however the delivery ended. A subscription
/// that is disabled is a `CONFLICT`; an event that is no longer kept, or a subscription that was deleted, is
/// `NOT_FOUND`.
#[utoipa::path(
    post,
    path = "/businesses/{businessId}/deliveries/{deliveryId}/send-again",
    tag = DELIVERIES,
    operation_id = "sendDeliveryAgain",
    params(InBusiness, Id<DeliveryId>),
    responses((status = 200, description = "What was queued.", body = QueuedJson), ActionErrors),
)]
pub(super) async fn send_delivery_again(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(DeliveryId(id)): Id<DeliveryId>,
) -> Result<axum::Json<QueuedJson>, ApiError> {
    let found = app.store.attempt(business, id).await?;
    let logged = found.ok_or_else(|| missing(DeliveryId(id)))?;
    let again = Again::Event(logged.event.id);
    let queued = app
        .store
        .send_again(business, logged.subscription, again, app.now())
        .await;
    let queued = queued.map_err(gone)?;
    Ok(axum::Json(QueuedJson { queued }))
}

/// What a delivery was about can be gone although its line in the log is there.
fn gone(error: StoreError) -> ApiError {
    match error {
        StoreError::Refused(Refusal::NotFound(entity)) => {
            let message = match &entity {
                Entity::Event(_) => "The delivery's event is no longer kept",
                _ => "The delivery's subscription was deleted",
            };
            ApiError::new(Code::NotFound, message)
                .about("deliveryId", format!("is about {entity}, which is gone"))
        }
        error => error.into(),
    }
}

/// The time whose events are sent again.
#[derive(Debug, ToSchema)]
#[schema(as = SendAgain, example = json!({"from": "2025-01-16T00:00:00Z", "until": "2025-01-17T00:00:00Z"}))]
pub(super) struct SendAgainBody {
    /// Events of this instant or later.
    #[schema(value_type = Utc)]
    from: Timestamp,
    /// Events before this instant.
    #[schema(value_type = Utc)]
    until: Timestamp,
}

impl FromFields for SendAgainBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let from = fields.required("from", fields::instant);
        let until = fields.required("until", fields::instant);
        let (from, until) = (from?, until?);
        if from < until {
            Some(Self { from, until })
        } else {
            fields.problem("until", "must be later than from")
        }
    }
}

impl JsonBody for SendAgainBody {}

/// Send the events of a time again
///
/// Those of the types that the subscription is told of and that are kept still (`notifications.log_days`), in order,
/// before what waits for it in turn; for a receiver that lost some. A subscription that is disabled is a `CONFLICT`.
#[utoipa::path(
    post,
    path = "/businesses/{businessId}/subscriptions/{subscriptionId}/send-again",
    tag = DELIVERIES,
    operation_id = "sendEventsAgain",
    params(InBusiness, Id<SubscriptionId>),
    request_body = SendAgainBody,
    responses((status = 200, description = "What was queued.", body = QueuedJson), WriteErrors),
)]
pub(super) async fn send_events_again(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(id): Id<SubscriptionId>,
    Json { value: body, .. }: Json<SendAgainBody>,
) -> Result<axum::Json<QueuedJson>, ApiError> {
    let again = Again::Between(body.from, body.until);
    let queued = app.store.send_again(business, id, again, app.now()).await?;
    Ok(axum::Json(QueuedJson { queued }))
}
