//! A store with two businesses that have something to tell, and a notifier over it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use prilavok_domain::event::Outcome;
use prilavok_domain::rules::Initiator;
use prilavok_domain::{
    Business, BusinessId, BusinessState, Campaign, CampaignId, CampaignState, ChatId, Clock, Customer,
    EventTypes, IdSequence, ManualClock, MessageText, Name, Order, OrderId, Placement, PublicId, Sender,
    Timestamp,
};
use prilavok_notify::{
    Guard, NoFaults, Notifier, Observer, Patience, Resolve, Schedule, Sender as NotificationSender,
    SigningSecrets, SystemResolver, WebhookClient,
};
use prilavok_store::files::FileStore;
use prilavok_store::sqlite::{FILE_NAME, SqliteStore};
use prilavok_store::{
    AttemptFilter, LoggedAttempt, NewMessage, NewSubscription, Registration, StartChat, Store, Subject,
    Subscription, SubscriptionName, Switch,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// 2025-01-16T10:09:49.759Z.
const OPENED_AT_MS: i64 = 1_737_022_189_759;
pub(crate) const MINUTE_MS: i64 = 60_000;

/// A receiver that hangs is given up this soon, so that tests do not wait for ten seconds.
pub(crate) const IMPATIENT: Patience = Patience {
    event: Duration::from_millis(400),
    ping: Duration::from_millis(400),
};

pub(crate) struct Shop {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) files: FileStore,
    pub(crate) clock: ManualClock,
    pub(crate) folder: TempDir,
    pub(crate) tried: Arc<Tries>,
}

/// Counts what the notifier tells of.
#[derive(Default)]
pub(crate) struct Tries(Mutex<Vec<(Outcome, bool)>>);

impl Tries {
    pub(crate) fn all(&self) -> Vec<(Outcome, bool)> {
        self.0.lock().clone()
    }
}

impl Observer for Tries {
    fn tried(&self, outcome: Outcome, _: Duration, again: bool) {
        self.0.lock().push((outcome, again));
    }
}

/// A notifier that delivers until it is dropped.
pub(crate) struct Running {
    pub(crate) notifier: Notifier,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn business(id: i64) -> BusinessId {
    BusinessId::new(id).expect("an id")
}

impl Shop {
    /// Businesses 1 and 2, each with a campaign and orders 1 to 5 of one customer.
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ids = IdSequence::clocked(0, 0);
        let store = SqliteStore::open(&folder.path().join(FILE_NAME), ids).expect("a store");
        let store: Arc<dyn Store> = Arc::new(store);
        let name = |text: &str| Name::new(text).expect("a name");
        let anna = PublicId::new("anna").expect("an id");
        let mut all = vec![Registration::Customer(Customer {
            public_id: anna.clone(),
            name: name("Анна"),
            erased_at: None,
        })];
        for id in [1, 2] {
            let campaign = CampaignId::new(id).expect("an id");
            all.push(Registration::Business(Business {
                id: business(id),
                name: name("Ромашка"),
                state: BusinessState::Active,
            }));
            all.push(Registration::Campaign(Campaign {
                business: business(id),
                id: campaign,
                domain: name("romashka.example"),
                placement: Placement::Fbs,
                state: CampaignState::Available,
            }));
            all.extend((1..=5).map(|order| {
                Registration::Order(Order {
                    business: business(id),
                    id: OrderId::new(order).expect("an id"),
                    campaign,
                    customer: anna.clone(),
                    test: false,
                })
            }));
        }
        store.register(all).await.expect("registered");
        Self {
            store,
            files: FileStore::local(&folder.path().join("files")).expect("a file store"),
            clock: ManualClock::new(Timestamp::from_millis(OPENED_AT_MS).expect("in range")),
            folder,
            tried: Arc::default(),
        }
    }

    /// The chat about an order, started where there is none.
    pub(crate) async fn chat(&self, of: i64, order: i64) -> ChatId {
        let start = StartChat {
            initiator: Initiator::Customer,
            subject: Subject::Order(OrderId::new(order).expect("an id")),
            customer: None,
        };
        let started = self.store.start_chat(business(of), start, None, self.clock.now());
        started.await.expect("started").value.chat.id
    }

