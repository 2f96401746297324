//! Pages of other origins: those that the settings name may call, others may not.

use reqwest::Method;

use crate::market::*;

fn preflight(market: &Market, origin: &str) -> Answer {
    let request = market.request(Method::OPTIONS, "/buyer/v1/chats");
    let request = request.header("Origin", origin);
    let request = request.header("Access-Control-Request-Method", "POST");
    Answer::to(request.header(
        "Access-Control-Request-Headers",
        "authorization,content-type,idempotency-key",
    ))
}

#[test]
fn pages_of_named_origins_may_call() {
    let market = Market::with("allowed_origins = [\"https://shop.example\"]");
    let asked = preflight(&market, "https://shop.example");
    assert!(asked.status < 300);
    assert_eq!(
        asked.header("access-control-allow-origin"),
        "https://shop.example"
    );
    for wanted in [
        "authorization",
        "content-type",
        "idempotency-key",
        "last-event-id",
    ] {
        assert!(
            asked.header("access-control-allow-headers").contains(wanted),
            "{wanted}"
        );
    }
    assert_eq!(asked.header("access-control-allow-credentials"), "");
    let call = market.request(Method::GET, "/buyer/v1/chats");
    let call = call.header("Origin", "https://shop.example");
    let answer = Answer::to(call.bearer_auth(token(1, "anna")));
    answer.is(200);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "https://shop.example"
    );
    // Errors too, or a page could not tell why it was refused.
    let refused = market.request(Method::GET, "/buyer/v1/chats");
    let refused = Answer::to(refused.header("Origin", "https://shop.example"));
    refused.fails(401, "UNAUTHORIZED");
    assert_eq!(
        refused.header("access-control-allow-origin"),
        "https://shop.example"
    );
}

#[test]
fn pages_of_other_origins_may_not() {
    for market in [
        Market::open(),
        Market::with("allowed_origins = [\"https://shop.example\"]"),
    ] {
        for origin in [
            "https://evil.example",
            "https://shop.example.evil.example",
            "http://shop.example",
            "null",
        ] {
            let asked = preflight(&market, origin);
            assert_eq!(asked.header("access-control-allow-origin"), "", "{origin}");
        }
    }
}
