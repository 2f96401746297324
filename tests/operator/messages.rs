//! Messages: who may write, what that does to the chat, and how they are read.

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::desk::{BUSINESS, Desk};

fn say(desk: &Desk, chat: &str, sender: &str, message: &str) -> Value {
    let body = json!({"sender": sender, "message": message});
    desk.post(&format!("{chat}/messages"), &body).is(201)
}

#[test]
fn a_message_is_written_and_read() {
    let desk = Desk::open();
    let chat = desk.chat_about_order(1);
    desk.advance(60_000);
    let written = say(&desk, &chat, "CUSTOMER", "Где мой заказ? 我的订单在哪里?");
    assert_eq!(
        desk.get(&format!("{chat}/messages/{}", written["messageId"]))
            .is(200),
        written
    );
    assert_eq!(
        desk.get(&format!("{chat}/messages")).is(200),
        json!({"items": [written]})
    );
    assert_json_snapshot!(json!({"message": written, "chat": desk.get(&chat).is(200)}));
}

#[test]
fn each_sender_moves_the_chat_as_the_rules_say() {
    let desk = Desk::open();
    let chat = desk.chat_about_order(1);
    for (body, status) in [
        (json!({"sender": "MARKET", "message": "order paid"}), "NEW"),
        (
            json!({"sender": "CUSTOMER", "message": "?"}),
            "WAITING_FOR_PARTNER",
        ),
        (
            json!({"sender": "SUPPORT", "message": "!"}),
            "WAITING_FOR_PARTNER",
        ),
        (
            json!({"sender": "SUPPORT", "message": "!", "waitFor": "CUSTOMER"}),
            "WAITING_FOR_CUSTOMER",
        ),
        (
            json!({"sender": "SUPPORT", "message": "!", "waitFor": "ARBITER"}),
            "WAITING_FOR_ARBITER",
        ),
        (
            json!({"sender": "SUPPORT", "message": "!", "waitFor": "MARKET"}),
            "WAITING_FOR_MARKET",
        ),
        (
            json!({"sender": "SUPPORT", "message": "!", "waitFor": "PARTNER"}),
            "WAITING_FOR_PARTNER",
        ),
        (
            json!({"sender": "SUPPORT", "message": "!", "waitFor": null}),
            "WAITING_FOR_PARTNER",
        ),
    ] {
        desk.post(&format!("{chat}/messages"), &body).is(201);
        assert_eq!(desk.get(&chat).is(200)["status"], status, "{body}");
    }
    desk.act(&format!("{chat}/finish")).is(200);
    let support = desk.post(
        &format!("{chat}/messages"),
        &json!({"sender": "SUPPORT", "message": "!"}),
    );
    assert_eq!(
        support.message(400, "RULE_VIOLATED"),
        "The chat is finished: SUPPORT cannot write to it"
    );
    say(&desk, &chat, "MARKET", "still possible");
    assert_eq!(desk.get(&chat).is(200)["status"], "FINISHED");
    say(&desk, &chat, "CUSTOMER", "one more thing");
    assert_eq!(desk.get(&chat).is(200)["status"], "WAITING_FOR_PARTNER");
}

#[test]
fn messages_that_cannot_be() {
    let desk = Desk::open();
    let chat = desk.chat_about_order(1);
    for (body, problems) in [
        (
            json!({"sender": "PARTNER", "message": "x"}),
            vec!["sender: must be CUSTOMER, MARKET or SUPPORT: partners write through the Partner API"],
        ),
        (
            json!({"sender": "BUYER", "message": "", "waitFor": "NOBODY", "text": 1}),
            vec![
                "sender: must be one of CUSTOMER, MARKET, SUPPORT",
                "message: must have 1 to 4096 characters, not 0",
                "waitFor: must be one of CUSTOMER, PARTNER, ARBITER, MARKET",
                "text: is not known here",
            ],
        ),
        (
            json!({"sender": "CUSTOMER", "message": "я".repeat(4097)}),
            vec!["message: must have 1 to 4096 characters, not 4097"],
        ),
        (
            json!({"sender": "CUSTOMER", "message": "a\u{0}b"}),
            vec!["message: must not contain the NUL character"],
        ),
        (json!({}), vec!["sender: is required", "message: is required"]),
    ] {
        let answer = desk.post(&format!("{chat}/messages"), &body);
        assert_eq!(answer.fails(400, "VALIDATION_FAILED"), problems);
    }
    let hasty = json!({"sender": "CUSTOMER", "message": "x", "waitFor": "PARTNER"});
    let answer = desk.post(&format!("{chat}/messages"), &hasty);
    assert_eq!(
        answer.message(400, "RULE_VIOLATED"),
        "waitFor is allowed for SUPPORT messages only, not for CUSTOMER"
    );
    let nowhere = desk.post(
        &format!("{BUSINESS}/chats/77/messages"),
        &json!({"sender": "CUSTOMER", "message": "x"}),
    );
    assert_eq!(nowhere.message(404, "NOT_FOUND"), "Chat 77 does not exist");
    assert_eq!(
        desk.get(&format!("{chat}/messages")).is(200),
        json!({"items": []})
    );
    say(&desk, &chat, "CUSTOMER", &"я".repeat(4096));
}

#[test]
fn only_what_is_new() {
    let desk = Desk::open();
    let chat = desk.chat_about_order(1);
    let ids: Vec<i64> = (0..5)
        .map(|number| say(&desk, &chat, "CUSTOMER", &format!("message {number}")))
        .map(|message| message["messageId"].as_i64().expect("an id"))
        .collect();
    for (from, expected) in [(1, &ids[..]), (ids[3], &ids[3..]), (ids[4] + 1, &[][..])] {
        let page = desk.get(&format!("{chat}/messages?messageIdFrom={from}")).is(200);
        let found = page["items"].as_array().expect("a list").iter();
        let found: Vec<i64> = found.map(|it| it["messageId"].as_i64().expect("an id")).collect();
        assert_eq!(found, expected, "{from}");
    }
    let other = desk.chat_about_order(2);
    let answer = desk.get(&format!("{other}/messages/{}", ids[0]));
    assert_eq!(
        answer.message(404, "NOT_FOUND"),
        format!("Message {} does not exist", ids[0])
    );
}

#[test]
fn a_partner_and_the_operator_see_the_same_chat() {
    let desk = Desk::open();
    let chat = desk.chat_about_order(1);
    let (_, key) = desk.key("CRM");
    say(&desk, &chat, "CUSTOMER", "Здравствуйте");
    let id = chat.rsplit('/').next().expect("an id");
    let path = format!("/v2/businesses/1/chats/message?chatId={id}");
    let reply = desk
        .partner(reqwest::Method::POST, &path, &key)
        .body(r#"{"message":"Добрый день"}"#);
    assert_eq!(reply.send().expect("an answer").status(), 200);
    let messages = desk.get(&format!("{chat}/messages")).is(200);
    assert_eq!(messages["items"][1]["sender"], "PARTNER");
    assert_eq!(messages["items"][1]["message"], "Добрый день");
    assert_eq!(desk.get(&chat).is(200)["status"], "WAITING_FOR_CUSTOMER");
}
