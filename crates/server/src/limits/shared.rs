//! Calls an hour where several nodes count together: each takes a share in advance, and asks the store for more.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use prilavok_domain::Timestamp;
use prilavok_store::limits::is_open;
use prilavok_store::{Calls, Claim, Store, StoreError};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::hourly::{Key, Window};
use super::settings::{Limit, LimitSettings};
use super::share::{Share, Taken, Terms};

/// Claims in one transaction: it holds their rows for as long as it lasts.
const CLAIMS_AT_ONCE: usize = 250;

/// Calls of the current hour, as this node knows them.
#[derive(Clone)]
pub(super) struct SharedCounts(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    shares: Mutex<HashMap<Key, Counted>>,
}

struct Counted {
    share: Share,
    /// Held by whoever asks the store; the others wait for what it is granted.
    asking: Arc<AsyncMutex<()>>,
}

/// A claim on its way, and the right to make it.
struct Asked {
    key: Key,
    claim: Claim,
    _asking: OwnedMutexGuard<()>,
}

impl SharedCounts {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self(Arc::new(Inner {
            store,
            shares: Mutex::default(),
        }))
    }

    fn terms(&self, limit: Limit) -> Terms {
        let nodes = self.0.store.counting_nodes().unwrap_or(1).max(1);
        Terms { limit, nodes }
    }

    /// Does something with the share of the window that `hour` falls into.
    fn with<T>(&self, key: Key, hour: Timestamp, work: impl FnOnce(&mut Counted) -> T) -> T {
        let mut shares = self.0.shares.lock();
        let counted = shares.entry(key).or_insert_with(|| Counted {
            share: Share::new(hour),
            asking: Arc::default(),
        });
        counted.share.turn_to(hour);
        work(counted)
    }

    /// One more call, unless the limit is reached. While the store cannot say, nobody is refused for it.
    pub(super) async fn take(&self, key: Key, now: Timestamp, limit: Limit) -> bool {
        let (hour, terms) = (now.hour_start(), self.terms(limit));
        loop {
            let taken = self.with(key, hour, |counted| match counted.share.take(terms) {
                Taken::Yes => Ok(true),
                Taken::No => Ok(false),
                Taken::Ask(_) => Err(Arc::clone(&counted.asking)),
            });
            let asking = match taken {
                Ok(taken) => return taken,
                Err(asking) => asking.lock_owned().await,
            };
            // A task of its own: what is granted must arrive, also when the caller has left meanwhile.
            let asked = tokio::spawn(self.clone().ask(key, hour, terms, asking)).await;
            if !matches!(asked, Ok(Ok(()))) {
                self.charge(key, now);
                return true;
            }
        }
    }

    async fn ask(
        self,
        key: Key,
        hour: Timestamp,
        terms: Terms,
        asking: OwnedMutexGuard<()>,
    ) -> Result<(), StoreError> {
        // Whoever asked before may have been granted enough.
        let Some(calls) = self.with(key, hour, |counted| counted.share.wants(terms)) else {
            return Ok(());
        };
        self.claim(vec![asked(key, hour, terms.limit, calls, asking)])
            .await
    }

    /// Asks the store, and keeps what it says.
    async fn claim(&self, asked: Vec<Asked>) -> Result<(), StoreError> {
        let claims = asked.iter().map(|one| one.claim.clone()).collect();
        let granted = self.0.store.claim_usage(claims).await;
        let mut shares = self.0.shares.lock();
        for (at, Asked { key, claim, .. }) in asked.iter().enumerate() {
            if let Some(counted) = shares.get_mut(key) {
                match &granted {
                    Ok(granted) => counted.share.granted(claim.calls, granted[at]),
                    Err(_) => counted.share.failed(claim.hour, claim.calls),
                }
            }
        }
        granted.map(drop)
    }

    pub(super) fn charge(&self, key: Key, now: Timestamp) {
        self.with(key, now.hour_start(), |counted| counted.share.charge());
    }

    pub(super) fn give_back(&self, key: Key, taken_at: Timestamp) {
        if let Some(counted) = self.0.shares.lock().get_mut(&key)
            && counted.share.hour() == taken_at.hour_start()
        {
            counted.share.give_back();
        }
    }

    pub(super) fn window(&self, key: Key, now: Timestamp, limit: Limit) -> Window {
        let hour = now.hour_start();
        match self.0.shares.lock().get(&key) {
            Some(Counted { share, .. }) if is_open(share.hour(), hour) => {
                Window::after(limit, share.used(), share.hour())
            }
            _ => Window::after(limit, 0, hour),
        }
    }

    /// To be called once a second: tells the store what was made without asking, and gives back what is not needed.
    pub(super) async fn tick(&self, now: Timestamp, settings: &LimitSettings) -> Result<(), StoreError> {
        let hour = now.hour_start();
        self.0
            .shares
            .lock()
            .retain(|_, counted| is_open(counted.share.hour(), hour));
        self.settle(|(business, operation), share| {
            share.tick(self.terms(settings.hourly(*operation, *business)))
        })
        .await
    }

    /// Gives back everything that is held: the node stops.
    pub(super) async fn leave(&self) -> Result<(), StoreError> {
        self.settle(|_, share| share.leave()).await
    }

    async fn settle(&self, due: impl Fn(&Key, &mut Share) -> Option<Calls>) -> Result<(), StoreError> {
        let mut all = Vec::new();
        for (key, counted) in self.0.shares.lock().iter_mut() {
            // Who asks at the moment settles as well.
            if let Ok(asking) = Arc::clone(&counted.asking).try_lock_owned()
                && let Some(calls) = due(key, &mut counted.share)
            {
                let hour = counted.share.hour();
                all.push(asked(*key, hour, Limit::Unlimited, calls, asking));
            }
        }
        while !all.is_empty() {
            let some = all.split_off(all.len().saturating_sub(CLAIMS_AT_ONCE));
            self.claim(some).await?;
        }
        Ok(())
    }
}

fn asked(key: Key, hour: Timestamp, limit: Limit, calls: Calls, asking: OwnedMutexGuard<()>) -> Asked {
    let (business, operation) = key;
    let claim = Claim {
        business,
        operation: operation.as_str().to_owned(),
        hour,
        limit: match limit {
            Limit::Unlimited => None,
            Limit::At(limit) => Some(limit),
        },
        calls,
    };
    Asked {
        key,
        claim,
        _asking: asking,
    }
}
