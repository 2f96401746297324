//! Snapshots: each test starts clean.

use reqwest::Method;
use serde_json::{Value, json};

use crate::market::Market;

fn snapshots(market: &Market) -> Value {
    market.send(Method::GET, "/sandbox/v1/snapshots", &json!({})).1["snapshots"].clone()
}

#[test]
fn a_state_comes_back_with_its_clock_its_keys_and_without_faults() {
    let market = Market::open();
    let clock = || market.send(Method::GET, "/sandbox/v1/clock", &json!({})).1;
    market.customer_writes(1, 1, "до снимка");
    assert_eq!(
        market
            .send(Method::PUT, "/sandbox/v1/snapshots/before", &json!({}))
            .0,
        204
    );
    assert_eq!(snapshots(&market), json!(["before", "start"]));
    let (texts, time) = (market.texts(1), clock());

    let last = market.customer_writes(1, 1, "после снимка");
    market.advance("36h");
    market.post("/sandbox/v1/faults", &json!({ "do": { "error": "unavailable" } }));
    let (status, _) = market.send(Method::POST, "/sandbox/v1/snapshots/before/restore", &json!({}));
    assert_eq!(status, 204);
    assert_eq!(market.texts(1), texts);
    assert_eq!(clock(), time);
    assert!(
        market.customer_writes(1, 1, "снова") > last,
        "no id is given out twice"
    );

    market.post("/sandbox/v1/reset", &json!({}));
    assert!(!market.texts(1).contains(&"до снимка".to_owned()));
    assert_eq!(
        market
            .send(Method::DELETE, "/sandbox/v1/snapshots/before", &json!({}))
            .0,
        204
    );
    assert_eq!(snapshots(&market), json!(["start"]));
}

/// Whether a seller finds words.
fn finds(market: &Market, words: &str) -> bool {
    let client = reqwest::blocking::Client::builder().redirect(reqwest::redirect::Policy::none());
    let client = client.build().expect("a client");
    let url = |path: &str| format!("{}{path}", market.told("url"));
    let form = [("secret", market.told("apiKey"))];
    let signed_in = client
        .post(url("/ui/sign-in"))
        .form(&form)
        .send()
        .expect("an answer");
    let cookie = signed_in.headers()["set-cookie"].to_str().expect("ASCII");
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    let asked = client
        .get(url(&format!("/ui/list?q={words}")))
        .header("Cookie", cookie);
    let list = asked.send().expect("an answer").text().expect("text");
    assert!(list.contains("<ol class=\"chats\">"), "{list}");
    list.contains("<mark>")
}

#[test]
fn a_state_is_searched_as_it_is() {
    let market = Market::open();
    let waits = |words: &str, expected: bool| {
        let began = std::time::Instant::now();
        while finds(&market, words) != expected {
            assert!(began.elapsed() < crate::market::PATIENCE, "{words}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    market.customer_writes(1, 1, "unforgotten");
    waits("unforgotten", true);
    market.send(Method::PUT, "/sandbox/v1/snapshots/before", &json!({}));
    market.customer_writes(1, 1, "forgotten");
    waits("forgotten", true);
    // Events are forgotten on the way.
    market.advance("72h");
    market.customer_writes(1, 1, "later");
    waits("later", true);
    market.send(Method::POST, "/sandbox/v1/snapshots/before/restore", &json!({}));
    waits("unforgotten", true);
    assert!(!finds(&market, "forgotten"));
}

#[test]
fn files_are_part_of_a_state() {
    let market = Market::open();
    let path = "/v2/businesses/1/chats/file/send?chatId=1";
    let part = reqwest::blocking::multipart::Part::bytes(b"hello".to_vec()).file_name("a.txt");
    let form = reqwest::blocking::multipart::Form::new().part("file", part);
    let request = market
        .request(Method::POST, path)
        .header("Api-Key", market.told("apiKey"));
    assert!(
        request
            .multipart(form)
            .send()
            .expect("an answer")
            .status()
            .is_success()
    );
    market.send(Method::PUT, "/sandbox/v1/snapshots/file", &json!({}));
    market.post("/sandbox/v1/reset", &json!({}));
    market.send(Method::POST, "/sandbox/v1/snapshots/file/restore", &json!({}));
    let history = market.request(Method::POST, "/v2/businesses/1/chats/history?chatId=1");
    let history = history.header("Api-Key", market.told("apiKey")).json(&json!({}));
    let history: Value = history.send().expect("an answer").json().expect("JSON");
    let messages = history["result"]["messages"].as_array().expect("messages");
    let url = messages
        .iter()
        .rev()
        .find_map(|it| it["payload"][0]["url"].as_str());
    let file = reqwest::blocking::get(url.expect("a link")).expect("an answer");
    assert_eq!(file.text().expect("a body"), "hello");
}

#[test]
fn names_are_checked_and_the_start_stays() {
    let market = Market::open();
    for (method, path, status) in [
        (Method::PUT, "/sandbox/v1/snapshots/.hidden", 400),
        (Method::PUT, "/sandbox/v1/snapshots/start", 400),
        (Method::DELETE, "/sandbox/v1/snapshots/start", 400),
        (Method::DELETE, "/sandbox/v1/snapshots/none", 404),
        (Method::POST, "/sandbox/v1/snapshots/none/restore", 404),
        (Method::GET, "/sandbox/v1/nothing", 404),
        (Method::GET, "/sandbox/v1/reset", 405),
    ] {
        let (found, answer) = market.send(method.clone(), path, &json!({}));
        assert_eq!(found, status, "{method} {path}: {answer}");
        assert!(
            answer["error"]["message"].is_string(),
            "{method} {path}: {answer}"
        );
    }
}
