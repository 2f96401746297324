//! Scheduled work: each job does what it should once, and nothing where there is nothing to do.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::stream;
use prilavok_domain::{ChatId, ChatStatus, Clock, FileName, MessageText, PublicId, Sender};
use prilavok_notify::{Plan, Scheduled};
use prilavok_store::files::{FileStore, Upload};
use prilavok_store::{ChatChange, ForgetBefore, Idempotency, MessageRange, NewMessage, StoredFile, Surface};

use crate::receiver::Receiver;
use crate::shop::{MINUTE_MS, Shop, business};

#[path = "../../../../tests/s3_server.rs"]
mod s3_server;
use s3_server::S3Server;

const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

fn scheduled(shop: &Shop, plan: &Plan) -> Scheduled {
    let clock = std::sync::Arc::new(shop.clock.clone());
    Scheduled::new(shop.store.clone(), shop.files.clone(), clock, plan)
}

fn plan() -> Plan {
    Plan {
        finish_idle_after_ms: None,
        remind: None,
        keep_log_ms: 10 * DAY_MS,
        keep_chats_ms: None,
        keep_files_ms: None,
    }
}

async fn status(shop: &Shop, chat: ChatId) -> ChatStatus {
    let found = shop.store.chat(business(1), chat).await.expect("read");
    found.expect("a chat").status
}

async fn senders(shop: &Shop, chat: ChatId) -> Vec<Sender> {
    let range = MessageRange::default();
    let page = shop.store.messages(business(1), chat, range, 100).await;
    let messages = page.expect("read").items;
    messages.into_iter().map(|message| message.sender).collect()
}

#[tokio::test]
async fn idle_chats_are_finished_when_that_is_wanted() {
    let shop = Shop::open().await;
    let idle = shop.chat(1, 1).await;
    shop.message(1, idle).await;
    shop.clock.advance(HOUR_MS);
    let fresh = shop.chat(1, 2).await;
    shop.message(1, fresh).await;
    shop.clock.advance(23 * HOUR_MS + 1);
    scheduled(&shop, &plan()).run_due().await;
    assert_eq!(
        status(&shop, idle).await,
        ChatStatus::WaitingForPartner,
        "off by default"
    );
    let jobs = scheduled(
        &shop,
        &Plan {
            finish_idle_after_ms: Some(DAY_MS),
            ..plan()
        },
    );
    jobs.run_due().await;
    assert_eq!(status(&shop, idle).await, ChatStatus::Finished);
    assert_eq!(status(&shop, fresh).await, ChatStatus::WaitingForPartner);
    shop.clock.advance(HOUR_MS);
    jobs.run_due().await;
    assert_eq!(status(&shop, fresh).await, ChatStatus::Finished);
}

#[tokio::test]
async fn a_clock_that_steps_back_an_hour_puts_scheduled_work_off_by_no_more() {
    let shop = Shop::open().await;
    let idle = shop.chat(1, 1).await;
    shop.message(1, idle).await;
    let jobs = scheduled(
        &shop,
        &Plan {
            finish_idle_after_ms: Some(DAY_MS),
            ..plan()
        },
    );
    shop.clock.advance(HOUR_MS);
    jobs.run_due().await;
    shop.clock.advance(-HOUR_MS);
    jobs.run_due().await;
    shop.clock.advance(DAY_MS);
    jobs.run_due().await;
    assert_eq!(
        status(&shop, idle).await,
        ChatStatus::WaitingForPartner,
        "it is not time yet"
    );
    shop.clock.advance(MINUTE_MS);
    jobs.run_due().await;
    assert_eq!(status(&shop, idle).await, ChatStatus::Finished);
}

#[tokio::test]
async fn scheduled_work_that_fails_is_not_tried_again_at_every_tick() {
    let shop = Shop::open().await;
    let jobs = scheduled(&shop, &plan());
    assert!(!jobs.run_due().await.failed);
    shop.store.close().await;
    shop.clock.advance(HOUR_MS);
    assert!(jobs.run_due().await.failed, "who runs it waits");
    let lag = jobs.lags().map(|lag| lag.ms).max();
    shop.clock.advance(1);
    assert!(jobs.lags().map(|lag| lag.ms).max() > lag, "it stays due");
}

