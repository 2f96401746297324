//! What a stop leaves behind, and how the next start goes on.

use prilavok_domain::event::Outcome;

use crate::receiver::{Manner, Receiver};
use crate::shop::{MINUTE_MS, Shop};

#[tokio::test]
async fn a_stop_in_good_order_repeats_nothing_and_loses_nothing() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let chat = shop.chat(1, 1).await;
    let subscription = shop.subscribe(1, "crm", &receiver.url()).await;
    let mut written = Vec::new();
    for _ in 0..5 {
        let running = shop.notify();
        written.extend(shop.messages(1, chat, 30).await);
        receiver.wait_for(written.len() - 20).await;
        running.notifier.stop().await;
        assert_eq!(
            shop.log(&subscription).await.len(),
            receiver.messages().len(),
            "what was delivered is kept"
        );
    }
    let _running = shop.notify();
    receiver.wait_for(written.len()).await;
    shop.wait_for_log(&subscription, written.len()).await;
    assert_eq!(receiver.messages(), written);
}

#[tokio::test]
async fn the_time_of_the_next_try_survives() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    receiver.next(Manner::Say(500, ""));
    let subscription = shop.subscribe(1, "crm", &receiver.url()).await;
    let running = shop.notify();
    shop.chat(1, 1).await;
    shop.wait_for_log(&subscription, 1).await;
    running.notifier.stop().await;
    drop(running);
    let _running = shop.notify();
    shop.clock.advance(MINUTE_MS - 1);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(receiver.received().len(), 1, "it is not time yet");
    shop.clock.advance(1);
    let log = shop.wait_for_log(&subscription, 2).await;
    assert_eq!(log[1].outcome, Outcome::Delivered);
}