    /// The customer writes; answers the message's id.
    pub(crate) async fn message(&self, of: i64, chat: ChatId) -> i64 {
        self.write(of, chat, Sender::Customer).await
    }

    pub(crate) async fn write(&self, of: i64, chat: ChatId, sender: Sender) -> i64 {
        let new = NewMessage {
            sender,
            text: Some(MessageText::new("Добрый день").expect("a text")),
            files: Vec::new(),
            wait_for: None,
        };
        let written = self
            .store
            .append_message(business(of), chat, new, None, self.clock.now());
        written.await.expect("written").value.id.get()
    }

    /// So many messages in a row.
    pub(crate) async fn messages(&self, of: i64, chat: ChatId, count: usize) -> Vec<i64> {
        let mut written = Vec::new();
        for _ in 0..count {
            written.push(self.message(of, chat).await);
        }
        written
    }

    /// An enabled subscription to everything.
    pub(crate) async fn subscribe(&self, of: i64, name: &str, url: &str) -> Subscription {
        self.subscribe_to(of, name, url, EventTypes::ALL).await
    }

    pub(crate) async fn subscribe_to(
        &self,
        of: i64,
        name: &str,
        url: &str,
        types: EventTypes,
    ) -> Subscription {
        let new = NewSubscription {
            business: business(of),
            name: SubscriptionName::new(name).expect("a name"),
            url: url.to_owned(),
            types,
        };
        let created = self.store.create_subscription(new, None, self.clock.now());
        let created = created.await.expect("created").value;
        self.switch(&created, Switch::On).await
    }

    pub(crate) async fn switch(&self, subscription: &Subscription, switch: Switch) -> Subscription {
        let switched = self
            .store
            .switch_subscription(subscription.business, subscription.id, switch);
        switched.await.expect("switched")
    }

    /// The subscription as it is now.
    pub(crate) async fn now(&self, subscription: &Subscription) -> Subscription {
        let found = self.store.subscription(subscription.business, subscription.id);
        found.await.expect("read").expect("it is there")
    }

    /// The delivery log of a subscription, oldest first.
    pub(crate) async fn log(&self, subscription: &Subscription) -> Vec<LoggedAttempt> {
        let filter = AttemptFilter {
            subscription: Some(subscription.id),
            ..AttemptFilter::default()
        };
        let log = self.store.attempts(subscription.business, filter, None, 100_000);
        let mut lines = log.await.expect("read").items;
        lines.reverse();
        lines
    }

    /// Waits until the log of a subscription has so many lines.
    pub(crate) async fn wait_for_log(&self, subscription: &Subscription, count: usize) -> Vec<LoggedAttempt> {
        let enough = async {
            loop {
                let log = self.log(subscription).await;
                if log.len() >= count {
                    return log;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let came = tokio::time::timeout(Duration::from_secs(20), enough).await;
        came.unwrap_or_else(|_| panic!("the log has fewer than {count} lines"))
    }

    /// Delivers to this machine, as a laptop is set up.
    pub(crate) fn notify(&self) -> Running {
        self.notify_with(Guard::open(), Arc::new(SystemResolver))
    }

    pub(crate) fn notify_with(&self, guard: Guard, resolver: Arc<dyn Resolve>) -> Running {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let sender = NotificationSender::new(
            WebhookClient::new(guard, resolver),
            SigningSecrets::new(&[7; 32]),
            Arc::clone(&clock),
            IMPATIENT,
        );
        let notifier = Notifier::new(
            Arc::clone(&self.store),
            clock,
            sender,
            Schedule::default(),
            self.tried.clone(),
            Arc::new(NoFaults),
            Duration::from_millis(1),
        );
        let running = notifier.clone();
        Running {
            notifier,
            task: tokio::spawn(async move { running.run().await }),
        }
    }
}
