//! Files of own chats: sent, downloaded, and no others.

use prilavok_domain::{PublicId, Timestamp};
use reqwest::Method;
use reqwest::blocking::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::market::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

fn file(name: &str, content: &[u8]) -> Part {
    Part::bytes(content.to_vec()).file_name(name.to_owned())
}

fn send(market: &Market, token: &str, chat: &str, form: Form) -> Answer {
    let request = market.request(Method::POST, &format!("/buyer/v1{chat}/files"));
    Answer::to(request.bearer_auth(token).multipart(form))
}

fn path_of(url: &Value) -> String {
    let url = url.as_str().expect("a link");
    url.splitn(4, '/')
        .nth(3)
        .map(|path| format!("/{path}"))
        .expect("a path")
}

#[test]
fn files_are_sent_as_the_customer_and_come_back_as_they_were() {
    let market = Market::open();
    let token = token(1, "anna");
    let chat = market.chat(&token, 1);
    let form = Form::new()
        .part("file", file("фото <b>.png", PNG))
        .part("file", file("note.txt", b"hello"))
        .text("message", "Вот");
    let sent = send(&market, &token, &chat, form).is(201);
    assert_eq!(sent["sender"], "CUSTOMER");
    assert_eq!(sent["message"], "Вот");
    assert_eq!(sent["files"][0]["name"], "фото <b>.png");
    assert_eq!(sent["files"][0]["mediaType"], "image/png");
    let got = market.get(&token, &format!("/files/{}", sent["files"][0]["fileId"]));
    assert_eq!((got.status, got.body.as_slice()), (200, PNG));
    assert!(got.header("content-disposition").starts_with("attachment"));
    assert_eq!(
        got.header("content-security-policy"),
        "default-src 'none'; sandbox"
    );
    assert_eq!(got.header("x-content-type-options"), "nosniff");
    let linked = Answer::to(market.request(Method::GET, &path_of(&sent["files"][1]["url"])));
    assert_eq!((linked.status, linked.body.as_slice()), (200, &b"hello"[..]));
}

#[test]
fn forms_that_are_wrong_are_refused() {
    let market = Market::open();
    let token = token(1, "anna");
    let chat = market.chat(&token, 1);
    for (form, status, code) in [
        (Form::new().text("message", "x"), 400, "VALIDATION_FAILED"),
        (Form::new().part("file", file("a", b"")), 400, "VALIDATION_FAILED"),
        (
            Form::new()
                .part("file", file("a", b"a"))
                .text("sender", "SUPPORT"),
            400,
            "VALIDATION_FAILED",
        ),
        (
            Form::new()
                .part("file", file("a", b"a"))
                .text("waitFor", "ARBITER"),
            400,
            "VALIDATION_FAILED",
        ),
        (
            Form::new().part("file", file("a", &vec![0; 5 * 1024 * 1024 + 1])),
            413,
            "PAYLOAD_TOO_LARGE",
        ),
    ] {
        send(&market, &token, &chat, form).fails(status, code);
    }
    let request = market.request(Method::POST, &format!("/buyer/v1{chat}/files"));
    Answer::to(request.bearer_auth(&token).body("x")).fails(415, "UNSUPPORTED_MEDIA_TYPE");
}

#[test]
fn a_file_of_another_customer_or_business_is_not_there() {
    let market = Market::open();
    let anna = token(1, "anna");
    let chat = market.chat(&anna, 1);
    let sent = send(
        &market,
        &anna,
        &chat,
        Form::new().part("file", file("a.png", PNG)),
    )
    .is(201);
    let path = format!("/files/{}", sent["files"][0]["fileId"]);
    assert_eq!(market.get(&anna, &path).status, 200);
    let nothing = market
        .get(&token(1, "boris"), "/files/999999")
        .fails(404, "NOT_FOUND");
    let number = path.rsplit('/').next().expect("a number");
    for other in [token(1, "boris"), token(2, "anna"), token(2, "boris")] {
        let refused = market.get(&other, &path).fails(404, "NOT_FOUND");
        assert_eq!(refused.replace(number, "999999"), nothing);
    }
}

#[test]
fn who_was_erased_reads_that_and_writes_nothing() {
    let market = Market::open();
    let token = token(1, "anna");
    let chat = market.chat(&token, 1);
    let form = Form::new()
        .part("file", file("passport.png", PNG))
        .text("message", "My passport");
    let sent = send(&market, &token, &chat, form).is(201);
    let anna = PublicId::new("anna").expect("an id");
    market.block_on(async {
        let (store, now) = (market.store(), Timestamp::from_millis(0).expect("in range"));
        store.erase_customer(&anna, now).await.expect("an erasure");
        while store.erase_some(&anna, now).await.expect("a step").more {}
    });
    assert_eq!(
        market.get(&token, "/me").is(200)["customerName"],
        "Erased customer"
    );
    let messages = market.get(&token, &format!("{chat}/messages")).is(200);
    let message = &messages["items"][0];
    assert_eq!(message["message"], "[erased]");
    assert_eq!(message["files"][0]["name"], "erased");
    assert!(message["files"][0]["removedAt"].is_string());
    let path = format!("/files/{}", sent["files"][0]["fileId"]);
    let gone = market.get(&token, &path).fails(404, "NOT_FOUND");
    assert!(gone.contains("File"), "{gone}");
    let said = market.post(&token, &format!("{chat}/messages"), &json!({"message": "hello"}));
    let refused = said.fails(409, "CONFLICT");
    assert!(refused.contains("erased"), "{refused}");
}
