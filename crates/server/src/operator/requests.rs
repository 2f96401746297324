//! The request log: what sellers' systems asked and what they were answered.

use std::ops::RangeInclusive;

use axum::extract::State;
use prilavok_store::requests::{Line, Place, RequestFilter};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::{IntoParams, PartialSchema};

use super::auth::Operator;
use super::openapi::{REQUESTS, ReadErrors};
use super::request_json::{LoggedRequestJson, RequestJson};
use crate::app::SharedApp;
use crate::json_api::error::ApiError;
use crate::json_api::fields;
use crate::json_api::json_id::JsonId;
use crate::json_api::page::{Page, Paging, Position};
use crate::json_api::path::{Id, LoggedId};
use crate::json_api::query::{FromQuery, Parameters, Query, parameter};
use crate::json_api::time::Utc;
use crate::recording;

/// A place in the log, as the cursor holds it.
#[derive(Debug)]
pub(super) struct InLog(Place);

impl Position for InLog {
    const LIST: &'static str = "requests";

    fn write(&self) -> String {
        self.0.to_string()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

/// Which calls a list shows, and which page of it.
#[derive(Debug)]
pub(super) struct RequestsQuery {
    filter: RequestFilter,
    paging: Paging<InLog>,
}

impl FromQuery for RequestsQuery {
    fn from_query(query: &mut Parameters<'_>) -> Option<Self> {
        let business = query.one("businessId", fields::text_id);
        let operation = query.one("operation", operation);
        let status = query.one("status", statuses);
        let refused = query.one("refused", |text| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("must be true or false".to_owned()),
        });
        let from = query.one("from", fields::instant_text);
        let until = query.one("until", fields::instant_text);
        let request_id = query.one("requestId", |text| Ok(text.to_owned()));
        let paging = Paging::from_query(query);
        Some(Self {
            filter: RequestFilter {
                business: business?,
                operation: operation?,
                status: status?,
                refused: refused?.unwrap_or(false),
                from: from?,
                until: until?,
                request_id: request_id?,
            },
            paging: paging?,
        })
    }
}

fn operation(text: &str) -> Result<String, String> {
    if recording::operations().any(|name| name == text) {
        return Ok(text.to_owned());
    }
    let names: Vec<_> = recording::operations().collect();
    Err(format!("must be one of {}", names.join(", ")))
}

/// Reads one status, or a class of them such as `4xx`.
pub fn statuses(text: &str) -> Result<RangeInclusive<u16>, String> {
    let class = text
        .strip_suffix("xx")
        .and_then(|class| class.parse().ok())
        .filter(|class| (1..=5).contains(class))
        .map(|class: u16| class * 100..=class * 100 + 99);
    let one = || text.parse().ok().filter(|status| (100..600).contains(status));
    class
        .or_else(|| one().map(|status: u16| status..=status))
        .ok_or_else(|| "must be a status like 420 or a class like 4xx".to_owned())
}

impl IntoParams for RequestsQuery {
    fn into_params(provider: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let operations = text().enum_values(Some(recording::operations()));
        let statuses = text().pattern(Some("^([1-5][0-9][0-9]|[1-5]xx)$"));
        let refused = ObjectBuilder::new().schema_type(Type::Boolean);
        let filters = [
            parameter(
                "businessId",
                "Made with a key or token of this business.",
                JsonId::schema(),
            ),
            parameter("operation", "Of this operation.", operations),
            parameter(
                "status",
                "Answered with this status, or one of this class: `420`, `4xx`.",
                statuses,
            ),
            parameter(
                "refused",
                "`true`: only those answered with an error, 4xx or 5xx.",
                refused,
            ),
            parameter("from", "Come at this instant or later.", Utc::schema()),
            parameter("until", "Come before this instant.", Utc::schema()),
            parameter("requestId", "With this `X-Request-Id`.", text()),
        ];
        filters
            .into_iter()
            .chain(Paging::<InLog>::into_params(provider))
            .collect()
    }
}

/// List requests
///
/// Recorded calls of sellers' systems that pass all filters, the newest first, without headers and bodies. The settings
/// say which calls are recorded (`request_log.record`: by default those that were refused) and for how many days they
/// are kept (`request_log.days`). A call is here a moment after it was answered.
#[utoipa::path(
    get,
    path = "/requests",
    tag = REQUESTS,
    operation_id = "listRequests",
    params(RequestsQuery),
    responses((status = 200, description = "A page of calls.", body = Page<RequestJson>), ReadErrors),
)]
pub(super) async fn list_requests(
    _: Operator,
    State(app): State<SharedApp>,
    Query(RequestsQuery { filter, paging }): Query<RequestsQuery>,
) -> Result<axum::Json<Page<RequestJson>>, ApiError> {
    let before = paging.after.map(|InLog(place)| place);
    let reader = app.request_log.reader();
    let found = reader.newest(filter, before, paging.limit).await?;
    let show = |(_, request): Line| RequestJson::from(request);
    Ok(axum::Json(Page::of_store(found, show, |(place, _)| {
        InLog(*place)
    })))
}

/// Show a request
///
/// The call with what it and its answer said, and a `curl` command that repeats it. Clients may choose the ids of their
/// requests: of several with this id the newest is shown; `listRequests` with `requestId` lists all.
#[utoipa::path(
    get,
    path = "/requests/{requestId}",
    tag = REQUESTS,
    operation_id = "getRequest",
    params(Id<LoggedId>),
    responses((status = 200, description = "The call.", body = LoggedRequestJson), ReadErrors),
)]
pub(super) async fn get_request(
    _: Operator,
    State(app): State<SharedApp>,
    Id(LoggedId(id)): Id<LoggedId>,
) -> Result<axum::Json<LoggedRequestJson>, ApiError> {
    let found = app.request_log.reader().by_id(id.clone()).await?;
    let (request, exchange) =
        found.ok_or_else(|| ApiError::missing(&format!("request {id}"), "requestId"))?;
    Ok(axum::Json(LoggedRequestJson::new(
        request,
        exchange,
        &app.settings,
    )))
}
