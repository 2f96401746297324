//! What every request shares, and the work that goes on beside requests.

use std::sync::Arc;
use std::time::Duration;

use prilavok_domain::{Clock, Timestamp};
use prilavok_notify::{
    DeliveryFaults, NoFaults, Notifier, Patience, Scheduled, Sender, SigningSecrets, SystemResolver,
    WebhookClient,
};
use prilavok_store::files::FileStore;
use prilavok_store::requests::{self, RequestLog};
use prilavok_store::search::{self, Follower, Search};
use prilavok_store::{Store, Usage};
use tokio::task::JoinHandle;

use crate::access::AccessCache;
use crate::buyer::Buyers;
use crate::file_links::FileLinks;
use crate::health::Readiness;
use crate::limits::Limiter;
use crate::live::Hub;
use crate::metrics::Metrics;
use crate::recording::Recorder;
use crate::settings::Settings;
use crate::web::Web;

/// Between two rounds of keeping hourly counts.
const USAGE_INTERVAL: Duration = Duration::from_secs(1);
/// Counts of so many businesses are kept at once: all of ten thousand would hold up a processor for long enough that one
/// answer in a hundred would wait for it.
const USAGE_AT_ONCE: usize = 100;
const USAGE_PAUSE: Duration = Duration::from_millis(20);
/// How often the clock is looked at for what has come due.
const CLOCK_INTERVAL: Duration = Duration::from_millis(50);
/// Counts of hours before the last one are of no use to anybody.
const USAGE_KEPT_MS: i64 = 2 * 3_600_000;

/// What the sandbox has otherwise than a server.
pub struct Adjustments {
    /// How often the clock is looked at for what has come due.
    pub clock_interval: Duration,
    /// What goes wrong with deliveries on purpose.
    pub faults: Arc<dyn DeliveryFaults>,
}

impl Default for Adjustments {
    fn default() -> Self {
        Self {
            clock_interval: CLOCK_INTERVAL,
            faults: Arc::new(NoFaults),
        }
    }
}

/// Counts that are not kept yet: changed still, if the work ends before they are.
struct Unkept<'a> {
    limits: &'a Limiter,
    usage: Vec<Usage>,
}

impl Drop for Unkept<'_> {
    fn drop(&mut self) {
        self.limits.mark_changed(&self.usage);
    }
}

/// What every request shares.
pub struct App {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Where the bytes of files are kept.
    pub files: FileStore,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How the operator wants it.
    pub settings: Settings,
    /// Credentials and business states.
    pub access: AccessCache,
    /// The parallel and the hourly limits.
    pub limits: Limiter,
    /// Signed links to files.
    pub links: FileLinks,
    /// Deliveries to subscriptions.
    pub notifier: Notifier,
    /// Work that is done when its time has come.
    pub scheduled: Scheduled,
    /// Streams of live events.
    pub live: Arc<Hub>,
    /// Takes calls into the request log.
    pub recorder: Recorder,
    /// The request log.
    pub request_log: Arc<RequestLog>,
    /// Buyers' tokens, and what each buyer may do at a time.
    pub buyers: Buyers,
    /// Feeds the search index, where there is one.
    pub search: Option<Follower>,
    /// What the pages keep.
    pub web: Web,
    /// What is measured.
    pub metrics: Arc<Metrics>,
    /// Whether the store works.
    pub readiness: Readiness,
    clock_interval: Duration,
}

/// The state of every handler.
pub type SharedApp = Arc<App>;

