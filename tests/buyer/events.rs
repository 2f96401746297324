//! Live events of own chats: as they happen, resumed, ended with the token, and never anybody else's.

use std::io::{BufRead, BufReader};

use prilavok_domain::{BusinessState, Clock, Sender};
use prilavok_store::Subject;
use reqwest::Method;
use reqwest::blocking::Response;
use serde_json::{Value, json};

use crate::market::*;

struct Listener {
    lines: std::io::Lines<BufReader<Response>>,
}

/// One block of a stream: its id, its type and its data.
#[derive(Debug, Default)]
struct Block {
    id: Option<i64>,
    event: Option<String>,
    data: Value,
}

impl Listener {
    fn open(market: &Market, token: &str, last: Option<i64>) -> Self {
        let mut request = market.request(Method::GET, "/buyer/v1/events").bearer_auth(token);
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = request.send().expect("a stream");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            lines: BufReader::new(response).lines(),
        }
    }

    /// The next block that says something; `None` when the stream has ended.
    fn next(&mut self) -> Option<Block> {
        let mut block = Block::default();
        loop {
            let line = self.lines.next()?.ok()?;
            if let Some(id) = line.strip_prefix("id: ") {
                block.id = id.parse().ok();
            } else if let Some(event) = line.strip_prefix("event: ") {
                block.event = Some(event.to_owned());
            } else if let Some(data) = line.strip_prefix("data: ") {
                block.data = serde_json::from_str(data).expect("JSON");
            } else if line.is_empty() && block.id.is_some() | block.event.is_some() {
                return Some(block);
            }
        }
    }

    fn told(&mut self) -> (String, i64) {
        let block = self.next().expect("an event");
        (
            block.event.expect("a type"),
            block.data["chatId"].as_i64().expect("a chat"),
        )
    }
}

fn order(id: i64) -> Subject {
    Subject::Order(id.try_into().expect("an id"))
}

#[test]
fn a_buyer_hears_of_own_chats_and_of_no_others() {
    let market = Market::open();
    let annas = market.start(1, order(1), None);
    let boriss = market.start(1, order(3), None);
    let elsewhere = market.start(2, order(1), None);
    let mut anna = Listener::open(&market, &token(1, "anna"), None);
    let mut boris = Listener::open(&market, &token(1, "boris"), None);
    anna.next().expect("the opening");
    boris.next().expect("the opening");
    for _ in 0..150 {
        // More than a page of what is not anna's.
        market.says(1, boriss, Sender::Partner, "for boris");
    }
    market.says(2, elsewhere, Sender::Partner, "of another business");
    market.says(1, annas, Sender::Partner, "for anna");
    assert_eq!(anna.told(), ("CHAT_MESSAGE_SENT".to_owned(), annas.get()));
    for _ in 0..150 {
        assert_eq!(boris.told(), ("CHAT_MESSAGE_SENT".to_owned(), boriss.get()));
    }
    let dispute = market
        .post(
            &token(1, "anna"),
            &format!("/chats/{annas}/arbitration"),
            &json!(null),
        )
        .is(201);
    let dispute = dispute["chatId"].as_i64().expect("an id");
    assert_eq!(anna.told(), ("CHAT_ARBITRAGE_STARTED".to_owned(), dispute));
    market.says(1, boriss, Sender::Partner, "the last");
    assert_eq!(boris.told(), ("CHAT_MESSAGE_SENT".to_owned(), boriss.get()));
}

#[test]
fn who_comes_back_hears_what_was_missed() {
    let market = Market::open();
    let annas = market.start(1, order(1), None);
    let boriss = market.start(1, order(3), None);
    let token = token(1, "anna");
    let last = {
        let mut stream = Listener::open(&market, &token, None);
        stream.next().expect("the opening");
        market.says(1, annas, Sender::Partner, "seen");
        stream.next().expect("an event").id
    };
    market.says(1, boriss, Sender::Partner, "not anna's");
    let dispute = market.post(&token, &format!("/chats/{annas}/arbitration"), &json!(null));
    dispute.is(201);
    market.says(1, annas, Sender::Support, "missed");
    let mut stream = Listener::open(&market, &token, last);
    assert_eq!(stream.next().expect("the opening").id, last);
    assert_eq!(stream.told().0, "CHAT_ARBITRAGE_STARTED");
    assert_eq!(stream.told(), ("CHAT_MESSAGE_SENT".to_owned(), annas.get()));
    // What never was is a gap, which names nobody's event.
    let mut stream = Listener::open(&market, &token, Some(9_000_000));
    let opening = stream.next().expect("the opening");
    assert!(opening.event.is_none());
    let gap = stream.next().expect("a gap");
    assert_eq!(gap.event.as_deref(), Some("gap"));
    assert_eq!(gap.data, json!({"lastEventId": 9_000_000}));
    let wrong = market
        .request(Method::GET, "/buyer/v1/events")
        .bearer_auth(&token);
    Answer::to(wrong.header("Last-Event-ID", "x")).fails(400, "VALIDATION_FAILED");
}

#[test]
fn a_stream_ends_with_its_token_and_with_its_business() {
    let market = Market::open();
    let annas = market.start(1, order(1), None);
    // Again and again: what a stream looks for as it begins is read while its token ends.
    for round in (0..20).rev() {
        let end = round > 0;
        let now = market.clock.now().as_millis() / 1_000;
        let mut claims = claims(1, "anna");
        claims["iat"] = json!(now);
        claims["exp"] = json!(now + if end { 60 } else { 600 });
        let mut stream = Listener::open(&market, &signed(&claims), None);
        stream.next().expect("the opening");
        if end {
            market.clock.advance(90_000);
        } else {
            market.turn(BusinessState::Disabled);
        }
        market.says(1, annas, Sender::Partner, "too late");
        assert!(stream.next().is_none());
    }
}
