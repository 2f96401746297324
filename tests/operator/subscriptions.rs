//! Subscriptions: nobody is told of anything before answering a PING, and changes act at once.

use std::time::Duration;

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::desk::{Answer, Desk};
use crate::receiver::{Behaviour, Receiver, nobody};

pub(crate) const SUBSCRIPTIONS: &str = "/operator/v1/businesses/1/subscriptions";
/// Later than a PING is waited for.
pub(crate) const LATE: Behaviour = Behaviour::IsLate(Duration::from_millis(1_500));

fn subscribe(desk: &Desk, receiver: &Receiver) -> Value {
    let body = json!({"name": "crm", "url": receiver.url()});
    desk.post(SUBSCRIPTIONS, &body).is(201)
}

pub(crate) fn path(subscription: &Value) -> String {
    format!("{SUBSCRIPTIONS}/{}", subscription["subscriptionId"])
}

pub(crate) fn secret(subscription: &Value) -> &str {
    subscription["secret"].as_str().expect("a secret")
}

#[test]
fn a_subscription_is_pinged_and_told_and_its_secret_signs() {
    let (desk, receiver) = (Desk::notifying(), Receiver::start());
    let mut created = subscribe(&desk, &receiver);
    let secret = secret(&created).to_owned();
    assert_eq!(receiver.pings(), 1);

    let chat = desk.chat_about_order(1);
    let said = json!({"sender": "CUSTOMER", "message": "Здравствуйте!"});
    let message = desk.post(&format!("{chat}/messages"), &said).is(201);
    let events = receiver.events(2);
    let kinds: Vec<&str> = events.iter().map(|event| event.kind()).collect();
    assert_eq!(kinds, ["CHAT_CREATED", "CHAT_MESSAGE_SENT"]);
    assert_eq!(events[1].body["messageId"], message["messageId"]);
    for one in receiver.received() {
        assert!(one.is_signed_with(&secret), "{one:?}");
        assert!(!one.is_signed_with("whsec_AAAA"));
    }

    created.as_object_mut().expect("an object").remove("secret");
    assert_eq!(desk.get(&path(&created)).is(200), created);
    assert_eq!(desk.get(SUBSCRIPTIONS).is(200), json!({"items": [created]}));
    created["url"] = json!("the receiver's");
    assert_json_snapshot!(created);
}

#[test]
fn a_changed_url_is_pinged_before_it_is_used() {
    let desk = Desk::notifying();
    let (old, new) = (Receiver::start(), Receiver::start());
    let created = subscribe(&desk, &old);
    let path = path(&created);
    new.now(Behaviour::Answers(404, ""));
    let answer = desk.patch(&path, &json!({"name": "moved", "url": new.url()}));
    assert_eq!(
        answer.fails(400, "PING_FAILED"),
        ["url: must answer a PING as documented"]
    );
    let unchanged = desk.get(&path).is(200);
    assert_eq!(
        (&unchanged["name"], &unchanged["url"]),
        (&json!("crm"), &json!(old.url()))
    );

    new.now(Behaviour::Accepts);
    let moved = desk
        .patch(
            &path,
            &json!({"name": "moved", "url": new.url(), "types": ["CHAT_CREATED"]}),
        )
        .is(200);
    assert_eq!(
        (&moved["name"], &moved["url"]),
        (&json!("moved"), &json!(new.url()))
    );
    assert_eq!(moved["types"], json!(["CHAT_CREATED"]));
    desk.chat_about_order(1);
    new.events(1);
    assert_eq!(old.events(0).len(), 0);

    // Nobody is asked about a URL that stays, or that is not used yet.
    let pings = new.pings();
    desk.patch(&path, &json!({"url": new.url(), "name": "again"}))
        .is(200);
    desk.act(&format!("{path}/disable")).is(200);
    desk.patch(&path, &json!({"url": nobody()})).is(200);
    assert_eq!(new.pings(), pings);
    desk.act(&format!("{path}/enable")).fails(400, "PING_FAILED");
}

#[test]
fn what_waits_is_cancelled_when_it_is_disabled() {
    let (desk, receiver) = (Desk::notifying(), Receiver::start());
    let created = subscribe(&desk, &receiver);
    let path = path(&created);
    receiver.now(Behaviour::Answers(500, ""));
    desk.chat_about_order(1);
    receiver.events(1);
    let failing = desk.eventually(&path, |it| it.get("nextTryAt").is_some());
    assert_eq!(failing["failingSince"], "2025-01-16T10:09:49.759Z");
    assert_eq!(failing["nextTryAt"], "2025-01-16T10:10:49.759Z");
    let disabled = desk.act(&format!("{path}/disable")).is(200);
    assert_eq!(
        (&disabled["enabled"], &disabled["disabledBy"]),
        (&json!(false), &json!("HAND"))
    );
    assert_eq!(disabled.get("nextTryAt"), None);
    assert_eq!(
        desk.act(&format!("{path}/disable")).is(200),
        disabled,
        "again changes nothing"
    );

    receiver.now(Behaviour::Accepts);
    desk.act(&format!("{path}/enable")).is(200);
    desk.advance(120_000);
    desk.chat_about_order(2);
    let events = receiver.events(2);
    assert_ne!(
        events[0].body["chatId"], events[1].body["chatId"],
        "the first is not tried again"
    );
}

