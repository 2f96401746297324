//! What arrives: the contract's bodies and headers, of the right business and the right types.

use prilavok_domain::rules::NotificationType;
use prilavok_domain::{EventTypes, Timestamp};
use prilavok_store::{ChatChange, Switch};
use serde_json::json;

use crate::receiver::Receiver;
use crate::shop::{Shop, business};

const AT: &str = "2025-01-16T10:09:49.759Z";

#[tokio::test]
async fn each_event_arrives_as_the_contract_has_it() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let subscription = shop.subscribe(1, "crm", &receiver.url()).await;
    let _running = shop.notify();
    let chat = shop.chat(1, 1).await;
    let message = shop.message(1, chat).await;
    let now = subscription.created_at;
    let started = shop.store.start_arbitration(business(1), chat, None, now).await;
    let dispute = started.expect("started").value.id;
    let finished = shop
        .store
        .change_chat(business(1), dispute, ChatChange::Finish, None, now);
    finished.await.expect("finished");
    receiver.wait_for(4).await;
    let bodies: Vec<_> = receiver.received().into_iter().map(|one| one.body).collect();
    let (chat, dispute) = (chat.get(), dispute.get());
    assert_eq!(
        bodies,
        [
            json!({"notificationType": "CHAT_CREATED", "businessId": 1, "chatId": chat, "createdAt": AT}),
            json!({"notificationType": "CHAT_MESSAGE_SENT", "businessId": 1, "chatId": chat,
                   "messageId": message, "sentAt": AT}),
            json!({"notificationType": "CHAT_ARBITRAGE_STARTED", "businessId": 1, "chatId": dispute,
                   "startedAt": AT}),
            json!({"notificationType": "CHAT_ARBITRAGE_FINISHED", "businessId": 1, "chatId": dispute,
                   "finishedAt": AT}),
        ]
    );
    let log = shop.wait_for_log(&subscription, 4).await;
    for (line, received) in log.iter().zip(receiver.received()) {
        let header = |name: &str| received.headers[name].to_str().expect("text").to_owned();
        assert_eq!(header("webhook-id"), format!("evt_{}", line.event.id));
        assert_eq!(header("webhook-timestamp"), "1737022189");
        assert_eq!(header("content-type"), "application/json");
        assert_eq!((line.attempt.status, &line.attempt.error), (Some(200), &None));
        assert!(line.attempt.answer.contains("\"name\":\"crm\""), "{line:?}");
    }
}

#[tokio::test]
async fn a_subscription_is_told_of_its_business_and_its_types_only() {
    let shop = Shop::open().await;
    let (all, disputes, other) = (
        Receiver::open().await,
        Receiver::open().await,
        Receiver::open().await,
    );
    shop.subscribe(1, "all", &all.url()).await;
    let types = EventTypes::from_iter([NotificationType::ChatArbitrageStarted]);
    let picky = shop.subscribe_to(1, "disputes", &disputes.url(), types).await;
    shop.subscribe(2, "other", &other.url()).await;
    let _running = shop.notify();
    let chat = shop.chat(1, 1).await;
    // More than are looked at in one read, and than may go by before that is kept.
    shop.messages(1, chat, 1_100).await;
    shop.store
        .start_arbitration(business(1), chat, None, picky.created_at)
        .await
        .expect("started");
    shop.chat(2, 1).await;
    all.wait_for(1_102).await;
    disputes.wait_for(1).await;
    other.wait_for(1).await;
    let kinds = |receiver: &Receiver| -> Vec<_> { receiver.told().into_iter().map(|it| it.0).collect() };
    assert_eq!(kinds(&disputes), ["CHAT_ARBITRAGE_STARTED"]);
    assert_eq!(kinds(&other), ["CHAT_CREATED"]);
    assert_eq!(other.received()[0].body["businessId"], 2);
}

#[tokio::test]
async fn what_happened_before_a_subscription_was_enabled_is_not_sent() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let chat = shop.chat(1, 1).await;
    let subscription = shop.subscribe(1, "crm", &receiver.url()).await;
    let _running = shop.notify();
    let first = shop.message(1, chat).await;
    receiver.wait_for(1).await;
    shop.switch(
        &subscription,
        Switch::Off(prilavok_domain::event::DisabledBy::Hand),
    )
    .await;
    shop.messages(1, chat, 3).await;
    shop.switch(&subscription, Switch::On).await;
    let last = shop.message(1, chat).await;
    receiver.wait_for(2).await;
    assert_eq!(receiver.messages(), [first, last]);
}

#[tokio::test]
async fn both_secrets_sign_while_both_are_good() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let subscription = shop.subscribe(1, "crm", &receiver.url()).await;
    let running = shop.notify();
    let chat = shop.chat(1, 1).await;
    receiver.wait_for(1).await;
    let until = Timestamp::from_millis(subscription.created_at.as_millis() + 1_000).expect("in range");
    let rotated = Switch::NewSecret {
        previous_until: until,
    };
    shop.switch(&subscription, rotated).await;
    running.notifier.refresh().await.expect("refreshed");
    shop.message(1, chat).await;
    receiver.wait_for(2).await;
    shop.clock.advance(1_000);
    shop.message(1, chat).await;
    receiver.wait_for(3).await;
    let signatures: Vec<_> = receiver
        .received()
        .iter()
        .map(|one| {
            let header = one.headers["webhook-signature"].to_str().expect("text");
            header.split(' ').count()
        })
        .collect();
    assert_eq!(signatures, [1, 2, 1]);
}
