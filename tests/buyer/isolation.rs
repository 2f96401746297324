//! What is another customer's or another business's is not there, at every address.

use prilavok_domain::Sender;
use prilavok_store::Subject;
use reqwest::Method;
use reqwest::blocking::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::market::*;

/// Every address that names a chat; `{}` is its number.
const ADDRESSES: [(Method, &str); 6] = [
    (Method::GET, "/chats/{}"),
    (Method::GET, "/chats/{}/messages"),
    (Method::GET, "/chats/{}/messages?order=NEWEST_FIRST"),
    (Method::POST, "/chats/{}/messages"),
    (Method::POST, "/chats/{}/files"),
    (Method::POST, "/chats/{}/arbitration"),
];

fn call(market: &Market, token: &str, method: &Method, path: &str) -> Answer {
    let request = market.request(method.clone(), &format!("/buyer/v1{path}"));
    let request = request.bearer_auth(token).header("Idempotency-Key", "once");
    Answer::to(if path.ends_with("/files") {
        request.multipart(Form::new().part("file", Part::bytes(b"x".to_vec())))
    } else if path.ends_with("/messages") && *method == Method::POST {
        request.json(&json!({"message": "x"}))
    } else {
        request
    })
}

#[test]
fn chats_of_others_are_answered_as_if_there_were_none() {
    let market = Market::with("sends_per_minute = \"unlimited\"");
    let order = |id: i64| Subject::Order(id.try_into().expect("an id"));
    let annas = market.start(1, order(1), None);
    market.says(1, annas, Sender::Partner, "only for anna");
    let elsewhere = market.start(2, order(1), None);
    for (token, chat) in [
        (token(1, "boris"), annas),
        (token(2, "anna"), annas),
        (token(1, "anna"), elsewhere),
        (token(2, "boris"), elsewhere),
    ] {
        for (method, address) in &ADDRESSES {
            let there = call(&market, &token, method, &address.replace("{}", &chat.to_string()));
            let nowhere = call(&market, &token, method, &address.replace("{}", "999999"));
            let refused = there.fails(404, "NOT_FOUND");
            assert_eq!(
                refused.replace(&chat.to_string(), "999999"),
                nowhere.fails(404, "NOT_FOUND"),
                "{method} {address}"
            );
        }
        let message = format!("/chats/{chat}/messages/1");
        call(&market, &token, &Method::GET, &message).fails(404, "NOT_FOUND");
    }
    let messages = market.get(&token(1, "anna"), &format!("/chats/{annas}/messages"));
    assert_eq!(messages.is(200)["items"].as_array().map(Vec::len), Some(1));
}

#[test]
fn orders_and_returns_of_others_are_answered_as_if_there_were_none() {
    let market = Market::open();
    let token = token(1, "anna");
    for kind in ["ORDER", "RETURN"] {
        let start = |id: i64| market.post(&token, "/chats", &json!({"context": {"type": kind, "id": id}}));
        let others = if kind == "ORDER" { 3 } else { 13 };
        let there = start(others).fails(400, "VALIDATION_FAILED");
        let nowhere = start(999_999).fails(400, "VALIDATION_FAILED");
        assert_eq!(there.replace(&others.to_string(), "999999"), nowhere);
        // Nor where there is a chat already.
        let subject = match kind {
            "ORDER" => Subject::Order(others.try_into().expect("an id")),
            _ => Subject::Return(others.try_into().expect("an id")),
        };
        market.start(1, subject, None);
        assert_eq!(start(others).fails(400, "VALIDATION_FAILED"), there);
    }
}

#[test]
fn a_list_has_own_chats_of_one_business_only() {
    let market = Market::open();
    for business in [1, 2] {
        for order in [1, 2, 3] {
            market.start(business, Subject::Order(order.try_into().expect("an id")), None);
        }
    }
    for (business, customer, orders) in [
        (1, "anna", json!([2, 1])),
        (1, "boris", json!([3])),
        (2, "anna", json!([2, 1])),
    ] {
        let list = market.get(&token(business, customer), "/chats").is(200);
        let items = list["items"].as_array().expect("a list");
        let found: Vec<Value> = items.iter().map(|it| it["context"]["orderId"].clone()).collect();
        assert_eq!(json!(found), orders);
        assert!(items.iter().all(|it| it["businessId"] == business));
        assert!(items.iter().all(|it| it["context"]["customer"]["id"] == customer));
    }
}
