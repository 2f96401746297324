//! Several nodes on one PostgreSQL database: what each learns of the others, and what becomes of one that dies.

#[path = "conformance/population.rs"]
#[allow(dead_code)]
mod population;
#[path = "../../../tests/nodes/relay.rs"]
mod relay;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use prilavok_domain::event::DisabledBy;
use prilavok_domain::{BusinessId, CredentialKind, CredentialName, ScopeSet, SubscriptionId};
use prilavok_store::postgres::{LeaseTimes, PgOptions, PgStore};
use prilavok_store::{
    AttemptFilter, Calls, Claim, LimitOf, NewCredential, Scarce, SecretHash, Settled, Store, StoreError,
    Switch,
};
use prilavok_test_postgres::Cluster;
use tokio::sync::broadcast;

use population::*;
use relay::Relay;

/// Leases as short as a test may wait for.
const TIMES: LeaseTimes = LeaseTimes {
    renew_every: Duration::from_millis(300),
    length: Duration::from_secs(1),
};

/// A database of a test's own.
struct Database(String);

/// A node of the store in the database at an address.
async fn node_at(url: &str) -> PgStore {
    let mut options = PgOptions::new(url, None).expect("an address");
    options.leases = TIMES;
    options.connections = 4;
    PgStore::open(options).await.expect("a node")
}

impl Database {
    fn new() -> Self {
        Self(Cluster::shared().new_database())
    }

    async fn node(&self) -> PgStore {
        node_at(&Cluster::shared().url(&self.0)).await
    }

    fn sql(&self, statement: &str) -> String {
        Cluster::shared().sql(&self.0, statement)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        Cluster::shared().drop_database(&self.0);
    }
}

/// Runs a test on a database and as many nodes as it asks for.
fn on_a_database<F: AsyncFn(&Database)>(case: F) {
    let database = Database::new();
    runtime().block_on(async move { case(&database).await });
}

fn runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build();
    runtime.expect("a runtime")
}

