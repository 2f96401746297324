//! Messages of own chats.

use prilavok_domain::{ChatId, Sender};
use serde_json::{Value, json};

use crate::market::*;

fn texts(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("a list").iter();
    items.map(|it| it["message"].as_str().expect("a text")).collect()
}

#[test]
fn a_message_is_the_customers_and_is_kept_once_under_its_key() {
    let market = Market::open();
    let token = token(1, "anna");
    let chat = market.chat(&token, 1);
    let messages = format!("{chat}/messages");
    let said = market.post_once("m", &token, &messages, &json!({"message": "Где посылка?"}));
    let written = said.is(201);
    assert_eq!(
        (&written["sender"], &written["message"]),
        (&json!("CUSTOMER"), &json!("Где посылка?"))
    );
    let again = market.post_once("m", &token, &messages, &json!({"message": "Где посылка?"}));
    assert_eq!(again.is(201), written);
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(market.get(&token, &chat).is(200)["status"], "WAITING_FOR_PARTNER");
    assert_eq!(
        market
            .get(&token, &format!("{messages}/{}", written["messageId"]))
            .is(200),
        written
    );
    market
        .get(&token, &format!("{messages}/999"))
        .fails(404, "NOT_FOUND");
    for body in [
        json!({}),
        json!({"message": ""}),
        json!({"message": "x".repeat(4_097)}),
        json!({"message": "x", "sender": "SUPPORT"}),
        json!({"message": "x", "waitFor": "ARBITER"}),
    ] {
        market
            .post(&token, &messages, &body)
            .fails(400, "VALIDATION_FAILED");
    }
}

#[test]
fn messages_are_read_in_both_directions() {
    let market = Market::open();
    let token = token(1, "anna");
    let chat = market.chat(&token, 1);
    let id: i64 = chat
        .rsplit('/')
        .next()
        .and_then(|id| id.parse().ok())
        .expect("an id");
    let id = ChatId::new(id).expect("an id");
    for (sender, text) in [
        (Sender::Customer, "1"),
        (Sender::Partner, "2"),
        (Sender::Support, "3"),
        (Sender::Market, "4"),
        (Sender::Customer, "5"),
    ] {
        market.says(1, id, sender, text);
    }
    let walk = |order: &str| {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = market
                .get(&token, &format!("{chat}/messages?limit=2&order={order}{cursor}"))
                .is(200);
            seen.extend(texts(&page).into_iter().map(str::to_owned));
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return seen,
            }
        }
    };
    assert_eq!(walk("OLDEST_FIRST"), ["1", "2", "3", "4", "5"]);
    assert_eq!(walk("NEWEST_FIRST"), ["5", "4", "3", "2", "1"]);
    let all = market.get(&token, &format!("{chat}/messages")).is(200);
    let third = &all["items"][2]["messageId"];
    let rest = market.get(&token, &format!("{chat}/messages?messageIdFrom={third}"));
    assert_eq!(texts(&rest.is(200)), ["3", "4", "5"]);
    for wrong in ["order=UP", "order=NEWEST_FIRST&messageIdFrom=1", "cursor=x"] {
        market
            .get(&token, &format!("{chat}/messages?{wrong}"))
            .fails(400, "VALIDATION_FAILED");
    }
}

#[test]
fn what_a_message_holds_comes_back_as_it_is() {
    let market = Market::open();
    let token = token(1, "anna");
    let chat = market.chat(&token, 1);
    for text in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "javascript:alert(1)",
        "\u{202e}gnp.exe",
        "&lt;b&gt;",
    ] {
        let said = market.post(&token, &format!("{chat}/messages"), &json!({"message": text}));
        assert_eq!(said.header("x-content-type-options"), "nosniff");
        assert_eq!(said.is(201)["message"], text);
    }
}
