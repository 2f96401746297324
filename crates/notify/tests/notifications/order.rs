//! In order, and without one subscriber delaying another.

use std::time::{Duration, Instant};

use prilavok_domain::event::Outcome;
use prilavok_domain::{EventId, Timestamp};
use prilavok_store::Again;

use crate::receiver::{Manner, Receiver};
use crate::shop::{IMPATIENT, MINUTE_MS, Shop, business};

#[tokio::test]
async fn a_failure_holds_back_what_comes_after_it() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let chat = shop.chat(1, 1).await;
    let subscription = shop.subscribe(1, "crm", &receiver.url()).await;
    let written = shop.messages(1, chat, 5).await;
    for manner in [Manner::Accept, Manner::Say(500, ""), Manner::Say(503, "")] {
        receiver.next(manner);
    }
    let _running = shop.notify();
    receiver.wait_for(2).await;
    shop.wait_for_log(&subscription, 2).await;
    assert_eq!(receiver.messages(), written[..2]);
    shop.clock.advance(MINUTE_MS - 1);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(receiver.messages().len(), 2, "it is not time yet");
    shop.clock.advance(1);
    shop.wait_for_log(&subscription, 3).await;
    shop.clock.advance(MINUTE_MS);
    receiver.wait_for(7).await;
    let [first, second, third, fourth, fifth] = written[..] else {
        panic!("five were written")
    };
    assert_eq!(
        receiver.messages(),
        [first, second, second, second, third, fourth, fifth]
    );
    let log = shop.wait_for_log(&subscription, 7).await;
    let outcomes: Vec<_> = log.iter().map(|line| line.outcome).collect();
    use Outcome::{Delivered, Failed};
    assert_eq!(
        outcomes,
        [
            Delivered, Failed, Failed, Delivered, Delivered, Delivered, Delivered
        ]
    );
    assert_eq!(
        shop.tried.all(),
        [
            (Delivered, false),
            (Failed, false),
            (Failed, true),
            (Delivered, true),
            (Delivered, false),
            (Delivered, false),
            (Delivered, false),
        ]
    );
    let now = shop.now(&subscription).await;
    assert_eq!((now.failing_since, now.next_try_at), (None, None));
}

#[tokio::test]
async fn one_that_hangs_delays_nobody_else() {
    let (shop, slow, quick) = (Shop::open().await, Receiver::open().await, Receiver::open().await);
    slow.always(Manner::Hang);
    let chat = shop.chat(1, 1).await;
    for number in 0..20 {
        shop.subscribe(1, &format!("slow {number}"), &slow.url()).await;
    }
    shop.subscribe(1, "quick", &quick.url()).await;
    let _running = shop.notify();
    let began = Instant::now();
    let written = shop.messages(1, chat, 20).await;
    quick.wait_for(20).await;
    assert!(
        began.elapsed() < 10 * IMPATIENT.event,
        "twenty deliveries waited for those that hang: {:?}",
        began.elapsed()
    );
    assert_eq!(quick.messages(), written);
}

#[tokio::test]
async fn the_documented_400_is_final_and_holds_back_nothing() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let chat = shop.chat(1, 1).await;
    let subscription = shop.subscribe(1, "crm", &receiver.url()).await;
    receiver.next(Manner::Say(
        400,
        r#"{"error":{"type":"WRONG_EVENT_FORMAT","message":"no"}}"#,
    ));
    let _running = shop.notify();
    let written = shop.messages(1, chat, 2).await;
    receiver.wait_for(2).await;
    assert_eq!(receiver.messages(), written);
    let log = shop.wait_for_log(&subscription, 2).await;
    assert_eq!(log[0].outcome, Outcome::Refused);
    let why = log[0].attempt.error.as_deref();
    assert_eq!(why, Some("the receiver refused it: WRONG_EVENT_FORMAT no"));
    assert_eq!(log[1].outcome, Outcome::Delivered);
}

#[tokio::test]
async fn what_was_delivered_is_sent_again_on_demand() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let chat = shop.chat(1, 1).await;
    let subscription = shop.subscribe(1, "crm", &receiver.url()).await;
    let _running = shop.notify();
    let first = shop.message(1, chat).await;
    shop.clock.advance(1_000);
    let second = shop.message(1, chat).await;
    shop.clock.advance(1_000);
    let third = shop.message(1, chat).await;
    let log = shop.wait_for_log(&subscription, 3).await;
    let (id, now) = (subscription.id, subscription.created_at);
    let again = |again| shop.store.send_again(business(1), id, again, now);
    assert_eq!(again(Again::Event(log[0].event.id)).await.expect("queued"), 1);
    receiver.wait_for(4).await;
    let from = |ms: i64| Timestamp::from_millis(now.as_millis() + ms).expect("in range");
    assert_eq!(
        again(Again::Between(from(1_000), from(2_001)))
            .await
            .expect("queued"),
        2
    );
    receiver.wait_for(6).await;
    assert_eq!(receiver.messages(), [first, second, third, first, second, third]);
    // Receivers know an event by its id, also when it comes again.
    let ids: Vec<_> = receiver
        .received()
        .iter()
        .map(|one| one.headers["webhook-id"].clone())
        .collect();
    assert_eq!(ids[..3], ids[3..]);
    let unknown = again(Again::Event(EventId::new(1).expect("an id"))).await;
    assert!(unknown.is_err_and(|error| error.to_string() == "event 1 does not exist"));
}
