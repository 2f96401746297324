//! Every committed event arrives at every receiver that behaves, in order, however often the server is killed;
//! what comes twice comes twice around a kill; and nothing arrives that was not committed.
//!
//! A plain run is small. `SOAK_EVENTS`, `SOAK_SUBSCRIBERS`, `SOAK_MISBEHAVING` and `SOAK_KILLS` ask for more, and
//! `SOAK_SERVER_CORE` pins the server to one core; the rate and the memory are printed.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use prilavok_domain::{BusinessId, Clock, EventTypes, IdSequence, SystemClock};
use prilavok_store::sqlite::{FILE_NAME, SqliteStore};
use prilavok_store::{NewSubscription, Store, SubscriptionName, Switch};
use reqwest::blocking::Client;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::asked;
use crate::receivers::{Receiver, Receivers};
use crate::server::{self, Server, Setting};

/// Writers, each with a chat of its own.
const WRITERS: usize = 16;
/// Failed deliveries are repeated each second, so that flaky receivers take part.
const SCHEDULE: (&str, &str) = (
    "PRILAVOK_NOTIFICATIONS__SCHEDULE",
    "[{every_seconds=1,until_seconds=1209600}]",
);

fn start(folder: &Path) -> Server {
    let variables = [SCHEDULE, ("PRILAVOK_LOG__FILTER", "warn,prilavok=info")];
    let server = Server::start_with(folder, &["--allow-private-webhooks"], &variables);
    if let Ok(core) = std::env::var("SOAK_SERVER_CORE") {
        server.pin(&core);
    }
    server
}

