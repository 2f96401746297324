//! The buyer's widget, `/ui/widget`: a page for a frame in a shop's page, the script that puts it there, and a page that
//! shows both. It is a client of the Buyer API like any other; here are only its files and the policies they come with.

use std::fmt::Write;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::app::SharedApp;
use crate::overload::RETRY_AFTER;
use crate::router;
use crate::settings::BuyerSettings;

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// The page may load what the server itself serves, and nothing else; no script and no style stands in it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors";
/// The example is a page of a shop, with the widget in a frame.
const EXAMPLE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                              frame-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                              frame-ancestors 'none'";

/// What the widget's page loads.
const FILES: &[(&str, &str, &str)] = &[
    ("/ui/widget/widget.css", CSS, include_str!("widget.css")),
    ("/ui/widget/widget.js", JAVASCRIPT, include_str!("widget.js")),
    ("/ui/widget/api.js", JAVASCRIPT, include_str!("api.js")),
    ("/ui/widget/host.js", JAVASCRIPT, include_str!("host.js")),
    ("/ui/widget/live.js", JAVASCRIPT, include_str!("live.js")),
    ("/ui/widget/log.js", JAVASCRIPT, include_str!("log.js")),
    ("/ui/widget/memory.js", JAVASCRIPT, include_str!("memory.js")),
    ("/ui/widget/safe.js", JAVASCRIPT, include_str!("safe.js")),
    ("/ui/widget/texts.js", JAVASCRIPT, include_str!("texts.js")),
];

/// What is there to try the widget only.
const EXAMPLE: &[(&str, &str, &str)] = &[
    ("/ui/widget/example", HTML, include_str!("example.html")),
    ("/ui/widget/example.css", CSS, include_str!("example.css")),
    ("/ui/widget/example.js", JAVASCRIPT, include_str!("example.js")),
];

/// The routes of the widget.
pub(crate) fn router() -> Router<SharedApp> {
    let mut router = Router::new()
        .route("/ui/widget", get(page))
        .route("/ui/widget.js", get(loader));
    for (path, media_type, content) in FILES {
        router = router.route(path, get(async move || file(media_type, content)));
    }
    for (path, media_type, content) in EXAMPLE {
        let shown = async move |State(app): State<SharedApp>| {
            if !app.settings.buyer.try_out {
                return StatusCode::NOT_FOUND.into_response();
            }
            let mut response = file(media_type, content);
            response.headers_mut().insert(
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static(EXAMPLE_POLICY),
            );
            response
        };
        router = router.route(path, get(shown));
    }
    router
}

/// Whether the widget answers at this path, and not the counter, which has the rest of `/ui`.
pub(crate) fn is_at(path: &str) -> bool {
    path == "/ui/widget.js" || router::is_below(path, "/ui/widget")
}

/// The answer to a request that nothing is done for, because too many wait. It may be shown in a shop's frame, and is
/// taken for neither a script nor a style.
pub(crate) fn turn_away() -> Response {
    let mut response = file(TEXT, "The server is busy. Try again in a moment.\n");
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, RETRY_AFTER);
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'"),
    );
    response
}

async fn page(State(app): State<SharedApp>) -> Response {
    let mut response = file(HTML, include_str!("widget.html"));
    if let Ok(policy) = HeaderValue::from_str(&policy(&app.settings.buyer)) {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Who may have the page in a frame is a setting; where it can be tried out, the server's own pages may.
fn policy(settings: &BuyerSettings) -> String {
    let mut policy = POLICY.to_owned();
    for ancestor in &settings.frame_ancestors {
        // A String takes everything.
        let _ = write!(policy, " {ancestor}");
    }
    if settings.try_out {
        policy.push_str(" 'self'");
    } else if settings.frame_ancestors.is_empty() {
        policy.push_str(" 'none'");
    }
    policy
}

/// The script is loaded by pages of other sites.
async fn loader() -> Response {
    let mut response = file(JAVASCRIPT, include_str!("loader.js"));
    response.headers_mut().insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    response
}

fn file(media_type: &'static str, content: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ];
    (headers, content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widget_is_told_from_the_counter() {
        let own = [
            "/ui/widget",
            "/ui/widget.js",
            "/ui/widget/widget.js",
            "/ui/widget/example",
        ];
        assert!(own.iter().all(|path| is_at(path)));
        let others = ["/ui", "/ui/", "/ui/widgets", "/ui/widget.css", "/buyer/v1/me"];
        assert!(!others.iter().any(|path| is_at(path)));
    }

    #[test]
    fn who_is_turned_away_is_told_so_in_the_frame() {
        let response = turn_away();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        let headers = response.headers();
        assert_eq!(headers[header::RETRY_AFTER], RETRY_AFTER);
        assert_eq!(headers[header::CONTENT_TYPE], TEXT);
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], "default-src 'none'");
        assert_eq!(headers.get_all(header::CONTENT_SECURITY_POLICY).iter().count(), 1);
    }
}
