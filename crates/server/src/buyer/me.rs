//! What a token opens.

use axum::extract::State;
use prilavok_domain::{OrderId, ReturnId};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Buyer;
use super::openapi::{CHATS, ReadErrors};
use crate::app::SharedApp;
use crate::json_api::error::ApiError;
use crate::json_api::json_id::JsonId;
use crate::json_api::time::Utc;

/// What a token opens.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Me)]
pub(super) struct MeJson {
    /// The business.
    business_id: JsonId,
    /// Its name.
    #[schema(example = "Лавка у моста")]
    business_name: String,
    /// The marketplace's own id of the customer.
    #[schema(example = "c-4711")]
    customer_id: String,
    /// The name that sellers see; absent while the marketplace has not registered the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Анна К.")]
    customer_name: Option<String>,
    /// The order that the token is narrowed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    order_id: Option<JsonId>,
    /// The return that the token is narrowed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    return_id: Option<JsonId>,
    /// When the token ends.
    expires_at: Utc,
}

/// Show what the token opens
#[utoipa::path(
    get,
    path = "/me",
    tag = CHATS,
    operation_id = "getMe",
    responses((status = 200, description = "The business and the customer.", body = MeJson), ReadErrors),
)]
pub(super) async fn get_me(
    buyer: Buyer,
    State(app): State<SharedApp>,
) -> Result<axum::Json<MeJson>, ApiError> {
    let business = app.access.business(buyer.business()).await?;
    let customer = app.store.customer(&buyer.chats().customer).await?;
    let chats = buyer.chats();
    Ok(axum::Json(MeJson {
        business_id: JsonId(buyer.business().get()),
        business_name: business.map_or_else(String::new, |it| it.business.name.as_str().to_owned()),
        customer_id: chats.customer.as_str().to_owned(),
        customer_name: customer.map(|customer| customer.name.as_str().to_owned()),
        order_id: chats.order.map(OrderId::get).map(JsonId),
        return_id: chats.returned.map(ReturnId::get).map(JsonId),
        expires_at: Utc(buyer.0.expires_at),
    }))
}