#[test]
fn every_committed_event_arrives_in_order_at_every_healthy_receiver() {
    let events: usize = asked("SOAK_EVENTS", 600);
    let subscribers: usize = asked("SOAK_SUBSCRIBERS", 12);
    let misbehaving: usize = asked("SOAK_MISBEHAVING", 7);
    let kills: usize = asked("SOAK_KILLS", 3);
    let folder = tempfile::tempdir().expect("a folder");
    let receivers = Receivers::open(subscribers, misbehaving);
    let setting = start(folder.path()).set_up(WRITERS);
    let runtime = Runtime::new().expect("a runtime");
    let before = runtime.block_on(subscribe(folder.path(), &receivers));

    let mut random = fastrand::Rng::with_seed(events as u64);
    let written = AtomicUsize::new(0);
    let began = Instant::now();
    let mut peak_memory = 0;
    for round in 1..=kills {
        let mut server = start(folder.path());
        let target = events * round / (kills + 1);
        let kill_at = written.load(Ordering::Relaxed) + random.usize(1..=events / (kills + 1));
        std::thread::scope(|scope| {
            scope.spawn(|| write(&server.address, &setting, &written, target.max(kill_at)));
            while written.load(Ordering::Relaxed) < kill_at {
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        peak_memory = peak_memory.max(server.peak_memory_kib().unwrap_or_default());
        server.kill();
        receivers.take_what_is_under_way();
        receivers.kills.fetch_add(1, Ordering::SeqCst);
    }
    let server = start(folder.path());
    write(&server.address, &setting, &written, events);
    let (drain_began, had_come) = (Instant::now(), receivers.came());
    // A kill may have taken the answer to a write that was committed.
    let committed = runtime.block_on(events_after(folder.path(), before));
    assert!(
        committed.len() >= events,
        "{} events were committed",
        committed.len()
    );
    let wanted = committed.len() * receivers.healthy().count();
    let mut progress = (Instant::now(), had_come);
    while receivers.healthy().any(|it| distinct(it) < committed.len()) {
        std::thread::sleep(Duration::from_millis(50));
        let came = receivers.came();
        if came > progress.1 {
            progress = (Instant::now(), came);
        }
        assert!(
            progress.0.elapsed() < Duration::from_secs(60),
            "nothing comes any more: {came} of {wanted}"
        );
    }
    let drained = (receivers.came() - had_come, drain_began.elapsed());
    peak_memory = peak_memory.max(server.peak_memory_kib().unwrap_or_default());
    drop(server);
    server::check(folder.path());

    let committed = runtime.block_on(events_after(folder.path(), before));
    assert!(
        committed.len() >= events,
        "{} events were committed",
        committed.len()
    );
    let mut repeated = 0;
    for receiver in receivers.healthy() {
        repeated += verify(receiver, &committed);
    }
    println!(
        "{} events to {} subscribers, {} of them misbehaving, {kills} kills: {} deliveries in {:.1} s, {repeated} of \
         them repeated around a kill; while nothing was written {:.0} a second; peak memory {:.1} MiB",
        committed.len(),
        receivers.all.len(),
        misbehaving,
        receivers.came(),
        began.elapsed().as_secs_f64(),
        rate(drained),
        peak_memory as f64 / 1024.0,
    );
}

#[expect(clippy::cast_precision_loss, reason = "it is printed")]
fn rate((count, took): (usize, Duration)) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// Subscribes every receiver, past the PING, which most of those that misbehave would not pass. Answers the last
/// event before.
async fn subscribe(folder: &Path, receivers: &Receivers) -> i64 {
    let store = SqliteStore::open(&folder.join(FILE_NAME), IdSequence::clocked(0, 0)).expect("a store");
    let business = BusinessId::new(1).expect("an id");
    for (number, receiver) in receivers.all.iter().enumerate() {
        let new = NewSubscription {
            business,
            name: SubscriptionName::new(format!("{number} {:?}", receiver.manner)).expect("a name"),
            url: format!("http://{}/", receiver.address),
            types: EventTypes::ALL,
        };
        let created = store.create_subscription(new, None, SystemClock.now()).await;
        let id = created.expect("created").value.id;
        store
            .switch_subscription(business, id, Switch::On)
            .await
            .expect("enabled");
    }
    let newest = store.newest_event(Some(business)).await.expect("read");
    store.close().await;
    newest
}

/// Writes messages from all writers until `target` events are written or the server is gone.
fn write(address: &str, setting: &Setting, written: &AtomicUsize, target: usize) {
    std::thread::scope(|scope| {
        for chat in &setting.chats {
            let url = format!("{address}/operator/v1/businesses/1/chats/{chat}/messages");
            scope.spawn(move || {
                let client = Client::new();
                let message = json!({"sender": "CUSTOMER", "message": "Где мой заказ?"});
                while written.load(Ordering::Relaxed) < target {
                    let sent = client.post(&url).bearer_auth(&setting.operator).json(&message);
                    match sent.send() {
                        Ok(answer) if answer.status().is_success() => {
                            written.fetch_add(1, Ordering::Relaxed);
                        }
                        _ => return,
                    }
                }
            });
        }
    });
}

/// The ids of all events after `before`, as the store has them.
async fn events_after(folder: &Path, before: i64) -> Vec<i64> {
    let store = SqliteStore::open(&folder.join(FILE_NAME), IdSequence::clocked(0, 0)).expect("a store");
    let mut all = Vec::new();
    loop {
        let after = all.last().copied().unwrap_or(before);
        let page = store.events(None, after, 10_000).await.expect("read");
        if page.is_empty() {
            break;
        }
        all.extend(page.iter().map(|event| event.id.get()));
    }
    store.close().await;
    all
}

/// How many different events came; they come in order, apart from what is repeated.
fn distinct(receiver: &Receiver) -> usize {
    let mut last = 0;
    receiver
        .receipts()
        .iter()
        .filter(|(_, event)| {
            let is_new = *event > last;
            last = last.max(*event);
            is_new
        })
        .count()
}

/// Checks what came to a receiver against what was committed; answers how much came twice.
fn verify(receiver: &Receiver, committed: &[i64]) -> usize {
    let receipts = receiver.receipts();
    for two in receipts.windows(2) {
        let ((epoch, event), (next_epoch, next)) = (two[0], two[1]);
        assert!(
            next > event || next_epoch > epoch,
            "event {next} came after {event} without a kill between them"
        );
    }
    let mut expected = committed.iter();
    let mut newest = 0;
    let foreign = receipts
        .iter()
        .find(|(_, event)| committed.binary_search(event).is_err());
    assert_eq!(foreign, None, "an event that was never committed");
    for (_, event) in receipts.iter() {
        if *event > newest {
            assert_eq!(expected.next(), Some(event), "the next event, and no other");
            newest = *event;
        }
    }
    assert_eq!(expected.next(), None, "some events never came");
    receipts.len() - committed.len()
}
