//! PINGs: no subscription is made or enabled before its receiver answers one as documented.

use std::sync::Arc;
use std::time::Duration;

use prilavok_domain::{BusinessId, Clock, EventTypes};
use prilavok_notify::{Enrolment, Guard, Patience, Sender, SigningSecrets, SystemResolver, WebhookClient};
use prilavok_store::{NewSubscription, SubscriptionName};
use serde_json::json;

use crate::desk::Desk;
use crate::receiver::{Behaviour, Receiver, nobody};
use crate::subscriptions::{LATE, SUBSCRIPTIONS, path, secret};

#[test]
fn a_ping_that_is_not_answered_as_documented_makes_nothing() {
    let (desk, receiver) = (Desk::notifying(), Receiver::start());
    let closed = nobody();
    for (behaviour, url, told) in [
        (
            Behaviour::Answers(500, "{\"oops\": 1}"),
            receiver.url(),
            [
                "the answer was 500 instead of 200 (HTTP 500 after ",
                " ms); the answer began: {\"oops\": 1}",
            ],
        ),
        (
            Behaviour::Answers(200, r#"{"version":"1","name":"x"}"#),
            receiver.url(),
            [
                "200, but \"time\" is missing in its body (HTTP 200 after ",
                "began: {\"version\":\"1\",\"name\":\"x\"}",
            ],
        ),
        (
            Behaviour::Answers(400, r#"{"error":{"type":"UNKNOWN","message":"who?"}}"#),
            receiver.url(),
            [
                "the receiver refused it: UNKNOWN who? (HTTP 400 after ",
                "UNKNOWN",
            ],
        ),
        (
            LATE,
            receiver.url(),
            ["there was no answer within 1 s (no HTTP status after 1", " ms)"],
        ),
        (
            Behaviour::Accepts,
            closed,
            ["cannot connect to 127.0.0.1:", "(no HTTP status after "],
        ),
    ] {
        receiver.now(behaviour);
        let answer = desk.post_once("k", SUBSCRIPTIONS, &json!({"name": "crm", "url": url}));
        assert_eq!(
            answer.fails(400, "PING_FAILED"),
            ["url: must answer a PING as documented"]
        );
        let message = answer.message(400, "PING_FAILED");
        assert!(
            message.starts_with("The PING was not answered as agreed: "),
            "{message}"
        );
        assert!(
            told.iter().all(|part| message.contains(part)),
            "{told:?}: {message}"
        );
        assert_eq!(desk.get(SUBSCRIPTIONS).is(200), json!({"items": []}));
    }
    // What was refused is not remembered under its key, and its name is free.
    receiver.now(Behaviour::Accepts);
    let body = json!({"name": "crm", "url": receiver.url()});
    let answer = desk.post_once("k", SUBSCRIPTIONS, &body);
    assert!(!answer.replayed());
    assert_eq!(answer.is(201)["enabled"], true);
}

#[test]
fn an_answer_is_quoted_up_to_200_characters() {
    let (desk, receiver) = (Desk::notifying(), Receiver::start());
    let long: &'static str = "ю".repeat(300).leak();
    receiver.now(Behaviour::Answers(503, long));
    let answer = desk.post(SUBSCRIPTIONS, &json!({"name": "crm", "url": receiver.url()}));
    let message = answer.message(400, "PING_FAILED");
    assert_eq!(message.chars().filter(|c| *c == 'ю').count(), 200, "{message}");
}

#[test]
fn a_replay_makes_one_subscription_and_does_not_show_its_secret() {
    let (desk, receiver) = (Desk::notifying(), Receiver::start());
    let body = json!({"name": "crm", "url": receiver.url()});
    let first = desk.post_once("k", SUBSCRIPTIONS, &body);
    let again = desk.post_once("k", SUBSCRIPTIONS, &body);
    assert!(!first.replayed() && again.replayed());
    let (first, again) = (first.is(201), again.is(201));
    assert_eq!(first["subscriptionId"], again["subscriptionId"]);
    assert_eq!(first.get("secretNote"), None);
    assert_eq!(again.get("secret"), None);
    assert!(
        again["secretNote"]
            .as_str()
            .is_some_and(|note| note.contains("rotate it"))
    );
    assert_eq!(receiver.pings(), 1);
    let other = json!({"name": "other", "url": receiver.url()});
    desk.post_once("k", SUBSCRIPTIONS, &other)
        .fails(400, "IDEMPOTENCY_KEY_REUSED");
}

#[test]
fn a_receiver_may_be_given_the_secret_before_it_is_asked() {
    let (desk, receiver) = (Desk::notifying(), Receiver::start());
    receiver.now(Behaviour::Answers(401, "who are you?"));
    let body =
        json!({"name": "crm", "url": receiver.url(), "types": ["CHAT_MESSAGE_SENT"], "enabled": false});
    let created = desk.post(SUBSCRIPTIONS, &body).is(201);
    assert_eq!(
        (&created["enabled"], &created["disabledBy"]),
        (&json!(false), &json!("HAND"))
    );
    assert_eq!(receiver.received().len(), 0);
    let enable = format!("{}/enable", path(&created));
    let message = desk.act(&enable).message(400, "PING_FAILED");
    assert!(message.contains("the answer was 401 instead of 200"), "{message}");
    assert_eq!(desk.get(&path(&created)).is(200)["enabled"], false);

    receiver.now(Behaviour::Accepts);
    // What happened before it was enabled is not sent.
    let chat = desk.chat_about_order(1);
    desk.post(
        &format!("{chat}/messages"),
        &json!({"sender": "MARKET", "message": "early"}),
    )
    .is(201);
    let enabled = desk.act(&enable).is(200);
    assert_eq!(enabled["enabled"], true);
    assert_eq!(enabled.get("disabledBy"), None);
    assert_eq!(receiver.pings(), 2);
    assert!(
        receiver
            .received()
            .iter()
            .all(|one| one.is_signed_with(secret(&created)))
    );
    assert_eq!(
        desk.act(&enable).is(200),
        enabled,
        "enabling again changes nothing"
    );
    assert_eq!(receiver.pings(), 2, "and sends nothing");
    desk.chat_about_order(2);
    let late = desk
        .post(
            &format!("{chat}/messages"),
            &json!({"sender": "MARKET", "message": "late"}),
        )
        .is(201);
    let events = receiver.events(1);
    assert_eq!(
        events[0].body["messageId"], late["messageId"],
        "one of its types, and the later one"
    );
}

#[test]
fn private_addresses_are_not_notified_unless_allowed() {
    let (desk, receiver) = (Desk::open(), Receiver::start());
    let create = |url: &str| desk.post(SUBSCRIPTIONS, &json!({"name": "crm", "url": url}));
    let plain = create(&receiver.url()).fails(400, "VALIDATION_FAILED");
    assert!(plain[0].starts_with("url: must begin with https://"), "{plain:?}");
    for url in ["https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/"] {
        let private = create(url).fails(400, "VALIDATION_FAILED");
        assert!(
            private[0].contains("notifications.allowed_networks")
                && private[0].contains("--allow-private-webhooks"),
            "{private:?}"
        );
    }
    // A name tells only when it is looked up.
    let message = create("https://localhost/").message(400, "PING_FAILED");
    assert!(
        message.contains("a loopback address") && message.contains("allowed_networks"),
        "{message}"
    );
    assert_eq!(desk.get(SUBSCRIPTIONS).is(200), json!({"items": []}));
    assert_eq!(receiver.received().len(), 0);
}

#[test]
fn a_caller_that_goes_away_leaves_nothing_half_made() {
    let (desk, receiver) = (Desk::notifying(), Receiver::start());
    receiver.now(LATE);
    let client = WebhookClient::new(Guard::open(), Arc::new(SystemResolver));
    let secrets = SigningSecrets::new(&[7; 32]);
    let clock = Arc::new(desk.clock.clone());
    let sender = Sender::new(client, secrets, clock, Patience::default());
    let enrolment = Enrolment::new(Arc::clone(&desk.store), sender);
    let new = NewSubscription {
        business: BusinessId::new(1).expect("an id"),
        name: SubscriptionName::new("crm").expect("a name"),
        url: receiver.url(),
        types: EventTypes::ALL,
    };
    let impatient = Duration::from_millis(300);
    let creation = enrolment.create(new, true, None, desk.clock.now());
    desk.block_on(async { tokio::time::timeout(impatient, creation).await })
        .expect_err("it takes longer");
    let half = desk.get(SUBSCRIPTIONS).is(200);
    assert_eq!(half["items"][0]["enabled"], false, "{half:#}");
    desk.eventually(SUBSCRIPTIONS, |page| page["items"] == json!([]));
}
