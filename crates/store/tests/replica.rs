//! A replica that is behind: what may be read a little later is read there, as it was, and nothing fails or waits.

#[path = "conformance/population.rs"]
#[allow(dead_code)]
mod population;

use bytes::Bytes;
use prilavok_domain::{ChatId, CredentialId, EventTypes, FileName, MessageText, SubscriptionId};
use prilavok_store::files::FileStore;
use prilavok_store::postgres::{PgOptions, PgStore};
use prilavok_store::{
    Act, Attempt, AttemptFilter, CheckReport, NewMessage, NewSubscription, Settled, Store, StoredFile,
    SubscriptionName, Switch, Try,
};
use prilavok_test_postgres::Cluster;

use population::*;

async fn subscribed(store: &dyn Store) -> SubscriptionId {
    let new = NewSubscription {
        business: shop(),
        name: SubscriptionName::new("crm").expect("a name"),
        url: "https://crm.example/hook".to_owned(),
        types: EventTypes::ALL,
    };
    let created = store.create_subscription(new, None, at(0)).await;
    let id = created.expect("a subscription").value.id;
    let on = store.switch_subscription(shop(), id, Switch::On).await;
    on.expect("enabled");
    id
}

/// Writes a message, delivers the first event that waits, and has an arbiter write into the dispute.
async fn happen(store: &dyn Store, crm: SubscriptionId, chat: ChatId, dispute: ChatId, millis: i64) {
    write(store, chat, customer_says("hello"), at(millis)).await;
    let waiting = store.waiting(shop(), crm, 0, 1).await.expect("what waits");
    let delivery = waiting.deliveries[0];
    let tried = Try {
        delivery,
        attempt: Attempt {
            at: at(millis),
            duration_ms: 7,
            status: Some(200),
            error: None,
            answer: String::new(),
        },
        settled: Settled::Delivered,
    };
    store.settle(shop(), crm, vec![tried]).await.expect("settled");
    let word = Act::Write {
        dispute,
        text: MessageText::new("a word").expect("a text"),
        wait_for: None,
        beside: None,
    };
    let done = store.act(shop(), word, CredentialId(7), None, at(millis)).await;
    done.expect("written");
}

async fn with_file(files: &FileStore) -> NewMessage {
    let content = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from_static(b"one"))]);
    let upload = files.put(shop(), at(0), content, 100).await.expect("an upload");
    let file = StoredFile {
        object: upload.object,
        name: FileName::from_client("a.txt"),
        size: upload.size,
        media_type: upload.media_type,
    };
    NewMessage {
        files: vec![file],
        ..customer_says("look")
    }
}

/// How many tries and deeds are shown, and what the check finds.
async fn shown(store: &dyn Store, files: &FileStore) -> (usize, usize, CheckReport) {
    let log = store.attempts(shop(), AttemptFilter::default(), None, 100).await;
    let trail = store.audit(None, None, 100).await;
    let report = store.check(files).await.expect("a report");
    (
        log.expect("the log").items.len(),
        trail.expect("the trail").items.len(),
        report,
    )
}

#[test]
fn a_replica_that_is_behind_shows_what_it_has() {
    let cluster = Cluster::start();
    let database = cluster.new_database();
    let standby = cluster.standby();
    let folder = tempfile::tempdir().expect("a folder");
    let files = FileStore::local(folder.path()).expect("a file store");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let options = PgOptions::new(&cluster.url(&database), Some(&standby.url(&database)));
        let store = PgStore::open(options.expect("addresses")).await.expect("a node");
        populate(&store).await;
        let crm = subscribed(&store).await;
        let chat = new_chat(&store, order(100)).await.id;
        let dispute = arbitration(&store, chat).await.id;
        happen(&store, crm, chat, dispute, 10).await;
        let passing = with_file(&files).await;
        let object = passing.files[0].object.clone();
        write(&store, chat, passing, at(15)).await;
        cluster.wait_for(&standby);
        let before = shown(&store, &files).await;
        assert_eq!((before.0, before.1, &before.2.problems), (1, 1, &Vec::new()));

        standby.sql(&database, "SELECT pg_wal_replay_pause()");
        happen(&store, crm, chat, dispute, 20).await;
        // A file whose time is over is not missing, although the replica still names it.
        let gone = store.forget_files(shop(), at(16), at(20)).await;
        assert_eq!(gone.expect("a step").objects, [&*object]);
        files.remove(&object).await.expect("removed");
        assert_eq!(shown(&store, &files).await, before, "it has not heard of more");
        // What has to be current is.
        let messages = all_messages(&store, chat).await;
        assert_eq!(messages.len(), 3);

        standby.sql(&database, "SELECT pg_wal_replay_resume()");
        cluster.wait_for(&standby);
        let after = shown(&store, &files).await;
        assert_eq!((after.0, after.1, &after.2.problems), (2, 2, &Vec::new()));
        assert_eq!(after.2.messages, before.2.messages + 2);
        store.close().await;
    });
}
