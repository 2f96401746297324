//! Subscriptions that are changed while deliveries go on: changes act at once.

use std::time::Duration;

use prilavok_domain::event::DisabledBy;
use prilavok_store::{SubscriptionChange, Switch};

use crate::receiver::{Manner, Receiver};
use crate::shop::{Shop, business};

#[tokio::test]
async fn a_new_url_is_tried_at_once() {
    let (shop, broken, right) = (Shop::open().await, Receiver::open().await, Receiver::open().await);
    broken.always(Manner::Say(500, ""));
    let subscription = shop.subscribe(1, "crm", &broken.url()).await;
    let running = shop.notify();
    let chat = shop.chat(1, 1).await;
    let written = shop.message(1, chat).await;
    shop.wait_for_log(&subscription, 1).await;
    let change = SubscriptionChange {
        url: Some(right.url()),
        ..SubscriptionChange::default()
    };
    let changed = shop
        .store
        .change_subscription(business(1), subscription.id, change);
    assert_eq!(changed.await.expect("changed").failing_since, None);
    running.notifier.refresh().await.expect("refreshed");
    right.wait_for(2).await;
    assert_eq!(right.messages(), [written]);
}

#[tokio::test]
async fn a_disabled_or_deleted_subscription_gets_nothing_more() {
    for delete in [false, true] {
        let (shop, receiver) = (Shop::open().await, Receiver::open().await);
        let subscription = shop.subscribe(1, "crm", &receiver.url()).await;
        let running = shop.notify();
        let chat = shop.chat(1, 1).await;
        receiver.wait_for(1).await;
        if delete {
            let deleted = shop.store.delete_subscription(business(1), subscription.id);
            deleted.await.expect("deleted");
        } else {
            shop.switch(&subscription, Switch::Off(DisabledBy::Hand)).await;
        }
        running.notifier.refresh().await.expect("refreshed");
        shop.messages(1, chat, 3).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(receiver.received().len(), 1, "deleted: {delete}");
    }
}

#[tokio::test]
async fn another_process_is_noticed() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let _running = shop.notify();
    let chat = shop.chat(1, 1).await;
    // Nobody tells the notifier: it sees by itself that there is a subscription now.
    shop.subscribe(1, "crm", &receiver.url()).await;
    let written = shop.message(1, chat).await;
    receiver.wait_for(1).await;
    assert_eq!(receiver.messages(), [written]);
}

#[tokio::test]
async fn switching_off_and_on_does_not_deliver_twice() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let subscription = shop.subscribe(1, "crm", &receiver.url()).await;
    let running = shop.notify();
    let chat = shop.chat(1, 1).await;
    receiver.wait_for(1).await;
    for _ in 0..20 {
        shop.message(1, chat).await;
        shop.switch(&subscription, Switch::Off(DisabledBy::Hand)).await;
        running.notifier.refresh().await.expect("refreshed");
        shop.switch(&subscription, Switch::On).await;
        running.notifier.refresh().await.expect("refreshed");
    }
    let last = shop.message(1, chat).await;
    while receiver.messages().last() != Some(&last) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let messages = receiver.messages();
    assert!(messages.windows(2).all(|two| two[0] < two[1]), "{messages:?}");
}
