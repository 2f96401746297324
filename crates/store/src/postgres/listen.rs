//! What nodes tell each other: which businesses have new events, that access or subscriptions changed, which limits are
//! scarce, and that they joined.
//!
//! A notification within the transaction that it is about would let all commits wait for each other, so a node tells of its
//! commits afterwards, in a statement of its own, of all of the last 20 ms at once. What is lost on the way (a node was
//! killed, a connection broke) is found by a look at the tables every second.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool_postgres::GenericClient;
use futures_util::StreamExt;
use parking_lot::Mutex;
use prilavok_domain::BusinessId;
use tokio::sync::{Notify, broadcast};
use tokio_postgres::AsyncMessage;

use super::member::Listening;
use super::meta::{Version, Versions};
use super::statements::statements;
use super::{events, meta, rows};
use crate::{Changes, LimitOf, Result, Scarce, StoreError};

/// For how long news is gathered before the others are told.
const GATHERED_FOR: Duration = Duration::from_millis(20);

/// A notification's text is shorter than 8,000 bytes.
const LONGEST: usize = 7_000;

/// Changes that a listener may be behind.
const CHANGES_KEPT: usize = 1_024;

/// Notices of scarce limits that a listener may be behind.
const SCARCE_KEPT: usize = 64;

const CHANNEL: &str = "prilavok";

statements! {
    NOTIFY = "SELECT pg_notify('prilavok', $1)";
    /// Together with a number that every node looks at: who did not hear it sees that there was something to hear.
    NOTIFY_SCARCE = "WITH told AS (UPDATE meta SET number = number + 1 WHERE name = 'scarce_version' RETURNING number)
        SELECT pg_notify('prilavok', $1 || ' s' || number) FROM told";
    LISTEN = "LISTEN prilavok";
}

/// What this node knows of what happened, on whichever node.
pub(super) struct News {
    instance: i64,
    changes: broadcast::Sender<Changes>,
    access: AtomicU64,
    subscriptions: AtomicU64,
    scarce: broadcast::Sender<Scarce>,
    /// How often nodes told of scarce limits, as far as it was heard here.
    scarce_heard: AtomicU64,
    heard: Mutex<Heard>,
    to_tell: Mutex<ToTell>,
    waiting: Notify,
    another_joined: Notify,
}

#[derive(Default)]
struct Heard {
    /// Every event up to this one was told of.
    up_to: i64,
    /// The newest event of businesses that were told of since.
    newest: HashMap<BusinessId, i64>,
}

#[derive(Default)]
struct ToTell {
    events: HashMap<BusinessId, i64>,
    versions: bool,
    joined: bool,
    /// Kept until they were told.
    scarce: HashSet<LimitOf>,
}

impl News {
    pub(super) fn new(instance: i64) -> Self {
        Self {
            instance,
            changes: broadcast::Sender::new(CHANGES_KEPT),
            access: AtomicU64::new(0),
            subscriptions: AtomicU64::new(0),
            scarce: broadcast::Sender::new(SCARCE_KEPT),
            scarce_heard: AtomicU64::new(0),
            heard: Mutex::default(),
            to_tell: Mutex::default(),
            waiting: Notify::new(),
            another_joined: Notify::new(),
        }
    }

    pub(super) fn changes(&self) -> broadcast::Receiver<Changes> {
        self.changes.subscribe()
    }

    pub(super) fn scarce(&self) -> broadcast::Receiver<Scarce> {
        self.scarce.subscribe()
    }

    pub(super) fn version(&self, of: Version) -> u64 {
        self.cell(of).load(Ordering::Acquire)
    }

    const fn cell(&self, of: Version) -> &AtomicU64 {
        match of {
            Version::Access => &self.access,
            Version::Subscriptions => &self.subscriptions,
        }
    }

    /// A commit of this node's wrote events; each business with its newest one.
    pub(super) fn committed(&self, touched: &[(BusinessId, i64)]) {
        if touched.is_empty() {
            return;
        }
        self.tell_listeners(touched);
        let mut to_tell = self.to_tell.lock();
        for (business, event) in touched {
            raise(&mut to_tell.events, *business, *event);
        }
        self.waiting.notify_one();
    }

