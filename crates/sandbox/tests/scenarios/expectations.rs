//! How each expectation is met and not met.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use prilavok_domain::EventTypes;
use prilavok_sandbox::scenario::{State, Verdict};
use prilavok_store::{NewSubscription, SubscriptionName, Switch};
use tokio::net::TcpListener;

use crate::shop::{HOUR, MINUTE, Shop};

fn failed(reason: &str) -> Verdict {
    Verdict::Failed {
        reason: reason.to_owned(),
    }
}

const ANSWERED: &str = r#"
steps:
  - customer: { about: hat, says: "Раз" }
  - wait: 1h
expect:
  - answered: { about: hat, within: 10m }
"#;

#[tokio::test]
async fn answered_in_time() {
    let (shop, cast) = Shop::playing(ANSWERED).await;
    assert_eq!(shop.due_in(), Some(10 * MINUTE));
    shop.clock.advance(10 * MINUTE);
    shop.partner_says(cast.business, 0, "В последний миг").await;
    assert_eq!(shop.verdict(), Verdict::Pending);
    shop.to_the_end().await;
    assert_eq!(shop.verdict(), Verdict::Met);
    assert_eq!(shop.report().state, State::Passed);
}

#[tokio::test]
async fn answered_too_late_or_never() {
    let (shop, cast) = Shop::playing(ANSWERED).await;
    let chat = shop.chats(cast.business).await[0].id;
    shop.later(10 * MINUTE).await;
    let never = format!("the message of 2025-01-16T10:00:00.000Z in chat {chat} was not answered in time");
    assert_eq!(shop.verdict(), failed(&never));
    // What is decided stays so.
    shop.partner_says(cast.business, 0, "Извините").await;
    assert_eq!(shop.verdict(), failed(&never));

    let (shop, cast) = Shop::playing(ANSWERED).await;
    let chat = shop.chats(cast.business).await[0].id;
    shop.clock.advance(11 * MINUTE);
    shop.partner_says(cast.business, 0, "Извините").await;
    let late = format!(
        "the message of 2025-01-16T10:00:00.000Z in chat {chat} was answered only at 2025-01-16T10:11:00.000Z"
    );
    assert_eq!(shop.verdict(), failed(&late));
}

#[tokio::test]
async fn a_finished_chat_needs_no_answer() {
    let steps = "steps: [ customer: { about: hat, says: Спасибо }, finish: { about: hat } ]\n\
                 expect: [ answered: { within: 10m } ]";
    let (shop, _) = Shop::playing(steps).await;
    assert_eq!(shop.verdict(), Verdict::Met);

    // Nor one that somebody else finishes.
    let (shop, cast) = Shop::playing(ANSWERED).await;
    let chat = shop.chats(cast.business).await[0].id;
    let change = prilavok_store::ChatChange::Finish;
    let finished = shop
        .app
        .store
        .change_chat(cast.business, chat, change, None, shop.app.now());
    finished.await.expect("finished");
    shop.to_the_end().await;
    assert_eq!(shop.verdict(), Verdict::Met);
}

#[tokio::test]
async fn messages_in_disputes_are_expected_to_be_answered_only_where_it_is_said() {
    let steps = |dispute| {
        format!(
            "steps: [ dispute: {{ about: hat, says: Спор }}, wait: 1h ]\n\
             expect: [ answered: {{ about: hat, dispute: {dispute}, within: 10m }} ]"
        )
    };
    for (dispute, met) in [(false, true), (true, false)] {
        let (shop, _) = Shop::playing(&steps(dispute)).await;
        shop.to_the_end().await;
        assert_eq!(shop.verdict() == Verdict::Met, met, "dispute: {dispute}");
    }
}

#[tokio::test]
async fn the_status_in_the_end() {
    for (expected, verdict) in [
        ("is: WAITING_FOR_PARTNER", Verdict::Met),
        (
            "is: FINISHED",
            failed("the chat about hat is WAITING_FOR_PARTNER"),
        ),
        (
            "dispute: true, is: FINISHED",
            failed("there is no such thing as the dispute about hat"),
        ),
    ] {
        let steps = format!(
            "steps: [ wait: 1m, customer: {{ about: hat, says: Раз }} ]\nexpect: [ status: {{ about: hat, {expected} }} ]"
        );
        let (shop, _) = Shop::playing(&steps).await;
        assert_eq!(shop.verdict(), Verdict::Pending);
        shop.later(MINUTE).await;
        assert_eq!(shop.verdict(), verdict, "{expected}");
    }
}