#[tokio::test]
async fn many_idle_chats_are_finished_in_one_run() {
    let shop = Shop::open().await;
    let mut chats = Vec::new();
    for of in [1, 2] {
        for order in 1..=5 {
            chats.push((of, shop.chat(of, order).await));
        }
    }
    shop.clock.advance(DAY_MS + 1);
    let idle = Plan {
        finish_idle_after_ms: Some(DAY_MS),
        ..plan()
    };
    scheduled(&shop, &idle).run_due().await;
    for (of, chat) in chats {
        let found = shop.store.chat(business(of), chat).await.expect("read");
        assert_eq!(found.expect("a chat").status, ChatStatus::Finished);
    }
}

#[tokio::test]
async fn a_seller_who_owes_an_answer_is_reminded_once() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    shop.subscribe(1, "crm", &receiver.url()).await;
    let _running = shop.notify();
    let owed = shop.chat(1, 1).await;
    let answered = shop.chat(1, 2).await;
    shop.message(1, owed).await;
    shop.message(1, answered).await;
    shop.write(1, answered, Sender::Partner).await;
    let text = MessageText::new("The customer is waiting.").expect("a text");
    let jobs = scheduled(
        &shop,
        &Plan {
            remind: Some((4 * HOUR_MS, text)),
            ..plan()
        },
    );
    shop.clock.advance(4 * HOUR_MS);
    jobs.run_due().await;
    assert_eq!(
        senders(&shop, owed).await,
        [Sender::Customer],
        "it is not time yet"
    );
    for _ in 0..3 {
        shop.clock.advance(4 * HOUR_MS + 1);
        jobs.run_due().await;
    }
    assert_eq!(senders(&shop, owed).await, [Sender::Customer, Sender::Market]);
    assert_eq!(status(&shop, owed).await, ChatStatus::WaitingForPartner);
    assert_eq!(
        senders(&shop, answered).await,
        [Sender::Customer, Sender::Partner]
    );
    // Sellers' systems learn of the reminder as of any message.
    receiver.wait_for(6).await;
    shop.message(1, owed).await;
    shop.clock.advance(4 * HOUR_MS + 1);
    jobs.run_due().await;
    use Sender::{Customer, Market};
    assert_eq!(senders(&shop, owed).await, [Customer, Market, Customer, Market]);
}

#[tokio::test]
async fn what_has_expired_is_forgotten() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let subscription = shop.subscribe(1, "crm", &receiver.url()).await;
    let chat = shop.chat(1, 1).await;
    let running = shop.notify();
    let once = |fingerprint| Idempotency {
        surface: Surface::Partner,
        key: "key".to_owned(),
        fingerprint: [fingerprint; 32],
    };
    let write = async |fingerprint| {
        let new = NewMessage {
            sender: Sender::Customer,
            text: Some(MessageText::new("x").expect("a text")),
            files: Vec::new(),
            wait_for: None,
        };
        let now = shop.clock.now();
        shop.store
            .append_message(business(1), chat, new, Some(once(fingerprint)), now)
            .await
    };
    write(1).await.expect("written");
    shop.wait_for_log(&subscription, 2).await;
    running.notifier.stop().await;
    let jobs = scheduled(&shop, &plan());
    shop.clock.advance(DAY_MS - 1);
    jobs.run_due().await;
    assert!(write(2).await.is_err(), "the key is remembered for 24 hours");
    shop.clock.advance(9 * DAY_MS);
    jobs.run_due().await;
    assert_eq!(shop.log(&subscription).await.len(), 2, "kept for ten days");
    assert_eq!(shop.store.events(None, 0, 10).await.expect("read").len(), 2);
    shop.clock.advance(2);
    shop.message(1, chat).await;
    shop.clock.advance(10 * MINUTE_MS);
    jobs.run_due().await;
    assert_eq!(shop.log(&subscription).await.len(), 0);
    let events = shop.store.events(None, 0, 10).await.expect("read");
    assert_eq!(
        events.len(),
        1,
        "what was delivered and is old is gone: {events:?}"
    );
    let _running = shop.notify();
    receiver.wait_for(3).await;
}

