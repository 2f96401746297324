//! Every error of the envelope, and every wrong way into the API.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::json;

use crate::desk::{Answer, BUSINESS, Desk};

#[test]
fn only_an_operator_token_opens() {
    let desk = Desk::open();
    let (_, key) = desk.key("CRM");
    let missing = r#"Bearer realm="operator""#;
    let invalid = r#"Bearer realm="operator", error="invalid_token""#;
    for (header, challenge) in [
        (None, missing),
        (Some("Bearer".to_owned()), missing),
        (Some("Basic b3BlcmF0b3I6eA==".to_owned()), missing),
        (Some(format!("Bearer {}x", desk.token)), invalid),
        (Some(format!("Bearer {key}")), invalid),
    ] {
        let mut request = desk.anonymous(Method::GET, BUSINESS);
        if let Some(header) = &header {
            request = request.header("Authorization", header);
        }
        let answer = Answer::to(request);
        answer.fails(401, "UNAUTHORIZED");
        assert_eq!(answer.header("www-authenticate"), challenge, "{header:?}");
    }
    let lower = desk
        .anonymous(Method::GET, BUSINESS)
        .header("Authorization", format!("bearer {}", desk.token));
    assert_eq!(Answer::to(lower).status, 200);
}

#[test]
fn the_envelope() {
    let desk = Desk::open();
    let campaign = format!("{BUSINESS}/campaigns/1");
    let answers = [
        desk.get(&format!("{BUSINESS}/orders/77")),
        desk.put(
            &campaign,
            &json!({"domain": "", "placement": "X", "colour": "red"}),
        ),
        Answer::to(desk.anonymous(Method::GET, BUSINESS)),
        Answer::to(desk.request(Method::DELETE, BUSINESS)),
        desk.act(&format!("{BUSINESS}/chats/1/finish")),
    ];
    for answer in &answers {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    assert_json_snapshot!(answers.map(|answer| answer.json()));
}

#[test]
fn no_path_leaves_the_envelope() {
    let desk = Desk::open();
    for path in [
        "/operator",
        "/operator/",
        "/operator/v1",
        "/operator/v1/",
        "/operator/v2/businesses",
        "/operator/v1/business/1",
        "/operator/v1/businesses/",
        "/operator/v1/businesses/1/",
        "/operator/v1/businesses/1/chats/1/messages/1/files",
        "/operator/%ff",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let message = Answer::to(desk.request(method, path)).message(404, "NOT_FOUND");
            assert_eq!(message, format!("There is nothing at {path}"));
        }
    }
    for path in [
        "/operator/v1/businesses//campaigns",
        "/operator/v1/businesses/1.json",
    ] {
        desk.get(path).fails(400, "VALIDATION_FAILED");
    }
}

