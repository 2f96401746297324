//! What is measured, in the form that Prometheus reads.

use std::sync::OnceLock;
use std::time::Duration;

use prilavok_domain::event::Outcome;
use prilavok_notify::scheduled::Lag;
use prilavok_store::Observer;
use prilavok_wire::Operation;
use prometheus::core::Collector;
use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::overload::Shed;

/// From an answer out of memory to a client's time-out, in seconds.
const LATENCIES: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

/// Writes in one commit.
const GROUPS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// What is measured.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    latency: HistogramVec,
    limit_refusals: IntCounterVec,
    shed: IntCounterVec,
    /// Those of the Partner API, found without their labels.
    calls: Vec<Calls>,
    store: HistogramVec,
    reads: OnceLock<Histogram>,
    store_group: Histogram,
    store_queue: IntGauge,
    connections: IntGauge,
    event_streams: IntGaugeVec,
    notifications: IntCounterVec,
    notification_latency: Histogram,
    notification_retries: IntCounter,
    notification_oldest: Gauge,
    subscriptions_given_up: IntGauge,
    scheduled_lag: GaugeVec,
    request_log_dropped: IntCounter,
    search_complete: IntGauge,
    search_indexed: IntCounter,
}

/// Calls of one operation that succeeded. A series begins with its first call.
struct Calls {
    operation: &'static str,
    succeeded: OnceLock<(IntCounter, Histogram)>,
}

/// What is read when `/metrics` is asked for.
#[derive(Debug, Clone, Default)]
pub struct Now {
    /// Writes waiting to be committed.
    pub waiting_writes: usize,
    /// How long the oldest event that is to be delivered has waited, in milliseconds.
    pub oldest_notification_ms: i64,
    /// Subscriptions that are disabled because deliveries failed.
    pub subscriptions_given_up: u64,
    /// How late scheduled work is.
    pub scheduled: Vec<Lag>,
    /// Whether the search index has all, and how much was written into it; `None`: there is none.
    pub search: Option<(bool, u64)>,
}

/// The limit that refused a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedBy {
    /// The parallel limit.
    Parallel,
    /// The hourly limit.
    Hourly,
    /// The limit of open streams.
    Streams,
}

impl RefusedBy {
    /// Those that refuse single calls.
    const OF_CALLS: [Self; 2] = [Self::Parallel, Self::Hourly];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Parallel => "parallel",
            Self::Hourly => "hourly",
            Self::Streams => "streams",
        }
    }
}

