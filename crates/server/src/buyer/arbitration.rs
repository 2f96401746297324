//! Disputes, opened by the customer.

use axum::extract::State;
use axum::http::StatusCode;
use prilavok_domain::ChatId;

use super::auth::Sending;
use super::once::{self, OnceKey};
use super::openapi::{ActionErrors, DISPUTES};
use crate::app::SharedApp;
use crate::json_api::chat_json::ChatJson;
use crate::json_api::error::ApiError;
use crate::json_api::idempotency::{Answer, Once};
use crate::json_api::path::Id;

/// Open a dispute
///
/// Beside an own ordinary chat about an order or a return, one at a time. Answers the new chat, of type `ARBITRAGE`, in
/// which an arbiter writes as `SUPPORT`; the ordinary chat goes on.
#[utoipa::path(
    post,
    path = "/chats/{chatId}/arbitration",
    tag = DISPUTES,
    operation_id = "startArbitration",
    params(Id<ChatId>, OnceKey),
    responses((status = 201, description = "The dispute's own chat.", body = ChatJson), ActionErrors),
)]
pub(super) async fn start_arbitration(
    Sending(buyer): Sending,
    State(app): State<SharedApp>,
    Id(id): Id<ChatId>,
    once: Once,
) -> Result<Answer<ChatJson>, ApiError> {
    buyer.chat(&app, id).await?;
    let once = once::of(once, &buyer, "startArbitration", &[&id.get().to_be_bytes()]);
    let started = app
        .store
        .start_arbitration(buyer.business(), id, once, app.now())
        .await?;
    Ok(Answer {
        status: StatusCode::CREATED,
        body: started.value.into(),
        replayed: started.replayed,
    })
}