#[tokio::test]
async fn what_a_subscription_waits_for_is_kept_however_old() {
    let shop = Shop::open().await;
    let subscription = shop.subscribe(1, "crm", "http://127.0.0.1:9/").await;
    let chat = shop.chat(1, 1).await;
    shop.message(1, chat).await;
    shop.clock.advance(13 * DAY_MS);
    let jobs = scheduled(&shop, &plan());
    jobs.run_due().await;
    assert_eq!(shop.store.events(None, 0, 10).await.expect("read").len(), 2);
    let before = ForgetBefore {
        attempts: shop.clock.now(),
        events: shop.clock.now(),
    };
    let deleted = shop.store.delete_subscription(business(1), subscription.id);
    deleted.await.expect("deleted");
    let forgotten = shop.store.forget_notifications(business(1), before).await;
    assert_eq!(forgotten.expect("forgotten"), 2);
}

async fn put(shop: &Shop) -> Upload {
    let content = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"picture"))]);
    let put = shop
        .files
        .put(business(1), shop.clock.now(), content, 1_000)
        .await;
    put.expect("stored")
}

/// The customer sends a file that was put.
async fn send(shop: &Shop, chat: ChatId, file: &Upload) {
    let new = NewMessage {
        sender: Sender::Customer,
        text: None,
        files: vec![StoredFile {
            object: file.object.clone(),
            name: FileName::from_client("a.jpg"),
            size: file.size,
            media_type: file.media_type.clone(),
        }],
        wait_for: None,
    };
    let written = shop
        .store
        .append_message(business(1), chat, new, None, shop.clock.now());
    written.await.expect("written");
}

async fn is_sound(shop: &Shop) {
    let report = shop.store.check(&shop.files).await.expect("checked");
    assert_eq!(report.problems, Vec::<String>::new());
}

#[tokio::test]
async fn chats_and_files_go_when_their_time_is_over_and_only_when_that_is_wanted() {
    let shop = Shop::open().await;
    let (chat, other) = (shop.chat(1, 1).await, shop.chat(2, 1).await);
    let file = put(&shop).await;
    send(&shop, chat, &file).await;
    shop.message(2, other).await;
    for (of, chat) in [(1, chat), (2, other)] {
        let finished = shop
            .store
            .change_chat(business(of), chat, ChatChange::Finish, None, shop.clock.now());
        finished.await.expect("finished");
    }
    shop.clock.advance(400 * DAY_MS);
    scheduled(&shop, &plan()).run_due().await;
    assert_eq!(
        status(&shop, chat).await,
        ChatStatus::Finished,
        "for ever by default"
    );
    assert!(shop.files.size(&file.object).await.is_ok());
    let files = Plan {
        keep_files_ms: Some(30 * DAY_MS),
        ..plan()
    };
    let ran = scheduled(&shop, &files).run_due().await;
    assert!(
        ran.done
            .iter()
            .any(|done| done.job == "forget_files" && done.count == 1),
        "{ran:?}"
    );
    assert!(shop.files.size(&file.object).await.is_err());
    assert_eq!(
        senders(&shop, chat).await,
        [Sender::Customer],
        "the message stays"
    );
    is_sound(&shop).await;
    let chats = Plan {
        keep_chats_ms: Some(30 * DAY_MS),
        ..plan()
    };
    let ran = scheduled(&shop, &chats).run_due().await;
    assert!(
        ran.done
            .iter()
            .any(|done| done.job == "forget_chats" && done.count == 2),
        "{ran:?}"
    );
    for (of, chat) in [(1, chat), (2, other)] {
        assert_eq!(shop.store.chat(business(of), chat).await.expect("read"), None);
    }
    is_sound(&shop).await;
}

#[tokio::test]
async fn a_file_that_a_crash_left_without_a_name_is_swept() {
    let shop = Shop::open().await;
    let chat = shop.chat(1, 1).await;
    let file = put(&shop).await;
    send(&shop, chat, &file).await;
    let later = shop.clock.now().plus_millis(1);
    let step = shop
        .store
        .forget_files(business(1), later, later)
        .await
        .expect("a step");
    assert_eq!(step.objects, [file.object.as_str()], "and here everything ended");
    is_sound(&shop).await;
    age(
        &shop.folder.path().join("files").join(&file.object),
        a_day_before(&shop),
    );
    scheduled(&shop, &plan()).run_due().await;
    assert!(shop.files.size(&file.object).await.is_err());
}

