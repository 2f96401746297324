//! `/docs`: a reference page of both APIs, made from the generated documents, without any outside host;
//! and the Partner API's document itself. The Operator API serves its own.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use prilavok_wire::ApiError;
use prilavok_wire::openapi::partner_openapi;
use utoipa_swagger_ui::{Config, SwaggerFile};

use crate::partner;

const PAGE: &str = include_str!("docs.html");
const STYLE: &str = include_str!("docs.css");
const SCRIPT: &str = include_str!("docs.js");
/// What the viewer brings and we have our own of.
const REPLACED: [&str; 2] = ["index.html", "swagger-initializer.js"];

/// The page may load what the server itself serves, and nothing else; no script and no style stands in
/// the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The routes of the page and of the Partner API's document.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/docs", get(|| async { Redirect::temporary("/docs/") }))
        .route("/docs/", get(page))
        .route("/docs/prilavok.css", get(style))
        .route("/docs/prilavok.js", get(script))
        .route("/docs/{*file}", get(file))
        .route("/openapi.json", get(document))
}

async fn page() -> Response {
    let html = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    (guarded(), [html], PAGE).into_response()
}

async fn style() -> Response {
    let css = (header::CONTENT_TYPE, "text/css; charset=utf-8");
    (guarded(), [css], STYLE).into_response()
}

async fn script() -> Response {
    let javascript = (header::CONTENT_TYPE, "text/javascript; charset=utf-8");
    (guarded(), [javascript], SCRIPT).into_response()
}

/// The rest of what the page loads: the viewer itself.
async fn file(Path(name): Path<String>) -> Response {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(Arc::default);
    match utoipa_swagger_ui::serve(&name, Arc::clone(&CONFIG)) {
        Ok(Some(file)) if !REPLACED.contains(&&*name) => (guarded(), content(file)).into_response(),
        _ => partner::refuse(ApiError::PathNotFound),
    }
}

fn content(file: SwaggerFile<'static>) -> Response {
    let mut response = file.bytes.into_owned().into_response();
    if let Ok(media_type) = HeaderValue::from_str(&file.content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    }
    if file.gzpipped {
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

async fn document() -> impl IntoResponse {
    static JSON: LazyLock<String> = LazyLock::new(|| partner_openapi().to_json().unwrap_or_default());
    ([(header::CONTENT_TYPE, "application/json")], JSON.as_str())
}

fn guarded() -> [(HeaderName, &'static str); 2] {
    [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ]
}
