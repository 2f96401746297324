//! Returns of a business's orders.

use axum::extract::State;
use axum::http::StatusCode;
use prilavok_domain::{BusinessId, OrderId, Return, ReturnId};
use prilavok_store::{Entity, Registration};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Operator;
use super::openapi::{RETURNS, ReadErrors, WriteErrors};
use super::registry;
use crate::app::SharedApp;
use crate::json_api::body::{Json, JsonBody};
use crate::json_api::error::ApiError;
use crate::json_api::fields::{self, Fields, FromFields};
use crate::json_api::json_id::JsonId;
use crate::json_api::page::{Page, Paging};
use crate::json_api::path::{Id, InBusiness};
use crate::json_api::query::Query;

/// A return to register, or what to change it to.
#[derive(Debug, ToSchema)]
#[schema(as = PutReturn, rename_all = "camelCase", example = json!({"orderId": 7}))]
pub(super) struct ReturnBody {
    /// The order that is returned.
    #[schema(value_type = JsonId)]
    order_id: OrderId,
}

impl ReturnBody {
    pub(super) const fn with(self, business: BusinessId, id: ReturnId) -> Return {
        Return {
            business,
            id,
            order: self.order_id,
        }
    }

    /// Which of its fields names what.
    pub(super) const fn field_of(entity: &Entity) -> Option<&'static str> {
        match entity {
            Entity::Order(_) => Some("orderId"),
            _ => None,
        }
    }
}

impl FromFields for ReturnBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            order_id: fields.required("orderId", fields::json_id)?,
        })
    }
}

impl JsonBody for ReturnBody {}

/// A return.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Return)]
pub(super) struct ReturnJson {
    /// The business that the order was bought from.
    business_id: JsonId,
    /// Its id.
    return_id: JsonId,
    /// The order that is returned.
    order_id: JsonId,
}

impl From<Return> for ReturnJson {
    fn from(returned: Return) -> Self {
        Self {
            business_id: JsonId(returned.business.get()),
            return_id: JsonId(returned.id.get()),
            order_id: JsonId(returned.order.get()),
        }
    }
}

/// Register or change a return
///
/// A return that has chats keeps its order: changing it is a `CONFLICT`.
#[utoipa::path(
    put,
    path = "/businesses/{businessId}/returns/{returnId}",
    tag = RETURNS,
    operation_id = "putReturn",
    params(InBusiness, Id<ReturnId>),
    request_body = ReturnBody,
    responses(
        (status = 200, description = "It was there already.", body = ReturnJson),
        (status = 201, description = "It is new.", body = ReturnJson),
        WriteErrors,
    ),
)]
pub(super) async fn put_return(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(id): Id<ReturnId>,
    Json { value: body, .. }: Json<ReturnBody>,
) -> Result<(StatusCode, axum::Json<ReturnJson>), ApiError> {
    let returned = body.with(business, id);
    let status = registry::put(&app, Registration::Return(returned.clone()), ReturnBody::field_of).await?;
    Ok((status, axum::Json(returned.into())))
}

/// Show a return
#[utoipa::path(
    get,
    path = "/businesses/{businessId}/returns/{returnId}",
    tag = RETURNS,
    operation_id = "getReturn",
    params(InBusiness, Id<ReturnId>),
    responses((status = 200, description = "The return.", body = ReturnJson), ReadErrors),
)]
pub(super) async fn get_return(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(id): Id<ReturnId>,
) -> Result<axum::Json<ReturnJson>, ApiError> {
    let found = app.store.returned(business, id).await?;
    let returned = found.ok_or_else(|| ApiError::not_found(&Entity::Return(id)))?;
    Ok(axum::Json(returned.into()))
}

/// List returns
///
/// Those of the business, by id.
#[utoipa::path(
    get,
    path = "/businesses/{businessId}/returns",
    tag = RETURNS,
    operation_id = "listReturns",
    params(InBusiness, Paging<ReturnId>),
    responses((status = 200, description = "A page of returns.", body = Page<ReturnJson>), ReadErrors),
)]
pub(super) async fn list_returns(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Query(paging): Query<Paging<ReturnId>>,
) -> Result<axum::Json<Page<ReturnJson>>, ApiError> {
    let returns = app
        .store
        .returns(business, paging.after, paging.with_one_more())
        .await?;
    Ok(axum::Json(paging.page(returns, |returned| returned.id)))
}
