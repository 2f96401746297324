//! All surfaces put together. Whatever no other surface knows is the Partner API's to answer, so
//! that every path gets an answer in an envelope.

use axum::Router;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use prilavok_wire::ApiError;
use prilavok_wire::error::Quoted;

use crate::app::SharedApp;
use crate::{buyer, docs, health, operator, partner, web, web_widget};

/// The routes of a server.
pub fn router(app: SharedApp) -> Router {
    Router::new()
        .route("/", get(root))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/files/{business}/{file}", any(partner::download))
        .merge(docs::router())
        .merge(web_widget::router())
        .fallback(partner::partner)
        .method_not_allowed_fallback(other_method)
        .with_state(app.clone())
        .merge(operator::router(app.clone()))
        .merge(buyer::router(app.clone()))
        .merge(web::router(app))
}

/// Whether a request is the Partner API's and nobody else's, as nearly all are.
pub(crate) fn is_partners(method: &Method, path: &str) -> bool {
    let prefixes = ["/v2/", "/businesses/", "/campaigns", "/auth/"];
    matches!(*method, Method::GET | Method::POST) && prefixes.iter().any(|prefix| path.starts_with(prefix))
}

/// Whether a path is this one or lies below it.
pub(crate) fn is_below(path: &str, top: &str) -> bool {
    path.strip_prefix(top)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// People are shown the documentation. A client with a wrong base URL gets what any wrong path gets.
async fn root(headers: HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT).and_then(|types| types.to_str().ok());
    if accepted.is_some_and(|types| types.contains("text/html")) {
        Redirect::temporary("/docs/").into_response()
    } else {
        partner::refuse(ApiError::PathNotFound)
    }
}

/// The path has other methods; the router adds `Allow`.
async fn other_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    partner::refuse(ApiError::MethodNotSupported(Quoted::new(method.as_str())))
}
