//! The deliveries of one subscription, one after the other. Lanes know nothing of each other: a receiver that
//! hangs holds up its own lane only.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use prilavok_domain::{Clock, Timestamp};
use prilavok_store::{Attempt, Delivery, Settled, Store, StoreError, Subscription, Try};
use prilavok_wire::notification::Verdict;
use tokio::sync::{Notify, watch};

use crate::alarm::Alarm;
use crate::fault::{DeliveryFault, DeliveryFaults};
use crate::observer::Observer;
use crate::schedule::{Next, Schedule};
use crate::sender::Sender;

/// Deliveries that are read and settled at a time. What was delivered but not settled yet is delivered twice
/// after a kill.
const BATCH: usize = 64;
/// What was delivered is settled at least this often, so that the log is fresh and a kill repeats little.
const SETTLED_WITHIN: Duration = Duration::from_millis(100);
/// Events of no concern that may go by before that is kept.
const SKIPPED_AT_ONCE: i64 = 1_000;
/// How long to wait for a store that does not answer.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// What all lanes share.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sender: Sender,
    pub(crate) schedule: Schedule,
    pub(crate) alarm: Alarm,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) faults: Arc<dyn DeliveryFaults>,
}

/// One subscription's deliveries.
pub(crate) struct Lane {
    pub(crate) shared: Arc<Shared>,
    /// The subscription as it is now. The lane ends when nobody keeps the other end any more.
    pub(crate) subscription: watch::Receiver<Subscription>,
    /// There may be new events.
    pub(crate) wake: Arc<Notify>,
    /// When the oldest event that waits here happened, in milliseconds; zero while none does.
    pub(crate) oldest: Arc<AtomicI64>,
}

/// The lane has ended.
struct Ended;

/// Where a lane stands.
struct Position {
    /// Events up to this one are delivered or of no concern.
    seen: i64,
    /// Up to where that is kept.
    kept: i64,
    /// Since when deliveries fail.
    failing_since: Option<Timestamp>,
    /// Before when nothing is tried again.
    next_try_at: Option<Timestamp>,
    /// Where deliveries go.
    url: String,
}

impl Lane {
    /// Delivers until the subscription is switched off.
    pub(crate) async fn run(mut self) {
        let mut position = {
            let subscription = self.subscription.borrow();
            Position {
                seen: 0,
                kept: 0,
                failing_since: subscription.failing_since,
                next_try_at: subscription.next_try_at,
                url: subscription.url.clone(),
            }
        };
        loop {
            match self.step(&mut position).await {
                Ok(Ok(())) => {}
                Ok(Err(Ended)) => break,
                Err(error) => {
                    tracing::warn!(%error, "deliveries wait for the store");
                    tokio::select! {
                        () = tokio::time::sleep(STORE_PAUSE) => {}
                        ended = self.ended() => { let Ended = ended; break }
                    }
                }
            }
        }
        self.oldest.store(0, Ordering::Relaxed);
    }

    /// Waits for what is to be done, and does it.
    async fn step(&mut self, position: &mut Position) -> Result<Result<(), Ended>, StoreError> {
        if let Some(at) = position.next_try_at {
            let alarm = self.shared.alarm.clone();
            tokio::select! {
                () = alarm.until(at) => position.next_try_at = None,
                changed = self.subscription.changed() => match changed {
                    Ok(()) => {
                        self.look_at_url(position);
                        return Ok(Ok(()));
                    }
                    Err(_) => return Ok(Err(Ended)),
                },
            }
        }
        let (business, id) = {
            let subscription = self.subscription.borrow();
            (subscription.business, subscription.id)
        };
        let waiting = self
            .shared
            .store
            .waiting(business, id, position.seen, BATCH)
            .await?;
        let first = waiting.deliveries.first();
        let oldest = first.map_or(0, |first| first.event.at.as_millis());
        self.oldest.store(oldest, Ordering::Relaxed);
        if !waiting.deliveries.is_empty() {
            return self.deliver(waiting.deliveries, position).await;
        }
        position.seen = waiting.seen;
        if position.kept == 0 {
            position.kept = position.seen;
        }
        if position.seen - position.kept >= SKIPPED_AT_ONCE {
            self.shared.store.skip_events(business, id, position.seen).await?;
            position.kept = position.seen;
        }
        if waiting.more {
            return Ok(Ok(()));
        }
        let wake = Arc::clone(&self.wake);
        tokio::select! {
            () = wake.notified() => Ok(Ok(())),
            ended = self.ended() => Ok(Err(ended)),
        }
    }

    /// A URL that was changed may work where the one before did not: it is tried at once.
    fn look_at_url(&mut self, position: &mut Position) {
        let subscription = self.subscription.borrow_and_update();
        if subscription.url != position.url {
            position.url.clone_from(&subscription.url);
            position.failing_since = None;
            position.next_try_at = None;
        }
    }

