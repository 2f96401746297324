//! All that is kept about a customer as one JSON document, written while it is read: however much there is, little of it
//! is in memory.

mod document;
mod writer;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, header};
use prilavok_domain::PublicId;
use prilavok_store::Entity;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::auth::Operator;
use super::openapi::{CUSTOMERS, ReadErrors};
use crate::app::SharedApp;
use crate::json_api::error::ApiError;
use crate::json_api::path::Id;
use crate::json_api::query::{FromQuery, Parameters, Query, parameter};
use document::CustomerExport;
use writer::Exporting;

const FILES: [&str; 2] = ["CONTENT", "NAMES"];

/// What is exported.
#[derive(Debug)]
pub(super) struct ExportQuery {
    with_content: bool,
}

impl FromQuery for ExportQuery {
    fn from_query(query: &mut Parameters<'_>) -> Option<Self> {
        let with_content = query.one("files", |text| match text {
            "CONTENT" => Ok(true),
            "NAMES" => Ok(false),
            _ => Err(format!("must be one of {}", FILES.join(", "))),
        });
        Some(Self {
            with_content: with_content?.unwrap_or(true),
        })
    }
}

impl IntoParams for ExportQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let files = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(FILES));
        vec![parameter(
            "files",
            "Whether files are given with their content, in Base64, or by name only. Absent: with their content.",
            files,
        )]
    }
}

/// Export all that is kept about a customer
///
/// Orders, returns, chats of all businesses with their messages and files, disputes with their verdicts and what was done
/// by hand, events. The document is written while it is read: what changes meanwhile may be in it or not. An answer that
/// breaks off is not valid JSON: ask again. What else is kept about a customer is in `docs/personal-data.md`.
#[utoipa::path(
    get,
    path = "/customers/{publicId}/export",
    tag = CUSTOMERS,
    operation_id = "exportCustomer",
    params(Id<PublicId>, ExportQuery),
    responses((status = 200, description = "All that is kept.", body = CustomerExport), ReadErrors),
)]
pub(super) async fn export_customer(
    _: Operator,
    State(app): State<SharedApp>,
    Id(id): Id<PublicId>,
    Query(query): Query<ExportQuery>,
) -> Result<Response<Body>, ApiError> {
    let found = app.store.customer(&id).await?;
    let customer = found.ok_or_else(|| ApiError::not_found(&Entity::Customer(id)))?;
    let content = Exporting::start(app, customer, query.with_content);
    let mut response = Response::new(Body::from_stream(content));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}
