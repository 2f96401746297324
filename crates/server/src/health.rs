//! Whether the process lives, whether it can serve, and what it measured.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use prilavok_store::Store;
use tokio::sync::Mutex;

use crate::app::SharedApp;
use crate::metrics::Now;

/// What the store proved holds for this long.
const PROOF_HOLDS: Duration = Duration::from_secs(1);

/// Whether the store reads and writes, asked at most once a second and once at a time: a proof costs a
/// write, and everybody may ask.
#[derive(Default)]
pub struct Readiness(Mutex<Option<(Instant, bool)>>);

impl Readiness {
    async fn of(&self, store: &dyn Store) -> bool {
        let mut last = self.0.lock().await;
        if let Some((at, ready)) = *last
            && at.elapsed() < PROOF_HOLDS
        {
            return ready;
        }
        let proof = store.ready().await;
        if let Err(error) = &proof {
            tracing::warn!(%error, "not ready");
        }
        *last = Some((Instant::now(), proof.is_ok()));
        proof.is_ok()
    }
}

/// `GET /healthz`: the process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the store reads and writes; 503 while it does not.
pub async fn readyz(State(app): State<SharedApp>) -> Response {
    if app.readiness.of(&*app.store).await {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n").into_response()
    }
}

/// `GET /metrics`, for Prometheus.
pub async fn metrics(State(app): State<SharedApp>) -> Response {
    let now = Now {
        waiting_writes: app.store.queue_depth(),
        oldest_notification_ms: app.notifier.oldest_waiting_ms().await,
        subscriptions_given_up: app.notifier.given_up(),
        scheduled: app.scheduled.lags().collect(),
        search: app.search.as_ref().map(|follower| {
            let search = follower.search();
            (search.is_complete(), search.indexed())
        }),
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
