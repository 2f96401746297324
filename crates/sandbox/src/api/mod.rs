//! `/sandbox/v1`: time, faults, states, businesses and scenarios. There is no credential: whoever reaches a sandbox
//! may do anything in it.

mod businesses;
mod clock;
mod error;
mod faults;
mod scenarios;
mod states;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post, put};

use crate::sandbox::Sandbox;
use error::ApiError;

/// The routes.
pub(crate) fn router(sandbox: Arc<Sandbox>) -> Router {
    let routes = Router::new()
        .route("/clock", get(clock::show).post(clock::change))
        .route("/businesses", post(businesses::create))
        .route(
            "/faults",
            get(faults::list).post(faults::add).delete(faults::clear),
        )
        .route("/faults/{id}", delete(faults::remove))
        .route("/snapshots", get(states::list))
        .route("/snapshots/{name}", put(states::take).delete(states::remove))
        .route("/snapshots/{name}/restore", post(states::restore))
        .route("/reset", post(states::reset))
        .route("/scenarios", get(scenarios::report).post(scenarios::begin))
        .route("/scenarios/schema", get(scenarios::schema))
        .fallback(async || ApiError::missing("the sandbox has no such address: see docs/sandbox.md"))
        .method_not_allowed_fallback(async || ApiError::other_method())
        .with_state(sandbox);
    Router::new().nest("/sandbox/v1", routes)
}
