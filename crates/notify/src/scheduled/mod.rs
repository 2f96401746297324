//! Work that is done when its time has come, driven by the injected clock: chats that nobody writes in are
//! finished, sellers reminded, what has expired swept.
//!
//! Each job is idempotent: a run that was cut off is simply done again by the next one.

mod chats;
mod personal_data;
mod sweeps;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::{Stream, TryStreamExt, stream};
use prilavok_domain::{BusinessId, Clock, MessageText, Timestamp};
use prilavok_store::files::FileStore;
use prilavok_store::requests::RequestLog;
use prilavok_store::{Result, Store, StoreError};

use sweeps::forget_requests;

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// How long work waits that failed: a disk that is full must not fill its log as well.
const PAUSE: Duration = Duration::from_secs(1);
/// Businesses read at a time.
const BUSINESSES: usize = 1_000;

/// What is to be done, and after how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Milliseconds without a message after which a chat is finished; `None`: never.
    pub finish_idle_after_ms: Option<i64>,
    /// Milliseconds without an answer after which a seller is reminded, and what is said; `None`: never.
    pub remind: Option<(i64, MessageText)>,
    /// Milliseconds that the delivery log and events are kept.
    pub keep_log_ms: i64,
    /// Milliseconds after their last message after which finished chats are removed; `None`: never.
    pub keep_chats_ms: Option<i64>,
    /// Milliseconds that files are kept; `None`: for ever.
    pub keep_files_ms: Option<i64>,
}

/// A job, and what it needs to know.
#[derive(Clone)]
enum Task {
    FinishIdle { after_ms: i64 },
    Remind { after_ms: i64, text: MessageText },
    ForgetIdempotency,
    ForgetNotifications { keep_ms: i64 },
    ForgetRequests { log: Arc<RequestLog>, keep_ms: i64 },
    ForgetChats { keep_ms: i64 },
    ForgetFiles { keep_ms: i64 },
    EraseCustomers,
    ForgetInRequests { log: Arc<RequestLog> },
    SweepFiles,
}

impl Task {
    const fn name(&self) -> &'static str {
        match self {
            Self::FinishIdle { .. } => "finish_idle_chats",
            Self::Remind { .. } => "remind_sellers",
            Self::ForgetIdempotency => "forget_idempotency_keys",
            Self::ForgetNotifications { .. } => "forget_notifications",
            Self::ForgetRequests { .. } => "forget_requests",
            Self::ForgetChats { .. } => "forget_chats",
            Self::ForgetFiles { .. } => "forget_files",
            Self::EraseCustomers => "erase_customers",
            Self::ForgetInRequests { .. } => "forget_chats_in_requests",
            Self::SweepFiles => "sweep_files",
        }
    }

    const fn every_ms(&self) -> i64 {
        match self {
            Self::EraseCustomers => SECOND_MS,
            Self::FinishIdle { .. } | Self::Remind { .. } | Self::ForgetInRequests { .. } => MINUTE_MS,
            Self::ForgetIdempotency
            | Self::ForgetNotifications { .. }
            | Self::ForgetRequests { .. }
            | Self::ForgetChats { .. }
            | Self::ForgetFiles { .. } => 10 * MINUTE_MS,
            Self::SweepFiles => HOUR_MS,
        }
    }
}

/// A job and when it is due.
struct Job {
    task: Task,
    due: AtomicI64,
}

/// A job that found something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// The job.
    pub job: &'static str,
    /// How many chats, keys, lines or files it dealt with.
    pub count: u64,
}

/// What a run of what was due came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ran {
    /// The jobs that found something to do.
    pub done: Vec<Done>,
    /// Whether a job failed; it is due still.
    pub failed: bool,
}

/// How late a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// The job.
    pub job: &'static str,
    /// Milliseconds since it was due; zero while it is not.
    pub ms: i64,
}

/// Does scheduled work.
#[derive(Clone)]
pub struct Scheduled {
    store: Arc<dyn Store>,
    files: FileStore,
    clock: Arc<dyn Clock>,
    jobs: Arc<[Arc<Job>]>,
}