/// Waits until something is so.
async fn until(what: &str, within: Duration, is_so: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + within;
    while !is_so().await {
        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn held(store: &dyn Store) -> HashSet<SubscriptionId> {
    let enabled = store.enabled_subscriptions().await.expect("a list");
    enabled.into_iter().map(|one| one.id).collect()
}

#[test]
fn nodes_that_start_at_once_on_an_empty_database_make_its_tables_once() {
    on_a_database(async |database| {
        let nodes = join_all((0..4).map(|_| database.node())).await;
        populate(&nodes[0]).await;
        for node in &nodes {
            let business = node.business(shop()).await.expect("a read");
            assert_eq!(business, Some(a_business(SHOP)));
        }
        let numbers = database.sql("SELECT count(DISTINCT node_id), count(DISTINCT instance) FROM node");
        assert_eq!(numbers, "4|4");
    });
}

#[test]
fn a_node_hears_of_the_events_that_another_one_writes() {
    on_a_database(async |database| {
        let (writer, listener) = (database.node().await, database.node().await);
        populate(&writer).await;
        let mut changes = listener.changes();
        for number in 0..20 {
            let business = if number % 3 == 0 { other() } else { shop() };
            let about = [order(100), order(101), order(102)];
            let started = if business == other() && number > 0 {
                continue;
            } else {
                start(&writer, business, about[number % 3].clone(), at(1))
                    .await
                    .chat
            };
            write_to(&writer, business, started.id).await;
            let wrote = Instant::now();
            heard(&mut changes, business).await;
            assert!(
                wrote.elapsed() < Duration::from_millis(900),
                "by a look, not by a word"
            );
            let events = listener.events(Some(business), 0, 1_000).await.expect("events");
            assert!(events.iter().any(|event| event.chat == started.id));
        }
    });
}

async fn write_to(store: &dyn Store, business: BusinessId, chat: prilavok_domain::ChatId) {
    let wrote = store
        .append_message(business, chat, customer_says("?"), None, at(2))
        .await;
    wrote.expect("a message");
}

type Listener = tokio::sync::broadcast::Receiver<prilavok_store::Changes>;

/// Waits until the listener is told of a business.
async fn heard(changes: &mut Listener, of: BusinessId) {
    let told = async {
        loop {
            match changes.recv().await {
                Ok(businesses) if !businesses.contains(&of) => {}
                _ => break,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), told)
        .await
        .expect("told");
}

#[test]
fn what_happens_while_a_node_does_not_listen_is_not_missed() {
    on_a_database(async |database| {
        let (writer, listener) = (database.node().await, database.node().await);
        populate(&writer).await;
        let chat = start(&writer, shop(), order(100), at(1)).await.chat.id;
        tokio::time::sleep(Duration::from_millis(100)).await;
        for _ in 0..5 {
            let mut changes = listener.changes();
            // Nothing else waits in the database but those who listen.
            database.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND query ILIKE 'LISTEN%'",
            );
            write_to(&writer, shop(), chat).await;
            heard(&mut changes, shop()).await;
        }
    });
}

#[test]
fn what_a_node_wrote_and_could_not_tell_is_found() {
    on_a_database(async |database| {
        let listener = database.node().await;
        populate(&listener).await;
        let chat = start(&listener, shop(), order(100), at(1)).await.chat.id;
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        let mut changes = listener.changes();
        // As a node leaves it that is killed between its commit and its word.
        database.sql(&format!(
            "WITH head AS (UPDATE business_head SET last_event_id = next_event(last_event_id, 0) WHERE business_id = 1
                 RETURNING last_event_id)
             INSERT INTO event (business_id, event_id, type, chat_id, at)
                 SELECT 1, last_event_id, 'CHAT_CREATED', {chat}, 0 FROM head"
        ));
        heard(&mut changes, shop()).await;
    });
}

#[test]
fn a_key_that_was_revoked_on_one_node_is_known_to_the_other_within_a_second() {
    on_a_database(async |database| {
        let (one, two) = (database.node().await, database.node().await);
        populate(&one).await;
        let key = NewCredential {
            business: shop(),
            kind: CredentialKind::ApiKey,
            name: CredentialName::new("key").expect("a name"),
            scopes: ScopeSet::ANY,
            campaigns: Vec::new(),
            hash: SecretHash([1; 32]),
            expires_at: None,
        };
        let key = one
            .create_credential(key, None, at(0))
            .await
            .expect("a key")
            .value;
        let now_of = async |node: &PgStore| node.access_version().await.expect("a number");
        let same = async || now_of(&two).await == now_of(&one).await;
        until("the key is known", Duration::from_secs(2), same).await;
        let before = now_of(&two).await;
        let revoked = one.revoke_credential(shop(), key.kind, key.id, at(1)).await;
        revoked.expect("revoked");
        let moved = async || now_of(&two).await > before;
        until("the version moved", Duration::from_secs(1), moved).await;
    });
}

#[test]
fn ids_of_two_nodes_never_meet_and_increase_within_a_chat() {
    on_a_database(async |database| {
        let nodes = [Arc::new(database.node().await), Arc::new(database.node().await)];
        populate(&*nodes[0]).await;
        let chat = start(&*nodes[0], shop(), order(100), at(0)).await.chat.id;
        let writers = (0..8).map(|number| {
            let node = Arc::clone(&nodes[number % 2]);
            tokio::spawn(async move {
                let mut ids = Vec::new();
                for _ in 0..25 {
                    // All at the same instant, so that only node and counter tell the ids apart.
                    let wrote = node
                        .append_message(shop(), chat, customer_says("?"), None, at(5))
                        .await;
                    ids.push(wrote.expect("a message").value.id);
                }
                ids
            })
        });
        let mut written = Vec::new();
        for ids in join_all(writers.collect::<Vec<_>>()).await {
            let ids = ids.expect("a writer");
            assert!(ids.is_sorted_by(|a, b| a < b), "each writer's own");
            written.extend(ids);
        }
        let page = nodes[1].messages(shop(), chat, Default::default(), 1_000).await;
        let kept: Vec<_> = page.expect("a page").items.iter().map(|one| one.id).collect();
        written.sort_unstable();
        assert_eq!(kept, written);
        assert_eq!(kept.len(), 200);
        assert!(kept.is_sorted_by(|a, b| a < b));
        let events = nodes[0].events(Some(shop()), 0, 1_000).await.expect("events");
        let told: Vec<_> = events.iter().filter_map(|event| event.message).collect();
        assert_eq!(told, kept, "events are in the order of the messages");
    });
}

#[test]
fn subscriptions_are_shared_and_taken_over_when_a_node_dies() {
    on_a_database(async |database| {
        let one = database.node().await;
        populate(&one).await;
        let mut all = HashSet::new();
        for number in 0..5 {
            all.insert(
                subscribed(&one, a_subscription(&format!("crm-{number}")))
                    .await
                    .id,
            );
        }
        assert_eq!(held(&one).await, all);
        let version = one.subscriptions_version().await.expect("a number");
        let two = database.node().await;
        let shared = async || {
            let (of_one, of_two) = (held(&one).await, held(&two).await);
            assert!(of_one.is_disjoint(&of_two), "nobody is told twice");
            of_one.len() == 3 && of_two.len() == 2
        };
        until("they share", Duration::from_secs(10), shared).await;
        assert_ne!(one.subscriptions_version().await.expect("a number"), version);
        // Dead: it says nothing any more, and does not give back what it holds.
        drop(one);
        let died = Instant::now();
        let taken = async || held(&two).await == all;
        until("the other one takes over", Duration::from_secs(10), taken).await;
        // With the usual times, which are fifteen times as long, that is below thirty seconds.
        assert!(died.elapsed() < Duration::from_secs(2), "{:?}", died.elapsed());
    });
}

#[test]
fn who_no_longer_delivers_to_a_subscription_settles_nothing() {
    on_a_database(async |database| {
        let (one, two) = (database.node().await, database.node().await);
        populate(&one).await;
        let crm = subscribed(&one, a_subscription("crm")).await.id;
        let chat = start(&one, shop(), order(100), at(0)).await.chat.id;
        write_to(&one, shop(), chat).await;
        let waiting = one
            .waiting(shop(), crm, 0, 10)
            .await
            .expect("what waits")
            .deliveries;
        assert_eq!(waiting.len(), 2, "in their order");
        // As after a pause of the first one, in which the second took it over.
        database.sql(
            "UPDATE subscription SET leased_until = clock_timestamp() + interval '1 hour',
                 owner = (SELECT instance FROM node WHERE instance <> subscription.owner)",
        );
        let late = one
            .settle(shop(), crm, vec![tried(waiting[0], at(9), Settled::Delivered)])
            .await;
        late.expect("nothing done");
        let late = one.skip_events(shop(), crm, waiting[1].event.id.get()).await;
        late.expect("nothing done");
        let log = two.attempts(shop(), AttemptFilter::default(), None, 10).await;
        assert_eq!(log.expect("the log").items, []);
        let again = two
            .waiting(shop(), crm, 0, 10)
            .await
            .expect("what waits")
            .deliveries;
        assert_eq!(again, waiting, "the same, in the same order");
        two.settle(shop(), crm, vec![tried(waiting[0], at(9), Settled::Delivered)])
            .await
            .expect("settled");
        let rest = two
            .waiting(shop(), crm, 0, 10)
            .await
            .expect("what waits")
            .deliveries;
        assert_eq!(rest, waiting[1..]);
        let off = two
            .switch_subscription(shop(), crm, Switch::Off(DisabledBy::Hand))
            .await;
        off.expect("disabled");
        assert_eq!(held(&two).await, HashSet::new());
    });
}

#[test]
fn a_node_whose_lease_has_run_out_writes_nothing_until_it_has_a_new_one() {
    on_a_database(async |database| {
        let one = database.node().await;
        populate(&one).await;
        let chat = start(&one, shop(), order(100), at(0)).await.chat.id;
        // Another process has its number, as after a long pause.
        database
            .sql("UPDATE node SET instance = instance + 1, beat_at = clock_timestamp() + interval '1 hour'");
        write_to(&one, shop(), chat).await;
        let another = async || database.sql("SELECT count(*) FROM node") == "2";
        until("it has another number", Duration::from_secs(5), another).await;
        write_to(&one, shop(), chat).await;
        let page = one.messages(shop(), chat, Default::default(), 10).await;
        let ids = page.expect("a page").items.into_iter().map(|one| one.id.get());
        let numbers: Vec<_> = ids.map(|id| id >> 7 & 31).collect();
        assert_eq!(numbers, [0, 1]);
        // Cut off from the database for longer than its lease.
        database.sql("ALTER TABLE node RENAME TO hidden");
        let refused = async || {
            let wrote = one
                .append_message(shop(), chat, customer_says("?"), None, at(3))
                .await;
            matches!(wrote, Err(StoreError::Unavailable(_)))
        };
        until("it stops writing", TIMES.length * 2, refused).await;
        database.sql("ALTER TABLE hidden RENAME TO node");
        let taken = async || !refused().await;
        until("it writes again", TIMES.length * 3, taken).await;
    });
}

#[test]
fn nodes_together_take_no_more_calls_than_there_are() {
    on_a_database(async |database| {
        let nodes = [database.node().await, database.node().await];
        assert_eq!(nodes[1].counting_nodes(), Some(2));
        let claim = |number: usize| {
            let claims = ["getChat", "getChats"].map(|operation| Claim {
                business: shop(),
                operation: operation.to_owned(),
                hour: at(0),
                limit: Some(100),
                calls: Calls::Take {
                    least: 3,
                    most: 9,
                    parts: 4,
                },
            });
            nodes[number % 2].claim_usage(claims.to_vec())
        };
        let granted = join_all((0..60).map(claim)).await;
        let granted: Vec<_> = granted.into_iter().map(|one| one.expect("granted")).collect();
        for operation in 0..2 {
            let calls: u32 = granted.iter().map(|one| one[operation].calls).sum();
            assert_eq!(calls, 100);
        }
    });
}

#[test]
fn a_node_hears_which_limits_others_found_scarce_and_that_it_did_not_hear() {
    on_a_database(async |database| {
        let (one, two) = (database.node().await, database.node().await);
        // Both listen.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (mut own, mut told) = (one.scarce(), two.scarce());
        let next = async |told: &mut broadcast::Receiver<Scarce>| {
            let heard = tokio::time::timeout(Duration::from_secs(3), told.recv()).await;
            heard.expect("it is told").expect("open")
        };
        // More than one notification takes.
        let found = (0..500).map(|number| LimitOf {
            business: shop(),
            operation: format!("an-operation-with-the-number-{number}"),
        });
        let found: HashSet<_> = found.collect();
        one.tell_scarce(found.iter().cloned().collect());
        let mut heard = HashSet::new();
        while heard.len() < found.len() {
            // A look may come between the telling and the hearing.
            if let Scarce::These(limits) = next(&mut told).await {
                heard.extend(limits.iter().cloned());
            }
        }
        assert_eq!(heard, found);
        // What neither of them hears.
        database.sql("UPDATE meta SET number = number + 1 WHERE name = 'scarce_version'");
        assert_eq!(next(&mut told).await, Scarce::Any);
        assert_eq!(next(&mut own).await, Scarce::Any, "its own word is no news");
    });
}

#[test]
fn a_node_that_joins_is_counted_before_the_next_renewal() {
    on_a_database(async |database| {
        let mut options = PgOptions::new(&Cluster::shared().url(&database.0), None).expect("an address");
        options.leases = LeaseTimes::default();
        let first = PgStore::open(options).await.expect("a node");
        // It listens.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let _second = database.node().await;
        let counted = async || first.counting_nodes() == Some(2);
        until("it is counted", Duration::from_secs(2), counted).await;
    });
}

#[test]
fn a_node_that_stops_leaves_its_share_at_once() {
    on_a_database(async |database| {
        let one = database.node().await;
        populate(&one).await;
        let crm = subscribed(&one, a_subscription("crm")).await.id;
        let two = database.node().await;
        one.close().await;
        let taken = async || held(&two).await.contains(&crm);
        until("the other one takes over", TIMES.renew_every * 3, taken).await;
    });
}

#[test]
fn what_was_acknowledged_survives_a_crash_of_the_database_and_nodes_go_on() {
    let cluster = Cluster::start();
    runtime().block_on(async {
        let (node, listener) = (
            node_at(&cluster.url("postgres")).await,
            node_at(&cluster.url("postgres")).await,
        );
        populate(&node).await;
        let chat = start(&node, shop(), order(100), at(0)).await.chat.id;
        for _ in 0..20 {
            write_to(&node, shop(), chat).await;
        }
        cluster.crash();
        let refused = node
            .append_message(shop(), chat, customer_says("?"), None, at(3))
            .await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        let refused = node.chat(shop(), chat).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        cluster.start_again();
        let again = async || {
            let wrote = node
                .append_message(shop(), chat, customer_says("again"), None, at(4))
                .await;
            wrote.is_ok()
        };
        let mut changes = listener.changes();
        until("it is written again", Duration::from_secs(10), again).await;
        heard(&mut changes, shop()).await;
        let page = listener.messages(shop(), chat, Default::default(), 100).await;
        assert_eq!(page.expect("a page").items.len(), 21);
    });
}

#[test]
fn a_database_that_falls_silent_holds_nobody_up_and_is_used_again_when_it_answers() {
    on_a_database(async |database| {
        let url = Cluster::shared().url(&database.0);
        let port = Cluster::shared().port();
        let relay = Relay::to(port);
        let url = url.replace(&format!(":{port}"), &format!(":{}", relay.port));
        let mut options = PgOptions::new(&url, None).expect("an address");
        (options.leases, options.connections) = (TIMES, 4);
        options.statement = Duration::from_millis(200);
        let node = Arc::new(PgStore::open(options).await.expect("a node"));
        populate(&*node).await;
        let chat = start(&*node, shop(), order(100), at(0)).await.chat.id;
        write_to(&*node, shop(), chat).await;
        relay.cut();
        let cut = Instant::now();
        let reads = (0..8).map(|_| {
            let node = Arc::clone(&node);
            tokio::spawn(async move { node.chat(shop(), chat).await })
        });
        let write = node.append_message(shop(), chat, customer_says("?"), None, at(3));
        let (write, reads) = futures_util::join!(write, join_all(reads));
        assert!(
            matches!(write, Err(StoreError::Unavailable(_) | StoreError::Busy)),
            "{write:?}"
        );
        for read in reads {
            let read = read.expect("a read");
            assert!(
                matches!(read, Err(StoreError::Unavailable(_) | StoreError::Busy)),
                "{read:?}"
            );
        }
        assert!(cut.elapsed() < Duration::from_secs(8), "{:?}", cut.elapsed());
        relay.mend();
        let again = async || {
            let wrote = node.append_message(shop(), chat, customer_says("again"), None, at(4));
            wrote.await.is_ok()
        };
        until("it is written again", Duration::from_secs(10), again).await;
        node.close().await;
    });
}
