//! Whether the process lives, whether it can serve, and what it measured.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

use crate::app::SharedApp;
use crate::metrics::Now;

/// `GET /healthz`: the process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the store reads and writes; 503 while it does not.
pub async fn readyz(State(app): State<SharedApp>) -> Response {
    match app.store.ready().await {
        Ok(()) => "ok\n".into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n").into_response()
        }
    }
}

/// `GET /metrics`, for Prometheus.
pub async fn metrics(State(app): State<SharedApp>) -> Response {
    let now = Now {
        waiting_writes: app.store.queue_depth(),
        oldest_notification_ms: app.notifier.oldest_waiting_ms().await,
        subscriptions_given_up: app.notifier.given_up(),
        scheduled: app.scheduled.lags().collect(),
    };
    match app.metrics.text(&now) {
        Ok(text) => (
            [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
            text,
        )
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
