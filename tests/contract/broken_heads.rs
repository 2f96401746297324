//! What cannot be read as HTTP: it is answered in the envelope all the same, and nothing else ever is
//! taken for it.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::blocking::multipart::{Form, Part};

use crate::counter::{Answer, Counter};

/// Asserts that an answer on a raw connection is the envelope with this one message.
#[track_caller]
fn refused(answer: &str, message: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert!(
        head.contains("\r\ncontent-type: application/json\r\n"),
        "{answer}"
    );
    assert!(
        head.contains(&format!("\r\ncontent-length: {}", body.len())),
        "{answer}"
    );
    assert_eq!(
        body,
        format!(r#"{{"status":"ERROR","errors":[{{"code":"BAD_REQUEST","message":"{message}"}}]}}"#)
    );
}

#[test]
fn every_broken_head_is_answered_in_the_envelope() {
    let counter = Counter::open();
    let long = |length: usize| "a".repeat(length);
    let many: String = (0..150).map(|number| format!("X-{number}: 1\r\n")).collect();
    for (head, what) in [
        ("hello\r\n\r\n".to_owned(), "request"),
        ("\u{16}\u{3}\u{1}\u{2}".to_owned(), "request"),
        ("GET /v2/campaigns\r\n\r\n".to_owned(), "request"),
        (
            "GET /v2/campaigns HTTP/9.9\r\nHost: x\r\n\r\n".to_owned(),
            "request",
        ),
        (
            "G@T( /v2/campaigns HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
            "request",
        ),
        ("GET /v2/<x> HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), "request"),
        ("GET /v2/a b HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), "request"),
        (
            "GET /v2/campaigns HTTP/1.1\r\nHost x\r\n\r\n".to_owned(),
            "request",
        ),
        (
            "GET /v2/campaigns HTTP/1.1\r\nX: a\0b\r\n\r\n".to_owned(),
            "request",
        ),
        (
            "POST /v2/auth/token HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_owned(),
            "request",
        ),
        (
            "POST /v2/auth/token HTTP/1.1\r\nContent-Length: -1\r\n\r\n".to_owned(),
            "request",
        ),
        (
            "POST /v2/auth/token HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n".to_owned(),
            "request",
        ),
        (
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", long(65_600)),
            "path",
        ),
        (
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", long(1_000_000)),
            "headers",
        ),
        (format!("GET /v2/campaigns HTTP/1.1\r\n{many}\r\n"), "headers"),
    ] {
        refused(
            &counter.raw(head.as_bytes()),
            &format!("Illegal input at '{what}'"),
        );
    }
    for path in [&b"/v2/\xff\xfe"[..], b"/v2/campaigns?x=\xc3\x28"] {
        let head = [b"GET ", path, b" HTTP/1.1\r\nHost: x\r\n\r\n"].concat();
        refused(&counter.raw(&head), "Illegal input at 'request'");
    }
}

#[test]
fn the_answer_reaches_a_client_that_is_still_sending() {
    let counter = Counter::open();
    let head = b"POST /v2/<x> HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n";
    let begun = Instant::now();
    let answer = counter.raw(&[&head[..], &vec![b'x'; 2_000_000]].concat());
    refused(&answer, "Illegal input at 'request'");
    // A client that neither sends nor closes does not hold the connection for long.
    refused(&counter.raw(head), "Illegal input at 'request'");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_broken_head_after_answers_leaves_them_whole() {
    let counter = Counter::open();
    let good = format!(
        "GET /v2/campaigns/1 HTTP/1.1\r\nHost: x\r\nApi-Key: {}\r\n\r\n",
        counter.keys.all
    );
    let campaign = counter.get("/v2/campaigns/1").succeeded().body;
    // All at once, and one after another.
    let together = counter.raw(format!("{good}{good}GET /<x> HTTP/1.1\r\n\r\n").as_bytes());
    let mut stream = counter.connect(good.as_bytes());
    let mut first = Vec::new();
    while !first.ends_with(campaign.as_bytes()) {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        first.push(byte[0]);
    }
    stream.write_all(b"nonsense\r\n\r\n").expect("sent");
    let mut second = String::new();
    stream.read_to_string(&mut second).expect("an answer");
    refused(&second, "Illegal input at 'request'");
    assert_eq!(together.matches(&campaign).count(), 2, "{together}");
    let broken = together.rfind("HTTP/1.1 ").expect("a third answer");
    refused(&together[broken..], "Illegal input at 'request'");
}

#[test]
fn a_file_that_looks_like_a_refusal_is_still_a_file() {
    let counter = Counter::open();
    let content = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let form = Form::new().part(
        "file",
        Part::bytes(content.as_bytes().to_vec()).file_name("a.txt"),
    );
    let send = counter.request(Method::POST, "/v2/businesses/1/chats/file/send?chatId=1");
    Answer::of(send.multipart(form)).succeeded();
    let history = counter
        .post("/v2/businesses/1/chats/history?chatId=1", "{}")
        .succeeded()
        .json();
    let url = history["result"]["messages"][2]["payload"][0]["url"]
        .as_str()
        .expect("a file");
    let path = url
        .split_once(&counter.address.to_string())
        .expect("this server")
        .1;
    for connection in ["keep-alive", "close"] {
        let open = counter
            .anonymous(Method::GET, path)
            .header("Connection", connection);
        assert_eq!(Answer::of(open).body, content);
    }
}