impl Metrics {
    /// Measures that are all zero.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let histogram = |name: &str, help: &str, labels: &[&str]| {
            HistogramVec::new(HistogramOpts::new(name, help).buckets(LATENCIES.to_vec()), labels)
        };
        let metrics = Self {
            requests: IntCounterVec::new(
                Opts::new("prilavok_requests_total", "Requests by operation and status."),
                &["operation", "status"],
            )?,
            latency: histogram(
                "prilavok_request_seconds",
                "Time to the answer's head, by operation.",
                &["operation"],
            )?,
            calls: Operation::ALL
                .iter()
                .map(|operation| Calls {
                    operation: operation.as_str(),
                    succeeded: OnceLock::new(),
                })
                .collect(),
            reads: OnceLock::new(),
            limit_refusals: IntCounterVec::new(
                Opts::new("prilavok_limit_refusals_total", "Requests refused by a limit."),
                &["operation", "limit"],
            )?,
            shed: IntCounterVec::new(
                Opts::new(
                    "prilavok_shed_total",
                    "Requests turned away because too many requests, or writes, were waiting.",
                ),
                &["waiting"],
            )?,
            store: histogram(
                "prilavok_store_seconds",
                "Time of reads, and of commits with the writes in them.",
                &["operation"],
            )?,
            store_group: Histogram::with_opts(
                HistogramOpts::new("prilavok_store_commit_writes", "Writes in one commit.")
                    .buckets(GROUPS.to_vec()),
            )?,
            store_queue: IntGauge::new("prilavok_store_queue", "Writes waiting to be committed.")?,
            connections: IntGauge::new("prilavok_connections", "Connections open.")?,
            event_streams: IntGaugeVec::new(
                Opts::new(
                    "prilavok_event_streams",
                    "Streams of live events open, by surface.",
                ),
                &["surface"],
            )?,
            notifications: IntCounterVec::new(
                Opts::new(
                    "prilavok_notifications_total",
                    "Tries to notify, by how they ended.",
                ),
                &["outcome"],
            )?,
            notification_latency: Histogram::with_opts(
                HistogramOpts::new("prilavok_notification_seconds", "Time that receivers took.")
                    .buckets(LATENCIES.to_vec()),
            )?,
            notification_retries: IntCounter::new(
                "prilavok_notification_retries_total",
                "Tries that repeated one which failed.",
            )?,
            notification_oldest: Gauge::new(
                "prilavok_notification_oldest_waiting_seconds",
                "Age of the oldest event that is to be delivered.",
            )?,
            subscriptions_given_up: IntGauge::new(
                "prilavok_subscriptions_given_up",
                "Subscriptions that are disabled because deliveries failed.",
            )?,
            scheduled_lag: GaugeVec::new(
                Opts::new("prilavok_scheduled_lag_seconds", "How late scheduled work is."),
                &["job"],
            )?,
            request_log_dropped: IntCounter::new(
                "prilavok_request_log_dropped_total",
                "Calls that are missing in the request log: they came faster than it is written, or it could not be.",
            )?,
            search_complete: IntGauge::new(
                "prilavok_search_complete",
                "1 if the search finds all there is; 0 while its index is made, falls behind, or is switched off.",
            )?,
            search_indexed: IntCounter::new(
                "prilavok_search_indexed_total",
                "Chats and messages written into the search index.",
            )?,
            registry,
        };
        let all: [Box<dyn Collector>; 18] = [
            Box::new(metrics.requests.clone()),
            Box::new(metrics.latency.clone()),
            Box::new(metrics.limit_refusals.clone()),
            Box::new(metrics.shed.clone()),
            Box::new(metrics.store.clone()),
            Box::new(metrics.store_group.clone()),
            Box::new(metrics.store_queue.clone()),
            Box::new(metrics.connections.clone()),
            Box::new(metrics.event_streams.clone()),
            Box::new(metrics.notifications.clone()),
            Box::new(metrics.notification_latency.clone()),
            Box::new(metrics.notification_retries.clone()),
            Box::new(metrics.notification_oldest.clone()),
            Box::new(metrics.subscriptions_given_up.clone()),
            Box::new(metrics.scheduled_lag.clone()),
            Box::new(metrics.request_log_dropped.clone()),
            Box::new(metrics.search_complete.clone()),
            Box::new(metrics.search_indexed.clone()),
        ];
        for one in all {
            metrics.registry.register(one)?;
        }
        for outcome in Outcome::ALL {
            // A series that begins at zero can be watched for its first failure.
            metrics.notifications.with_label_values(&[outcome.as_str()]);
        }
        // From zero: a rate needs a value from before the first refusal.
        for operation in Operation::ALL.iter().map(|operation| operation.as_str()) {
            for by in RefusedBy::OF_CALLS {
                metrics
                    .limit_refusals
                    .with_label_values(&[operation, by.as_str()])
                    .reset();
            }
        }
        for shed in Shed::ALL {
            metrics.shed.with_label_values(&[shed.as_str()]);
        }
        for surface in ["partner", "operator", "buyer"] {
            metrics.event_streams.with_label_values(&[surface]);
        }
        Ok(metrics)
    }

    /// Counts a request that was answered.
    pub fn request(&self, operation: &str, status: http::StatusCode, took: Duration) {
        let series = || {
            (
                self.requests.with_label_values(&[operation, status.as_str()]),
                self.latency.with_label_values(&[operation]),
            )
        };
        let usual = self.calls.iter().find(|calls| calls.operation == operation);
        let found;
        let (count, latency) = match usual {
            Some(calls) if status == http::StatusCode::OK => calls.succeeded.get_or_init(series),
            _ => {
                found = series();
                &found
            }
        };
        count.inc();
        latency.observe(took.as_secs_f64());
    }

    /// Counts a refusal by a limit.
    pub fn refused(&self, operation: &str, by: RefusedBy) {
        self.limit_refusals
            .with_label_values(&[operation, by.as_str()])
            .inc();
    }

    /// Counts a request that was turned away.
    pub fn shed(&self, shed: Shed) {
        self.shed.with_label_values(&[shed.as_str()]).inc();
    }

    /// Counts a connection until the guard is dropped.
    #[must_use]
    pub fn connection(&self) -> OpenGuard {
        OpenGuard::new(&self.connections)
    }

    /// The gauge of open streams, by surface.
    #[must_use]
    pub fn event_streams(&self) -> &IntGaugeVec {
        &self.event_streams
    }

    /// The counter of calls that are missing in the request log.
    #[must_use]
    pub fn request_log_dropped(&self) -> &IntCounter {
        &self.request_log_dropped
    }

    /// The text that `/metrics` answers.
    pub fn text(&self, now: &Now) -> prometheus::Result<Vec<u8>> {
        self.store_queue
            .set(i64::try_from(now.waiting_writes).unwrap_or(i64::MAX));
        self.notification_oldest.set(seconds(now.oldest_notification_ms));
        self.subscriptions_given_up
            .set(i64::try_from(now.subscriptions_given_up).unwrap_or(i64::MAX));
        for lag in &now.scheduled {
            self.scheduled_lag
                .with_label_values(&[lag.job])
                .set(seconds(lag.ms));
        }
        let (complete, indexed) = now.search.unwrap_or_default();
        self.search_complete.set(i64::from(complete));
        self.search_indexed
            .inc_by(indexed.saturating_sub(self.search_indexed.get()));
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact for the next 200,000 years")]
fn seconds(millis: i64) -> f64 {
    millis as f64 / 1_000.0
}

impl Observer for Metrics {
    fn read(&self, took: Duration) {
        self.reads
            .get_or_init(|| self.store.with_label_values(&["read"]))
            .observe(took.as_secs_f64());
    }

    #[expect(clippy::cast_precision_loss, reason = "at most 256 writes")]
    fn commit(&self, took: Duration, writes: usize) {
        self.store
            .with_label_values(&["commit"])
            .observe(took.as_secs_f64());
        self.store_group.observe(writes as f64);
    }
}

impl prilavok_notify::Observer for Metrics {
    fn tried(&self, outcome: Outcome, took: Duration, again: bool) {
        self.notifications.with_label_values(&[outcome.as_str()]).inc();
        self.notification_latency.observe(took.as_secs_f64());
        if again {
            self.notification_retries.inc();
        }
    }
}

/// Something open, counted until this is dropped.
pub struct OpenGuard(IntGauge);

impl OpenGuard {
    /// Counts it in `gauge`.
    #[must_use]
    pub fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The name under which a surface's answer is counted and logged; left in the answer's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationName(pub &'static str);
