//! Orders of a business.

use axum::extract::State;
use axum::http::StatusCode;
use prilavok_domain::{BusinessId, CampaignId, Order, OrderId, PublicId};
use prilavok_store::{Entity, Registration};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Operator;
use super::openapi::{ORDERS, ReadErrors, WriteErrors};
use super::registry;
use crate::app::SharedApp;
use crate::json_api::body::{Json, JsonBody};
use crate::json_api::error::ApiError;
use crate::json_api::fields::{self, Fields, FromFields};
use crate::json_api::json_id::JsonId;
use crate::json_api::page::{Page, Paging};
use crate::json_api::path::{Id, InBusiness};
use crate::json_api::query::Query;

/// An order to register, or what to change it to.
#[derive(Debug, ToSchema)]
#[schema(
    as = PutOrder,
    rename_all = "camelCase",
    example = json!({"campaignId": 1, "customerId": "c-4711", "test": false}),
)]
pub(super) struct OrderBody {
    /// The campaign that sold it.
    #[schema(value_type = JsonId)]
    campaign_id: CampaignId,
    /// The `publicId` of the buyer.
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    customer_id: PublicId,
    /// Whether it was made to try things out: it may have a chat, its returns may not.
    #[schema(required = false, default = false)]
    test: bool,
}

impl OrderBody {
    pub(super) fn with(self, business: BusinessId, id: OrderId) -> Order {
        Order {
            business,
            id,
            campaign: self.campaign_id,
            customer: self.customer_id,
            test: self.test,
        }
    }

    /// Which of its fields names what.
    pub(super) const fn field_of(entity: &Entity) -> Option<&'static str> {
        match entity {
            Entity::Campaign(_) => Some("campaignId"),
            Entity::Customer(_) => Some("customerId"),
            _ => None,
        }
    }
}

impl FromFields for OrderBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let campaign_id = fields.required("campaignId", fields::json_id);
        let customer_id = fields.required("customerId", fields::public_id);
        let test = fields.optional("test", fields::boolean);
        Some(Self {
            campaign_id: campaign_id?,
            customer_id: customer_id?,
            test: test?.unwrap_or(false),
        })
    }
}

impl JsonBody for OrderBody {}

/// An order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Order)]
pub(super) struct OrderJson {
    /// The business that sold it.
    business_id: JsonId,
    /// Its id.
    order_id: JsonId,
    /// The campaign that sold it.
    campaign_id: JsonId,
    /// The `publicId` of the buyer.
    #[schema(example = "c-4711")]
    customer_id: String,
    /// Whether it was made to try things out.
    test: bool,
}

impl From<Order> for OrderJson {
    fn from(order: Order) -> Self {
        Self {
            business_id: JsonId(order.business.get()),
            order_id: JsonId(order.id.get()),
            campaign_id: JsonId(order.campaign.get()),
            customer_id: order.customer.as_str().to_owned(),
            test: order.test,
        }
    }
}

/// Register or change an order
///
/// An order that has chats keeps its campaign and its customer: changing them is a `CONFLICT`.
#[utoipa::path(
    put,
    path = "/businesses/{businessId}/orders/{orderId}",
    tag = ORDERS,
    operation_id = "putOrder",
    params(InBusiness, Id<OrderId>),
    request_body = OrderBody,
    responses(
        (status = 200, description = "It was there already.", body = OrderJson),
        (status = 201, description = "It is new.", body = OrderJson),
        WriteErrors,
    ),
)]
pub(super) async fn put_order(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(id): Id<OrderId>,
    Json { value: body, .. }: Json<OrderBody>,
) -> Result<(StatusCode, axum::Json<OrderJson>), ApiError> {
    let order = body.with(business, id);
    let status = registry::put(&app, Registration::Order(order.clone()), OrderBody::field_of).await?;
    Ok((status, axum::Json(order.into())))
}

/// Show an order
#[utoipa::path(
    get,
    path = "/businesses/{businessId}/orders/{orderId}",
    tag = ORDERS,
    operation_id = "getOrder",
    params(InBusiness, Id<OrderId>),
    responses((status = 200, description = "The order.", body = OrderJson), ReadErrors),
)]
pub(super) async fn get_order(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(id): Id<OrderId>,
) -> Result<axum::Json<OrderJson>, ApiError> {
    let found = app.store.order(business, id).await?;
    let order = found.ok_or_else(|| ApiError::not_found(&Entity::Order(id)))?;
    Ok(axum::Json(order.into()))
}

/// List orders
///
/// Those of the business, by id.
#[utoipa::path(
    get,
    path = "/businesses/{businessId}/orders",
    tag = ORDERS,
    operation_id = "listOrders",
    params(InBusiness, Paging<OrderId>),
    responses((status = 200, description = "A page of orders.", body = Page<OrderJson>), ReadErrors),
)]
pub(super) async fn list_orders(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Query(paging): Query<Paging<OrderId>>,
) -> Result<axum::Json<Page<OrderJson>>, ApiError> {
    let orders = app
        .store
        .orders(business, paging.after, paging.with_one_more())
        .await?;
    Ok(axum::Json(paging.page(orders, |order| order.id)))
}