impl App {
    /// Puts an app together over a store; reads the server's secret and the counts of this hour, and opens the request
    /// log and the search index in the folder that the settings name.
    pub async fn new(
        store: Arc<dyn Store>,
        files: FileStore,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> anyhow::Result<Self> {
        Self::adjusted(store, files, clock, settings, Adjustments::default()).await
    }

    /// The same, with what the sandbox has otherwise.
    pub async fn adjusted(
        store: Arc<dyn Store>,
        files: FileStore,
        clock: Arc<dyn Clock>,
        settings: Settings,
        adjustments: Adjustments,
    ) -> anyhow::Result<Self> {
        let clock_interval = adjustments.clock_interval;
        let secret = store.server_secret().await?;
        let metrics = Arc::new(Metrics::new()?);
        store.observe(metrics.clone());
        let limits = match store.counting_nodes() {
            Some(_) => Limiter::shared(settings.limits.clone(), Arc::clone(&store)),
            None => {
                let usage = store.usage(clock.now().hour_start()).await?;
                Limiter::new(settings.limits.clone(), &usage)
            }
        };
        let sender = Sender::new(
            WebhookClient::new(settings.notifications.guard(), Arc::new(SystemResolver)),
            SigningSecrets::new(&secret),
            Arc::clone(&clock),
            Patience::default(),
        );
        let notifier = Notifier::new(
            Arc::clone(&store),
            Arc::clone(&clock),
            sender,
            settings.notifications.schedule.clone(),
            metrics.clone(),
            adjustments.faults,
            clock_interval,
        );
        let scheduled = Scheduled::new(
            Arc::clone(&store),
            files.clone(),
            Arc::clone(&clock),
            &settings.plan(),
        );
        let log = Arc::new(RequestLog::open(&settings.data.join(requests::FILE_NAME))?);
        let scheduled = scheduled.and_forget_requests(Arc::clone(&log), settings.request_log.keep_ms());
        let dropped = metrics.request_log_dropped().clone();
        let recorder = Recorder::start(Arc::clone(&log), &settings.request_log, dropped)?;
        let search = match settings.search.enabled {
            false => None,
            true => {
                let index = Arc::new(Search::new(&settings.data.join(search::FILE_NAME)));
                Some(Follower::start(index, Arc::clone(&store))?)
            }
        };
        let live = Hub::new(
            Arc::clone(&store),
            metrics.event_streams().clone(),
            settings.events.heartbeat_seconds,
            settings.events.streams_per_business,
        );
        Ok(Self {
            live,
            recorder,
            request_log: log,
            access: AccessCache::new(Arc::clone(&store)).await?,
            limits,
            buyers: Buyers::new(&settings.buyer, &secret),
            links: FileLinks::new(&secret, settings.files.link_ttl_seconds),
            notifier,
            scheduled,
            search,
            web: Web::default(),
            metrics,
            readiness: Readiness::default(),
            store,
            files,
            clock,
            settings,
            clock_interval,
        })
    }

    /// The current instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Starts the work beside requests: watching for changed keys, keeping and sharing hourly counts, delivering
    /// notifications, waking streams, doing what has come due.
    #[must_use]
    pub fn start_background(self: &Arc<Self>) -> Background {
        let watching = Arc::clone(self);
        let keeping = Arc::clone(self);
        let sharing = Arc::clone(self);
        let (notifier, scheduled) = (self.notifier.clone(), self.scheduled.clone());
        let live = Arc::clone(&self.live);
        let clock_interval = self.clock_interval;
        Background(vec![
            tokio::spawn(async move { notifier.run().await }),
            tokio::spawn(async move { scheduled.run(clock_interval).await }),
            tokio::spawn(async move { live.run().await }),
            tokio::spawn(async move { watching.access.watch().await }),
            tokio::spawn(async move { sharing.limits.listen().await }),
            tokio::spawn(async move {
                let mut ticks = tokio::time::interval(USAGE_INTERVAL);
                ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
                loop {
                    ticks.tick().await;
                    keeping.tell_nodes().await;
                    keeping
                        .keep_usage(keeping.limits.drain_round(), USAGE_PAUSE)
                        .await;
                }
            }),
        ])
    }

    async fn tell_nodes(&self) {
        if let Err(error) = self.limits.tell(self.now()).await {
            tracing::warn!(%error, "the other nodes could not be told of hourly counts");
        }
    }

    /// Keeps hourly counts, so many at a time and with a pause between. What cannot be kept is tried again with the next ones.
    async fn keep_usage(&self, usage: Vec<Usage>, pause: Duration) {
        let mut unkept = Unkept {
            limits: &self.limits,
            usage,
        };
        let mut forget_before = Some(self.now().plus_millis(-USAGE_KEPT_MS));
        while !unkept.usage.is_empty() {
            let rest = unkept.usage.len().saturating_sub(USAGE_AT_ONCE);
            let some = unkept.usage.split_off(rest);
            if let Err(error) = self.store.save_usage(some.clone(), forget_before.take()).await {
                tracing::warn!(%error, "hourly counts could not be kept");
                unkept.usage.extend(some);
                return;
            }
            if rest > 0 {
                tokio::time::sleep(pause).await;
            }
        }
    }

    /// Finishes the deliveries under way, keeps what is still in memory and closes the store. Called when no
    /// request runs any more.
    pub async fn close(self: &Arc<Self>) {
        let patience = Duration::from_secs(self.settings.server.shutdown_seconds);
        if tokio::time::timeout(patience, self.notifier.stop())
            .await
            .is_err()
        {
            tracing::warn!("some notifications were cut off: they are sent again after the next start");
        }
        self.tell_nodes().await;
        self.keep_usage(self.limits.drain(), Duration::ZERO).await;
        if let Err(error) = self.limits.leave().await {
            tracing::warn!(%error, "calls that were taken in advance could not be given back");
        }
        self.stop_search().await;
        self.store.close().await;
        self.close_request_log().await;
    }

    /// Stops feeding the search index, and closes it.
    async fn stop_search(self: &Arc<Self>) {
        let app = Arc::clone(self);
        let stopping = tokio::task::spawn_blocking(move || app.search.iter().for_each(Follower::stop));
        if let Err(error) = stopping.await {
            tracing::warn!(%error, "the search index was not closed");
        }
    }

    /// Writes what waits for the request log, and closes it.
    async fn close_request_log(self: &Arc<Self>) {
        let app = Arc::clone(self);
        let closing = tokio::task::spawn_blocking(move || {
            app.recorder.close();
            app.request_log.close();
        });
        if let Err(error) = closing.await {
            tracing::warn!(%error, "the request log was not closed");
        }
    }
}

/// The work beside requests; it ends when this is dropped.
pub struct Background(Vec<JoinHandle<()>>);

impl Drop for Background {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}
