//! Moving time: everything that falls due on the way happens at its time and in its order.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::{Duration, Instant};

use prilavok_domain::{BusinessId, Clock, Timestamp};
use prilavok_notify::Outlook;
use prilavok_store::AttemptFilter;
use serde::Serialize;

use crate::sandbox::Sandbox;
use crate::scenario::Happening;
use crate::world::World;

/// Work without an exact time, such as reminders, is looked at this often on the way, and less often on a long one.
const STEP_MS: i64 = 60_000;
const MOST_STEPS: i64 = 2_000;
/// How long deliveries may take in real time: a receiver that hangs is given up after ten seconds.
const DELIVERING: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(1);
const PAGE: usize = 1_000;
/// The most that is told of one move.
const MOST_TOLD: usize = 10_000;

/// What happened while the clock was moved.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Advanced {
    /// What the clock shows now.
    pub now: String,
    /// What happened, in order.
    pub happened: Vec<Told>,
    /// How much more happened than is told.
    pub untold: usize,
}

/// One thing that happened.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Told {
    /// Something happened in a chat.
    Event {
        /// When.
        at: String,
        /// Its id.
        event_id: i64,
        /// Its type.
        #[serde(rename = "type")]
        kind: &'static str,
        /// Where.
        business_id: i64,
        /// In which chat.
        chat_id: i64,
        /// Which message.
        #[serde(skip_serializing_if = "Option::is_none")]
        message_id: Option<i64>,
    },
    /// A notification was sent, or could not be.
    Delivery {
        /// When.
        at: String,
        /// About what.
        event_id: i64,
        /// Whose.
        business_id: i64,
        /// To whom.
        subscription_id: i64,
        /// How it ended.
        outcome: &'static str,
        /// The HTTP status, if there was an answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// What was wrong.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// Scheduled work was done.
    Job {
        /// When.
        at: String,
        /// Which.
        job: &'static str,
        /// How many chats, keys, lines or files it dealt with.
        count: u64,
    },
    /// A scenario went on.
    Scenario(Happening),
}

/// Shows a time as the sandbox's API does.
#[must_use]
pub fn shown(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    format!("{at:.3}")
}

impl Sandbox {
    /// Moves the clock by `millis`. Whatever falls due happens on the way; after each step in which something was
    /// delivered, the connector has `pause` of real time to answer.
    pub async fn advance(&self, millis: i64, pause: Duration) -> anyhow::Result<Advanced> {
        let _turn = self.turn().await;
        let world = self.world();
        let mut log = Log::begin(&world).await?;
        let target = self.clock().now().plus_millis(millis);
        let step = STEP_MS.max(millis / MOST_STEPS);
        loop {
            let next = self.run_due(&world, &mut log, pause).await?;
            let now = self.clock().now();
            if now >= target {
                break;
            }
            let to = next.unwrap_or(target).min(now.plus_millis(step)).min(target);
            self.clock().move_to(to);
        }
        Ok(Advanced {
            now: shown(self.clock().now()),
            happened: log.told,
            untold: log.untold,
        })
    }

    /// Does what is due now, until nothing more is; answers when the next thing will be.
    async fn run_due(
        &self,
        world: &World,
        log: &mut Log,
        pause: Duration,
    ) -> anyhow::Result<Option<Timestamp>> {
        loop {
            let now = shown(self.clock().now());
            for done in world.app.scheduled.run_due().await.done {
                log.tell(Told::Job {
                    at: now.clone(),
                    job: done.job,
                    count: done.count,
                });
            }
            let played = world.director.run_due().await?;
            let acted = !played.is_empty();
            for happening in played {
                log.tell(Told::Scenario(happening));
            }
            let later = delivered(world).await?;
            let news = log.read(world).await?;
            if news && !pause.is_zero() {
                tokio::time::sleep(pause).await;
                continue;
            }
            if !acted && !news {
                let due = world.director.next_due();
                return Ok(match (later, due) {
                    (Some(one), Some(other)) => Some(one.min(other)),
                    (one, other) => one.or(other),
                });
            }
        }
    }
}

