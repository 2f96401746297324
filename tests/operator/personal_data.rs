//! Erasing customers, exporting what is kept about them, and what is shown of what is gone.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::desk::{Answer, BUSINESS, Desk};

const ANNA: &str = "/operator/v1/customers/anna";
const HOUR_MS: i64 = 3_600_000;

fn say(desk: &Desk, chat: &str, sender: &str, text: &str) -> Answer {
    desk.post(
        &format!("{chat}/messages"),
        &json!({"sender": sender, "message": text}),
    )
}

fn send_file(desk: &Desk, chat: &str, name: &str, content: &[u8]) -> Value {
    let part = reqwest::blocking::multipart::Part::bytes(content.to_owned()).file_name(name.to_owned());
    let form = reqwest::blocking::multipart::Form::new()
        .text("sender", "CUSTOMER")
        .part("file", part);
    Answer::to(
        desk.request(Method::POST, &format!("{chat}/files"))
            .multipart(form),
    )
    .is(201)
}

/// Waits until the erasure is done; the clock stands still otherwise.
fn done(desk: &Desk) -> Value {
    for _ in 0..300 {
        desk.advance(1_000);
        let shown = desk.get(&format!("{ANNA}/erasure")).is(200);
        if shown["status"] == "DONE" {
            return shown;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the erasure does not end");
}

#[test]
fn an_erasure_is_asked_for_followed_and_done_once() {
    let desk = Desk::open();
    for (method, path) in [
        (Method::DELETE, "/operator/v1/customers/nobody"),
        (Method::GET, "/operator/v1/customers/nobody/erasure"),
        (Method::GET, "/operator/v1/customers/nobody/export"),
        (Method::GET, "/operator/v1/customers/anna/erasure"),
    ] {
        let missing = Answer::to(desk.request(method, path)).is(404);
        assert_eq!(missing["error"]["code"], "NOT_FOUND");
        assert_eq!(missing["error"]["details"][0]["field"], "publicId");
    }
    for (method, path) in [
        (Method::DELETE, ""),
        (Method::GET, "/erasure"),
        (Method::GET, "/export"),
    ] {
        Answer::to(desk.anonymous(method, &format!("{ANNA}{path}"))).is(401);
    }
    let chat = desk.chat_about_order(1);
    say(&desk, &chat, "CUSTOMER", "I live in 5 Main Street").is(201);
    let sent = send_file(&desk, &chat, "passport.png", b"not really a picture");
    let url = sent["files"][0]["url"].as_str().expect("a link").to_owned();
    let path = url
        .split_once(&desk.address.to_string())
        .expect("our address")
        .1
        .to_owned();
    assert_eq!(Answer::to(desk.anonymous(Method::GET, &path)).status, 200);
    assert_eq!(desk.stored_files(1), 1);

    let asked = desk.delete(ANNA).is(202);
    assert_eq!(asked["publicId"], "anna");
    assert_eq!(
        (&asked["status"], &asked["chats"]),
        (&json!("UNDER_WAY"), &json!(1))
    );
    assert!(asked.get("finishedAt").is_none());
    let shown = desk.get(ANNA).is(200);
    assert_eq!(shown["name"], "Erased customer");
    assert!(shown["erasedAt"].is_string());

    let finished = done(&desk);
    assert_eq!(
        (&finished["chats"], &finished["chatsDone"]),
        (&json!(1), &json!(1))
    );
    assert!(finished["finishedAt"].is_string());
    assert_eq!(desk.delete(ANNA).is(200), finished, "once is enough");
    let messages = desk.get(&format!("{chat}/messages")).is(200);
    let texts: Vec<_> = messages["items"].as_array().expect("messages").iter().collect();
    assert_eq!(texts[0]["message"], "[erased]");
    assert_eq!(texts[1]["files"][0]["name"], "erased");
    assert!(texts[1]["files"][0]["removedAt"].is_string());
    assert_eq!(
        desk.get(&chat).is(200)["context"]["customer"]["name"],
        "Erased customer"
    );
    Answer::to(desk.anonymous(Method::GET, &path)).is(404);
    assert_eq!(desk.stored_files(0), 0, "the bytes are gone");

    let refused = say(&desk, &chat, "CUSTOMER", "hello").is(409);
    assert_eq!(refused["error"]["code"], "CONFLICT");
    let message = refused["error"]["message"].as_str().expect("a message");
    assert!(message.contains("registers them anew"), "{message}");
    say(&desk, &chat, "SUPPORT", "We close this").is(201);
    let new = json!({"context": {"type": "ORDER", "id": 3}});
    desk.post(&format!("{BUSINESS}/chats"), &new).is(409);
    desk.put(
        &format!("{BUSINESS}/orders/9"),
        &json!({"campaignId": 1, "customerId": "anna"}),
    )
    .is(409);
    let anew = desk.put(ANNA, &json!({"name": "Анна"})).is(200);
    assert!(anew.get("erasedAt").is_none());
    say(&desk, &chat, "CUSTOMER", "hello").is(201);
    desk.delete(ANNA).is(202);
    desk.put(ANNA, &json!({"name": "Анна"})).is(409);
    done(&desk);
}

#[test]
fn a_partner_reads_an_erased_chat_and_cannot_write_into_it() {
    let desk = Desk::open();
    let chat = desk.chat_about_order(1);
    say(&desk, &chat, "CUSTOMER", "I live in 5 Main Street").is(201);
    send_file(&desk, &chat, "passport.png", b"not really a picture");
    let (_, key) = desk.key("crm");
    desk.delete(ANNA).is(202);
    done(&desk);
    let id = chat.rsplit('/').next().expect("an id");
    let history = format!("/v2/businesses/1/chats/history?chatId={id}");
    let history = Answer::to(desk.partner(Method::POST, &history, &key).json(&json!({}))).is(200);
    let result = &history["result"];
    assert_eq!(result["context"]["customer"]["name"], "Erased customer");
    assert_eq!(result["messages"][0]["message"], "[erased]");
    let file = &result["messages"][1]["payload"][0];
    assert_eq!((&file["name"], &file["size"]), (&json!("erased"), &json!(20)));
    let url = file["url"].as_str().expect("a link");
    let path = url.split_once(&desk.address.to_string()).expect("our address").1;
    Answer::to(desk.partner(Method::GET, path, &key)).is(404);
    let send = format!("/v2/businesses/1/chats/message?chatId={id}");
    let refused = desk
        .partner(Method::POST, &send, &key)
        .json(&json!({"message": "hello"}));
    let refused = Answer::to(refused).is(400);
    let message = refused["errors"][0]["message"].as_str().expect("a message");
    assert!(message.contains("erased"), "{message}");
}

#[test]
fn calls_that_name_an_erased_chat_leave_the_request_log() {
    let desk = Desk::recording();
    let other = desk.chat_about_order(2);
    // Small ids are other numbers as well: this chat's is none that a call about the other one names.
    for context in [
        json!({"type": "RETURN", "id": 2}),
        json!({"type": "DIRECT", "customerId": "li"}),
    ] {
        let new = json!({"context": context});
        desk.post(&format!("{BUSINESS}/chats"), &new).is(201);
    }
    let chat = desk.chat_about_order(1);
    let (_, key) = desk.key("crm");
    for chat in [&chat, &other] {
        say(&desk, chat, "CUSTOMER", "I live in 5 Main Street").is(201);
        let id = chat.rsplit('/').next().expect("an id");
        let history = format!("/v2/businesses/1/chats/history?chatId={id}");
        Answer::to(desk.partner(Method::POST, &history, &key).json(&json!({}))).is(200);
    }
    let recorded = "/operator/v1/requests?businessId=1";
    desk.eventually(recorded, |log| log["items"].as_array().map(Vec::len) == Some(2));
    desk.delete(ANNA).is(202);
    done(&desk);
    desk.advance(2 * 60_000);
    let left = desk.eventually(recorded, |log| log["items"].as_array().map(Vec::len) == Some(1));
    let id = other.rsplit('/').next().expect("an id");
    let target = left["items"][0]["target"].as_str().expect("a target");
    assert!(target.ends_with(&format!("chatId={id}")), "{target}");
}

#[test]
fn an_export_has_all_that_is_kept() {
    let desk = Desk::open();
    let chat = desk.chat_about_order(1);
    say(&desk, &chat, "CUSTOMER", "Where is \"it\"?\n").is(201);
    let content: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
    send_file(&desk, &chat, "фото.bin", &content);
    let dispute = desk.act(&format!("{chat}/arbitration")).is(201);
    desk.chat_about_order(2);
    let export = desk.get(&format!("{ANNA}/export")).is(200);
    assert_eq!(export["customer"], desk.get(ANNA).is(200));
    assert!(export["exportedAt"].is_string());
    assert!(export.get("erasure").is_none());
    let ids = |list: &str, id: &str| -> Vec<i64> {
        let list = export[list].as_array().expect("a list");
        list.iter().map(|it| it[id].as_i64().expect("an id")).collect()
    };
    assert_eq!(ids("orders", "orderId"), [1, 3]);
    assert_eq!(ids("returns", "returnId"), [1, 3]);
    let chats = export["chats"].as_array().expect("chats");
    assert_eq!(chats.len(), 2);
    assert_eq!(chats[0]["chat"], desk.get(&chat).is(200));
    assert_eq!(chats[1]["chat"]["chatId"], dispute["chatId"]);
    let messages = &chats[0]["messages"];
    assert_eq!(messages[0]["message"], "Where is \"it\"?\n");
    assert_eq!(messages[0]["files"], json!([]));
    let file = &messages[1]["files"][0];
    assert_eq!(
        (&file["name"], &file["size"]),
        (&json!("фото.bin"), &json!(200_000))
    );
    let exported = STANDARD
        .decode(file["content"].as_str().expect("a content"))
        .expect("Base64");
    assert!(exported == content);
    let kinds: Vec<_> = export["events"]
        .as_array()
        .expect("events")
        .iter()
        .map(|it| &it["type"])
        .collect();
    assert_eq!(
        kinds,
        [
            "CHAT_CREATED",
            "CHAT_MESSAGE_SENT",
            "CHAT_MESSAGE_SENT",
            "CHAT_ARBITRAGE_STARTED"
        ]
    );
    let names = desk.get(&format!("{ANNA}/export?files=NAMES")).is(200);
    assert!(
        names["chats"][0]["messages"][1]["files"][0]
            .get("content")
            .is_none()
    );
    let wrong = desk.get(&format!("{ANNA}/export?files=ALL")).is(400);
    assert_eq!(wrong["error"]["details"][0]["field"], "files");

    desk.delete(ANNA).is(202);
    done(&desk);
    let after = desk.get(&format!("{ANNA}/export")).is(200);
    assert_eq!(after["erasure"]["status"], "DONE");
    assert_eq!(after["chats"][0]["messages"][0]["message"], "[erased]");
    assert!(
        after["chats"][0]["messages"][1]["files"][0]
            .get("content")
            .is_none()
    );
    assert_eq!(after["events"], export["events"]);
}

#[test]
fn a_chat_whose_time_is_over_is_not_there_for_anybody() {
    let desk = Desk::keeping(1, 0);
    let chat = desk.chat_about_order(1);
    say(&desk, &chat, "CUSTOMER", "hello").is(201);
    desk.act(&format!("{chat}/finish")).is(200);
    let (_, key) = desk.key("crm");
    desk.advance(25 * HOUR_MS);
    for _ in 0..300 {
        if desk.get(&chat).status == 404 {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let id = chat.rsplit('/').next().expect("an id");
    for path in [
        format!("/v2/businesses/1/chat?chatId={id}"),
        format!("/v2/businesses/1/chats/message?chatId={id}&messageId=1"),
    ] {
        Answer::to(desk.partner(Method::GET, &path, &key)).is(404);
    }
    let anew = desk.chat_about_order(1);
    assert_ne!(anew, chat, "an id never comes again");
}

#[test]
fn a_file_whose_time_is_over_is_shown_as_gone() {
    let desk = Desk::keeping(0, 1);
    let chat = desk.chat_about_order(1);
    let sent = send_file(&desk, &chat, "receipt.txt", b"one");
    let url = sent["files"][0]["url"].as_str().expect("a link").to_owned();
    desk.advance(25 * HOUR_MS);
    let messages = format!("{chat}/messages");
    let shown = desk.eventually(&messages, |it| {
        it["items"][0]["files"][0]["removedAt"].is_string()
    });
    assert_eq!(shown["items"][0]["files"][0]["name"], "receipt.txt");
    assert_eq!(desk.stored_files(0), 0);
    let url = shown["items"][0]["files"][0]["url"]
        .as_str()
        .unwrap_or(&url)
        .to_owned();
    let path = url.split_once(&desk.address.to_string()).expect("our address").1;
    Answer::to(desk.anonymous(Method::GET, path)).is(404);
}
