//! Time that is moved: what falls due on the way happens, in order.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::market::Market;
use crate::receiver::{Behaviour, Receiver};

#[test]
fn it_is_moved_by_hand_and_runs_as_fast_as_it_is_told() {
    let market = Market::open();
    let now = || market.send(Method::GET, "/sandbox/v1/clock", &json!({})).1;
    let before = now();
    assert_eq!(before["speed"], 0.0);
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(now(), before, "it stands still");
    let moved = market.post("/sandbox/v1/clock", &json!({ "advance": "36h" }));
    assert_ne!(moved["now"], before["now"]);
    market.post("/sandbox/v1/clock", &json!({ "speed": 3600 }));
    let first = now();
    std::thread::sleep(Duration::from_millis(20));
    assert_ne!(now()["now"], first["now"], "it runs");
}

#[test]
fn what_it_cannot_do_is_named() {
    let market = Market::open();
    for (body, expected) in [
        (
            json!({ "advance": "soon" }),
            "'advance': 'soon' is not a length of time",
        ),
        (
            json!({ "speed": -1 }),
            "'speed': a speed must be between 0 and 100000",
        ),
        (json!({ "back": "1h" }), "unknown field `back`"),
    ] {
        let (status, answer) = market.send(Method::POST, "/sandbox/v1/clock", &body);
        let message = answer["error"]["message"].as_str().expect("a message");
        assert!(
            status == 400 && message.contains(expected),
            "{body}: {status} {message}"
        );
    }
}

#[test]
fn retries_fall_due_in_their_order_until_the_receiver_is_back() {
    let market = Market::open();
    let receiver = Receiver::start();
    market.subscribe(&receiver.url());
    receiver.now(Behaviour::Answers(500, "down"));
    market.customer_writes(1, 1, "Алло?");
    // The first try is made at once.
    market.advance("0s");
    let happened = market.advance("5m");
    let tries: Vec<_> = happened.iter().filter(|it| it["kind"] == "delivery").collect();
    assert_eq!(tries.len(), 5, "a minute apart: {happened:?}");
    assert!(
        tries
            .iter()
            .all(|it| it["outcome"] == "FAILED" && it["status"] == 500)
    );
    let times: Vec<_> = tries
        .iter()
        .map(|it| it["at"].as_str().expect("a time"))
        .collect();
    assert!(
        times.is_sorted() && times.windows(2).all(|two| two[0] != two[1]),
        "{times:?}"
    );
    receiver.now(Behaviour::Accepts);
    let happened = market.advance("1h");
    let outcomes: Vec<_> = happened.iter().filter(|it| it["kind"] == "delivery").collect();
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0]["outcome"], "DELIVERED");
}

#[test]
fn an_hours_calls_are_back_after_an_hour() {
    let market = Market::open();
    let left = || {
        let answer = market.get(market.told("apiKey"), "/v2/businesses/1/chat?chatId=1");
        let answer = answer.send().expect("an answer");
        answer.headers()["x-ratelimit-resource-remaining"]
            .to_str()
            .expect("ASCII")
            .to_owned()
    };
    assert_eq!(left(), "999");
    assert_eq!(left(), "998");
    market.advance("1h");
    assert_eq!(left(), "999");
}