#[test]
fn a_switch_acts_before_it_is_answered() {
    let (desk, receiver) = (Desk::notifying(), Receiver::start());
    let created = subscribe(&desk, &receiver);
    desk.act(&format!("{}/disable", path(&created))).is(200);
    desk.chat_about_order(1);
    // Longer than a watch over other processes' changes would need to make up for it.
    std::thread::sleep(Duration::from_millis(300));
    desk.act(&format!("{}/enable", path(&created))).is(200);
    let chat = desk.chat_about_order(2);
    let event = receiver.events(1).remove(0);
    assert!(chat.ends_with(&format!("/{}", event.body["chatId"])), "{event:?}");
}

#[test]
fn a_ping_may_be_tried_and_changes_nothing() {
    let (desk, receiver) = (Desk::notifying(), Receiver::start());
    let created = subscribe(&desk, &receiver);
    let ping = format!("{}/ping", path(&created));
    let before = desk.get(&path(&created)).is(200);
    let mut accepted = desk.act(&ping).is(200);
    assert!(accepted["durationMs"].is_u64());
    accepted["durationMs"] = json!(0);
    assert_json_snapshot!(accepted);
    receiver.now(Behaviour::Answers(502, "<html>"));
    let refused = desk.act(&ping).is(200);
    assert_eq!(refused["accepted"], false);
    assert_eq!(
        (&refused["status"], &refused["answer"]),
        (&json!(502), &json!("<html>"))
    );
    assert_eq!(refused["error"], "the answer was 502 instead of 200");
    receiver.now(LATE);
    let late = desk.act(&ping).is(200);
    assert_eq!((late.get("status"), &late["accepted"]), (None, &json!(false)));
    assert_eq!(desk.get(&path(&created)).is(200), before);
}

#[test]
fn both_secrets_sign_until_the_previous_one_ends() {
    let (desk, receiver) = (Desk::notifying(), Receiver::start());
    let created = subscribe(&desk, &receiver);
    let rotate = format!("{}/rotate-secret", path(&created));
    let rotated = desk.post(&rotate, &json!({"previousValidSeconds": 60})).is(200);
    assert_eq!(rotated["previousSecretValidUntil"], "2025-01-16T10:10:49.759Z");
    let (old, new) = (secret(&created), secret(&rotated));
    assert_ne!(old, new);
    let signed = || {
        desk.act(&format!("{}/ping", path(&created))).is(200);
        let received = receiver.received();
        let last = received.last().expect("a PING");
        (last.is_signed_with(old), last.is_signed_with(new))
    };
    assert_eq!(signed(), (true, true));
    desk.advance(60_000);
    assert_eq!(signed(), (false, true));
    assert_eq!(desk.get(&path(&created)).is(200).get("secret"), None);
    let usual = desk.post(&rotate, &json!({})).is(200);
    assert_eq!(
        usual["previousSecretValidUntil"], "2025-01-17T10:10:49.759Z",
        "a day"
    );
    for seconds in [json!(-1), json!(604_801), json!(1.5), json!("60")] {
        let answer = desk.post(&rotate, &json!({"previousValidSeconds": seconds}));
        assert_eq!(
            answer.fails(400, "VALIDATION_FAILED"),
            ["previousValidSeconds: must be an integer from 0 to 604800"]
        );
    }
}

#[test]
fn a_deleted_subscription_is_told_of_nothing() {
    let (desk, receiver) = (Desk::notifying(), Receiver::start());
    let created = subscribe(&desk, &receiver);
    let path = path(&created);
    let deleted = desk.delete(&path);
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    desk.chat_about_order(1);
    desk.delete(&path).fails(404, "NOT_FOUND");
    desk.get(&path).fails(404, "NOT_FOUND");
    assert_eq!(desk.get(SUBSCRIPTIONS).is(200), json!({"items": []}));
    // One that comes later is told of what comes later.
    let other = Receiver::start();
    subscribe(&desk, &other);
    desk.chat_about_order(2);
    other.events(1);
    assert_eq!(receiver.events(0).len(), 0);
}

