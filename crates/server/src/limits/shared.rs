//! Calls an hour where several nodes count together: each takes a share in advance, and asks the store for more.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use prilavok_domain::Timestamp;
use prilavok_store::limits::is_open;
use prilavok_store::{Calls, Claim, LimitOf, Scarce, Store, StoreError};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, oneshot};

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
    waiting: Mutex<Waiting>,
}

/// Claims that calls wait for. One question is under way at a time, and the next is for all that came meanwhile: so many
/// businesses that call at once, as when an hour begins, share it.
#[derive(Default)]
struct Waiting {
    /// Each with what tells its call that the store has answered; dropped where it has not.
    claims: Vec<(Asked, oneshot::Sender<()>)>,
    /// Somebody sees to them.
    under_way: bool,
}

struct Counted {
    share: Share,
    /// Held by whoever asks the store; the others wait for what it is granted.
    asking: Arc<AsyncMutex<()>>,
}

/// A claim on its way, and the right to make it.
struct Asked {
    key: Key,
    terms: Terms,
    claim: Claim,
    _asking: OwnedMutexGuard<()>,
}

impl SharedCounts {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self(Arc::new(Inner {
            store,
            shares: Mutex::default(),
            waiting: Mutex::default(),
        }))
    }

    fn terms(&self, limit: Limit) -> Terms {
        let nodes = self.0.store.counting_nodes().unwrap_or(1).max(1);
        Terms { limit, nodes }
    }

    fn terms_of(&self, (business, operation): Key, settings: &LimitSettings) -> Terms {
        self.terms(settings.hourly(operation, business))
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
            if !self.ask(key, hour, terms, asking).await {
                self.charge(key, now);
                return true;
            }
        }
    }

    /// Waits for what the store grants; answers whether it did answer.
    async fn ask(&self, key: Key, hour: Timestamp, terms: Terms, asking: OwnedMutexGuard<()>) -> bool {
        // Whoever asked before may have been granted enough.
        let Some(calls) = self.with(key, hour, |counted| counted.share.wants(terms)) else {
            return true;
        };
        let (answer, answered) = oneshot::channel();
        let is_first = {
            let mut waiting = self.0.waiting.lock();
            waiting
                .claims
                .push((asked(key, hour, terms, calls, asking), answer));
            !std::mem::replace(&mut waiting.under_way, true)
        };
        if is_first {
            // A task of its own: what is granted must arrive, also when the caller has left meanwhile.
            tokio::spawn(self.clone().claim_waiting());
        }
        answered.await.is_ok()
    }

    /// Claims what is waited for, until nobody waits.
    async fn claim_waiting(self) {
        loop {
            let (claims, answers): (Vec<_>, Vec<_>) = {
                let mut waiting = self.0.waiting.lock();
                if waiting.claims.is_empty() {
                    waiting.under_way = false;
                    return;
                }
                let some = waiting.claims.len().min(CLAIMS_AT_ONCE);
                waiting.claims.drain(..some).unzip()
            };
            let this = self.clone();
            // Whatever happens to one question, the next is asked.
            if let Ok(Ok(())) = tokio::spawn(async move { this.claim(claims).await }).await {
                for answer in answers {
                    // A caller may have left.
                    let _ = answer.send(());
                }
            }
        }
    }

    /// Asks the store, keeps what it says, and tells the other nodes what they have to know of it.
    async fn claim(&self, asked: Vec<Asked>) -> Result<(), StoreError> {
        let claims = asked.iter().map(|one| one.claim.clone()).collect();
        let granted = self.0.store.claim_usage(claims).await;
        let mut scarce = Vec::new();
        {
            let mut shares = self.0.shares.lock();
            for (at, one) in asked.iter().enumerate() {
                let Some(counted) = shares.get_mut(&one.key) else {
                    continue;
                };
                let Claim { hour, calls, .. } = one.claim;
                match &granted {
                    Ok(granted) if counted.share.granted(one.terms, calls, granted[at]) => {
                        let (business, operation) = (one.claim.business, one.claim.operation.clone());
                        scarce.push(LimitOf { business, operation });
                    }
                    Ok(_) => {}
                    Err(_) => counted.share.failed(hour, calls),
                }
            }
        }
        self.0.store.tell_scarce(scarce);
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
        self.settle(settings, Share::tick).await
    }

    /// Gives back everything that is held: the node stops.
    pub(super) async fn leave(&self, settings: &LimitSettings) -> Result<(), StoreError> {
        self.settle(settings, |share, _| share.leave()).await
    }

    async fn settle(
        &self,
        settings: &LimitSettings,
        due: impl Fn(&mut Share, Terms) -> Option<Calls>,
    ) -> Result<(), StoreError> {
        let mut all = Vec::new();
        for (key, counted) in self.0.shares.lock().iter_mut() {
            // Who asks at the moment settles as well.
            if let Ok(asking) = Arc::clone(&counted.asking).try_lock_owned() {
                let terms = self.terms_of(*key, settings);
                if let Some(calls) = due(&mut counted.share, terms) {
                    all.push(asked(*key, counted.share.hour(), terms, calls, asking));
                }
            }
        }
        self.claim_all(all).await
    }

    /// Asks the store in as many transactions as it takes.
    async fn claim_all(&self, mut all: Vec<Asked>) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        while !all.is_empty() {
            let some = all.split_off(all.len().saturating_sub(CLAIMS_AT_ONCE));
            // Each is asked for: what could not be given back is held again.
            outcome = outcome.and(self.claim(some).await);
        }
        outcome
    }

    /// Gives back what others need, whenever they tell that they do. Ends where nobody tells anything.
    pub(super) async fn listen(&self, settings: &LimitSettings) {
        let mut told = self.0.store.scarce();
        loop {
            let keys = match told.recv().await {
                Ok(Scarce::These(limits)) => limits.iter().filter_map(key_of).collect(),
                Ok(Scarce::Any) | Err(RecvError::Lagged(_)) => self.0.shares.lock().keys().copied().collect(),
                Err(RecvError::Closed) => return,
            };
            if let Err(error) = self.told_scarce(keys, settings).await {
                tracing::warn!(%error, "calls that other nodes need could not be given back yet");
            }
        }
    }

    async fn told_scarce(&self, keys: Vec<Key>, settings: &LimitSettings) -> Result<(), StoreError> {
        let mut all = Vec::new();
        for key in keys {
            let asking = self.0.shares.lock().get(&key).map(|it| Arc::clone(&it.asking));
            let Some(asking) = asking else {
                continue;
            };
            // What is being granted at the moment may be too much as well. Nobody else waits for one while it holds another.
            let asking = asking.lock_owned().await;
            let terms = self.terms_of(key, settings);
            if let Some(counted) = self.0.shares.lock().get_mut(&key)
                && let Some(calls) = counted.share.told_scarce(terms)
            {
                all.push(asked(key, counted.share.hour(), terms, calls, asking));
            }
        }
        self.claim_all(all).await
    }
}

