//! Live events of own chats.

use async_trait::async_trait;
use axum::extract::State;
use axum::http::{Extensions, HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use prilavok_store::CustomerChats;
use prilavok_wire::openapi::StreamedEvent;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::auth::{Buyer, too_many};
use super::limits::StreamPlace;
use super::openapi::{EVENTS, ReadErrors};
use crate::app::{App, SharedApp};
use crate::json_api::error::ApiError;
use crate::json_api::last_event;
use crate::live::{Audience, Permit, Start, answer, head};
use crate::socket::Peer;

/// Where a stream begins.
pub(super) struct LastEvent;

impl IntoParams for LastEvent {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let id = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
        let header = ParameterBuilder::new()
            .name("Last-Event-ID")
            .parameter_in(ParameterIn::Header)
            .description(Some("The id of the last event seen."))
            .schema(Some(id));
        vec![header.build()]
    }
}

/// Stream live events of own chats
///
/// Server-Sent Events: each one has an `id`, its type as `event` (`CHAT_CREATED`, `CHAT_MESSAGE_SENT`,
/// `CHAT_ARBITRAGE_STARTED`, `CHAT_ARBITRAGE_FINISHED`) and, as `data`, JSON with `chatId` and, for messages, `messageId`.
/// Resuming, gaps and signs of life are as in the Partner API's `streamEvents`. The token goes into the header, never
/// into the address: browsers read the stream with `fetch`. The stream ends when the token does.
#[utoipa::path(
    get,
    path = "/events",
    tag = EVENTS,
    operation_id = "streamEvents",
    params(LastEvent),
    responses(
        (status = 200, description = "The stream, which goes on until one side ends it.", body = inline(StreamedEvent),
         content_type = "text/event-stream"),
        ReadErrors,
    ),
)]
pub(super) async fn stream_events(
    buyer: Buyer,
    State(app): State<SharedApp>,
    method: Method,
    headers: HeaderMap,
    extensions: Extensions,
) -> Result<Response, ApiError> {
    let last = last_event::of(&headers)?;
    if method == Method::HEAD {
        return Ok(head());
    }
    let place = match app.buyers.limits.listen(&buyer.0, app.now()) {
        Ok(place) => place,
        Err(too_much) => return Ok(too_many(&too_much, "streams at a time")),
    };
    let business = buyer.business();
    let line = app
        .live
        .enter(Audience::BuyersOf(business), extensions.get::<Peer>().cloned());
    let line = line.map_err(|_| ApiError::internal("buyers' streams are limited by themselves"))?;
    let mut start = Start::find(&*app.store, Some(business), last, app.now()).await?;
    if let Some(gap) = &mut start.gap {
        // It may be anybody's.
        gap.first = None;
    }
    let listening = Listening { buyer, _place: place };
    Ok(answer(&app, line, listening, &start).into_response())
}

/// A buyer who listens.
struct Listening {
    buyer: Buyer,
    _place: StreamPlace,
}

#[async_trait]
impl Permit for Listening {
    async fn holds(&self, app: &App) -> bool {
        self.buyer.may_go_on(app).await
    }

    fn only(&self) -> Option<&CustomerChats> {
        Some(self.buyer.chats())
    }
}