    /// A commit of this node's raised a version.
    pub(super) fn raised(&self, of: Version, to: u64) {
        self.cell(of).fetch_max(to, Ordering::AcqRel);
        self.to_tell.lock().versions = true;
        self.waiting.notify_one();
    }

    /// This node is one of the nodes from now on.
    pub(super) fn joined(&self) {
        self.to_tell.lock().joined = true;
        self.waiting.notify_one();
    }

    /// Returns once another node has joined.
    pub(super) async fn another_joined(&self) {
        self.another_joined.notified().await;
    }

    /// This node found that hardly anything is left of these limits.
    pub(super) fn found_scarce(&self, limits: Vec<LimitOf>) {
        if !limits.is_empty() {
            self.to_tell.lock().scarce.extend(limits);
            self.waiting.notify_one();
        }
    }

    /// Scarce limits were told of for the `version`th time. Whoever missed the one before it has to be told that it did.
    fn scarce_is_at(&self, version: u64, is_heard: bool) {
        let known = self.scarce_heard.fetch_max(version, Ordering::AcqRel);
        // The first look only notes it.
        if known > 0 && version > known + u64::from(is_heard) {
            // Nobody listens: nobody holds anything.
            let _ = self.scarce.send(Scarce::Any);
        }
    }

    /// Wakes who waits here for events that they were not told of yet.
    fn tell_listeners(&self, touched: &[(BusinessId, i64)]) {
        let mut fresh = Vec::new();
        {
            let mut heard = self.heard.lock();
            for (business, event) in touched {
                if *event > heard.up_to && raise(&mut heard.newest, *business, *event) {
                    fresh.push(*business);
                }
            }
        }
        if !fresh.is_empty() {
            // Nobody listens: nobody has to be told.
            let _ = self.changes.send(fresh.into());
        }
    }

    /// Looks at the tables for what nobody told of. The first look only notes where the store stands.
    pub(super) async fn look(&self, conn: &impl GenericClient) -> Result<()> {
        let Versions {
            access,
            subscriptions,
            scarce,
        } = meta::versions(conn).await?;
        self.access.fetch_max(access, Ordering::AcqRel);
        self.subscriptions.fetch_max(subscriptions, Ordering::AcqRel);
        self.scarce_is_at(scarce, false);
        if !self.to_tell.lock().scarce.is_empty() {
            // They could not be told.
            self.waiting.notify_one();
        }
        let horizon = events::horizon(conn).await?;
        let after = self.heard.lock().up_to;
        if after > 0 {
            self.tell_listeners(&events::news(conn, after, horizon).await?);
        }
        let mut heard = self.heard.lock();
        heard.up_to = heard.up_to.max(horizon - 1);
        let up_to = heard.up_to;
        heard.newest.retain(|_, event| *event > up_to);
        Ok(())
    }

    /// Tells the others what was gathered.
    pub(super) async fn tell(&self, conn: &impl GenericClient) -> Result<()> {
        for text in self.take_texts() {
            rows::execute(conn, NOTIFY, &[&text]).await?;
        }
        self.tell_scarce(conn).await
    }

    async fn tell_scarce(&self, conn: &impl GenericClient) -> Result<()> {
        let scarce: Vec<_> = self.to_tell.lock().scarce.iter().cloned().collect();
        let words = scarce
            .iter()
            .map(|of| format!(" l{}:{}", of.business, of.operation));
        for text in self.texts(words) {
            rows::execute(conn, NOTIFY_SCARCE, &[&text]).await?;
        }
        let mut to_tell = self.to_tell.lock();
        for told in &scarce {
            to_tell.scarce.remove(told);
        }
        Ok(())
    }

    /// Returns once there is something to tell and some time to gather more has passed.
    pub(super) async fn gathered(&self) {
        self.waiting.notified().await;
        tokio::time::sleep(GATHERED_FOR).await;
    }