#[tokio::test]
async fn what_the_partner_says() {
    for (expected, said, verdict) in [
        ("matching: трек", &["привет", "трек 5"][..], Verdict::Met),
        ("matching: трек", &["привет"], failed("the partner never said it")),
        ("about: hat", &["привет"], Verdict::Met),
        ("about: boots", &["привет"], failed("the partner never said it")),
        (
            "about: hat, dispute: true",
            &["привет"],
            failed("the partner never said it"),
        ),
        ("times: 2", &["а", "б"], Verdict::Met),
        ("times: 2", &["а"], failed("the partner said it 1 times")),
        ("times: 0", &[], Verdict::Met),
    ] {
        let steps = format!(
            "steps: [ customer: {{ about: hat, says: Раз }}, wait: 1h ]\nexpect: [ partner: {{ {expected} }} ]"
        );
        let (shop, cast) = Shop::playing(&steps).await;
        for text in said {
            shop.partner_says(cast.business, 0, text).await;
        }
        shop.to_the_end().await;
        assert_eq!(shop.verdict(), verdict, "{expected}, {said:?}");
    }
    // Once too often is known at once.
    let steps = "steps: [ customer: { about: hat, says: Раз }, wait: 1h ]\nexpect: [ partner: { times: 0 } ]";
    let (shop, cast) = Shop::playing(steps).await;
    shop.partner_says(cast.business, 0, "а").await;
    assert!(matches!(shop.verdict(), Verdict::Failed { .. }));
}

const ACKNOWLEDGED: &str = r#"
steps:
  - wait: 1m
  - customer: { about: hat, says: "Раз" }
  - customer: { about: hat, says: "Два" }
  - wait: 1h
expect:
  - acknowledged: { type: CHAT_MESSAGE_SENT, within: 5m }
"#;

/// A subscription of the scenario's business to a receiver that answers with this status.
async fn subscribe(shop: &Shop, business: prilavok_domain::BusinessId, status: StatusCode) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let body = r#"{"version":"1.0.0","name":"crm","time":"2025-01-16T10:09:49.759Z"}"#;
    let router = Router::new().route("/", post(move || async move { (status, body) }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let new = NewSubscription {
        business,
        name: SubscriptionName::new("crm").expect("a name"),
        url,
        types: EventTypes::ALL,
    };
    let store = &shop.app.store;
    let made = store
        .create_subscription(new, None, shop.app.now())
        .await
        .expect("made")
        .value;
    store
        .switch_subscription(business, made.id, Switch::On)
        .await
        .expect("enabled");
}

/// Waits until the delivery log has so many lines.
async fn tried(shop: &Shop, business: prilavok_domain::BusinessId, lines: usize) {
    let enough = async {
        loop {
            let log = shop
                .app
                .store
                .attempts(business, Default::default(), None, 100)
                .await;
            if log.expect("read").items.len() >= lines {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), enough)
        .await
        .expect("it is tried");
}

#[tokio::test]
async fn events_are_accepted() {
    let (shop, cast) = Shop::playing(ACKNOWLEDGED).await;
    subscribe(&shop, cast.business, StatusCode::OK).await;
    let background = shop.app.start_background();
    shop.later(MINUTE).await;
    // The beginning of the chat is an event as well.
    tried(&shop, cast.business, 3).await;
    shop.later(HOUR).await;
    assert_eq!(shop.verdict(), Verdict::Met);
    drop(background);
}

#[tokio::test]
async fn events_are_not_accepted() {
    let (shop, cast) = Shop::playing(ACKNOWLEDGED).await;
    subscribe(&shop, cast.business, StatusCode::BAD_GATEWAY).await;
    let background = shop.app.start_background();
    shop.later(MINUTE).await;
    tried(&shop, cast.business, 1).await;
    drop(background);
    assert_eq!(shop.due_in(), Some(5 * MINUTE));
    shop.later(5 * MINUTE).await;
    let chat = shop.chats(cast.business).await[0].id;
    let reason = format!("the event of 2025-01-16T10:01:00.000Z in chat {chat} was not accepted in time");
    assert_eq!(shop.verdict(), failed(&reason));
}

#[tokio::test]
async fn nobody_accepts_events() {
    let (shop, _) = Shop::playing(ACKNOWLEDGED).await;
    shop.to_the_end().await;
    let Verdict::Failed { reason } = shop.verdict() else {
        panic!("there is no subscription");
    };
    assert!(
        reason.ends_with("was not accepted at all: no subscription is enabled"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_chat_that_is_opened_again_needs_an_answer() {
    let steps = "steps: [ customer: { about: hat, says: Спасибо }, finish: { about: hat }, customer: { about: hat, says: Ещё } ]\n\
                 expect: [ answered: { within: 10m } ]";
    let (shop, cast) = Shop::playing(steps).await;
    assert_eq!(shop.verdict(), Verdict::Pending);
    shop.partner_says(cast.business, 0, "Да?").await;
    assert_eq!(shop.verdict(), Verdict::Met);
}