#[test]
fn wrong_fields_are_named() {
    let desk = Desk::notifying();
    for (body, problems) in [
        (json!({}), vec!["name: is required", "url: is required"]),
        (
            json!({"name": "", "url": 7, "types": [], "enabled": "yes"}),
            vec![
                "name: must have 1 to 100 characters and no control characters",
                "url: must be a string",
                "types: must have at least one element",
                "enabled: must be true or false",
            ],
        ),
        (
            json!({"name": "x", "url": "https://x.example/", "types": ["CHAT_CREATED", "PING"], "secret": "x"}),
            vec![
                "types[1]: must be one of CHAT_CREATED, CHAT_MESSAGE_SENT",
                "secret: is not known here",
            ],
        ),
        (
            json!({"name": "x", "url": "crm"}),
            vec!["url: must be a URL like https://"],
        ),
        (
            json!({"name": "x", "url": "ftp://x.example/"}),
            vec!["url: must begin with https://"],
        ),
        (
            json!({"name": "x", "url": format!("https://x.example/{}", "ы".repeat(400)), "enabled": false}),
            vec!["url: must have at most 2048 characters"],
        ),
        (
            json!({"name": "x", "url": "https://a:b@x.example/"}),
            vec!["url: must not contain a user name or password"],
        ),
    ] {
        let found = desk.post(SUBSCRIPTIONS, &body).fails(400, "VALIDATION_FAILED");
        assert_eq!(found.len(), problems.len(), "{found:?}");
        for (found, expected) in found.iter().zip(problems) {
            assert!(found.starts_with(expected), "{found}");
        }
    }
    assert_eq!(desk.get(SUBSCRIPTIONS).is(200), json!({"items": []}));
}

#[test]
fn names_are_unique_and_urls_are_kept_normalised() {
    let desk = Desk::notifying();
    let create = |name: &str| {
        let url = "https://МАГАЗИН.рф/hook#part";
        desk.post(
            SUBSCRIPTIONS,
            &json!({"name": name, "url": url, "enabled": false}),
        )
    };
    let first = create("crm").is(201);
    assert_eq!(first["url"], "https://xn--80aairftm.xn--p1ai/hook");
    let taken = ["name: another one of this business has this name"];
    assert_eq!(create("crm").fails(409, "CONFLICT"), taken);
    let second = create("other").is(201);
    assert_eq!(
        desk.patch(&path(&second), &json!({"name": "crm"}))
            .fails(409, "CONFLICT"),
        taken
    );
}

#[test]
fn pages_follow_each_other() {
    let desk = Desk::notifying();
    for number in 1..=5 {
        let body = json!({"name": format!("crm {number}"), "url": "https://x.example/", "enabled": false});
        desk.post(SUBSCRIPTIONS, &body).is(201);
    }
    let mut names = Vec::new();
    let mut next = format!("{SUBSCRIPTIONS}?limit=2");
    loop {
        let page = desk.get(&next).is(200);
        let items = page["items"].as_array().expect("a list");
        assert!(items.len() <= 2);
        names.extend(
            items
                .iter()
                .map(|it| it["name"].as_str().expect("a name").to_owned()),
        );
        match page["nextCursor"].as_str() {
            Some(cursor) => next = format!("{SUBSCRIPTIONS}?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(names, ["crm 1", "crm 2", "crm 3", "crm 4", "crm 5"]);
}

#[test]
fn a_business_sees_its_own_only() {
    let (desk, receiver) = (Desk::notifying(), Receiver::start());
    let created = subscribe(&desk, &receiver);
    desk.put("/operator/v1/businesses/2", &json!({"name": "other"}))
        .is(201);
    let foreign = path(&created).replace("businesses/1", "businesses/2");
    let range = json!({"from": "2025-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"});
    let answers: [Answer; 8] = [
        desk.get(&foreign),
        desk.patch(&foreign, &json!({"name": "mine"})),
        desk.act(&format!("{foreign}/enable")),
        desk.act(&format!("{foreign}/disable")),
        desk.act(&format!("{foreign}/ping")),
        desk.post(&format!("{foreign}/rotate-secret"), &json!({})),
        desk.post(&format!("{foreign}/send-again"), &range),
        desk.delete(&foreign),
    ];
    for answer in answers {
        assert_eq!(
            answer.fails(404, "NOT_FOUND"),
            ["subscriptionId: names what does not exist"]
        );
    }
    let others = desk.get("/operator/v1/businesses/2/subscriptions").is(200);
    assert_eq!(others, json!({"items": []}));
    assert_eq!(receiver.pings(), 1, "nobody was asked");
    assert_eq!(desk.get(&path(&created)).is(200)["enabled"], true);
}
