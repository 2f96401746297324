//! Faults on purpose, as a connector meets them.

use std::io::{Read, Write};
use std::net::TcpStream;

use reqwest::Method;
use serde_json::{Value, json};

use crate::market::{Market, PATIENCE};
use crate::receiver::Receiver;

const CHAT: &str = "/v2/businesses/1/chat?chatId=1";

#[test]
fn every_documented_error_can_be_met() {
    let market = Market::open();
    let mut statuses = Vec::new();
    for (name, status) in [
        ("illegalInput", 400),
        ("badPageToken", 400),
        ("credentialsMissing", 401),
        ("keyUnknown", 401),
        ("keyRevoked", 401),
        ("oauthTokenInvalid", 403),
        ("accessDenied", 403),
        ("scopeMissing", 403),
        ("businessDisabled", 403),
        ("campaignDisabled", 403),
        ("chatNotFound", 404),
        ("messageNotFound", 404),
        ("orderNotFound", 404),
        ("returnNotFound", 404),
        ("campaignNotFound", 404),
        ("contentType", 415),
        ("parallelLimit", 420),
        ("hourlyLimit", 420),
        ("migrating", 423),
        ("internal", 500),
        ("unavailable", 503),
    ] {
        let request = market.get(market.told("apiKey"), CHAT);
        let answer = request.header("X-Prilavok-Fault", format!("error={name}")).send();
        let answer = answer.expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "{name}");
        assert!(
            answer.headers().contains_key("x-ratelimit-resource-until"),
            "{name}"
        );
        let remaining = answer.headers()["x-ratelimit-resource-remaining"].clone();
        assert_eq!(remaining == "0", name == "hourlyLimit", "{name}: {remaining:?}");
        let body: Value = answer.json().expect("JSON");
        assert_eq!(body["status"], "ERROR", "{name}: {body}");
        statuses.push(status);
    }
    statuses.dedup();
    assert_eq!(statuses, [400, 401, 403, 404, 415, 420, 423, 500, 503]);
}

#[test]
fn errors_on_purpose_cost_what_real_ones_cost() {
    let market = Market::open();
    let remaining = |fault: Option<&str>| {
        let request = market.get(market.told("apiKey"), CHAT);
        let request = match fault {
            Some(name) => request.header("X-Prilavok-Fault", format!("error={name}")),
            None => request,
        };
        let answer = request.send().expect("an answer");
        let remaining = answer.headers()["x-ratelimit-resource-remaining"].to_str();
        remaining.expect("ASCII").parse::<i64>().expect("a number")
    };
    let before = remaining(None);
    for name in ["internal", "unavailable", "parallelLimit"] {
        assert_eq!(remaining(Some(name)), before, "{name}");
    }
    assert_eq!(remaining(Some("chatNotFound")), before - 1);
}

#[test]
fn a_rule_acts_on_the_calls_that_it_chooses() {
    let market = Market::open();
    let rule = json!({ "operation": "getChat", "businessId": 1, "nth": 2, "do": { "error": "migrating" } });
    let added = market.post("/sandbox/v1/faults", &rule);
    let statuses = || {
        let answers = (0..3).map(|_| market.get(market.told("apiKey"), CHAT).send().expect("an answer"));
        answers.map(|answer| answer.status().as_u16()).collect::<Vec<_>>()
    };
    let other = market
        .get(market.told("otherApiKey"), "/v2/businesses/2/chat?chatId=1")
        .send();
    assert_ne!(other.expect("an answer").status().as_u16(), 423);
    assert_eq!(statuses(), [200, 423, 200]);
    let (_, list) = market.send(Method::GET, "/sandbox/v1/faults", &json!({}));
    assert_eq!(list["faults"][0]["seen"], 3);
    assert_eq!(list["faults"][0]["acted"], 1);
    let path = format!("/sandbox/v1/faults/{}", added["id"]);
    assert_eq!(market.send(Method::DELETE, &path, &json!({})).0, 204);
    assert_eq!(market.send(Method::DELETE, &path, &json!({})).0, 404);
    let (status, answer) = market.send(Method::POST, "/sandbox/v1/faults", &json!({ "do": "drop" }));
    assert_eq!(status, 400, "{answer}");
}

/// What arrives of the answer to a request before the connection ends.
fn raw(market: &Market, head: &str, body: &str) -> String {
    let address = market.told("url").strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    let request = format!(
        "{head} HTTP/1.1\r\nHost: x\r\nApi-Key: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        market.told("apiKey"),
        body.len()
    );
    let fault = if body.is_empty() { "cutOff" } else { "loseAnswer" };
    write!(stream, "{request}X-Prilavok-Fault: {fault}\r\n\r\n{body}").expect("sent");
    let mut arrived = Vec::new();
    // A connection that is reset ends the answer as well.
    let _ = stream.read_to_end(&mut arrived);
    String::from_utf8_lossy(&arrived).into_owned()
}

#[test]
fn an_answer_is_cut_off_in_its_middle() {
    let market = Market::open();
    let arrived = raw(&market, &format!("GET {CHAT}"), "");
    let (head, body) = arrived.split_once("\r\n\r\n").expect("a whole head");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .expect("a length");
    let length: usize = length.parse().expect("a number");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(
        body.starts_with("{\"status\":\"OK\"") && body.len() < length,
        "{arrived}"
    );
}

#[test]
fn an_answer_is_lost_after_the_message_was_written() {
    let market = Market::open();
    let path = "POST /v2/businesses/1/chats/message?chatId=1";
    let arrived = raw(&market, path, r#"{"message":"Отправили сегодня"}"#);
    assert_eq!(arrived, "");
    let texts = market.texts(1);
    assert_eq!(
        texts.iter().filter(|text| *text == "Отправили сегодня").count(),
        1,
        "{texts:?}"
    );
}

#[test]
fn an_answer_is_late() {
    let market = Market::open();
    let began = std::time::Instant::now();
    let request = market
        .get(market.told("apiKey"), CHAT)
        .header("X-Prilavok-Fault", "delay=300ms");
    assert_eq!(request.send().expect("an answer").status().as_u16(), 200);
    assert!(began.elapsed() >= std::time::Duration::from_millis(300));
    let request = market
        .get(market.told("apiKey"), CHAT)
        .header("X-Prilavok-Fault", "explode");
    assert_eq!(request.send().expect("an answer").status().as_u16(), 400);
}

#[test]
fn notifications_are_duplicated_dropped_and_delayed() {
    let market = Market::open();
    let receiver = Receiver::start();
    market.subscribe(&receiver.url());
    let received = || {
        receiver
            .received()
            .iter()
            .filter(|it| it.kind() == "CHAT_MESSAGE_SENT")
            .count()
    };
    for (act, at_once, after_an_hour) in [
        (json!("duplicate"), 2, 2),
        (json!("drop"), 0, 0),
        (json!({ "delay": "5m" }), 0, 1),
    ] {
        let before = received();
        let rule = json!({ "notification": "CHAT_MESSAGE_SENT", "times": 1, "do": act });
        market.post("/sandbox/v1/faults", &rule);
        market.customer_writes(1, 1, "Здравствуйте");
        market.advance("0s");
        assert_eq!(received() - before, at_once, "{act}");
        let happened = market.advance("1h");
        assert_eq!(received() - before, after_an_hour, "{act}");
        let delivered = happened.iter().filter(|it| it["outcome"] == "DELIVERED").count();
        assert_eq!(delivered, after_an_hour - at_once, "{act}: {happened:?}");
    }
}
