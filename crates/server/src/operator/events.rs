//! Live events of all businesses, or of one.

use async_trait::async_trait;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Extensions, HeaderMap, Method, Response};
use prilavok_domain::BusinessId;
use prilavok_store::Entity;
use prilavok_wire::live;
use prilavok_wire::openapi::StreamedEvent;
use utoipa::IntoParams;
use utoipa::PartialSchema;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::auth::Operator;
use super::openapi::{EVENTS, ReadErrors};
use crate::app::{App, SharedApp};
use crate::json_api::error::ApiError;
use crate::json_api::fields;
use crate::json_api::json_id::JsonId;
use crate::json_api::last_event;
use crate::json_api::query::{FromQuery, Parameters, Query, parameter};
use crate::live::{Audience, Permit, Start, answer, head};
use crate::socket::Peer;

/// Which events are streamed, and from where.
#[derive(Debug)]
pub(super) struct EventsQuery {
    business: Option<BusinessId>,
    last: Option<i64>,
}

impl FromQuery for EventsQuery {
    fn from_query(query: &mut Parameters<'_>) -> Option<Self> {
        let business = query.one("businessId", fields::text_id);
        let last = query.one(live::PARAMETERS[1].name, event_id);
        Some(Self {
            business: business?,
            last: last?,
        })
    }
}

fn event_id(text: &str) -> Result<i64, String> {
    live::read_id(text).ok_or_else(|| last_event::NO_EVENT.to_owned())
}

impl IntoParams for EventsQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let id = || ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
        let header = ParameterBuilder::new()
            .name("Last-Event-ID")
            .parameter_in(ParameterIn::Header)
            .description(Some(
                "The id of the last event seen; counts before `lastEventId`.",
            ))
            .schema(Some(id()));
        vec![
            parameter(
                "businessId",
                "Only events of this business. Absent: of all.",
                JsonId::schema(),
            ),
            parameter("lastEventId", live::PARAMETERS[1].description, id()),
            header.build(),
        ]
    }
}

/// Stream live events
///
/// Server-Sent Events: each one has an `id`, its type as `event` (`CHAT_CREATED`, `CHAT_MESSAGE_SENT`,
/// `CHAT_ARBITRAGE_STARTED`, `CHAT_ARBITRAGE_FINISHED`) and, as `data`, the JSON that a notification about it has.
/// Resuming, gaps and signs of life are as in the Partner API's `streamEvents`; the number of streams is not limited.
#[utoipa::path(
    get,
    path = "/events",
    tag = EVENTS,
    operation_id = "streamEvents",
    params(EventsQuery),
    responses(
        (status = 200, description = "The stream, which goes on until one side ends it.", body = inline(StreamedEvent),
         content_type = "text/event-stream"),
        ReadErrors,
    ),
)]
pub(super) async fn stream_events(
    operator: Operator,
    State(app): State<SharedApp>,
    Query(query): Query<EventsQuery>,
    method: Method,
    headers: HeaderMap,
    extensions: Extensions,
) -> Result<Response<Body>, ApiError> {
    let audience = match query.business {
        None => Audience::Operator,
        Some(business) if app.access.business(business).await?.is_some() => Audience::OperatorOf(business),
        Some(business) => {
            return Err(ApiError::missing(
                &Entity::Business(business).to_string(),
                "businessId",
            ));
        }
    };
    let last = last_event::of(&headers)?.or(query.last);
    if method == Method::HEAD {
        return Ok(head());
    }
    let place = app.live.enter(audience, extensions.get::<Peer>().cloned());
    let place = place.map_err(|_| ApiError::internal("the marketplace's streams are not limited"))?;
    let start = Start::find(&*app.store, query.business, last, app.now()).await?;
    Ok(answer(&app, place, operator, &start))
}

#[async_trait]
impl Permit for Operator {
    async fn holds(&self, app: &App) -> bool {
        matches!(app.access.operator_token(self.0).await, Ok(Some(_)))
    }
}
