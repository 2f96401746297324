//! `/docs`: a reference page of both APIs, made from the generated documents, without any outside host.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use prilavok_wire::openapi::partner_openapi;
use utoipa_swagger_ui::{Config, SwaggerUi, Url};

/// The page may load what the server itself serves, and nothing else. The page's own styles are
/// inline, its scripts are not.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
);

/// The routes of the page and of the Partner API's document; the Operator API serves its own.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let urls = [
        Url::with_primary("Partner API", "/openapi.json", true),
        Url::new("Operator API", "/operator/v1/openapi.json"),
    ];
    let page = SwaggerUi::new("/docs")
        .config(Config::new(urls).try_it_out_enabled(true))
        .url("/openapi.json", partner_openapi());
    Router::from(page).layer(middleware::from_fn(with_policy))
}

async fn with_policy(request: axum::extract::Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response.headers_mut().insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}
