//! Who may call: keys, tokens, scopes, and the wall between businesses.

use reqwest::Method;
use reqwest::blocking::multipart::{Form, Part};
use reqwest::header::{AUTHORIZATION, HeaderValue};

use crate::counter::{Answer, Counter};
use crate::population::OAUTH_LIFE_MS;

const CHAT: &str = "/v2/businesses/1/chat?chatId=1";

/// Every operation, as business 1 would call it; `{}` stands for the business.
const CALLS: [(Method, &str, &str); 9] = [
    (Method::GET, "/v2/businesses/{}/chat?chatId=1", ""),
    (Method::POST, "/v2/businesses/{}/chats", "{}"),
    (Method::POST, "/v2/businesses/{}/chats/history?chatId=1", "{}"),
    (
        Method::GET,
        "/v2/businesses/{}/chats/message?chatId=1&messageId=1",
        "",
    ),
    (
        Method::POST,
        "/v2/businesses/{}/chats/message?chatId=1",
        "{\"message\":\"x\"}",
    ),
    (Method::POST, "/v2/businesses/{}/chats/new", "{\"orderId\":1}"),
    (Method::POST, "/v2/auth/token", ""),
    (Method::GET, "/v2/campaigns", ""),
    (Method::GET, "/v2/campaigns/1", ""),
];

fn with_key(counter: &Counter, path: &str, key: &str) -> Answer {
    Answer::of(counter.anonymous(Method::GET, path).header("Api-Key", key))
}

fn with_authorization(counter: &Counter, path: &str, value: &str) -> Answer {
    Answer::of(counter.anonymous(Method::GET, path).header(AUTHORIZATION, value))
}

#[test]
fn what_is_wrong_with_a_credential() {
    let counter = Counter::open();
    Answer::of(counter.anonymous(Method::GET, CHAT)).refused(401, "Credentials are not specified");

    let good = &counter.keys.all;
    let mistyped = good.replace(&good[8..10], if &good[8..10] == "xx" { "yy" } else { "xx" });
    for (key, message) in [
        ("", "Api-Key token prefix invalid"),
        ("Bearer abc", "Api-Key token prefix invalid"),
        ("ACMA:abc:00000000", "Api-Key token length invalid"),
        (&mistyped, "Api-Key token format invalid"),
        (
            &prilavok_server::secrets::new_api_key(),
            "Api-Key token is invalid",
        ),
        (&counter.keys.revoked, "Api-Key token is revoked"),
    ] {
        with_key(&counter, CHAT, key).refused(401, message);
    }
    let odd = HeaderValue::from_bytes(b"ACMA:\xff").expect("a header");
    let answer = Answer::of(counter.anonymous(Method::GET, CHAT).header("Api-Key", odd));
    answer.refused(401, "Api-Key token format invalid");

    for (value, status, message) in [
        ("Basic abc", 401, "Authorization header has invalid syntax"),
        ("Bearer a b", 401, "Authorization header has invalid syntax"),
        ("Bearer", 401, "OAuth token is not specified"),
        ("OAuth oauth_client_id=\"1\"", 401, "OAuth token is not specified"),
        ("Bearer abc", 403, "OAuth token is invalid"),
        (
            &format!("Bearer {}", counter.keys.oauth_revoked),
            403,
            "OAuth token is invalid",
        ),
        (&format!("Bearer {good}"), 403, "OAuth token is invalid"),
    ] {
        with_authorization(&counter, CHAT, value).refused(status, message);
    }
}

#[test]
fn both_forms_of_the_authorization_header_open() {
    let counter = Counter::open();
    let token = &counter.keys.oauth;
    for value in [
        format!("Bearer {token}"),
        format!("OAuth oauth_token=\"{token}\", oauth_client_id=\"abc\""),
        format!("OAuth oauth_client_id=abc,oauth_token={token}"),
    ] {
        with_authorization(&counter, CHAT, &value).succeeded();
    }
}

#[test]
fn an_api_key_counts_before_an_authorization() {
    let counter = Counter::open();
    let request = counter
        .request(Method::GET, CHAT)
        .header(AUTHORIZATION, "Basic abc");
    Answer::of(request).succeeded();
    let token = format!("Bearer {}", counter.keys.oauth);
    let request = counter.anonymous(Method::GET, CHAT).header(AUTHORIZATION, token);
    Answer::of(request.header("Api-Key", "abc")).refused(401, "Api-Key token prefix invalid");
}

