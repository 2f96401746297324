//! The OpenAPI document: the one in the repository, and true to the routes.

use reqwest::Method;
use serde_json::{Value, json};

use crate::market::*;

#[test]
fn the_committed_document_is_what_the_code_yields() {
    let committed = include_str!("../../openapi/buyer.json");
    let committed: Value = serde_json::from_str(committed).expect("JSON");
    let yielded = serde_json::to_value(prilavok_server::buyer::openapi()).expect("JSON");
    assert_eq!(yielded, committed, "just openapi writes it anew");
    let market = Market::open();
    let served = Answer::to(market.request(Method::GET, "/buyer/v1/openapi.json"));
    assert_eq!(served.json(), committed);
}

#[test]
fn every_operation_needs_a_token_and_paths_that_are_none_say_so() {
    let market = Market::open();
    let document = Answer::to(market.request(Method::GET, "/buyer/v1/openapi.json")).json();
    let paths = document["paths"].as_object().expect("paths");
    let mut count = 0;
    for (path, item) in paths {
        for method in item.as_object().expect("methods").keys() {
            let method: Method = method.to_uppercase().parse().expect("a method");
            let path = path
                .replace("{chatId}", "1")
                .replace("{messageId}", "1")
                .replace("{fileId}", "1");
            Answer::to(market.request(method, &path)).fails(401, "UNAUTHORIZED");
            count += 1;
        }
    }
    assert_eq!(count, 11);
    let token = token(1, "anna");
    for path in ["", "/nowhere", "/chats/1/nowhere"] {
        market.get(&token, path).fails(404, "NOT_FOUND");
    }
    market
        .post(&token, "/me", &json!({}))
        .fails(405, "METHOD_NOT_ALLOWED");
    market.get(&token, "/chats/x").fails(400, "VALIDATION_FAILED");
}
