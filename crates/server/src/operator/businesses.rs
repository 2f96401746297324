//! Businesses: the sellers' cabinets.

use axum::extract::State;
use axum::http::StatusCode;
use prilavok_domain::{Business, BusinessId, BusinessState, Name};
use prilavok_store::{Entity, Registration};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Operator;
use super::openapi::{BUSINESSES, ReadErrors, WriteErrors};
use super::registry;
use crate::app::SharedApp;
use crate::json_api::body::{Json, JsonBody};
use crate::json_api::error::{ApiError, IN_PATH};
use crate::json_api::fields::{self, Fields, FromFields};
use crate::json_api::json_id::JsonId;
use crate::json_api::names::BusinessStateName;
use crate::json_api::page::{Page, Paging};
use crate::json_api::path::Id;
use crate::json_api::query::Query;

/// A business to register, or what to change it to.
#[derive(Debug, ToSchema)]
#[schema(as = PutBusiness, example = json!({"name": "Ромашка", "state": "ACTIVE"}))]
pub(super) struct BusinessBody {
    /// Its name.
    #[schema(value_type = String, min_length = 1, max_length = 256)]
    name: Name,
    /// Whether its Partner API answers.
    #[schema(value_type = BusinessStateName, required = false, default = "ACTIVE")]
    state: BusinessState,
}

impl BusinessBody {
    pub(super) fn with(self, id: BusinessId) -> Business {
        Business {
            id,
            name: self.name,
            state: self.state,
        }
    }
}

impl FromFields for BusinessBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let name = fields.required("name", fields::name);
        let state = fields.optional("state", fields::named);
        Some(Self {
            name: name?,
            state: state?.unwrap_or(BusinessState::Active),
        })
    }
}

impl JsonBody for BusinessBody {}

/// A business.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Business, example = json!({"businessId": 1, "name": "Ромашка", "state": "ACTIVE"}))]
pub(super) struct BusinessJson {
    /// Its id.
    business_id: JsonId,
    /// Its name.
    name: String,
    /// Whether its Partner API answers.
    state: BusinessStateName,
}

impl From<Business> for BusinessJson {
    fn from(business: Business) -> Self {
        Self {
            business_id: JsonId(business.id.get()),
            name: business.name.as_str().to_owned(),
            state: BusinessStateName(business.state),
        }
    }
}

/// Register or change a business
///
/// Acts at once: a business that becomes `DISABLED` or `MIGRATING` is refused by the Partner API from the
/// next request on.
#[utoipa::path(
    put,
    path = "/businesses/{businessId}",
    tag = BUSINESSES,
    operation_id = "putBusiness",
    params(Id<BusinessId>),
    request_body = BusinessBody,
    responses(
        (status = 200, description = "It was there already.", body = BusinessJson),
        (status = 201, description = "It is new.", body = BusinessJson),
        WriteErrors,
    ),
)]
pub(super) async fn put_business(
    _: Operator,
    State(app): State<SharedApp>,
    Id(id): Id<BusinessId>,
    Json { value: body, .. }: Json<BusinessBody>,
) -> Result<(StatusCode, axum::Json<BusinessJson>), ApiError> {
    let business = body.with(id);
    let status = registry::put(&app, Registration::Business(business.clone()), IN_PATH).await?;
    Ok((status, axum::Json(business.into())))
}

/// Show a business
#[utoipa::path(
    get,
    path = "/businesses/{businessId}",
    tag = BUSINESSES,
    operation_id = "getBusiness",
    params(Id<BusinessId>),
    responses((status = 200, description = "The business.", body = BusinessJson), ReadErrors),
)]
pub(super) async fn get_business(
    _: Operator,
    State(app): State<SharedApp>,
    Id(id): Id<BusinessId>,
) -> Result<axum::Json<BusinessJson>, ApiError> {
    let found = app.store.business(id).await?;
    let business = found.ok_or_else(|| ApiError::not_found(&Entity::Business(id)))?;
    Ok(axum::Json(business.into()))
}

/// List businesses
///
/// By id.
#[utoipa::path(
    get,
    path = "/businesses",
    tag = BUSINESSES,
    operation_id = "listBusinesses",
    params(Paging<BusinessId>),
    responses((status = 200, description = "A page of businesses.", body = Page<BusinessJson>), ReadErrors),
)]
pub(super) async fn list_businesses(
    _: Operator,
    State(app): State<SharedApp>,
    Query(paging): Query<Paging<BusinessId>>,
) -> Result<axum::Json<Page<BusinessJson>>, ApiError> {
    let businesses = app.store.businesses(paging.after, paging.with_one_more()).await?;
    Ok(axum::Json(paging.page(businesses, |business| business.id)))
}
