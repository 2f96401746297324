//! Who may listen, what is asked of a request, and how many streams a business may have.

use reqwest::Method;
use reqwest::blocking::RequestBuilder;
use serde_json::{Value, json};

use crate::listener::Listener;
use crate::market::Market;

const PATH: &str = "/v2/businesses/1/events";

/// The status and the first message of an answer that carries errors, each with the code of the status.
fn refused(request: RequestBuilder) -> (u16, String) {
    let answer = request.send().expect("an answer");
    let status = answer.status().as_u16();
    let body: Value = answer.json().expect("JSON");
    assert_eq!(body["status"], "ERROR", "{body}");
    let code = match status {
        400 => "BAD_REQUEST",
        401 => "UNAUTHORIZED",
        403 => "FORBIDDEN",
        405 => "METHOD_NOT_ALLOWED",
        420 => "METHOD_FAILURE",
        423 => "LOCKED",
        _ => panic!("{status}: {body}"),
    };
    assert_eq!(body["errors"][0]["code"], code);
    (
        status,
        body["errors"][0]["message"]
            .as_str()
            .expect("a message")
            .to_owned(),
    )
}

#[test]
fn the_checks_are_those_of_every_partner_operation() {
    let market = Market::open(2, &[]);
    let (_, pricing) = market.key(1, "pricing", "pricing");
    let key = &market.first().key;
    let get = |path: &str, key: &str| market.request(Method::GET, path).header("Api-Key", key);
    assert_eq!(
        refused(market.request(Method::GET, PATH)),
        (401, "Credentials are not specified".to_owned())
    );
    let garbled = refused(get(PATH, "ACMA:x"));
    assert_eq!(garbled, (401, "Api-Key token length invalid".to_owned()));
    // Whose business it is comes before everything else about it, and before what is wrong with the rest.
    let foreign = (403, "Access denied".to_owned());
    assert_eq!(
        refused(get("/v2/businesses/2/events?lastEventId=x", key)),
        foreign
    );
    assert_eq!(refused(get("/v2/businesses/77/events", key)), foreign);
    let (status, message) = refused(get("/v2/businesses/1/events?lastEventId=x", &pricing));
    assert_eq!(status, 403);
    assert!(
        message.starts_with("Token does not have any of the scopes"),
        "{message}"
    );
    let wrong = |of: &str| {
        (
            400,
            format!("Incorrect last event id: '{of}'. Send the id that an event came with"),
        )
    };
    assert_eq!(
        refused(get("/businesses/1/events?lastEventId=x", key)),
        wrong("x")
    );
    assert_eq!(refused(get(PATH, key).header("Last-Event-ID", "-1")), wrong("-1"));
    let (status, message) = refused(get(PATH, key).header("X-Business-Id", "2"));
    assert_eq!(status, 400);
    assert!(
        message.starts_with("URL businessId ('1') does not match"),
        "{message}"
    );
    let (status, _) = refused(get("/v2/businesses/x/events", key));
    assert_eq!(status, 400);

    let mut business = json!({"name": "Shop 1", "state": "MIGRATING"});
    market.call(Method::PUT, "/businesses/1", &business);
    assert_eq!(
        refused(get(PATH, key)),
        (423, "Business is in migration".to_owned())
    );
    business["state"] = "DISABLED".into();
    market.call(Method::PUT, "/businesses/1", &business);
    assert_eq!(refused(get(PATH, key)).0, 403);
}

#[test]
fn every_address_and_method_answers_as_elsewhere() {
    let market = Market::open(1, &[]);
    let key = format!("Api-Key: {}\r\n", market.first().key);
    for path in [
        "/businesses/1/events",
        "/businesses/1/events.json",
        PATH,
        "/v2/businesses/1/events.json",
    ] {
        let mut listener = Listener::open(&market, path, &key);
        assert_eq!(listener.status, 200, "{path}");
        listener.opening();
    }
    let token = json!({"name": "old client", "scopes": ["communication"]});
    let token = market.post("/businesses/1/oauth-tokens", &token);
    let token = token["secret"].as_str().expect("a token");
    let mut listener = Listener::open(&market, PATH, &format!("Authorization: Bearer {token}\r\n"));
    assert_eq!(listener.status, 200, "{}", listener.head);
    listener.opening();

    for method in [Method::POST, Method::DELETE] {
        let answer = market.request(method.clone(), PATH).send().expect("an answer");
        assert_eq!(answer.status(), 405);
        assert_eq!(answer.headers()["allow"], "GET, HEAD, OPTIONS");
        let message = format!("Request method '{method}' not supported");
        assert_eq!(refused(market.request(method, PATH)), (405, message));
    }
    let options = market.request(Method::OPTIONS, PATH).send().expect("an answer");
    assert_eq!(
        (options.status().as_u16(), &options.headers()["allow"]),
        (204, &"GET, HEAD, OPTIONS".parse().expect("a header"))
    );
    let head = |key: &str| market.request(Method::HEAD, PATH).header("Api-Key", key).send();
    let answer = head(&market.first().key).expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"text/event-stream".parse().expect("a header"))
    );
    assert_eq!(head("ACMA:x").expect("an answer").status(), 401);
}

