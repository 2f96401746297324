//! What a customer may do at a time.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::market::*;

#[test]
fn a_customer_sends_so_many_times_a_minute() {
    let market = Market::with("sends_per_minute = 3");
    let (anna, boris) = (token(1, "anna"), token(1, "boris"));
    let chat = market.chat(&anna, 1);
    let say = |token: &str| market.post(token, &format!("{chat}/messages"), &json!({"message": "x"}));
    say(&anna).is(201);
    say(&anna).is(201);
    let refused = say(&anna);
    let message = refused.fails(429, "TOO_MANY_REQUESTS");
    assert!(message.contains('3'), "{message}");
    assert_eq!(refused.header("retry-after"), "60");
    for path in ["/chats", &format!("{chat}/arbitration"), &format!("{chat}/files")] {
        market
            .post(&anna, path, &json!({}))
            .fails(429, "TOO_MANY_REQUESTS");
    }
    // Reading is no sending, others have their own, and so have other businesses.
    market.get(&anna, &chat).is(200);
    market.chat(&boris, 3);
    market.chat(&token(2, "anna"), 1);
    market.clock.advance(60_000);
    say(&anna).is(201);
}

#[test]
fn a_customer_has_so_many_streams_at_a_time() {
    let market = Market::with("streams_per_customer = 1");
    let anna = token(1, "anna");
    let listen = |token: &str| {
        market
            .request(Method::GET, "/buyer/v1/events")
            .bearer_auth(token)
            .send()
            .expect("an answer")
    };
    let first = listen(&anna);
    assert_eq!(first.status(), 200);
    let refused = market.get(&anna, "/events");
    refused.fails(429, "TOO_MANY_REQUESTS");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(listen(&token(1, "boris")).status(), 200);
    drop(first);
    for _ in 0..1_000 {
        if listen(&anna).status() == 200 {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the place was not given back");
}