    /// Resolves when the subscription is no longer delivered to.
    async fn ended(&mut self) -> Ended {
        while self.subscription.changed().await.is_ok() {}
        Ended
    }

    /// Delivers in order until something fails, and settles what was done.
    async fn deliver(
        &mut self,
        deliveries: Vec<Delivery>,
        position: &mut Position,
    ) -> Result<Result<(), Ended>, StoreError> {
        let mut tries = Vec::with_capacity(deliveries.len());
        let mut began = Instant::now();
        for delivery in deliveries {
            // Nothing is begun for a subscription that was switched off.
            if self.subscription.has_changed().is_err() {
                self.settle(&mut tries, position).await?;
                return Ok(Err(Ended));
            }
            self.look_at_url(position);
            let subscription = self.subscription.borrow().clone();
            let now = self.shared.clock.now();
            let fault = self.shared.faults.of(&subscription, &delivery.event, now);
            if let Some(DeliveryFault::Delay(until)) = fault {
                position.next_try_at = Some(until);
                break;
            }
            let (attempt, verdict) = self.send(&subscription, &delivery, fault).await;
            let again = position.failing_since.is_some();
            let settled = self.follow(&verdict, attempt.at, position);
            let took = Duration::from_millis(u64::from(attempt.duration_ms));
            self.shared.observer.tried(settled.outcome(), took, again);
            let host = || {
                self.shared
                    .sender
                    .target(&subscription.url)
                    .map(|it| it.host().to_owned())
            };
            if let Verdict::Failed(why) | Verdict::Refused(why) = &verdict {
                tracing::info!(
                    business = subscription.business.get(),
                    subscription = subscription.id.get(),
                    host = host().unwrap_or_default(),
                    event = delivery.event.id.get(),
                    outcome = settled.outcome().as_str(),
                    why,
                    "a notification was not accepted"
                );
            }
            tries.push(Try {
                delivery,
                attempt,
                settled,
            });
            if matches!(settled, Settled::TryAgain(_) | Settled::GivenUp) {
                break;
            }
            if began.elapsed() >= SETTLED_WITHIN {
                self.settle(&mut tries, position).await?;
                began = Instant::now();
            }
        }
        self.settle(&mut tries, position).await?;
        Ok(Ok(()))
    }

    /// Sends a notification, or does to it what the sandbox wants.
    async fn send(
        &self,
        subscription: &Subscription,
        delivery: &Delivery,
        fault: Option<DeliveryFault>,
    ) -> (Attempt, Verdict) {
        let sender = &self.shared.sender;
        match fault {
            Some(DeliveryFault::Drop) => (sender.dropped(), Verdict::Accepted),
            Some(DeliveryFault::Duplicate) => {
                let _ = sender.event(subscription, &delivery.event).await;
                sender.event(subscription, &delivery.event).await
            }
            _ => sender.event(subscription, &delivery.event).await,
        }
    }

    /// What follows from a try.
    fn follow(&self, verdict: &Verdict, at: Timestamp, position: &mut Position) -> Settled {
        match verdict {
            Verdict::Accepted | Verdict::Refused(_) => {
                position.failing_since = None;
                if *verdict == Verdict::Accepted {
                    Settled::Delivered
                } else {
                    Settled::Refused
                }
            }
            Verdict::Failed(_) => {
                let since = *position.failing_since.get_or_insert(at);
                match self.shared.schedule.after_failure(since, at) {
                    Next::At(next) => {
                        position.next_try_at = Some(next);
                        Settled::TryAgain(next)
                    }
                    Next::GiveUp => Settled::GivenUp,
                }
            }
        }
    }

    /// Keeps what was done. A store that does not answer now is asked until it does: what was delivered must not
    /// be delivered again for that.
    async fn settle(&mut self, tries: &mut Vec<Try>, position: &mut Position) -> Result<(), StoreError> {
        if tries.is_empty() {
            return Ok(());
        }
        let (business, id) = {
            let subscription = self.subscription.borrow();
            (subscription.business, subscription.id)
        };
        let tries = std::mem::take(tries);
        let over = |one: &&Try| matches!(one.settled, Settled::Delivered | Settled::Refused);
        let in_turn = tries
            .iter()
            .filter(over)
            .filter(|one| one.delivery.again.is_none());
        if let Some(last) = in_turn.map(|one| one.delivery.event.id.get()).max() {
            position.seen = position.seen.max(last);
            position.kept = position.seen;
        }
        loop {
            match self.shared.store.settle(business, id, tries.clone()).await {
                Err(StoreError::Unavailable(why)) if self.subscription.has_changed().is_ok() => {
                    tracing::warn!(why, "what was delivered cannot be kept yet");
                    tokio::time::sleep(STORE_PAUSE).await;
                }
                result => return result,
            }
        }
    }
}
