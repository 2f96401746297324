//! Own chats: started, listed, read and disputed.

use prilavok_store::Subject;
use serde_json::{Value, json};

use crate::market::*;

fn about(kind: &str, id: i64) -> Value {
    json!({"context": {"type": kind, "id": id}})
}

#[test]
fn chats_are_started_about_what_is_ones_own() {
    let market = Market::open();
    let token = token(1, "anna");
    let chat = market.post(&token, "/chats", &about("ORDER", 1)).is(201);
    assert_eq!(
        (&chat["type"], &chat["status"], &chat["context"]["orderId"]),
        (&json!("CHAT"), &json!("NEW"), &json!(1))
    );
    assert_eq!(market.post(&token, "/chats", &about("ORDER", 1)).is(200), chat);
    let returned = market.post(&token, "/chats", &about("RETURN", 11)).is(201);
    assert_eq!(returned["context"]["returnId"], 11);
    let direct = json!({"context": {"type": "DIRECT"}});
    let direct = market.post(&token, "/chats", &direct).is(201);
    assert_eq!(direct["context"]["customer"]["id"], "anna");
    let listed = market.get(&token, "/chats").is(200);
    assert_eq!(listed["items"], json!([direct, returned, chat]));
    assert_eq!(
        market.get(&token, &format!("/chats/{}", chat["chatId"])).is(200),
        chat
    );
}

#[test]
fn lists_come_in_pages() {
    let market = Market::open();
    let token = token(1, "anna");
    for order in [1, 2] {
        market.chat(&token, order);
    }
    market.post(&token, "/chats", &about("RETURN", 12)).is(201);
    let mut seen = Vec::new();
    let mut path = "/chats?limit=2".to_owned();
    loop {
        let page = market.get(&token, &path).is(200);
        let items = page["items"].as_array().expect("a list");
        seen.extend(items.iter().map(|it| it["chatId"].as_i64().expect("an id")));
        match page["nextCursor"].as_str() {
            Some(cursor) => path = format!("/chats?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 3);
    assert!(seen.is_sorted_by(|a, b| a > b), "{seen:?}");
    market
        .get(&token, "/chats?limit=0")
        .fails(400, "VALIDATION_FAILED");
    market
        .get(&token, "/chats?status=NEW")
        .fails(400, "VALIDATION_FAILED");
}

#[test]
fn a_start_that_is_wrong_is_refused() {
    let market = Market::open();
    let token = token(1, "anna");
    for body in [
        json!({}),
        json!({"context": {"type": "ORDER"}}),
        json!({"context": {"type": "PARCEL", "id": 1}}),
        json!({"context": {"type": "DIRECT", "id": 1}}),
        json!({"context": {"type": "ORDER", "id": 1, "customerId": "boris"}}),
        json!({"context": {"type": "ORDER", "id": "1"}}),
    ] {
        market
            .post(&token, "/chats", &body)
            .fails(400, "VALIDATION_FAILED");
    }
    // Nobody knows this customer yet.
    let stranger = crate::market::token(1, "stranger");
    let direct = json!({"context": {"type": "DIRECT"}});
    market.post(&stranger, "/chats", &direct).fails(404, "NOT_FOUND");
    assert_eq!(market.get(&stranger, "/chats").is(200)["items"], json!([]));
}

#[test]
fn a_start_under_a_key_happens_once_and_keys_of_others_are_others() {
    let market = Market::open();
    let (anna, boris) = (token(1, "anna"), token(1, "boris"));
    let first = market.post_once("k", &anna, "/chats", &about("ORDER", 1));
    let again = market.post_once("k", &anna, "/chats", &about("ORDER", 1));
    assert_eq!(first.is(201), again.is(200));
    assert_eq!(again.header("idempotent-replayed"), "true");
    market
        .post_once("k", &anna, "/chats", &about("ORDER", 2))
        .fails(400, "IDEMPOTENCY_KEY_REUSED");
    let others = market.post_once("k", &boris, "/chats", &about("ORDER", 3));
    assert_eq!(others.is(201)["context"]["orderId"], 3);
}

#[test]
fn a_narrowed_token_opens_what_it_is_for() {
    let market = Market::open();
    let anna = token(1, "anna");
    market.chat(&anna, 1);
    market.chat(&anna, 2);
    let narrowed = |name: &str, id: i64| {
        let mut claims = claims(1, "anna");
        claims[name] = json!(id);
        signed(&claims)
    };
    let orders = |token: &str| -> Vec<Value> {
        let list = market.get(token, "/chats").is(200);
        let items = list["items"].as_array().expect("a list").iter();
        items.map(|it| it["context"]["orderId"].clone()).collect()
    };
    let order = narrowed("orderId", 1);
    market.post(&order, "/chats", &about("RETURN", 11)).is(201);
    assert_eq!(orders(&order), [1, 1], "the order's and its return's");
    assert_eq!(orders(&narrowed("returnId", 11)), [1]);
    for (token, body) in [
        (&order, about("ORDER", 2)),
        (&order, about("RETURN", 12)),
        (&order, json!({"context": {"type": "DIRECT"}})),
        (&narrowed("returnId", 11), about("ORDER", 1)),
        (&narrowed("returnId", 11), about("RETURN", 12)),
    ] {
        let message = market
            .post(token, "/chats", &body)
            .fails(400, "VALIDATION_FAILED");
        assert!(message.contains("not what the token is for"), "{message}");
    }
    let other = market.start(1, Subject::Order(2.try_into().expect("an id")), None);
    market
        .get(&order, &format!("/chats/{other}"))
        .fails(404, "NOT_FOUND");
}

#[test]
fn a_dispute_is_opened_beside_a_chat_about_an_order_once() {
    let market = Market::open();
    let token = token(1, "anna");
    let chat = market.chat(&token, 1);
    let dispute = market.post_once("d", &token, &format!("{chat}/arbitration"), &json!(null));
    let opened = dispute.is(201);
    assert_eq!(
        (&opened["type"], &opened["status"]),
        (&json!("ARBITRAGE"), &json!("WAITING_FOR_ARBITER"))
    );
    let again = market.post_once("d", &token, &format!("{chat}/arbitration"), &json!(null));
    assert_eq!(again.is(201), opened);
    market
        .post(&token, &format!("{chat}/arbitration"), &json!(null))
        .fails(400, "RULE_VIOLATED");
    let said = market.post(
        &token,
        &format!("/chats/{}/messages", opened["chatId"]),
        &json!({"message": "Порвана коробка"}),
    );
    assert_eq!(said.is(201)["sender"], "CUSTOMER");
    let direct = market
        .post(&token, "/chats", &json!({"context": {"type": "DIRECT"}}))
        .is(201);
    market
        .post(
            &token,
            &format!("/chats/{}/arbitration", direct["chatId"]),
            &json!(null),
        )
        .fails(400, "RULE_VIOLATED");
}