#[tokio::test]
async fn who_is_to_be_erased_is_and_their_files_go() {
    let shop = Shop::open().await;
    let chat = shop.chat(1, 1).await;
    let file = put(&shop).await;
    send(&shop, chat, &file).await;
    let anna = PublicId::new("anna").expect("an id");
    let begun = shop.store.erase_customer(&anna, shop.clock.now()).await;
    begun.expect("begun");
    let ran = scheduled(&shop, &plan()).run_due().await;
    assert!(
        ran.done
            .iter()
            .any(|done| done.job == "erase_customers" && done.count == 1),
        "{ran:?}"
    );
    let erasure = shop
        .store
        .erasure(&anna)
        .await
        .expect("read")
        .expect("an erasure");
    assert!(erasure.finished_at.is_some());
    assert!(shop.files.size(&file.object).await.is_err());
    is_sound(&shop).await;
}

#[tokio::test]
async fn files_that_no_message_names_are_swept() {
    let shop = Shop::open().await;
    let folder = shop.folder.path().join("files");
    let unfinished = folder.join("half#1");
    fs::write(&unfinished, "half a pic").expect("written");
    age(&unfinished, a_day_before(&shop));
    unnamed_files_are_swept(&shop, |object| folder.join(object)).await;
    assert!(!unfinished.exists());
}

#[tokio::test]
async fn files_in_a_bucket_that_no_message_names_are_swept() {
    let mut shop = Shop::open().await;
    let server = S3Server::start(&shop.folder.path().join("s3"));
    let files = FileStore::bucket(&server.bucket(), shop.folder.path(), server.variables());
    shop.files = files.expect("a file store");
    unnamed_files_are_swept(&shop, |object| server.path(object)).await;
}

/// Long enough ago for a file to be swept.
fn a_day_before(shop: &Shop) -> SystemTime {
    let millis = shop.clock.now().as_millis() - DAY_MS - 1;
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).expect("positive"))
}

async fn unnamed_files_are_swept(shop: &Shop, path: impl Fn(&str) -> PathBuf) {
    let chat = shop.chat(1, 1).await;
    let (named, orphan, fresh) = (put(shop).await, put(shop).await, put(shop).await);
    send(shop, chat, &named).await;
    // Files have the system's time; the clock of this test is far behind it.
    for old in [&named.object, &orphan.object] {
        age(&path(old), a_day_before(shop));
    }
    scheduled(shop, &plan()).run_due().await;
    assert!(shop.files.size(&named.object).await.is_ok(), "a message names it");
    assert!(
        shop.files.size(&fresh.object).await.is_ok(),
        "it may be on its way"
    );
    assert!(shop.files.size(&orphan.object).await.is_err());
    let report = shop.store.check(&shop.files).await.expect("checked");
    assert_eq!(report.problems, Vec::<String>::new());
}

fn age(path: &std::path::Path, to: SystemTime) {
    let file = fs::File::options().write(true).open(path).expect("a file");
    file.set_modified(to).expect("set");
}

#[tokio::test]
async fn work_that_is_late_shows() {
    let shop = Shop::open().await;
    let jobs = scheduled(&shop, &plan());
    // Others are due more often.
    let worst = |jobs: &Scheduled| {
        let lags = jobs.lags().filter(|lag| lag.job == "forget_notifications");
        lags.map(|lag| lag.ms).max()
    };
    jobs.run_due().await;
    assert_eq!(worst(&jobs), Some(0));
    shop.clock.advance(10 * MINUTE_MS + 5);
    assert_eq!(worst(&jobs), Some(5));
    jobs.run_due().await;
    assert_eq!(worst(&jobs), Some(0));
    // A clock that is set back puts nothing off for longer than usual.
    shop.clock.advance(-5 * HOUR_MS);
    jobs.run_due().await;
    shop.clock.advance(10 * MINUTE_MS + 7);
    assert_eq!(worst(&jobs), Some(7));
    shop.store.close().await;
    jobs.run_due().await;
    assert_eq!(worst(&jobs), Some(7), "what failed stays due");
}