#[test]
fn other_methods_are_told_which_ones_there_are() {
    let desk = Desk::open();
    for (method, path, allowed) in [
        (Method::DELETE, BUSINESS, "PUT,GET,HEAD"),
        (Method::POST, "/operator/v1/businesses", "GET,HEAD"),
        (Method::GET, "/operator/v1/bulk", "POST"),
        (Method::PUT, "/operator/v1/businesses/1/keys/1", "GET,HEAD,PATCH"),
        (Method::POST, "/operator/v1/openapi.json", "GET,HEAD"),
    ] {
        let answer = Answer::to(desk.request(method.clone(), path));
        answer.fails(405, "METHOD_NOT_ALLOWED");
        assert_eq!(answer.header("allow"), allowed, "{method} {path}");
        let options = Answer::to(desk.anonymous(Method::OPTIONS, path));
        assert_eq!(
            (options.status, options.header("allow")),
            (204, allowed),
            "{path}"
        );
    }
    let head = Answer::to(desk.request(Method::HEAD, BUSINESS));
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn ids_in_paths_are_named() {
    let desk = Desk::open();
    for (path, field) in [
        ("/operator/v1/businesses/0", "businessId"),
        ("/operator/v1/businesses/-1", "businessId"),
        ("/operator/v1/businesses/9007199254740992", "businessId"),
        ("/operator/v1/businesses/99999999999999999999999", "businessId"),
        ("/operator/v1/businesses/one/campaigns/1", "businessId"),
        ("/operator/v1/businesses/1/campaigns/x", "campaignId"),
        ("/operator/v1/businesses/1/orders/1.0", "orderId"),
        ("/operator/v1/businesses/1/returns/%20", "returnId"),
        ("/operator/v1/businesses/1/chats/+", "chatId"),
        ("/operator/v1/businesses/1/chats/1/messages/x", "messageId"),
        ("/operator/v1/businesses/1/keys/x", "keyId"),
        ("/operator/v1/businesses/1/oauth-tokens/x", "tokenId"),
    ] {
        let details = desk.get(path).fails(400, "VALIDATION_FAILED");
        assert_eq!(
            details,
            [format!("{field}: must be an integer from 1 to 9007199254740991")],
            "{path}"
        );
    }
    let long = "x".repeat(101);
    for (id, rule) in [
        (
            long.as_str(),
            "must have 1 to 100 characters and no control characters",
        ),
        ("a%00b", "must have 1 to 100 characters and no control characters"),
        ("%ff", "must be percent-encoded UTF-8"),
    ] {
        let details = desk
            .get(&format!("/operator/v1/customers/{id}"))
            .fails(400, "VALIDATION_FAILED");
        assert_eq!(details, [format!("publicId: {rule}")]);
    }
}

#[test]
fn bodies_that_are_no_json() {
    let desk = Desk::open();
    let deep = "[".repeat(10_000);
    let put = |content_type: &str, body: &str| {
        let request = desk
            .request(Method::PUT, BUSINESS)
            .header("Content-Type", content_type);
        Answer::to(request.body(body.to_owned()))
    };
    for body in [
        "{",
        "nonsense",
        "{\"name\": 1e999}",
        "{\"name\": \"\\ud800\"}",
        "{} {}",
        &deep,
    ] {
        let details = put("application/json", body).fails(400, "VALIDATION_FAILED");
        assert_eq!(details, ["body: must be JSON in UTF-8"], "{body:.30}");
    }
    for (body, problem) in [
        ("", "body: is required"),
        ("[]", "body: must be a JSON object"),
        ("null", "body: must be a JSON object"),
        ("{\"name\": 7}", "name: must be a string"),
    ] {
        assert_eq!(
            put("application/json", body).fails(400, "VALIDATION_FAILED"),
            [problem],
            "{body}"
        );
    }
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=cp1251",
    ] {
        put(content_type, "{\"name\": \"x\"}").fails(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    for content_type in [
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/merge-patch+json",
    ] {
        put(content_type, "{\"name\": \"x\"}").is(200);
    }
}

#[test]
fn bodies_that_are_too_large() {
    let desk = Desk::open();
    let padded = |size: usize| format!("{{\"name\": \"x\"{}}}", " ".repeat(size - 13));
    let put = |body: String| {
        let request = desk
            .request(Method::PUT, BUSINESS)
            .header("Content-Type", "application/json");
        Answer::to(request.body(body))
    };
    put(padded(512 * 1024)).is(200);
    let answer = put(padded(512 * 1024 + 1));
    assert_eq!(
        answer.message(413, "PAYLOAD_TOO_LARGE"),
        "The body must have at most 512 KB"
    );
    // Large enough to fill every buffer on the way: the answer is seen nevertheless.
    put(padded(6 * 1024 * 1024)).fails(413, "PAYLOAD_TOO_LARGE");
    // The same without a length told beforehand.
    let bytes = std::io::Cursor::new(padded(3 * 1024 * 1024));
    let request = desk
        .request(Method::PUT, BUSINESS)
        .header("Content-Type", "application/json");
    let answer = Answer::to(request.body(reqwest::blocking::Body::new(bytes)));
    answer.fails(413, "PAYLOAD_TOO_LARGE");
    let bulk = desk
        .request(Method::POST, "/operator/v1/bulk")
        .header("Content-Type", "application/json");
    let answer = Answer::to(bulk.body(padded(2 * 1024 * 1024 + 1)));
    assert_eq!(
        answer.message(413, "PAYLOAD_TOO_LARGE"),
        "The body must have at most 2048 KB"
    );
}

#[test]
fn bodies_that_break_off_or_never_end() {
    let desk = Desk::open();
    let connect = || {
        let mut stream = TcpStream::connect(desk.address).expect("connected");
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("a socket");
        let head = format!(
            "PUT {BUSINESS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\
             Content-Length: 100\r\n\r\n{{\"name\":",
            desk.token
        );
        stream.write_all(head.as_bytes()).expect("sent");
        stream
    };
    let rest = |mut stream: TcpStream| {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    };
    let slow = connect();
    let broken = connect();
    broken.shutdown(Shutdown::Write).expect("a connection");
    let answer = rest(broken);
    assert!(
        answer.contains(r#""code":"VALIDATION_FAILED","message":"The body broke off""#),
        "{answer}"
    );
    let answer = rest(slow);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains(r#""code":"REQUEST_TIMEOUT""#), "{answer}");
}

#[test]
fn a_store_that_is_gone() {
    let desk = Desk::open();
    desk.block_on(desk.store.close());
    let answer = desk.put(BUSINESS, &json!({"name": "x"}));
    answer.fails(503, "UNAVAILABLE");
    assert_eq!(answer.header("retry-after"), "1");
}

#[test]
fn a_store_that_is_broken() {
    let desk = Desk::open();
    desk.place.execute("ALTER TABLE purchase_return RENAME TO gone");
    let answer = desk.get(&format!("{BUSINESS}/returns"));
    assert_eq!(
        answer.message(500, "INTERNAL"),
        "The server failed; its log has the details under the request's id"
    );
    assert!(
        !String::from_utf8_lossy(&answer.body).contains("purchase"),
        "nothing of the inside"
    );
}
