//! All deliveries: a lane for each enabled subscription, begun and ended as subscriptions come and go,
//! whichever process changes them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use prilavok_domain::{BusinessId, Clock, SubscriptionId, Timestamp};
use prilavok_store::{Changes, Delivery, Store, StoreError, Subscription, next_change};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Mutex, Notify, broadcast, watch};
use tokio::task::JoinHandle;

use crate::alarm::Alarm;
use crate::enrolment::Enrolment;
use crate::fault::DeliveryFaults;
use crate::lane::{Lane, Shared};
use crate::observer::Observer;
use crate::schedule::Schedule;
use crate::sender::Sender;

/// How often it is looked whether another process changed subscriptions.
const WATCH_INTERVAL: Duration = Duration::from_millis(100);

/// Delivers events to subscriptions.
#[derive(Clone)]
pub struct Notifier(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    lanes: Mutex<Lanes>,
    /// Told when lanes were begun or ended.
    changed: Notify,
    given_up: AtomicU64,
}

#[derive(Default)]
struct Lanes {
    /// The version of the subscriptions that the lanes are of.
    version: Option<u64>,
    /// Once stopped, no lane is begun.
    stopped: bool,
    of: HashMap<BusinessId, HashMap<SubscriptionId, LaneHandle>>,
}

/// Whether there is anything to deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// Nothing waits.
    Idle,
    /// What waits is for later.
    Until(Timestamp),
    /// Something is being delivered, or about to be.
    Busy,
}

/// A lane, from outside.
struct LaneHandle {
    /// The lane ends when this is dropped; `None` once it was.
    subscription: Option<watch::Sender<Subscription>>,
    wake: Arc<Notify>,
    oldest: Arc<AtomicI64>,
    task: JoinHandle<()>,
}

