//! Customers: the buyers, known to all businesses by the marketplace's own id.

use axum::extract::State;
use axum::http::StatusCode;
use prilavok_domain::{Customer, Name, PublicId};
use prilavok_store::{Entity, Registration};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Operator;
use super::openapi::{CUSTOMERS, ReadErrors, WriteErrors};
use super::registry;
use crate::app::SharedApp;
use crate::json_api::body::{Json, JsonBody};
use crate::json_api::error::{ApiError, IN_PATH};
use crate::json_api::fields::{self, Fields, FromFields};
use crate::json_api::page::{Page, Paging};
use crate::json_api::path::Id;
use crate::json_api::query::Query;
use crate::json_api::time::Utc;

/// A customer to register, or what to change it to.
#[derive(Debug, ToSchema)]
#[schema(as = PutCustomer, example = json!({"name": "Анна К."}))]
pub(super) struct CustomerBody {
    /// The name that sellers see.
    #[schema(value_type = String, min_length = 1, max_length = 256)]
    name: Name,
}

impl CustomerBody {
    pub(super) fn with(self, public_id: PublicId) -> Customer {
        Customer {
            public_id,
            name: self.name,
            erased_at: None,
        }
    }
}

impl FromFields for CustomerBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            name: fields.required("name", fields::name)?,
        })
    }
}

impl JsonBody for CustomerBody {}

/// A customer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Customer, example = json!({"publicId": "c-4711", "name": "Анна К."}))]
pub(super) struct CustomerJson {
    /// The marketplace's own id of the customer.
    public_id: String,
    /// The name that sellers see.
    name: String,
    /// When the customer was erased; absent for others, and again once they are registered anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    erased_at: Option<Utc>,
}

impl From<Customer> for CustomerJson {
    fn from(customer: Customer) -> Self {
        Self {
            public_id: customer.public_id.as_str().to_owned(),
            name: customer.name.as_str().to_owned(),
            erased_at: customer.erased_at.map(Utc),
        }
    }
}

/// Register or change a customer
///
/// A new name is shown in every chat of the customer, in old ones too. A customer who was erased is there again from then
/// on, without what was erased; while the erasure is under way, this is a `CONFLICT`.
#[utoipa::path(
    put,
    path = "/customers/{publicId}",
    tag = CUSTOMERS,
    operation_id = "putCustomer",
    params(Id<PublicId>),
    request_body = CustomerBody,
    responses(
        (status = 200, description = "It was there already.", body = CustomerJson),
        (status = 201, description = "It is new.", body = CustomerJson),
        WriteErrors,
    ),
)]
pub(super) async fn put_customer(
    _: Operator,
    State(app): State<SharedApp>,
    Id(id): Id<PublicId>,
    Json { value: body, .. }: Json<CustomerBody>,
) -> Result<(StatusCode, axum::Json<CustomerJson>), ApiError> {
    let customer = body.with(id);
    let status = registry::put(&app, Registration::Customer(customer.clone()), IN_PATH).await?;
    Ok((status, axum::Json(customer.into())))
}

/// Show a customer
#[utoipa::path(
    get,
    path = "/customers/{publicId}",
    tag = CUSTOMERS,
    operation_id = "getCustomer",
    params(Id<PublicId>),
    responses((status = 200, description = "The customer.", body = CustomerJson), ReadErrors),
)]
pub(super) async fn get_customer(
    _: Operator,
    State(app): State<SharedApp>,
    Id(id): Id<PublicId>,
) -> Result<axum::Json<CustomerJson>, ApiError> {
    let found = app.store.customer(&id).await?;
    let customer = found.ok_or_else(|| ApiError::not_found(&Entity::Customer(id)))?;
    Ok(axum::Json(customer.into()))
}

/// List customers
///
/// By public id, compared byte by byte.
#[utoipa::path(
    get,
    path = "/customers",
    tag = CUSTOMERS,
    operation_id = "listCustomers",
    params(Paging<PublicId>),
    responses((status = 200, description = "A page of customers.", body = Page<CustomerJson>), ReadErrors),
)]
pub(super) async fn list_customers(
    _: Operator,
    State(app): State<SharedApp>,
    Query(paging): Query<Paging<PublicId>>,
) -> Result<axum::Json<Page<CustomerJson>>, ApiError> {
    let customers = app
        .store
        .customers(paging.after.as_ref(), paging.with_one_more())
        .await?;
    Ok(axum::Json(
        paging.page(customers, |customer| customer.public_id.clone()),
    ))
}
