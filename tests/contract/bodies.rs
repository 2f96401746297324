//! What is wrong with parameters, headers and bodies, and how much wrongness is forgiven.

use std::fmt::Write as _;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use crate::counter::{Answer, Counter};

const CHATS: &str = "/v2/businesses/1/chats";
const SEND: &str = "/v2/businesses/1/chats/message?chatId=1";

#[test]
fn wrong_parameters() {
    let counter = Counter::open();
    for (path, message) in [
        (
            "/v2/businesses/1/chat",
            "Required request parameter 'chatId' is not present",
        ),
        (
            "/v2/businesses/1/chat?chatId=",
            "Required request parameter 'chatId' is not present",
        ),
        ("/v2/businesses/1/chat?chatId=abc", "Type mismatch: 'abc'"),
        (
            "/v2/businesses/1/chat?chatId=99999999999999999999",
            "Type mismatch: '99999999999999999999'",
        ),
        (
            "/v2/businesses/1/chat?chatId=0",
            "'chatId' must be greater than or equal to '1' (rejected value: '0')",
        ),
        ("/v2/businesses/abc/chat?chatId=1", "Type mismatch: 'abc'"),
        (
            "/v2/businesses/0/chat?chatId=1",
            "'businessId' must be greater than or equal to '1' (rejected value: '0')",
        ),
        ("/v2/campaigns/1x", "Type mismatch: '1x'"),
        (
            "/v2/campaigns?page=10001",
            "'page' must be less than or equal to '10000' (rejected value: '10001')",
        ),
        ("/v2/campaigns?pageToken=abc", "Bad page token"),
    ] {
        counter.get(path).refused(400, message);
    }
    let message = "Parameter limit must be less than or equal to '20' (rejected value: '50')";
    counter
        .post(&format!("{CHATS}?limit=50"), "{}")
        .refused(400, message);
    counter
        .post(&format!("{CHATS}?page_token=%00"), "{}")
        .refused(400, "Bad page token");
}

#[test]
fn wrong_bodies() {
    let counter = Counter::open();
    let long = format!("{{\"message\":\"{}\"}}", "я".repeat(4097));
    let deep = format!("{{\"types\":{}", "[".repeat(100_000));
    for (path, body, message) in [
        (CHATS, "", "Required request body is missing"),
        (CHATS, "{\"types\":", "Unexpected end of content"),
        (CHATS, "{\"types\" 5}", "JSON: expected `:` at line 1 column 10"),
        (
            CHATS,
            &deep,
            "JSON: recursion limit exceeded at line 1 column 136",
        ),
        (CHATS, "[]", "Illegal input at '$'"),
        (
            CHATS,
            "{\"types\":[]}",
            "'types' must not be empty (rejected value: '[]')",
        ),
        (
            CHATS,
            "{\"types\":[null]}",
            "'types' elements must be not null (rejected value: '[null]')",
        ),
        (
            CHATS,
            "{\"contexts\":[{\"type\":\"TABLE\",\"id\":1}]}",
            "Illegal input at 'contexts[0].type'",
        ),
        (SEND, "{}", "'message' must not be null (rejected value: null)"),
        (
            SEND,
            "{\"message\":\"\"}",
            "'message' size must be between '1' and '4096' (rejected value: '')",
        ),
        (
            SEND,
            &long,
            "'message' size must be between '1' and '4096' (rejected size: '4097')",
        ),
        (SEND, "{\"message\":\"a\\u0000\"}", "Illegal input at 'message'"),
    ] {
        counter.post(path, body).refused(400, message);
    }
    let not_utf8 = counter
        .request(Method::POST, SEND)
        .body(b"{\"message\":\"\xff\"}".to_vec());
    let message = "JSON: invalid unicode code point at line 1 column 13";
    Answer::of(not_utf8).refused(400, message);
}

#[test]
fn several_errors_come_together() {
    let counter = Counter::open();
    let request = counter.request(Method::POST, "/v2/businesses/1/chats/history?limit=0&chatId=x");
    let request = request
        .header("X-Business-Id", "-1")
        .body("{\"messageIdFrom\":0}");
    insta::assert_snapshot!(Answer::of(request).snapshot());
}

#[test]
fn the_business_header_must_agree_with_the_address() {
    let counter = Counter::open();
    let with = |path: &str, value: &str| {
        Answer::of(counter.request(Method::GET, path).header("X-Business-Id", value))
    };
    let chat = "/v2/businesses/1/chat?chatId=1";
    with(chat, "1").succeeded();
    for value in ["abc", "0", "-5", "1.5", ""] {
        with(chat, value).refused(400, &format!("Incorrect X-Business-Id header value: '{value}'"));
    }
    let message = "URL businessId ('1') does not match businessId in X-Business-Id header ('2')";
    with(chat, "2").refused(400, message);
    with("/v2/campaigns/1", "x").refused(400, "Incorrect X-Business-Id header value: 'x'");
    with("/v2/campaigns/1", "2").succeeded();
}

#[test]
fn content_types() {
    let counter = Counter::open();
    for (content_type, accepted) in [
        ("application/json", true),
        ("application/json; charset=UTF-8", true),
        ("application/merge-patch+json", true),
        ("text/plain", false),
        ("application/json; charset=windows-1251", false),
        ("application/x-www-form-urlencoded", false),
        ("multipart/form-data; boundary=x", false),
        ("nonsense", false),
    ] {
        let request = counter
            .request(Method::POST, CHATS)
            .header(CONTENT_TYPE, content_type)
            .body("{}");
        let answer = Answer::of(request);
        if accepted {
            answer.succeeded();
        } else {
            answer.refused(415, &format!("Content type '{content_type}' not supported"));
        }
    }
    counter.post(CHATS, "{}").succeeded();
    let ignored = counter
        .request(Method::POST, "/v2/auth/token")
        .header(CONTENT_TYPE, "text/plain")
        .body("hello");
    Answer::of(ignored).succeeded();
}

