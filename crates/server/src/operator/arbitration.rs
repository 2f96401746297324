//! Arbitration: the dispute that begins beside an ordinary chat. It is a chat of its own, read and
//! finished as one.

use axum::extract::State;
use axum::http::StatusCode;
use prilavok_domain::ChatId;

use super::auth::Operator;
use super::openapi::{ARBITRATION, ActionErrors};
use crate::app::SharedApp;
use crate::json_api::chat_json::ChatJson;
use crate::json_api::error::ApiError;
use crate::json_api::idempotency::{Answer, Once};
use crate::json_api::path::{Id, InBusiness};

/// Start an arbitration
///
/// Beside an ordinary chat about an order or a return, one at a time. Answers the new chat, of type
/// `ARBITRAGE`; the ordinary chat goes on. The arbiter writes into it as `SUPPORT`, and finishes it like any
/// chat.
#[utoipa::path(
    post,
    path = "/businesses/{businessId}/chats/{chatId}/arbitration",
    tag = ARBITRATION,
    operation_id = "startArbitration",
    params(InBusiness, Id<ChatId>, Once),
    responses((status = 201, description = "The arbitration's own chat.", body = ChatJson), ActionErrors),
)]
pub(super) async fn start_arbitration(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(id): Id<ChatId>,
    once: Once,
) -> Result<Answer<ChatJson>, ApiError> {
    let once = once.of("startArbitration", &[&id.get().to_be_bytes()]);
    let started = app.store.start_arbitration(business, id, once, app.now()).await?;
    Ok(Answer {
        status: StatusCode::CREATED,
        body: started.value.into(),
        replayed: started.replayed,
    })
}