impl Scheduled {
    /// The jobs of a plan, all due now.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, files: FileStore, clock: Arc<dyn Clock>, plan: &Plan) -> Self {
        let finish = plan
            .finish_idle_after_ms
            .map(|after_ms| Task::FinishIdle { after_ms });
        let remind = plan
            .remind
            .clone()
            .map(|(after_ms, text)| Task::Remind { after_ms, text });
        let keep_chats = plan.keep_chats_ms.map(|keep_ms| Task::ForgetChats { keep_ms });
        let keep_files = plan.keep_files_ms.map(|keep_ms| Task::ForgetFiles { keep_ms });
        let always = [
            Task::EraseCustomers,
            Task::ForgetIdempotency,
            Task::ForgetNotifications {
                keep_ms: plan.keep_log_ms,
            },
            Task::SweepFiles,
        ];
        let now = clock.now().as_millis();
        let wanted = finish
            .into_iter()
            .chain(remind)
            .chain(keep_chats)
            .chain(keep_files);
        let jobs = wanted.chain(always).map(|task| {
            Arc::new(Job {
                task,
                due: AtomicI64::new(now),
            })
        });
        Self {
            jobs: jobs.collect(),
            store,
            files,
            clock,
        }
    }

    /// The same and two more jobs: calls leave the request log after so many milliseconds, and with what was taken away
    /// from the chats that they name.
    #[must_use]
    pub fn and_forget_requests(mut self, log: Arc<RequestLog>, keep_ms: i64) -> Self {
        let now = self.clock.now().as_millis();
        let job = |task| {
            Arc::new(Job {
                task,
                due: AtomicI64::new(now),
            })
        };
        let of_log = Task::ForgetInRequests {
            log: Arc::clone(&log),
        };
        // The first of all: after it, the store forgets what was taken away.
        let jobs = [job(of_log)].into_iter().chain(self.jobs.iter().cloned());
        self.jobs = jobs.chain([job(Task::ForgetRequests { log, keep_ms })]).collect();
        self
    }

    /// How late each job is.
    pub fn lags(&self) -> impl Iterator<Item = Lag> {
        let now = self.clock.now().as_millis();
        self.jobs.iter().map(move |job| Lag {
            job: job.task.name(),
            ms: (now - job.due.load(Ordering::Relaxed)).max(0),
        })
    }

    /// Does what is due for ever; the clock is looked at every `tick` of real time.
    pub async fn run(&self, tick: Duration) {
        let mut ticks = tokio::time::interval(tick);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if self.run_due().await.failed {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Does what is due now.
    pub async fn run_due(&self) -> Ran {
        let mut ran = Ran::default();
        for job in self.jobs.iter() {
            let now = self.clock.now();
            let (due, every) = (job.due.load(Ordering::Relaxed), job.task.every_ms());
            // A clock that was set back must not put a job off for longer than usual.
            if due > now.as_millis() && due - now.as_millis() <= every {
                continue;
            }
            match self.perform(&job.task, now).await {
                Ok(0) => {}
                Ok(count) => {
                    let job = job.task.name();
                    tracing::info!(job, count, "scheduled work");
                    ran.done.push(Done { job, count });
                }
                Err(error) => {
                    // It stays due, and its lag shows.
                    tracing::warn!(job = job.task.name(), %error, "scheduled work failed: it is tried again");
                    ran.failed = true;
                    continue;
                }
            }
            job.due.store(now.as_millis() + every, Ordering::Relaxed);
        }
        ran
    }

    /// Does a job; answers how much there was to do.
    async fn perform(&self, task: &Task, now: Timestamp) -> Result<u64> {
        match task {
            Task::FinishIdle { after_ms } => self.finish_idle(now, *after_ms).await,
            Task::Remind { after_ms, text } => self.remind(now, *after_ms, text).await,
            Task::ForgetIdempotency => self.store.forget_idempotency(now).await,
            Task::ForgetNotifications { keep_ms } => self.forget_notifications(now, *keep_ms).await,
            Task::ForgetChats { keep_ms } => self.forget_chats(now, *keep_ms).await,
            Task::ForgetFiles { keep_ms } => self.forget_files(now, *keep_ms).await,
            Task::EraseCustomers => self.erase_customers(now).await,
            Task::ForgetInRequests { log } => self.forget_in_requests(log, now).await,
            Task::ForgetRequests { log, keep_ms } => forget_requests(log, now, *keep_ms).await,
            Task::SweepFiles => self.sweep_files(now).await,
        }
    }

    /// All businesses, read page by page. What is done for one may never have to wait, and there may be many: before each, others
    /// have their turn.
    fn businesses(&self) -> impl Stream<Item = Result<BusinessId>> + Send {
        let pages = stream::try_unfold(None, async |after: Option<BusinessId>| {
            let page = self.store.businesses(after, BUSINESSES).await?;
            let last = page.last().map(|business| business.id);
            let ids = page.into_iter().map(|business| Ok(business.id));
            Ok::<_, StoreError>(last.map(|last| (stream::iter(ids), Some(last))))
        });
        pages.try_flatten().and_then(async |business| {
            tokio::task::yield_now().await;
            Ok(business)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use prilavok_domain::{Business, BusinessState, IdSequence, ManualClock, Name};
    use prilavok_store::Registration;
    use prilavok_store::sqlite::{FILE_NAME, SqliteStore};

    use super::*;

    #[tokio::test]
    async fn before_each_business_others_have_their_turn() {
        let folder = tempfile::tempdir().expect("a folder");
        let ids = IdSequence::clocked(0, 0);
        let store = SqliteStore::open(&folder.path().join(FILE_NAME), ids).expect("a store");
        let business = |id| {
            Registration::Business(Business {
                id: BusinessId::new(id).expect("an id"),
                name: Name::new("Лавка").expect("a name"),
                state: BusinessState::Active,
            })
        };
        store
            .register((1..=3).map(business).collect())
            .await
            .expect("registered");
        let files = FileStore::local(&folder.path().join("files")).expect("a file store");
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0).expect("a time")));
        let plan = Plan {
            finish_idle_after_ms: None,
            remind: None,
            keep_log_ms: 0,
            keep_chats_ms: None,
            keep_files_ms: None,
        };
        let scheduled = Scheduled::new(Arc::new(store), files, clock, &plan);
        let mut businesses = pin!(scheduled.businesses());
        let mut seen = Vec::new();
        loop {
            match businesses
                .as_mut()
                .poll_next(&mut Context::from_waker(Waker::noop()))
            {
                Poll::Pending => seen.push(None),
                Poll::Ready(Some(business)) => seen.push(Some(business.expect("a business").get())),
                Poll::Ready(None) => break,
            }
        }
        assert_eq!(seen, [None, Some(1), None, Some(2), None, Some(3)]);
    }
}
