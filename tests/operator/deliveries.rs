//! The delivery log, and sending again.

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::desk::{BUSINESS, Desk};
use crate::receiver::{Behaviour, Receiver};

const DELIVERIES: &str = "/operator/v1/businesses/1/deliveries";
const MINUTE_MS: i64 = 60_000;

fn subscribe(desk: &Desk, receiver: &Receiver, name: &str) -> i64 {
    let body = json!({"name": name, "url": receiver.url()});
    let created = desk.post(&format!("{BUSINESS}/subscriptions"), &body).is(201);
    created["subscriptionId"].as_i64().expect("an id")
}

/// The log, once it has so many lines.
#[track_caller]
fn logged(desk: &Desk, lines: usize) -> Vec<Value> {
    let has = |page: &Value| page["items"].as_array().is_some_and(|items| items.len() == lines);
    let page = desk.eventually(DELIVERIES, has);
    page["items"].as_array().expect("a list").clone()
}

/// The outcomes of a filtered log.
fn outcomes(desk: &Desk, query: &str) -> Vec<String> {
    let page = desk.get(&format!("{DELIVERIES}?{query}")).is(200);
    let items = page["items"].as_array().expect("a list").iter();
    items
        .map(|it| it["outcome"].as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn every_try_is_logged_until_the_event_is_accepted() {
    let (desk, receiver) = (Desk::notifying(), Receiver::start());
    let subscription = subscribe(&desk, &receiver, "crm");
    receiver.now(Behaviour::Answers(503, "busy"));
    desk.chat_about_order(1);
    let mut failed = logged(&desk, 1).remove(0);
    assert_eq!(
        desk.get(&format!("{DELIVERIES}/{}", failed["deliveryId"]))
            .is(200),
        failed
    );
    assert!(failed["durationMs"].is_u64());
    assert_eq!(failed["subscriptionId"], subscription);
    failed["durationMs"] = json!(0);
    // Not every store counts events from one; the receiver is told the same id.
    let event = std::mem::replace(&mut failed["eventId"], json!(1));
    assert_json_snapshot!(failed);

    receiver.now(Behaviour::Accepts);
    desk.advance(MINUTE_MS);
    let both = logged(&desk, 2);
    let outcomes: Vec<&Value> = both.iter().map(|it| &it["outcome"]).collect();
    assert_eq!(outcomes, ["DELIVERED", "FAILED"], "the newest first");
    assert_eq!(both[0]["at"], "2025-01-16T10:10:49.759Z");
    let events = receiver.events(2);
    assert_eq!(events[0].header("webhook-id"), events[1].header("webhook-id"));
    assert_eq!(events[0].header("webhook-id"), format!("evt_{event}"));
    assert_eq!(both[0]["eventId"], event);
}

#[test]
fn the_log_is_filtered_and_paged() {
    let desk = Desk::notifying();
    let (first, second) = (Receiver::start(), Receiver::start());
    let (one, two) = (subscribe(&desk, &first, "one"), subscribe(&desk, &second, "two"));
    desk.chat_about_order(1);
    logged(&desk, 2);
    desk.advance(1);
    second.now(Behaviour::Answers(
        400,
        r#"{"error":{"type":"DUPLICATED_EVENT","message":"known"}}"#,
    ));
    desk.chat_about_order(2);
    let all = logged(&desk, 4);
    let event = &all[3]["eventId"];
    for (query, expected) in [
        (format!("subscriptionId={one}"), &["DELIVERED", "DELIVERED"][..]),
        (format!("subscriptionId={two}"), &["REFUSED", "DELIVERED"]),
        ("outcome=REFUSED".to_owned(), &["REFUSED"]),
        ("outcome=GIVEN_UP".to_owned(), &[]),
        (format!("eventId={event}"), &["DELIVERED", "DELIVERED"]),
        (format!("eventId={event}&subscriptionId={two}"), &["DELIVERED"]),
        (
            "until=2025-01-16T10:09:49.760Z".to_owned(),
            &["DELIVERED", "DELIVERED"],
        ),
        (
            "from=2025-01-16T13:09:49.760%2B03:00&outcome=REFUSED".to_owned(),
            &["REFUSED"],
        ),
        ("from=2025-01-16T10:09:49.7600001Z".to_owned(), &[]),
    ] {
        assert_eq!(outcomes(&desk, &query), expected, "{query}");
    }
    let mut ids = Vec::new();
    let mut next = format!("{DELIVERIES}?limit=3");
    loop {
        let page = desk.get(&next).is(200);
        ids.extend(
            page["items"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|it| it["deliveryId"].clone()),
        );
        match page["nextCursor"].as_str() {
            Some(cursor) => next = format!("{DELIVERIES}?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    let expected: Vec<Value> = all.iter().map(|it| it["deliveryId"].clone()).collect();
    assert_eq!(ids, expected);
    for (query, problem) in [
        (
            "outcome=LOST",
            "outcome: must be one of DELIVERED, REFUSED, FAILED, GIVEN_UP",
        ),
        (
            "from=yesterday",
            "from: must be an instant like 2025-01-16T10:09:49.759Z",
        ),
        (
            "subscription=1",
            "subscription: is not a parameter of this operation",
        ),
    ] {
        let problems = desk
            .get(&format!("{DELIVERIES}?{query}"))
            .fails(400, "VALIDATION_FAILED");
        assert!(problems[0].starts_with(problem), "{problems:?}");
    }
}

#[test]
fn an_event_is_sent_again() {
    let (desk, receiver) = (Desk::notifying(), Receiver::start());
    let subscription = subscribe(&desk, &receiver, "crm");
    desk.chat_about_order(1);
    let delivery = logged(&desk, 1)[0]["deliveryId"].clone();
    let again = format!("{DELIVERIES}/{delivery}/send-again");
    assert_eq!(desk.act(&again).is(200), json!({"queued": 1}));
    let events = receiver.events(2);
    assert_eq!(events[0].body, events[1].body);
    assert_eq!(events[0].header("webhook-id"), events[1].header("webhook-id"));
    logged(&desk, 2);

    let path = format!("{BUSINESS}/subscriptions/{subscription}");
    desk.act(&format!("{path}/disable")).is(200);
    let message = desk.act(&again).message(409, "CONFLICT");
    assert_eq!(message, "The subscription is disabled: enable it first");
    desk.delete(&path);
    let answer = desk.act(&again);
    assert_eq!(
        answer.message(404, "NOT_FOUND"),
        "The delivery's subscription was deleted"
    );
    assert_eq!(logged(&desk, 2).len(), 2, "the log stays");
}

#[test]
fn an_event_that_is_no_longer_kept_cannot_be_sent_again() {
    let (desk, receiver) = (Desk::notifying(), Receiver::start());
    subscribe(&desk, &receiver, "crm");
    desk.chat_about_order(1);
    let delivery = logged(&desk, 1)[0]["deliveryId"].clone();
    desk.place.execute("DELETE FROM event");
    let answer = desk.act(&format!("{DELIVERIES}/{delivery}/send-again"));
    assert_eq!(
        answer.message(404, "NOT_FOUND"),
        "The delivery's event is no longer kept"
    );
}

#[test]
fn the_events_of_a_time_are_sent_again() {
    let (desk, receiver) = (Desk::notifying(), Receiver::start());
    let subscription = subscribe(&desk, &receiver, "crm");
    for order in [1, 2] {
        desk.chat_about_order(order);
        desk.advance(MINUTE_MS);
    }
    receiver.events(2);
    let path = format!("{BUSINESS}/subscriptions/{subscription}/send-again");
    let again = |from: &str, until: &str| desk.post(&path, &json!({"from": from, "until": until}));
    // The first event is of 10:09:49.759, the second a minute later.
    let queued = again("2025-01-16T10:09:49.759Z", "2025-01-16T10:10:49.759Z").is(200);
    assert_eq!(queued, json!({"queued": 1}), "the end is not included");
    let events = receiver.events(3);
    assert_eq!(events[2].body, events[0].body);
    assert_eq!(
        again("2025-01-16T00:00:00Z", "2025-01-17T00:00:00Z").is(200),
        json!({"queued": 2})
    );
    let events = receiver.events(5);
    assert_eq!(
        (&events[3].body, &events[4].body),
        (&events[0].body, &events[1].body)
    );
    for (from, until) in [
        ("2025-01-17T00:00:00Z", "2025-01-16T00:00:00Z"),
        ("2025-01-16T00:00:00Z", "2025-01-16T00:00:00Z"),
    ] {
        let problems = again(from, until).fails(400, "VALIDATION_FAILED");
        assert_eq!(problems, ["until: must be later than from"]);
    }
    desk.act(&path.replace("send-again", "disable")).is(200);
    again("2025-01-16T00:00:00Z", "2025-01-17T00:00:00Z").fails(409, "CONFLICT");
}

#[test]
fn a_business_sees_its_own_only() {
    let (desk, receiver) = (Desk::notifying(), Receiver::start());
    let subscription = subscribe(&desk, &receiver, "crm");
    desk.chat_about_order(1);
    let delivery = logged(&desk, 1)[0]["deliveryId"].clone();
    desk.put("/operator/v1/businesses/2", &json!({"name": "other"}))
        .is(201);
    let foreign = DELIVERIES.replace("businesses/1", "businesses/2");
    for query in [String::new(), format!("?subscriptionId={subscription}")] {
        assert_eq!(
            desk.get(&format!("{foreign}{query}")).is(200),
            json!({"items": []})
        );
    }
    for answer in [
        desk.get(&format!("{foreign}/{delivery}")),
        desk.act(&format!("{foreign}/{delivery}/send-again")),
    ] {
        assert_eq!(
            answer.fails(404, "NOT_FOUND"),
            ["deliveryId: names what does not exist"]
        );
    }
    receiver.events(1);
}
