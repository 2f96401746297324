//! A replica that is behind: what may be read a little later is read there, as it was, and nothing fails or waits.

#[path = "conformance/population.rs"]
#[allow(dead_code)]
mod population;

use prilavok_domain::{ChatId, CredentialId, MessageText, SubscriptionId};
use prilavok_store::files::FileStore;
use prilavok_store::postgres::{PgOptions, PgStore};
use prilavok_store::{Act, AttemptFilter, CheckReport, NewMessage, Settled, Store};
use prilavok_test_postgres::Cluster;

use population::*;

/// Writes a message, delivers the first event that waits, and has an arbiter write into the dispute.
async fn happen(store: &dyn Store, crm: SubscriptionId, chat: ChatId, dispute: ChatId, millis: i64) {
    write(store, chat, customer_says("hello"), at(millis)).await;
    let waiting = store.waiting(shop(), crm, 0, 1).await.expect("what waits");
    let delivery = waiting.deliveries[0];
    let tried = tried(delivery, at(millis), Settled::Delivered);
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
        let crm = subscribed(&store, a_subscription("crm")).await.id;
        let chat = new_chat(&store, order(100)).await.id;
        let dispute = arbitration(&store, chat).await.id;
        happen(&store, crm, chat, dispute, 10).await;
        let file = put_file(&files, b"one").await;
        let object = file.object.clone();
        let passing = NewMessage {
            files: vec![file],
            ..customer_says("look")
        };
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
