//! Receivers that do not answer as agreed: each is told apart, and each gets what it missed.

use prilavok_domain::event::Outcome;
use tokio::net::TcpListener;

use crate::receiver::{Manner, Receiver};
use crate::shop::{MINUTE_MS, Shop};

#[tokio::test]
async fn every_fault_is_named_and_made_good() {
    let elsewhere = Receiver::open().await;
    for (manner, status, told) in [
        (Manner::Hang, None, "there was no answer within 0.4 s"),
        (
            Manner::Say(500, "oops"),
            Some(500),
            "the answer was 500 instead of 200",
        ),
        (
            Manner::Say(200, "ok"),
            Some(200),
            "the answer was 200, but its body is no JSON",
        ),
        (
            Manner::Say(200, r#"{"version":"1","name":"crm"}"#),
            Some(200),
            "the answer was 200, but \"time\" is missing in its body",
        ),
        (Manner::BreakOff, Some(200), "the answer broke off"),
        (
            Manner::SayMuch(65 * 1024),
            Some(200),
            "the answer was 200, and longer than 64 KB",
        ),
        (
            Manner::Redirect(elsewhere.url()),
            Some(302),
            "the answer was 302: redirects are not followed",
        ),
        (
            Manner::Say(400, "bad"),
            Some(400),
            "the answer was 400, but its body is not",
        ),
        (
            Manner::Say(410, ""),
            Some(410),
            "the answer was 410 instead of 200",
        ),
    ] {
        let (shop, receiver) = (Shop::open().await, Receiver::open().await);
        let subscription = shop.subscribe(1, "crm", &receiver.url()).await;
        receiver.next(manner.clone());
        let _running = shop.notify();
        let chat = shop.chat(1, 1).await;
        let log = shop.wait_for_log(&subscription, 1).await;
        assert_eq!(
            (log[0].outcome, log[0].attempt.status),
            (Outcome::Failed, status),
            "{manner:?}"
        );
        let error = log[0].attempt.error.as_deref().unwrap_or_default();
        assert!(error.starts_with(told), "{manner:?}: {error}");
        assert!(log[0].attempt.answer.len() <= 2_048, "{manner:?}");
        shop.clock.advance(MINUTE_MS);
        receiver.wait_for(2).await;
        let created = ("CHAT_CREATED".to_owned(), chat.get());
        assert_eq!(receiver.told(), [created.clone(), created], "{manner:?}");
        let log = shop.wait_for_log(&subscription, 2).await;
        assert_eq!(log[1].outcome, Outcome::Delivered, "{manner:?}");
    }
    assert_eq!(elsewhere.received().len(), 0, "a redirect was followed");
}

#[tokio::test]
async fn a_receiver_that_was_away_gets_everything() {
    let shop = Shop::open().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let subscription = shop.subscribe(1, "crm", &format!("http://{address}/")).await;
    let _running = shop.notify();
    let chat = shop.chat(1, 1).await;
    let written = shop.messages(1, chat, 3).await;
    let log = shop.wait_for_log(&subscription, 1).await;
    let error = log[0].attempt.error.as_deref().unwrap_or_default();
    assert!(
        error.starts_with(&format!("cannot connect to {address}: Connection refused")),
        "{error}"
    );
    assert_eq!(log[0].attempt.status, None);
    let listener = TcpListener::bind(address).await.expect("the same port");
    let receiver = Receiver::at(address);
    let router = receiver.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    shop.clock.advance(MINUTE_MS);
    receiver.wait_for(4).await;
    assert_eq!(receiver.messages(), written);
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_told() {
    let shop = Shop::open().await;
    let subscription = shop.subscribe(1, "crm", "http://nowhere.invalid/").await;
    let _running = shop.notify();
    shop.chat(1, 1).await;
    let log = shop.wait_for_log(&subscription, 1).await;
    let error = log[0].attempt.error.as_deref().unwrap_or_default();
    let named = "the address of nowhere.invalid was not found";
    // A machine without a network may take its time to say so.
    assert!(
        error.starts_with(named) || error.starts_with("there was no answer"),
        "{error}"
    );
}
