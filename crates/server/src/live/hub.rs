//! The hub wakes streams: one task for the whole server, which hears of every commit and calls those streams that it
//! concerns. Streams of other businesses sleep on.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use prilavok_domain::{BusinessId, Event};
use prilavok_store::{Store, StoreError, next_change};
use prometheus::IntGaugeVec;
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;

use super::line::{Audience, Calls, Line, Place};
use crate::metrics::OpenGuard;
use crate::socket::Peer;

/// How often it is looked for events that another process wrote, and for streams that were silent for too long.
const TICK: Duration = Duration::from_secs(1);
/// Events that are looked through at a tick for the businesses that they are of; beyond that, all streams are called.
const LOOKED_THROUGH: usize = 5_000;
/// Streams that could not say good-bye in this time when the server stops are cut off.
const GOODBYE: Duration = Duration::from_secs(1);

/// Wakes streams.
pub struct Hub {
    store: Arc<dyn Store>,
    gauge: IntGaugeVec,
    heartbeat_ticks: u32,
    per_business: usize,
    /// Ticks since the start.
    now: AtomicU32,
    /// Told of each stream that is opened.
    entered: Notify,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    closed: bool,
    next: u64,
    lines: HashMap<Audience, HashMap<u64, Arc<Line>>>,
}

/// As many streams of a business are open as may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    /// How many that is.
    pub limit: usize,
}

impl Hub {
    /// A hub without streams; it wakes them while [`Hub::run`] runs. `gauge` counts open streams by surface.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        gauge: IntGaugeVec,
        heartbeat_seconds: u64,
        per_business: usize,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            gauge,
            heartbeat_ticks: u32::try_from(heartbeat_seconds).unwrap_or(u32::MAX),
            per_business,
            now: AtomicU32::new(0),
            entered: Notify::new(),
            open: Mutex::default(),
        })
    }

    /// Takes a place for a stream. Sellers' streams are limited for each business; the marketplace's own are not, buyers'
    /// are by whoever lets them in, and neither take a seller's place.
    pub fn enter(self: &Arc<Self>, audience: Audience, peer: Option<Peer>) -> Result<Place, TooMany> {
        let line = Arc::new(Line::new(peer, self.now()));
        let limit = self.per_business;
        let number = {
            let mut open = self.open.lock();
            let Open { closed, next, lines } = &mut *open;
            let lines = lines.entry(audience).or_default();
            if matches!(audience, Audience::Seller(_)) && lines.len() >= limit {
                return Err(TooMany { limit });
            }
            if *closed {
                line.call(Calls::CLOSE);
            }
            let number = *next;
            *next += 1;
            lines.insert(number, Arc::clone(&line));
            number
        };
        self.entered.notify_one();
        Ok(Place {
            _counted: OpenGuard::new(&self.gauge.with_label_values(&[audience.surface()])),
            hub: Arc::clone(self),
            audience,
            number,
            line,
        })
    }

    pub(super) fn leave(&self, audience: Audience, number: u64) {
        let mut open = self.open.lock();
        if let Some(lines) = open.lines.get_mut(&audience) {
            lines.remove(&number);
            if lines.is_empty() {
                open.lines.remove(&audience);
            }
        }
    }

    /// The hub's second.
    pub(super) fn now(&self) -> u32 {
        self.now.load(Ordering::Relaxed)
    }

    /// Wakes streams until the task is ended. While there are none it does not listen to commits: to be woken by each would cost
    /// a small part of it.
    pub async fn run(&self) {
        let mut changes = None;
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut known = None;
        loop {
            tokio::select! {
                change = next_change(&mut changes) => match change {
                    Ok(businesses) => self.call_of(&businesses),
                    Err(RecvError::Lagged(_)) => self.call_all(Calls::NEWS),
                    Err(RecvError::Closed) => break,
                },
                () = self.entered.notified(), if changes.is_none() => {
                    changes = Some(self.store.changes());
                    // What was committed since it was opened.
                    self.call_all(Calls::NEWS);
                }
                _ = ticks.tick() => {
                    if self.open.lock().lines.is_empty() {
                        changes = None;
                    }
                    self.now.fetch_add(1, Ordering::Relaxed);
                    self.call_silent();
                    known = match self.look_elsewhere(known).await {
                        Ok(newest) => newest,
                        Err(error) => {
                            tracing::warn!(%error, "cannot see whether another process wrote events");
                            known
                        }
                    };
                }
            }
        }
    }

    /// Calls the streams for which another process may have written events after `known`; answers the newest event,
    /// or nothing while nobody listens.
    async fn look_elsewhere(&self, known: Option<i64>) -> Result<Option<i64>, StoreError> {
        if self.open.lock().lines.is_empty() {
            return Ok(None);
        }
        let newest = self.store.newest_event(None).await?;
        match known {
            Some(known) if known == newest => {}
            Some(known) if known < newest => {
                let events = self.store.events(None, known, LOOKED_THROUGH).await?;
                match events.len() < LOOKED_THROUGH {
                    true => self.call_of(&businesses(&events)),
                    false => self.call_all(Calls::NEWS),
                }
            }
            // The first one to listen came since the last tick, or the newest events are gone.
            _ => self.call_all(Calls::NEWS),
        }
        Ok(Some(newest))
    }

    fn call_of(&self, businesses: &[BusinessId]) {
        let open = self.open.lock();
        let call = |audience: Audience| {
            let lines = open.lines.get(&audience).into_iter().flat_map(HashMap::values);
            lines.for_each(|line| line.call(Calls::NEWS));
        };
        for business in businesses {
            call(Audience::Seller(*business));
            call(Audience::BuyersOf(*business));
            call(Audience::OperatorOf(*business));
        }
        if !businesses.is_empty() {
            call(Audience::Operator);
        }
    }

    fn call_all(&self, call: Calls) {
        self.open.lock().each(|line| line.call(call));
    }

    fn call_silent(&self) {
        let now = self.now();
        self.open.lock().each(|line| {
            if now.wrapping_sub(line.sent_at.load(Ordering::Relaxed)) >= self.heartbeat_ticks {
                line.call(Calls::BEAT);
            }
        });
    }

    /// Ends all streams, and those to come. Answers when all have ended: a client that does not read cannot be told,
    /// and is cut off.
    pub async fn close(&self) {
        self.open.lock().closed = true;
        self.call_all(Calls::CLOSE);
        let all_ended = async {
            while !self.open.lock().lines.is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(GOODBYE, all_ended).await.is_err() {
            self.open
                .lock()
                .each(|line| line.peer.as_ref().into_iter().for_each(Peer::cut_off));
        }
    }
}

impl Open {
    fn each(&self, act: impl FnMut(&Line)) {
        let lines = self.lines.values().flat_map(HashMap::values);
        lines.map(AsRef::as_ref).for_each(act);
    }
}

/// The businesses that events are of, each once.
fn businesses(events: &[Event]) -> Vec<BusinessId> {
    let mut found: Vec<_> = events.iter().map(|event| event.business).collect();
    found.sort_unstable();
    found.dedup();
    found
}
