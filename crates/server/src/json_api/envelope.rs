//! What surrounds every handler of a JSON API: errors get their envelope and their line in the
//! log, panics become errors, and no answer is cached.

use std::any::Any;
use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, Code, Problem};
use super::{OperationNames, body};
use crate::metrics::OperationName;
use crate::overload::{RETRY_AFTER, Shed};
use crate::request_id::RequestId;

const NOSNIFF: (HeaderName, HeaderValue) = (
    header::X_CONTENT_TYPE_OPTIONS,
    HeaderValue::from_static("nosniff"),
);
/// Answers hold secrets that are shown once, and what they show changes.
const NO_STORE: (HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

/// The answer to a request that was refused or failed.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorAnswer {
    /// What went wrong.
    error: ErrorBody,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorBody {
    /// For machines.
    code: Code,
    /// For people.
    message: String,
    /// The fields that it is about.
    details: Vec<Problem>,
    /// The request's id: `X-Request-Id` of the answer, and in the server's log.
    #[schema(value_type = String, example = "4f1d0a7be2c93586")]
    request_id: Arc<str>,
}

/// Goes around all handlers of the API whose operations have these names.
pub(crate) async fn envelope(
    State(names): State<&'static LazyLock<OperationNames>>,
    request: Request,
    next: Next,
) -> Response {
    let id = request
        .extensions()
        .get::<RequestId>()
        .map_or_else(|| "".into(), |id| Arc::clone(&id.0));
    let route = request.extensions().get::<MatchedPath>().cloned();
    let operation = route.and_then(|route| names.get(request.method(), route.as_str()));
    let request = body::guarded(request);
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        write(&mut response, error, id);
    }
    response.headers_mut().extend([NOSNIFF, NO_STORE]);
    if let Some(name) = operation {
        response.extensions_mut().insert(OperationName(name));
    }
    response
}

/// The answer to a request that nothing is done for, because too many wait.
pub(crate) fn turn_away(id: Option<&RequestId>) -> Response {
    let error = ApiError::overloaded();
    let mut response = error.code.status().into_response();
    write(
        &mut response,
        error,
        id.map_or_else(|| "".into(), |id| Arc::clone(&id.0)),
    );
    response.headers_mut().extend([NOSNIFF, NO_STORE]);
    response
}

fn write(response: &mut Response, error: ApiError, request_id: Arc<str>) {
    if let Some(cause) = &error.cause {
        tracing::error!(%request_id, code = error.code.as_str(), cause, "a request failed");
    }
    if error.code == Code::Unavailable {
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        if error.cause.is_none() {
            response.extensions_mut().insert(Shed::Writes);
        }
    }
    let answer = ErrorAnswer {
        error: ErrorBody {
            code: error.code,
            message: error.message.into_owned(),
            details: error.details,
            request_id,
        },
    };
    // Plain structs cannot fail to be written into memory.
    *response.body_mut() = Body::from(serde_json::to_vec(&answer).unwrap_or_default());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response.headers_mut().remove(header::CONTENT_LENGTH);
}

/// No such path.
pub(crate) async fn no_such_path(request: Request) -> ApiError {
    ApiError::new(
        Code::NotFound,
        format!("There is nothing at {}", request.uri().path()),
    )
}

/// The path has other methods; the router adds `Allow`.
pub(crate) async fn other_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    ApiError::new(Code::MethodNotAllowed, format!("{method} is not possible here")).into_response()
}

/// A handler panicked.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a text");
    ApiError::internal(text).into_response()
}