/// Waits until all that can be delivered now is; answers when more will be.
async fn delivered(world: &World) -> anyhow::Result<Option<Timestamp>> {
    let began = Instant::now();
    // Lanes of subscriptions that were just made must exist before they can be idle.
    world.app.notifier.refresh().await?;
    loop {
        match world.app.notifier.outlook().await? {
            Outlook::Idle => return Ok(None),
            Outlook::Until(at) => return Ok(Some(at)),
            Outlook::Busy if began.elapsed() > DELIVERING => return Ok(None),
            Outlook::Busy => tokio::time::sleep(LOOK).await,
        }
    }
}

/// What is told, and up to where it was read.
struct Log {
    told: Vec<Told>,
    untold: usize,
    last_event: i64,
    /// The last line of the delivery log, for each business that has subscriptions.
    last_attempts: BTreeMap<BusinessId, i64>,
}

impl Log {
    async fn begin(world: &World) -> anyhow::Result<Self> {
        let mut log = Self {
            told: Vec::new(),
            untold: 0,
            last_event: world.app.store.newest_event(None).await?,
            last_attempts: BTreeMap::new(),
        };
        log.find_subscribers(world).await?;
        Ok(log)
    }

    fn tell(&mut self, what: Told) {
        if self.told.len() < MOST_TOLD {
            self.told.push(what);
        } else {
            self.untold += 1;
        }
    }

    async fn find_subscribers(&mut self, world: &World) -> anyhow::Result<()> {
        let store = &world.app.store;
        for subscription in store.enabled_subscriptions().await? {
            if let Entry::Vacant(unread) = self.last_attempts.entry(subscription.business) {
                let filter = AttemptFilter::default();
                let newest = store.attempts(subscription.business, filter, None, 1).await?;
                let newest = newest.items.first().map_or(0, |line| line.id);
                unread.insert(newest);
            }
        }
        Ok(())
    }

    /// Reads what is new; answers whether anything is.
    async fn read(&mut self, world: &World) -> anyhow::Result<bool> {
        let events = self.read_events(world).await?;
        let attempts = self.read_attempts(world).await?;
        self.find_subscribers(world).await?;
        Ok(events || attempts)
    }

    async fn read_events(&mut self, world: &World) -> anyhow::Result<bool> {
        let mut any = false;
        loop {
            let events = world.app.store.events(None, self.last_event, PAGE).await?;
            let more = events.len() == PAGE;
            for event in events {
                any = true;
                self.last_event = event.id.get();
                self.tell(Told::Event {
                    at: shown(event.at),
                    event_id: event.id.get(),
                    kind: event.kind.as_str(),
                    business_id: event.business.get(),
                    chat_id: event.chat.get(),
                    message_id: event.message.map(|id| id.get()),
                });
            }
            if !more {
                return Ok(any);
            }
        }
    }

    async fn read_attempts(&mut self, world: &World) -> anyhow::Result<bool> {
        let mut any = false;
        for (business, last) in self.last_attempts.clone() {
            // Newest first: the pages are gathered back to where the last reading ended.
            let mut lines = Vec::new();
            let mut before = None;
            loop {
                let filter = AttemptFilter::default();
                let page = world.app.store.attempts(business, filter, before, PAGE).await?;
                let more = page.more;
                before = page.items.last().map(|line| line.id);
                let new = page.items.into_iter().take_while(|line| line.id > last);
                lines.extend(new);
                if !more || before.is_none_or(|id| id <= last) {
                    break;
                }
            }
            for line in lines.into_iter().rev() {
                any = true;
                self.last_attempts.insert(business, line.id);
                self.tell(Told::Delivery {
                    at: shown(line.attempt.at),
                    event_id: line.event.id.get(),
                    business_id: business.get(),
                    subscription_id: line.subscription.get(),
                    outcome: line.outcome.as_str(),
                    status: line.attempt.status,
                    error: line.attempt.error,
                });
            }
        }
        Ok(any)
    }
}