#[test]
fn operators_are_refused_in_their_own_envelope() {
    let market = Market::open(1, &[]);
    let get = |query: &str| market.request(Method::GET, &format!("/operator/v1/events{query}"));
    let authorized = |query: &str| get(query).bearer_auth(&market.operator);
    for (request, status, code) in [
        (get(""), 401, "UNAUTHORIZED"),
        (get("").bearer_auth(&market.first().key), 401, "UNAUTHORIZED"),
        (authorized("?businessId=77"), 404, "NOT_FOUND"),
        (authorized("?businessId=x"), 400, "VALIDATION_FAILED"),
        (authorized("?lastEventId=x"), 400, "VALIDATION_FAILED"),
        (authorized("?from=1"), 400, "VALIDATION_FAILED"),
        (
            authorized("").header("Last-Event-ID", "x"),
            400,
            "VALIDATION_FAILED",
        ),
    ] {
        let answer = request.send().expect("an answer");
        assert_eq!(answer.status().as_u16(), status);
        let body: Value = answer.json().expect("JSON");
        assert_eq!(body["error"]["code"], code, "{body}");
    }
    let post = market.request(Method::POST, "/operator/v1/events").send();
    assert_eq!(post.expect("an answer").status(), 405);
}

#[test]
fn so_many_streams_of_a_business_and_no_more() {
    // No sign of life is sent while the test runs: by that, too, it would be seen in the end who has left.
    let settings = [
        ("EVENTS__STREAMS_PER_BUSINESS", "2"),
        ("EVENTS__HEARTBEAT_SECONDS", "300"),
    ];
    let market = Market::open(2, &settings);
    let (one, two) = (&market.sellers[0], &market.sellers[1]);
    let open = || {
        let mut listener = Listener::of_seller(&market, one, None);
        listener.opening();
        listener
    };
    let mut listeners = vec![open(), open()];
    let get = || market.request(Method::GET, PATH).header("Api-Key", &one.key);
    let full = (
        420,
        "Hit limit of 2 open event streams for businessId 1".to_owned(),
    );
    assert_eq!(refused(get()), full);
    // The limit is asked before the parameters are looked at, as the others are.
    assert_eq!(refused(get().header("Last-Event-ID", "x")), full);
    Listener::of_seller(&market, two, None).opening();
    Listener::of_operator(&market, "?businessId=1").opening();
    // The other's listener has left again, and the marketplace's took no place.
    market.wait_for_streams(2);

    // Streams neither run beside calls nor count for the hour.
    let chat = format!("/v2/businesses/1/chat?chatId={}", one.chat);
    let call = || {
        market
            .request(Method::GET, &chat)
            .header("Api-Key", &one.key)
            .send()
    };
    assert_eq!(call().expect("an answer").status(), 200);

    // A client that leaves gives its place back without anything being sent to it.
    drop(listeners.pop());
    market.wait_for_streams(1);
    let mut another = open();
    market.write(one);
    for listener in listeners.iter_mut().chain([&mut another]) {
        assert_eq!(listener.event().expect("an event").kind(), "CHAT_MESSAGE_SENT");
    }
}

#[test]
fn streams_take_nothing_of_the_limits_of_calls() {
    let market = Market::open(1, &[]);
    let seller = market.first();
    let remaining = || {
        let chat = format!("/v2/businesses/1/chat?chatId={}", seller.chat);
        let request = market.request(Method::GET, &chat).header("Api-Key", &seller.key);
        let answer = request.send().expect("an answer");
        assert_eq!(answer.status(), 200);
        let left = answer.headers()["x-ratelimit-resource-remaining"].to_str();
        left.expect("ASCII").parse::<u64>().expect("a number")
    };
    let before = remaining();
    let listeners: Vec<_> = (0..8)
        .map(|_| Listener::of_seller(&market, seller, None))
        .collect();
    assert!(
        listeners
            .iter()
            .all(|listener| !listener.head.to_ascii_lowercase().contains("x-ratelimit"))
    );
    // Twice as many streams as calls may run at a time, and the call runs.
    assert_eq!(remaining(), before - 1);
}

#[test]
fn a_stream_ends_with_the_right_to_it() {
    let market = Market::open(1, &[]);
    let (id, key) = market.key(1, "for a while", "communication");
    let mut listener = Listener::open(&market, PATH, &format!("Api-Key: {key}\r\n"));
    listener.opening();
    let mut other = Listener::of_seller(&market, market.first(), None);
    other.opening();
    market.write(market.first());
    assert!(listener.event().is_some());
    market.post(&format!("/businesses/1/keys/{id}/revoke"), &json!({}));
    market.write(market.first());
    assert_eq!(
        listener.event(),
        None,
        "nothing is shown to a key that was revoked"
    );
    assert!(listener.finished);
    for _ in 0..2 {
        assert!(other.event().is_some());
    }
    let state = json!({"name": "Shop 1", "state": "DISABLED"});
    market.call(Method::PUT, "/businesses/1", &state);
    market.write(market.first());
    assert_eq!(other.event(), None);
    market.wait_for_streams(0);
}
