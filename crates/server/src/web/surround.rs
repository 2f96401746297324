//! What is around every page: what must hold before it, the page of an error, the headers.

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use prilavok_pages::Audience;
use prilavok_pages::trouble::{TroublePage, TroublePart};

use super::error::WebError;
use super::visit::Visit;
use super::{origin, page};
use crate::app::SharedApp;
use crate::json_api::body;
use crate::metrics::OperationName;
use crate::overload::{RETRY_AFTER, Shed};
use crate::request_id::RequestId;

/// A page loads what this server serves and nothing else; no script and no style stands in a page. `blob:` is for
/// pictures that are about to be sent.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// Goes around all handlers.
pub(super) async fn surround(State(app): State<SharedApp>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let visit = Visit::of(&parts);
    let known = parts.clone();
    let response = if origin::is_ours(&parts.method, &parts.headers, &app.settings) {
        next.run(body::guarded(Request::from_parts(parts, body))).await
    } else {
        WebError::Forged.into_response()
    };
    finish(&visit, &known, response)
}

/// Makes a page of an error, and sets the headers.
pub(super) fn finish(visit: &Visit, parts: &Parts, response: Response) -> Response {
    let mut response = match response.extensions().get::<WebError>() {
        Some(error) => shown(visit, parts, &error.clone()),
        None => response,
    };
    if response.extensions().get::<OperationName>().is_none() {
        response.extensions_mut().insert(OperationName("ui"));
    }
    let headers = response.headers_mut();
    let constant = HeaderValue::from_static;
    let set = |(name, value): (HeaderName, HeaderValue)| {
        headers.entry(name).or_insert(value);
    };
    [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, constant("nosniff")),
        (header::REFERRER_POLICY, constant("same-origin")),
        (header::CACHE_CONTROL, constant("no-store")),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            constant("same-origin"),
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            constant("same-origin"),
        ),
    ]
    .into_iter()
    .for_each(set);
    response
}

/// The page of an error; the part of one, where only a part was asked for.
fn shown(visit: &Visit, parts: &Parts, error: &WebError) -> Response {
    let id = parts.extensions.get::<RequestId>();
    let id = id.map_or("unknown", |id| &id.0);
    match error {
        WebError::Internal(cause) => tracing::error!(request_id = id, %cause, "a page failed"),
        WebError::Unavailable(why) => tracing::warn!(request_id = id, %why, "the store is unavailable"),
        _ => {}
    }
    let (frame, trouble) = (visit.frame(None), error.trouble(id));
    let mut response = match error {
        // A script is told by the status; it loads the page anew.
        WebError::SignIn(audience, hint) if !visit.part => {
            let mut to = String::from(audience.sign_in());
            to.push_str("?next=");
            to.extend(utf8_percent_encode(&visit.here, NON_ALPHANUMERIC));
            if hint.is_some() {
                to.push_str("&over=1");
            }
            return Redirect::to(&to).into_response();
        }
        _ if visit.part => page::render(error.status(), &TroublePart { frame, trouble }),
        _ => {
            let home = Audience::of_path(&visit.here).home();
            page::render(error.status(), &TroublePage { frame, trouble, home })
        }
    };
    if matches!(error, WebError::Overloaded) {
        response.extensions_mut().insert(Shed::Writes);
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
    }
    response
}
