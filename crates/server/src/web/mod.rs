//! Pages for people, `/ui`: the seller's counter, the arbiter's desk, the operator's pages. They call the same operations of the store as the APIs.
//!
//! A handler takes extractors, asks the store and answers with a view of `prilavok-pages`. Around all of them is
//! [`surround`]: it finds out what the reader wants to see ([`visit`]), refuses what other sites send ([`origin`]),
//! makes pages of errors ([`error`]), and sets the headers. Who is signed in is in [`session`] and [`reader`].

mod assets;
mod conversation;
mod cookie;
mod desk;
mod error;
mod events;
mod files;
mod form;
mod found;
mod inbox;
mod marketplace;
mod message_form;
mod origin;
mod page;
mod preferences;
mod query;
mod reader;
mod replies;
mod session;
mod sign_in;
mod surround;
mod tries;
mod visit;

use std::any::Any;

use axum::Router;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::SharedApp;
use crate::router;
use error::WebError;
pub use tries::Tries;

/// What the pages keep in memory.
#[derive(Default)]
pub struct Web {
    /// Who tried to sign in, and could not.
    pub tries: Tries,
}

/// The routes of the pages; every path below `/ui` is answered with a page.
pub fn router(app: SharedApp) -> Router {
    Router::new()
        .route("/ui", get(|| async { Redirect::temporary("/ui/") }))
        .route("/ui/", get(inbox::inbox))
        .route("/ui/list", get(inbox::list))
        .route("/ui/chats/{chat}", get(conversation::conversation))
        .route("/ui/chats/{chat}/news", get(conversation::news))
        .route("/ui/chats/{chat}/earlier", get(conversation::earlier))
        .route("/ui/chats/{chat}/seen", post(conversation::seen))
        .route("/ui/chats/{chat}/messages", post(conversation::send))
        .route("/ui/files/{file}", get(files::file))
        .route("/ui/events", get(events::events))
        .route("/ui/replies", get(replies::replies).post(replies::add))
        .route("/ui/replies/{reply}", get(replies::reply).post(replies::change))
        .route("/ui/replies/{reply}/text", get(replies::text))
        .route("/ui/preferences", post(preferences::choose))
        .route("/ui/sign-in", get(sign_in::seller_page).post(sign_in::seller))
        .route("/ui/sign-out", post(sign_in::seller_out))
        .route(
            "/ui/operator/sign-in",
            get(sign_in::operator_page).post(sign_in::operator),
        )
        .route("/ui/operator/sign-out", post(sign_in::operator_out))
        .merge(desk::routes())
        .merge(marketplace::routes())
        .route("/ui/assets/{*path}", get(assets::asset))
        .route("/ui/{*rest}", any(|| async { WebError::NotFound }))
        .method_not_allowed_fallback(|| async { WebError::NotFound })
        .layer(CatchPanicLayer::custom(|panic: Box<dyn Any + Send>| {
            WebError::panicked(&*panic).into_response()
        }))
        .layer(axum::middleware::from_fn_with_state(
            app.clone(),
            surround::surround,
        ))
        .with_state(app)
}

/// Whether the pages answer at this path.
pub(crate) fn is_at(path: &str) -> bool {
    router::is_below(path, "/ui")
}

/// The answer to a request that nothing is done for, because too many wait.
pub(crate) fn turn_away(parts: &Parts) -> Response {
    surround::finish(
        &visit::Visit::of(parts),
        parts,
        WebError::Overloaded.into_response(),
    )
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, Request, header};

    use super::*;

    async fn text(response: Response) -> (u16, HeaderMap, String) {
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 1_000_000).await.expect("a body");
        let text = String::from_utf8(bytes.into()).expect("UTF-8");
        (parts.status.as_u16(), parts.headers, text)
    }

    fn asked(headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::get("/ui/chats/1");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    #[tokio::test]
    async fn who_is_turned_away_gets_a_page_in_his_language() {
        let (status, headers, page) = text(turn_away(&asked(&[("accept-language", "ru")]))).await;
        assert_eq!(status, 503);
        assert_eq!(headers[header::RETRY_AFTER], "1");
        assert!(headers.contains_key(header::CONTENT_SECURITY_POLICY));
        assert!(
            page.starts_with("<!doctype html>") && page.contains("Сервер занят"),
            "{page}"
        );
        let (status, _, part) = text(turn_away(&asked(&[("x-part", "1")]))).await;
        assert_eq!(status, 503);
        assert!(part.starts_with("<p class=\"alert\""), "{part}");
    }

    #[tokio::test]
    async fn a_defect_shows_a_page_and_nothing_of_what_it_was() {
        let parts = asked(&[]);
        let panicked = WebError::panicked(&"secret").into_response();
        let (status, _, page) = text(surround::finish(&visit::Visit::of(&parts), &parts, panicked)).await;
        assert_eq!(status, 500);
        assert!(
            page.contains("Something is broken") && !page.contains("secret"),
            "{page}"
        );
    }

    #[test]
    fn pages_are_told_from_what_only_begins_like_them() {
        assert!(["/ui", "/ui/", "/ui/chats/1"].iter().all(|path| is_at(path)));
        assert!(
            !["/", "/uix", "/v2/ui/", "/operator/v1"]
                .iter()
                .any(|path| is_at(path))
        );
    }
}