#[test]
fn parameters_count_before_the_body() {
    let counter = Counter::open();
    for path in [
        "/v2/businesses/1/chats?limit=x",
        "/v2/businesses/1/chats/history?chatId=x",
        "/v2/businesses/1/chats/message?chatId=x",
        "/v2/businesses/1/chats/file/send?chatId=x",
    ] {
        let request = counter
            .request(Method::POST, path)
            .header(CONTENT_TYPE, "text/plain");
        Answer::of(request.body("{}")).refused(400, "Type mismatch: 'x'");
    }
    let request = counter
        .request(Method::POST, "/v2/businesses/1/chats/new")
        .header(CONTENT_TYPE, "text/plain")
        .header("X-Business-Id", "x");
    Answer::of(request.body("{}")).refused(400, "Incorrect X-Business-Id header value: 'x'");
    // What is of the same status comes together.
    let long = " ".repeat(512 * 1024 + 1);
    let errors = counter.post("/v2/businesses/1/chats?limit=x", &long).errors();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[1].starts_with("The request is too big"), "{errors:?}");
}

#[test]
fn a_body_of_512_kb_is_read_and_no_more() {
    let counter = Counter::open();
    let padded = |bytes: usize| format!("{{}}{}", " ".repeat(bytes - 2));
    counter.post(CHATS, &padded(512 * 1024)).succeeded();
    let too_big =
        "The request is too big: Maximum allowed request size must be less than '512' KB, but passed";
    counter
        .post(CHATS, &padded(512 * 1024 + 1))
        .refused(400, &format!("{too_big} '0.51' MB"));
    counter
        .post(CHATS, &padded(3 * 1024 * 1024))
        .refused(400, &format!("{too_big} '3.00' MB"));

    let mut chunked = format!(
        "POST {CHATS} HTTP/1.1\r\nHost: x\r\nApi-Key: {}\r\n",
        counter.keys.all
    );
    chunked.push_str("Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
    for _ in 0..20 {
        write!(chunked, "10000\r\n{}\r\n", " ".repeat(0x1_0000)).expect("text");
    }
    let answer = counter.raw(format!("{chunked}0\r\n\r\n").as_bytes());
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains(too_big),
        "{answer}"
    );
}

#[test]
fn a_body_that_breaks_off_is_answered() {
    let counter = Counter::open();
    let head = format!(
        "POST {CHATS} HTTP/1.1\r\nHost: x\r\nApi-Key: {}\r\n",
        counter.keys.all
    );
    for rest in [
        "Content-Length: 100\r\n\r\n{\"types\"",
        "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\"",
        "Transfer-Encoding: chunked\r\n\r\nnot hex\r\n",
    ] {
        let answer = counter.raw_and_no_more(format!("{head}{rest}").as_bytes());
        assert!(
            answer.starts_with("HTTP/1.1 400") && answer.contains("Unexpected end of content"),
            "{answer}"
        );
    }
}

#[test]
fn a_client_that_waits_to_send_is_answered_without_sending() {
    let counter = Counter::open();
    let head =
        "POST /v2/businesses/1/chats HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100000\r\n";
    let answer = counter.raw(format!("{head}Expect: 100-continue\r\n\r\n").as_bytes());
    assert!(
        answer.starts_with("HTTP/1.1 401") && answer.contains("Credentials are not specified"),
        "{answer}"
    );
}

#[test]
fn what_java_services_forgive_is_forgiven() {
    let counter = Counter::open();
    for (path, body) in [
        (CHATS, "{\"unknown\":{\"a\":[1]},\"types\":null}"),
        (CHATS, "\u{feff}{}"),
        ("/v2/businesses/1/chats?limit=5&verbose=true&limit=900", "{}"),
        (
            "/v2/businesses/1/chats/history?chatId=%31",
            "{\"messageIdFrom\":\"1\"}",
        ),
        (
            "/v2/businesses/1/chats/history?chatId=1",
            "{\"messageIdFrom\":null}",
        ),
        (
            CHATS,
            "{\"orderIds\":[\"1\",1,1.0],\"statuses\":[\"NEW\",\"NEW\"]}",
        ),
    ] {
        counter.post(path, body).succeeded();
    }
}

#[test]
fn a_filter_as_long_as_a_body_may_be_is_answered() {
    let counter = Counter::open();
    let many: Vec<_> = (1..=60_000).map(|id| id.to_string()).collect();
    let answer = counter.post(CHATS, &format!("{{\"orderIds\":[{}]}}", many.join(",")));
    assert_eq!(
        answer.succeeded().json()["result"]["chats"]
            .as_array()
            .map(Vec::len),
        Some(3)
    );
}

#[test]
fn a_client_that_ends_its_side_is_still_answered() {
    let counter = Counter::open();
    let body = "{\"message\":\"x\"}";
    let head = format!(
        "POST {SEND} HTTP/1.1\r\nHost: x\r\nApi-Key: {}\r\n",
        counter.keys.all
    );
    let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    let answer = counter.raw_and_no_more(request.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
