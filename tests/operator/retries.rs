//! Requests that are sent again under their idempotency key.

use reqwest::Method;
use reqwest::blocking::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::desk::{Answer, BUSINESS, Desk};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[test]
fn each_post_happens_once() {
    let desk = Desk::open();
    let chat = desk.chat_about_order(1);
    for (key, path, body) in [
        (
            "message",
            format!("{chat}/messages"),
            json!({"sender": "CUSTOMER", "message": "once"}),
        ),
        ("escalate", format!("{chat}/escalate"), Value::Null),
        ("arbitration", format!("{chat}/arbitration"), Value::Null),
        ("finish", format!("{chat}/finish"), Value::Null),
        (
            "chat",
            format!("{BUSINESS}/chats"),
            json!({"context": {"type": "ORDER", "id": 1}}),
        ),
    ] {
        let first = desk.post_once(key, &path, &body);
        assert!(!first.replayed(), "{path}");
        let again = desk.post_once(key, &path, &body);
        assert!(again.replayed(), "{path}: {:?}", again.json());
        assert_eq!(again.status, first.status, "{path}");
        assert_eq!(again.json()["messageId"], first.json()["messageId"], "{path}");
        assert_eq!(again.json()["chatId"], first.json()["chatId"], "{path}");
    }
    assert_eq!(
        desk.get(&format!("{chat}/messages")).is(200)["items"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[test]
fn a_replayed_key_keeps_its_secret() {
    let desk = Desk::open();
    for (things, id, body) in [
        (
            "keys",
            "keyId",
            json!({"name": "CRM", "scopes": ["communication"]}),
        ),
        ("oauth-tokens", "tokenId", json!({"name": "CRM"})),
    ] {
        let path = format!("{BUSINESS}/{things}");
        let first = desk.post_once(things, &path, &body).is(201);
        let again = desk.post_once(things, &path, &body);
        assert!(again.replayed());
        let again = again.is(201);
        assert_eq!(again[id], first[id]);
        assert!(again.get("secret").is_none());
        assert!(
            again["secretNote"]
                .as_str()
                .is_some_and(|note| note.contains("cannot be shown again"))
        );
        assert!(first.get("secretNote").is_none());
        assert_eq!(desk.get(&path).is(200)["items"].as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn the_same_key_for_something_else_is_refused() {
    let desk = Desk::open();
    let (chat, other) = (desk.chat_about_order(1), desk.chat_about_order(2));
    let path = format!("{chat}/messages");
    desk.post_once("k", &path, &json!({"sender": "CUSTOMER", "message": "one"}))
        .is(201);
    for (path, body) in [
        (path.clone(), json!({"sender": "CUSTOMER", "message": "two"})),
        (path.clone(), json!({"sender": "MARKET", "message": "one"})),
        (
            format!("{other}/messages"),
            json!({"sender": "CUSTOMER", "message": "one"}),
        ),
        (format!("{chat}/finish"), Value::Null),
        (
            format!("{BUSINESS}/keys"),
            json!({"name": "CRM", "scopes": ["communication"]}),
        ),
    ] {
        let answer = desk.post_once("k", &path, &body);
        assert_eq!(
            answer.fails(400, "IDEMPOTENCY_KEY_REUSED"),
            ["Idempotency-Key: the Idempotency-Key was used for another request within the last 24 hours"]
        );
    }
    // The order of the fields does not make another request.
    let same = desk.request(Method::POST, &path).header("Idempotency-Key", "k");
    let same = same.header("Content-Type", "application/json");
    let same = Answer::to(same.body("{ \"message\":\"one\",\n\"sender\":\"CUSTOMER\" }"));
    assert!(same.replayed());
    same.is(201);
}

#[test]
fn a_key_is_forgotten_after_a_day() {
    let desk = Desk::open();
    let path = format!("{}/messages", desk.chat_about_order(1));
    let body = json!({"sender": "CUSTOMER", "message": "good morning"});
    let first = desk.post_once("k", &path, &body).is(201);
    desk.advance(DAY_MS - 1);
    assert!(desk.post_once("k", &path, &body).replayed());
    desk.advance(1);
    let next = desk.post_once("k", &path, &body);
    assert!(!next.replayed());
    assert_ne!(next.is(201)["messageId"], first["messageId"]);
}

#[test]
fn what_was_refused_is_not_remembered() {
    let desk = Desk::open();
    let path = format!("{}/finish", desk.chat_about_order(1));
    desk.act(&path).is(200);
    desk.post_once("k", &path, &Value::Null)
        .fails(400, "RULE_VIOLATED");
    let message = json!({"sender": "CUSTOMER", "message": "reopen"});
    desk.post(&path.replace("finish", "messages"), &message).is(201);
    let answer = desk.post_once("k", &path, &Value::Null);
    assert!(!answer.replayed());
    assert_eq!(answer.is(200)["status"], "FINISHED");
}

#[test]
fn keys_that_cannot_be() {
    let desk = Desk::open();
    let path = format!("{}/finish", desk.chat_about_order(1));
    for key in ["", "two words", "ключ", &"x".repeat(256)] {
        let request = desk.request(Method::POST, &path);
        let value = reqwest::header::HeaderValue::from_bytes(key.as_bytes()).expect("a value");
        let answer = Answer::to(request.header("Idempotency-Key", value));
        assert_eq!(
            answer.fails(400, "VALIDATION_FAILED"),
            ["Idempotency-Key: must be one key of 1 to 255 visible ASCII characters"],
            "{key}"
        );
    }
    assert_eq!(
        Answer::to(
            desk.request(Method::POST, &path)
                .header("Idempotency-Key", "x".repeat(255))
        )
        .status,
        200
    );
}

#[test]
fn files_that_are_sent_again_are_kept_once() {
    let desk = Desk::open();
    let path = format!("{}/files", desk.chat_about_order(1));
    let send = |content: &'static str| {
        let form = Form::new()
            .text("sender", "CUSTOMER")
            .part("file", Part::text(content).file_name("a.txt"));
        let request = desk.request(Method::POST, &path).header("Idempotency-Key", "k");
        Answer::to(request.multipart(form))
    };
    let first = send("one").is(201);
    let again = send("one");
    assert!(again.replayed());
    let again = again.is(201);
    assert_eq!(again["messageId"], first["messageId"]);
    assert_eq!(again["files"][0]["fileId"], first["files"][0]["fileId"]);
    send("two").fails(400, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(desk.stored_files(1), 1, "what was sent in vain is removed");
}