impl Notifier {
    /// Puts a notifier together; it delivers while [`Notifier::run`] runs. `tick` is how often the clock is
    /// looked at, in real time.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        sender: Sender,
        schedule: Schedule,
        observer: Arc<dyn Observer>,
        faults: Arc<dyn DeliveryFaults>,
        tick: Duration,
    ) -> Self {
        let shared = Shared {
            alarm: Alarm::new(Arc::clone(&clock), tick),
            store,
            clock,
            sender,
            schedule,
            observer,
            faults,
        };
        Self(Arc::new(Inner {
            shared: Arc::new(shared),
            lanes: Mutex::default(),
            changed: Notify::new(),
            given_up: AtomicU64::new(0),
        }))
    }

    /// Sends single notifications, PINGs for example.
    #[must_use]
    pub fn sender(&self) -> &Sender {
        &self.0.shared.sender
    }

    /// Makes, enables and moves subscriptions; [`Notifier::refresh`] lets it act at once.
    #[must_use]
    pub fn enrolment(&self) -> Enrolment {
        Enrolment::new(Arc::clone(&self.0.shared.store), self.sender().clone())
    }

    /// How long the oldest event that waits has waited, in milliseconds; zero while none does.
    pub async fn oldest_waiting_ms(&self) -> i64 {
        let lanes = self.0.lanes.lock().await;
        let waiting = lanes.of.values().flat_map(HashMap::values);
        let oldest = waiting
            .filter(|lane| lane.subscription.is_some())
            .map(|lane| lane.oldest.load(Ordering::Relaxed))
            .filter(|at| *at > 0)
            .min();
        oldest.map_or(0, |at| (self.0.shared.clock.now().as_millis() - at).max(0))
    }

    /// Whether anything is to be delivered, asked from the store: so it is true whatever the lanes know by now.
    pub async fn outlook(&self) -> Result<Outlook, StoreError> {
        let mut outlook = Outlook::Idle;
        for subscription in self.0.shared.store.enabled_subscriptions().await? {
            let Some(first) = self.first_waiting(&subscription).await? else {
                continue;
            };
            let held = self.0.shared.faults.held_until(&subscription, &first.event);
            let Some(at) = held.max(subscription.next_try_at) else {
                return Ok(Outlook::Busy);
            };
            if at <= self.0.shared.clock.now() {
                return Ok(Outlook::Busy);
            }
            outlook = match outlook {
                Outlook::Until(sooner) if sooner <= at => outlook,
                _ => Outlook::Until(at),
            };
        }
        Ok(outlook)
    }

    async fn first_waiting(&self, of: &Subscription) -> Result<Option<Delivery>, StoreError> {
        let mut seen = 0;
        loop {
            let waiting = self.0.shared.store.waiting(of.business, of.id, seen, 1).await?;
            if let Some(first) = waiting.deliveries.into_iter().next() {
                return Ok(Some(first));
            }
            if !waiting.more {
                return Ok(None);
            }
            seen = waiting.seen;
        }
    }

    /// How many subscriptions are disabled because deliveries failed.
    #[must_use]
    pub fn given_up(&self) -> u64 {
        self.0.given_up.load(Ordering::Relaxed)
    }

    /// Delivers until the task is ended, best after [`Notifier::stop`].
    pub async fn run(&self) {
        let alarm = self.0.shared.alarm.clone();
        let following = async {
            let mut changes = None;
            let mut ticks = tokio::time::interval(WATCH_INTERVAL);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = ticks.tick() => self.look().await,
                    () = self.0.changed.notified() => self.listen(&mut changes).await,
                    change = next_change(&mut changes) => match change {
                        Ok(businesses) => self.wake(Some(&businesses)).await,
                        Err(RecvError::Lagged(_)) => self.wake(None).await,
                        Err(RecvError::Closed) => break,
                    },
                }
            }
        };
        tokio::select! {
            () = alarm.run() => {}
            () = following => {}
        }
    }

    /// Listens to commits while there are lanes: to be woken by each costs a small part of it.
    async fn listen(&self, changes: &mut Option<broadcast::Receiver<Changes>>) {
        let has_lanes = !self.0.lanes.lock().await.of.is_empty();
        if !has_lanes {
            *changes = None;
        } else if changes.is_none() {
            *changes = Some(self.0.shared.store.changes());
            // What was committed since they were begun.
            self.wake(None).await;
        }
    }

    async fn look(&self) {
        if let Err(error) = self.refresh().await {
            tracing::warn!(%error, "cannot see whether subscriptions changed");
        }
    }

    /// Begins and ends lanes as the subscriptions are now. Called after this process changed one, so that the
    /// change acts before it is answered.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let store = &self.0.shared.store;
        let mut lanes = self.0.lanes.lock().await;
        let version = store.subscriptions_version().await?;
        if lanes.stopped || lanes.version == Some(version) {
            return Ok(());
        }
        let mut enabled: HashMap<_, _> = store
            .enabled_subscriptions()
            .await?
            .into_iter()
            .map(|it| ((it.business, it.id), it))
            .collect();
        for (business, of_business) in &mut lanes.of {
            for (id, lane) in of_business.iter_mut() {
                match (enabled.remove(&(*business, *id)), &lane.subscription) {
                    (Some(now), Some(known)) => {
                        known.send_replace(now);
                        lane.wake.notify_one();
                    }
                    (Some(now), None) => *lane = self.begin(now, Some(lane)),
                    (None, _) => lane.subscription = None,
                }
            }
            of_business.retain(|_, lane| lane.subscription.is_some() || !lane.task.is_finished());
        }
        for ((business, id), subscription) in enabled {
            let lane = self.begin(subscription, None);
            lanes.of.entry(business).or_default().insert(id, lane);
        }
        lanes.of.retain(|_, of_business| !of_business.is_empty());
        self.0
            .given_up
            .store(store.given_up_subscriptions().await?, Ordering::Relaxed);
        lanes.version = Some(version);
        self.0.changed.notify_one();
        Ok(())
    }

    /// Begins a lane, after the one before it has ended.
    fn begin(&self, subscription: Subscription, before: Option<&mut LaneHandle>) -> LaneHandle {
        let before = before.map(|lane| std::mem::replace(&mut lane.task, tokio::spawn(async {})));
        let (sender, receiver) = watch::channel(subscription);
        let (wake, oldest) = (Arc::new(Notify::new()), Arc::new(AtomicI64::new(0)));
        let lane = Lane {
            shared: Arc::clone(&self.0.shared),
            subscription: receiver,
            wake: Arc::clone(&wake),
            oldest: Arc::clone(&oldest),
        };
        let task = tokio::spawn(async move {
            if let Some(before) = before {
                // How it ended does not matter, only that it did.
                let _ = before.await;
            }
            lane.run().await;
        });
        LaneHandle {
            subscription: Some(sender),
            wake,
            oldest,
            task,
        }
    }

    async fn wake(&self, businesses: Option<&[BusinessId]>) {
        let lanes = self.0.lanes.lock().await;
        let wake = |of_business: &HashMap<SubscriptionId, LaneHandle>| {
            for lane in of_business.values() {
                lane.wake.notify_one();
            }
        };
        match businesses {
            Some(some) => some.iter().filter_map(|id| lanes.of.get(id)).for_each(wake),
            None => lanes.of.values().for_each(wake),
        }
    }

    /// Begins nothing more, and waits until what is under way is delivered and kept.
    pub async fn stop(&self) {
        let mut lanes = self.0.lanes.lock().await;
        lanes.stopped = true;
        let ending: Vec<_> = lanes
            .of
            .drain()
            .flat_map(|(_, of_business)| of_business.into_values())
            .map(|lane| lane.task)
            .collect();
        drop(lanes);
        for task in ending {
            // A lane that panicked has told so already.
            let _ = task.await;
        }
    }

    /// The current instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.shared.clock.now()
    }
}