/// What is counted for a limit; `None` for an operation that only another version knows.
fn key_of(limit: &LimitOf) -> Option<Key> {
    Some((limit.business, limit.operation.parse().ok()?))
}

fn asked(key: Key, hour: Timestamp, terms: Terms, calls: Calls, asking: OwnedMutexGuard<()>) -> Asked {
    let (business, operation) = key;
    let claim = Claim {
        business,
        operation: operation.as_str().to_owned(),
        hour,
        limit: match terms.limit {
            Limit::Unlimited => None,
            Limit::At(limit) => Some(limit),
        },
        calls,
    };
    Asked {
        key,
        terms,
        claim,
        _asking: asking,
    }
}

#[cfg(test)]
mod tests {
    use prilavok_domain::{BusinessId, IdSequence};
    use prilavok_store::sqlite::{FILE_NAME, SqliteStore};
    use prilavok_wire::Operation;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_millis(1_732_406_400_000).expect("in range")
    }

    fn key() -> Key {
        (BusinessId::new(1).expect("an id"), Operation::GetChat)
    }

    /// Two nodes on one store, which they do not know of each other.
    async fn on_two_nodes(limit: Limit, work: impl AsyncFn([&SharedCounts; 2], &dyn Store, Limit)) {
        let folder = tempfile::tempdir().expect("a folder");
        let ids = IdSequence::clocked(1, 0);
        let store = SqliteStore::open(&folder.path().join(FILE_NAME), ids).expect("a store");
        let store: Arc<dyn Store> = Arc::new(store);
        let nodes = [(); 2].map(|()| SharedCounts::new(Arc::clone(&store)));
        work([&nodes[0], &nodes[1]], &*store, limit).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn calls_that_come_at_once_take_what_there_is() {
        on_two_nodes(Limit::At(100), async |nodes, store, limit| {
            let calls = (0..300).map(|number: usize| {
                let node = nodes[number % 2].clone();
                tokio::spawn(async move { node.take(key(), now(), limit).await })
            });
            let calls: Vec<_> = calls.collect();
            let mut taken = 0;
            for call in calls {
                taken += u32::from(call.await.expect("an answer"));
            }
            assert_eq!(taken, 100);
            assert_eq!(store.usage(now()).await.expect("counts")[0].used, 100);
            for node in nodes {
                assert_eq!(node.window(key(), now(), limit).remaining, 0);
            }
        })
        .await;
    }

    #[tokio::test]
    async fn what_a_node_holds_is_there_for_the_others_when_it_leaves() {
        on_two_nodes(Limit::At(100), async |[first, second], store, limit| {
            assert!(first.take(key(), now(), limit).await);
            assert_eq!(first.window(key(), now(), limit).remaining, 99);
            first.charge(key(), now());
            first.give_back(key(), now());
            first.leave(&LimitSettings::lifted()).await.expect("told");
            assert_eq!(store.usage(now()).await.expect("counts")[0].used, 1);
            let mut taken = 1;
            while second.take(key(), now(), limit).await {
                taken += 1;
            }
            assert_eq!(taken, 100);
        })
        .await;
    }

    #[tokio::test]
    async fn nobody_is_refused_because_the_store_does_not_answer() {
        on_two_nodes(Limit::At(1), async |[node, _], store, limit| {
            store.close().await;
            for _ in 0..3 {
                assert!(node.take(key(), now(), limit).await);
            }
            assert_eq!(node.window(key(), now(), limit).remaining, 0);
        })
        .await;
    }
}
