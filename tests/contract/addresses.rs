//! Paths and methods: with and without the version, with and without `.json`, HEAD, OPTIONS, and what
//! does not exist.

use reqwest::Method;
use reqwest::blocking::multipart::{Form, Part};

use crate::counter::{Answer, Counter};

#[test]
fn every_operation_answers_at_each_of_its_addresses() {
    let counter = Counter::open();
    for (method, path, body) in [
        (Method::GET, "/businesses/1/chat?chatId=1", ""),
        (Method::POST, "/businesses/1/chats", "{}"),
        (Method::POST, "/businesses/1/chats/history?chatId=1", "{}"),
        (
            Method::GET,
            "/businesses/1/chats/message?chatId=1&messageId=1",
            "",
        ),
        (
            Method::POST,
            "/businesses/1/chats/message?chatId=1",
            "{\"message\":\"x\"}",
        ),
        (Method::POST, "/businesses/1/chats/new", "{\"orderId\":1}"),
        (Method::POST, "/auth/token", ""),
        (Method::GET, "/campaigns", ""),
        (Method::GET, "/campaigns/1", ""),
    ] {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        for address in [
            format!("{path}?{query}"),
            format!("/v2{path}?{query}"),
            format!("{path}.json?{query}"),
            format!("/v2{path}.json?{query}"),
        ] {
            let request = counter.request(method.clone(), &address).body(body);
            Answer::of(request).succeeded();
        }
    }
    let path = "/businesses/1/chats/file/send";
    for address in [
        path.to_owned(),
        format!("/v2{path}"),
        format!("{path}.json"),
        format!("/v2{path}.json"),
    ] {
        let form = Form::new().part("file", Part::bytes(b"abc".to_vec()).file_name("a.txt"));
        let request = counter.request(Method::POST, &format!("{address}?chatId=1"));
        Answer::of(request.multipart(form)).succeeded();
    }
}

#[test]
fn what_does_not_exist_is_not_found_by_any_method() {
    let counter = Counter::open();
    for path in [
        "/nothing",
        "/v2",
        "/v2/",
        "/v3/campaigns",
        "/v2/businesses/1",
        "/v2/businesses/1/chat/",
        "/v2//campaigns",
        "/V2/CAMPAIGNS",
        "/favicon.ico",
        "/v2/campaigns%00",
        "/%FF%FE",
        "/v2/businesses/1/chats;x=1",
        "/operatorx",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::OPTIONS] {
            Answer::of(counter.request(method.clone(), path)).refused(404, "Resource not found");
            Answer::of(counter.anonymous(method, path)).refused(404, "Resource not found");
        }
    }
}

#[test]
fn no_path_is_too_odd_for_the_envelope() {
    let counter = Counter::open();
    let long = format!("/v2/{}", "a".repeat(60_000));
    // As they are: clients tidy paths up before they send them.
    for path in [
        "/",
        "//",
        "/.",
        "/..",
        "/../v2/campaigns",
        "/v2/./campaigns",
        "/%2e/v2",
        "/%00",
        "/v2/кот",
        "*",
        "x",
        &long,
    ] {
        for method in ["GET", "OPTIONS"] {
            let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            let answer = counter.raw(head.as_bytes());
            let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
            // Where people find the documentation there is something to ask for.
            if (path, method) == ("/", "OPTIONS") {
                assert!(
                    head.starts_with("HTTP/1.1 204") && head.contains("allow: "),
                    "{answer}"
                );
                continue;
            }
            assert!(head.starts_with("HTTP/1.1 4"), "{method} {path:.40}: {answer}");
            let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
            assert_eq!(body["status"], "ERROR", "{method} {path:.40}");
        }
    }
}

#[test]
fn people_find_the_documentation_at_the_root() {
    let counter = Counter::open();
    let browser = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept: text/html,*/*\r\n\r\n";
    let answer = counter.raw(browser.as_bytes());
    assert!(
        answer.starts_with("HTTP/1.1 307") && answer.contains("location: /docs/"),
        "{answer}"
    );
    counter.get("/").refused(404, "Resource not found");
}

#[test]
fn other_methods_are_named_and_the_right_ones_listed() {
    let counter = Counter::open();
    for (method, path, allow) in [
        (Method::DELETE, "/v2/businesses/1/chat", "GET, HEAD, OPTIONS"),
        (Method::GET, "/v2/businesses/1/chats", "POST, OPTIONS"),
        (Method::HEAD, "/v2/businesses/1/chats", "POST, OPTIONS"),
        (
            Method::PUT,
            "/businesses/1/chats/message.json",
            "GET, HEAD, POST, OPTIONS",
        ),
        (
            Method::from_bytes(b"BREW").expect("a method"),
            "/v2/campaigns",
            "GET, HEAD, OPTIONS",
        ),
    ] {
        let answer = Answer::of(counter.anonymous(method.clone(), path));
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, allow),
            "{method} {path}"
        );
        if method != Method::HEAD {
            answer.refused(405, &format!("Request method '{method}' not supported"));
        }
    }
}

#[test]
fn options_need_no_credential() {
    let counter = Counter::open();
    let answer = Answer::of(counter.anonymous(Method::OPTIONS, "/v2/businesses/7/chats/message"));
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(answer.header("allow"), "GET, HEAD, POST, OPTIONS");
}

#[test]
fn head_is_get_without_the_body() {
    let counter = Counter::open();
    for (path, status) in [
        ("/v2/businesses/1/chat?chatId=1", 200),
        ("/v2/businesses/1/chat?chatId=999", 404),
        ("/v2/businesses/1/chat", 400),
    ] {
        let get = counter.get(path);
        let head = Answer::of(counter.request(Method::HEAD, path));
        assert_eq!((get.status, head.status), (status, status));
        assert_eq!(head.body, "");
        assert_eq!(head.header("content-type"), "application/json");
        assert_eq!(head.header("content-length"), get.body.len().to_string());
    }
}
