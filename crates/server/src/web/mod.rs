//! Pages for people, `/ui`: the seller's counter. They call the same operations of the store as the APIs.
//!
//! A handler takes extractors, asks the store and answers with a view of `prilavok-pages`. Around all of them is
//! [`surround`]: it finds out what the reader wants to see ([`visit`]), refuses what other sites send ([`origin`]),
//! makes pages of errors ([`error`]), and sets the headers. Who is signed in is in [`session`] and [`reader`].

mod assets;
mod conversation;
mod cookie;
mod error;
mod events;
mod files;
mod form;
mod inbox;
mod message_form;
mod operator_home;
mod origin;
mod page;
mod preferences;
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
use error::WebError;
pub use session::Sessions;
pub use tries::Tries;

/// What the pages keep in memory.
#[derive(Default)]
pub struct Web {
    /// Who is signed in.
    pub sessions: Sessions,
    /// Who tried to, and could not.
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
        .route("/ui/operator", get(operator_home::home))
        .route("/ui/preferences", post(preferences::choose))
        .route("/ui/sign-in", get(sign_in::seller_page).post(sign_in::seller))
        .route("/ui/sign-out", post(sign_in::seller_out))
        .route(
            "/ui/operator/sign-in",
            get(sign_in::operator_page).post(sign_in::operator),
        )
        .route("/ui/operator/sign-out", post(sign_in::operator_out))
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
    path.strip_prefix("/ui")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The answer to a request that nothing is done for, because too many wait.
pub(crate) fn turn_away(parts: &Parts) -> Response {
    surround::finish(
        &visit::Visit::of(parts),
        parts,
        WebError::Overloaded.into_response(),
    )
}
