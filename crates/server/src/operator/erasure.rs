//! Erasing a customer, and how far that has come.

use axum::extract::State;
use axum::http::StatusCode;
use prilavok_domain::PublicId;
use prilavok_store::Erasure;
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Operator;
use super::openapi::{ActionErrors, CUSTOMERS, ReadErrors};
use crate::app::SharedApp;
use crate::json_api::error::ApiError;
use crate::json_api::path::Id;
use crate::json_api::time::Utc;

/// Whether an erasure is done.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ErasureStatus {
    UnderWay,
    Done,
}

/// The erasure of a customer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Erasure)]
pub(super) struct ErasureJson {
    /// Who is erased.
    #[schema(example = "c-4711")]
    public_id: String,
    /// Whether it is done.
    status: ErasureStatus,
    /// The customer's chats, of all businesses.
    #[schema(example = 12)]
    chats: u64,
    /// How many of them are done.
    #[schema(example = 7)]
    chats_done: u64,
    /// When it was asked for.
    asked_at: Utc,
    /// When it was done; absent before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    finished_at: Option<Utc>,
}

impl From<Erasure> for ErasureJson {
    fn from(erasure: Erasure) -> Self {
        Self {
            public_id: erasure.customer.as_str().to_owned(),
            status: match erasure.finished_at {
                None => ErasureStatus::UnderWay,
                Some(_) => ErasureStatus::Done,
            },
            chats: erasure.chats,
            chats_done: erasure.chats_done,
            asked_at: Utc(erasure.asked_at),
            finished_at: erasure.finished_at.map(Utc),
        }
    }
}

/// Erase a customer
///
/// The name goes at once, in all businesses: they are called "Erased customer". What was said in their chats goes chat by
/// chat, whoever said it: each text becomes `[erased]`, each file is called `erased` and its content is removed. Ids, times,
/// senders, statuses and events stay. From then on nobody but SUPPORT can write to them, and no chat and no order of
/// theirs can be added, until they are registered anew. It cannot be undone.
#[utoipa::path(
    delete,
    path = "/customers/{publicId}",
    tag = CUSTOMERS,
    operation_id = "eraseCustomer",
    params(Id<PublicId>),
    responses(
        (status = 200, description = "They are erased already.", body = ErasureJson),
        (status = 202, description = "They are being erased: see `getErasure`.", body = ErasureJson),
        ActionErrors,
    ),
)]
pub(super) async fn erase_customer(
    _: Operator,
    State(app): State<SharedApp>,
    Id(id): Id<PublicId>,
) -> Result<(StatusCode, axum::Json<ErasureJson>), ApiError> {
    let erasure = app.store.erase_customer(&id, app.now()).await?;
    let status = match erasure.finished_at {
        None => StatusCode::ACCEPTED,
        Some(_) => StatusCode::OK,
    };
    Ok((status, axum::Json(erasure.into())))
}

/// Show how far an erasure has come
///
/// The last one, where a customer was erased, registered anew and erased again.
#[utoipa::path(
    get,
    path = "/customers/{publicId}/erasure",
    tag = CUSTOMERS,
    operation_id = "getErasure",
    params(Id<PublicId>),
    responses((status = 200, description = "The erasure.", body = ErasureJson), ReadErrors),
)]
pub(super) async fn get_erasure(
    _: Operator,
    State(app): State<SharedApp>,
    Id(id): Id<PublicId>,
) -> Result<axum::Json<ErasureJson>, ApiError> {
    let found = app.store.erasure(&id).await?;
    let erasure = found
        .ok_or_else(|| ApiError::missing(&format!("an erasure of customer {}", id.as_str()), "publicId"))?;
    Ok(axum::Json(erasure.into()))
}