    fn take_texts(&self) -> Vec<String> {
        let (events, versions, joined) = {
            let mut to_tell = self.to_tell.lock();
            (
                std::mem::take(&mut to_tell.events),
                std::mem::take(&mut to_tell.versions),
                std::mem::take(&mut to_tell.joined),
            )
        };
        let versions = versions.then(|| {
            let (access, subscriptions) = (
                self.version(Version::Access),
                self.version(Version::Subscriptions),
            );
            format!(" v{access}:{subscriptions}")
        });
        let joined = joined.then(|| " n".to_owned());
        let events = events
            .iter()
            .map(|(business, event)| format!(" {business}:{event}"));
        self.texts(versions.into_iter().chain(joined).chain(events))
    }

    /// The words, in as many texts as it takes, each with who tells them before them.
    fn texts(&self, words: impl Iterator<Item = String>) -> Vec<String> {
        let head = self.instance.to_string();
        let mut texts = Vec::new();
        let mut text = head.clone();
        for word in words {
            if text.len() > LONGEST {
                texts.push(std::mem::replace(&mut text, head.clone()));
            }
            text.push_str(&word);
        }
        if text.len() > head.len() {
            texts.push(text);
        }
        texts
    }

    /// What a node told. A text that is not understood is another version's: what it is about is found by a look.
    fn hear(&self, text: &str) {
        let mut words = text.split(' ');
        let is_own = words.next().and_then(|it| it.parse().ok()) == Some(self.instance);
        let (mut touched, mut scarce) = (Vec::new(), Vec::new());
        for word in words {
            if let Some(version) = word.strip_prefix('s') {
                // This node's own count as well.
                version.parse().iter().for_each(|it| self.scarce_is_at(*it, true));
                continue;
            }
            if is_own {
                continue;
            }
            if word == "n" {
                self.another_joined.notify_one();
                continue;
            }
            if let Some(limit) = word.strip_prefix('l') {
                scarce.extend(limit_of(limit));
                continue;
            }
            let (is_version, pair) = match word.strip_prefix('v') {
                Some(pair) => (true, pair),
                None => (false, word),
            };
            let Some((first, second)) = pair.split_once(':') else {
                continue;
            };
            match (is_version, first.parse::<i64>(), second.parse::<i64>()) {
                (true, Ok(access), Ok(subscriptions)) => {
                    self.access.fetch_max(access.unsigned_abs(), Ordering::AcqRel);
                    self.subscriptions
                        .fetch_max(subscriptions.unsigned_abs(), Ordering::AcqRel);
                }
                (false, Ok(business), Ok(event)) => {
                    touched.extend(BusinessId::new(business).ok().map(|business| (business, event)));
                }
                _ => {}
            }
        }
        self.tell_listeners(&touched);
        if !scarce.is_empty() {
            // Nobody listens: nobody holds anything.
            let _ = self.scarce.send(Scarce::These(scarce.into()));
        }
    }

    /// Listens on a connection of its own until it ends; answers why it did. `begun` is what is done once nothing can be
    /// missed any more.
    pub(super) async fn listen<F>(&self, listening: Listening, begun: impl FnOnce() -> F) -> StoreError
    where
        F: Future<Output = Result<()>>,
    {
        let Listening { client, mut messages } = listening;
        let asking = async {
            client.batch_execute(LISTEN).await?;
            begun().await
        };
        let mut asking = std::pin::pin!(asking);
        let mut asked = false;
        loop {
            tokio::select! {
                done = &mut asking, if !asked => match done {
                    Ok(()) => asked = true,
                    Err(error) => return error,
                },
                message = messages.next() => match message {
                    Some(Ok(AsyncMessage::Notification(told))) if told.channel() == CHANNEL => {
                        self.hear(told.payload());
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return error.into(),
                    None => return StoreError::Unavailable("the connection ended".to_owned()),
                },
            }
        }
    }
}

/// Notes the newest event of a business; answers whether it is newer than what was known.
fn raise(newest: &mut HashMap<BusinessId, i64>, business: BusinessId, event: i64) -> bool {
    let known = newest.entry(business).or_default();
    let newer = event > *known;
    *known = event.max(*known);
    newer
}

/// Which limit a node names as business and operation.
fn limit_of(named: &str) -> Option<LimitOf> {
    let (business, operation) = named.split_once(':')?;
    Some(LimitOf {
        business: BusinessId::new(business.parse().ok()?).ok()?,
        operation: operation.to_owned(),
    })
}
