//! Time.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use prilavok_domain::Clock;
use serde::{Deserialize, Serialize};

use super::error::{ApiError, read};
use crate::advance::{Advanced, shown};
use crate::clock::Speed;
use crate::duration::Span;
use crate::sandbox::Sandbox;

/// What the clock shows.
#[derive(Serialize)]
pub(super) struct Shown {
    now: String,
    speed: Speed,
}

pub(super) async fn show(State(sandbox): State<Arc<Sandbox>>) -> Json<Shown> {
    Json(Shown {
        now: shown(sandbox.clock().now()),
        speed: sandbox.clock().speed(),
    })
}

/// What is to become of the clock: first the speed, then the move.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    speed: Option<Speed>,
    advance: Option<Span>,
    /// How much real time the connector has after each step in which something was delivered.
    pause: Option<Span>,
}

pub(super) async fn change(
    State(sandbox): State<Arc<Sandbox>>,
    body: Bytes,
) -> Result<Json<Advanced>, ApiError> {
    let change: Change = read(&body)?;
    if let Some(speed) = change.speed {
        sandbox.clock().set_speed(speed);
    }
    let pause = change.pause.map_or(Duration::ZERO, Span::duration);
    let by = change.advance.map_or(0, Span::millis);
    Ok(Json(sandbox.advance(by, pause).await?))
}