#[test]
fn an_oauth_token_ends_after_a_year() {
    let counter = Counter::open();
    let value = format!("Bearer {}", counter.keys.oauth);
    counter.clock.advance(OAUTH_LIFE_MS - 1);
    with_authorization(&counter, CHAT, &value).succeeded();
    counter.clock.advance(1);
    with_authorization(&counter, CHAT, &value).refused(403, "OAuth token is invalid");
}

#[test]
fn a_token_is_told_about_keys_only() {
    let counter = Counter::open();
    let value = format!("Bearer {}", counter.keys.oauth);
    let request = counter
        .anonymous(Method::POST, "/v2/auth/token")
        .header(AUTHORIZATION, value);
    Answer::of(request).refused(403, "Access denied");
    insta::assert_snapshot!(counter.post("/v2/auth/token", "").snapshot());
    let read_only = counter
        .anonymous(Method::POST, "/v2/auth/token")
        .header("Api-Key", &counter.keys.pricing);
    insta::assert_snapshot!(Answer::of(read_only).snapshot());
}

#[test]
fn scopes() {
    let counter = Counter::open();
    let refusal = "Token does not have any of the scopes to access the API method:";
    let reading = format!("{refusal} all-methods, all-methods:read-only, communication");
    let writing = format!("{refusal} all-methods, communication");
    let keys = &counter.keys;
    for (key, may_read, may_write) in [
        (&keys.read_only, true, false),
        (&keys.communication, true, true),
        (&keys.pricing, false, false),
    ] {
        for (method, path, body) in CALLS {
            let request = counter
                .anonymous(method, &path.replace("{}", "1"))
                .header("Api-Key", key)
                .body(body);
            let answer = Answer::of(request);
            let writes = path.ends_with("/new") || body.contains("message");
            match (path.contains("businesses"), writes) {
                (false, _) => _ = answer.succeeded(),
                (true, false) if may_read => _ = answer.succeeded(),
                (true, true) if may_write => _ = answer.succeeded(),
                (true, false) => answer.refused(403, &reading),
                (true, true) => answer.refused(403, &writing),
            }
        }
        let form = Form::new().part("file", Part::bytes(b"abc".to_vec()).file_name("a.txt"));
        let send = counter.anonymous(Method::POST, "/v2/businesses/1/chats/file/send?chatId=1");
        let answer = Answer::of(send.header("Api-Key", key).multipart(form));
        if may_write {
            answer.succeeded();
        } else {
            answer.refused(403, &writing);
        }
    }
}

#[test]
fn another_business_is_a_wall() {
    let counter = Counter::open();
    for (method, path, body) in CALLS.iter().filter(|(_, path, _)| path.contains("{}")) {
        for (business, chat) in [("1", "1"), ("1", "999"), ("77", "1"), ("9007199254740993", "1")] {
            let path = path
                .replace("{}", business)
                .replace("chatId=1", &format!("chatId={chat}"));
            let request = counter
                .anonymous(method.clone(), &path)
                .header("Api-Key", &counter.keys.other);
            Answer::of(request.body(*body)).refused(403, "Access denied");
        }
        // Even where everything else is wrong as well, nothing more is told.
        let request = counter.anonymous(Method::POST, "/v2/businesses/1/chats?limit=x");
        let answer = Answer::of(request.header("Api-Key", &counter.keys.other).body("{"));
        answer.refused(403, "Access denied");
    }
    let file = counter.anonymous(Method::POST, "/v2/businesses/1/chats/file/send?chatId=1");
    let file = file
        .header("Api-Key", &counter.keys.other)
        .header("Content-Type", "multipart/form-data; boundary=b");
    Answer::of(file.body("--b--\r\n")).refused(403, "Access denied");
    // One's own address with the other's ids finds nothing.
    let own = with_key(&counter, "/v2/businesses/2/chat?chatId=1", &counter.keys.other);
    own.refused(404, "Can't find chat by id: '1'");
    let own = with_key(
        &counter,
        "/v2/businesses/2/chats/message?chatId=5&messageId=1",
        &counter.keys.other,
    );
    own.refused(404, "Can't find message by id: '1' for chat '5'");
    with_key(&counter, "/v2/campaigns/1", &counter.keys.other).refused(404, "Campaign not found '1'");
}
