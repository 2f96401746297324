//! The request log as it is made: what is in it, what never is, and what it costs those who call.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use prilavok_server::limits::Limit;
use prilavok_server::settings::Recorded;
use prilavok_store::requests::{Exchange, FILE_NAME, LoggedRequest, RequestFilter};
use prilavok_wire::Operation;
use reqwest::Method;
use reqwest::blocking::multipart::{Form, Part};
use rusqlite::Connection;

use crate::counter::{Answer, Counter};

const CHAT: &str = "/v2/businesses/1/chat?chatId=1";
const SEND: &str = "/v2/businesses/1/chats/message?chatId=1";
/// Longer than writing takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn recording_all() -> Counter {
    Counter::with(|settings| settings.request_log.record = Recorded::All)
}

/// The log, oldest first, once it has so many entries.
#[track_caller]
fn logged(counter: &Counter, wanted: usize) -> Vec<LoggedRequest> {
    let reader = counter.app.request_log.reader();
    let began = Instant::now();
    loop {
        let all = counter.block_on(reader.after(RequestFilter::default(), 0, 10_000));
        let all: Vec<_> = all
            .expect("a log")
            .into_iter()
            .map(|(_, request)| request)
            .collect();
        if all.len() >= wanted {
            assert_eq!(all.len(), wanted, "{all:#?}");
            return all;
        }
        assert!(began.elapsed() < PATIENCE, "only {all:#?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What the only call in the log said.
fn the_only(counter: &Counter) -> (LoggedRequest, Exchange) {
    let request = logged(counter, 1).remove(0);
    let found = counter.app.request_log.reader().by_id(request.request_id.clone());
    counter.block_on(found).expect("a log").expect("an entry")
}

fn headers(of: &[(String, String)]) -> BTreeMap<&str, &str> {
    of.iter().map(|(name, value)| (&**name, &**value)).collect()
}

fn dropped(counter: &Counter) -> u64 {
    counter.app.metrics.request_log_dropped().get()
}

/// Every byte that the log has on the disk.
fn bytes_of_the_log(counter: &Counter) -> Vec<u8> {
    let files = std::fs::read_dir(counter.folder()).expect("a folder");
    let of_log = files.map(|file| file.expect("a file").path()).filter(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(FILE_NAME))
    });
    of_log
        .flat_map(|path| std::fs::read(path).expect("a file"))
        .collect()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

#[test]
fn every_refusal_names_its_rule() {
    let counter = Counter::with(|settings| {
        settings
            .limits
            .hourly
            .insert(Operation::GetCampaigns, Limit::At(0));
        settings.limits.businesses.insert(
            crate::population::business(2),
            prilavok_server::limits::settings::BusinessLimits {
                parallel: Some(Limit::At(0)),
                ..Default::default()
            },
        );
    });
    let keys = &counter.keys;
    let of = |business: i64| format!("/v2/businesses/{business}/chat?chatId=1");
    let history = "/v2/businesses/1/chats/history?chatId=1";
    let key = |method: Method, path: &str, key: &str| counter.anonymous(method, path).header("Api-Key", key);
    let all = |method: Method, path: &str| counter.request(method, path);
    let get = Method::GET;
    let calls = [
        ("CREDENTIALS_MISSING", counter.anonymous(get.clone(), CHAT)),
        ("KEY_PREFIX", key(get.clone(), CHAT, "nonsense")),
        ("KEY_LENGTH", key(get.clone(), CHAT, "ACMA:short")),
        ("KEY_REVOKED", key(get.clone(), CHAT, &keys.revoked)),
        (
            "OAUTH_TOKEN_INVALID",
            counter.anonymous(get.clone(), CHAT).bearer_auth("unknown"),
        ),
        (
            "AUTHORIZATION_SYNTAX",
            counter
                .anonymous(get.clone(), CHAT)
                .header("Authorization", "Basic x"),
        ),
        ("SCOPE", key(get.clone(), CHAT, &keys.pricing)),
        ("ACCESS_DENIED", key(get.clone(), &of(2), &keys.all)),
        ("BUSINESS_DISABLED", key(get.clone(), &of(3), &keys.disabled)),
        ("MIGRATING", key(get.clone(), &of(4), &keys.migrating)),
        ("HOURLY_LIMIT", all(get.clone(), "/v2/campaigns")),
        ("PARALLEL_LIMIT", key(get.clone(), &of(2), &keys.other)),
        ("PARAMETER_MISSING", all(get.clone(), "/v2/businesses/1/chat")),
        (
            "TYPE_MISMATCH",
            all(get.clone(), "/v2/businesses/1/chat?chatId=x"),
        ),
        (
            "CHAT_NOT_FOUND",
            all(get.clone(), "/v2/businesses/1/chat?chatId=99"),
        ),
        ("JSON", all(Method::POST, history).body("{,}")),
        (
            "CONTENT_TYPE",
            all(Method::POST, SEND)
                .header("Content-Type", "text/plain")
                .body("x"),
        ),
        ("TOO_SHORT", all(Method::POST, SEND).body("{\"message\":\"\"}")),
        ("TOO_BIG", all(Method::POST, SEND).body("x".repeat(600 * 1024))),
        ("CAMPAIGN_DISABLED", all(get.clone(), "/v2/campaigns/3")),
        ("CAMPAIGN_NOT_FOUND", all(get.clone(), "/v2/campaigns/77")),
        ("PATH_NOT_FOUND", all(get.clone(), "/v2/nothing")),
        ("METHOD_NOT_SUPPORTED", all(Method::DELETE, CHAT)),
        (
            "LAST_EVENT_ID",
            all(get.clone(), "/v2/businesses/1/events?lastEventId=x"),
        ),
        (
            "ACCESS_DENIED",
            counter.anonymous(get.clone(), "/files/1/1?expires=1&signature=00"),
        ),
    ];
    let mut expected = Vec::new();
    for (rule, request) in calls {
        let answer = Answer::of(request);
        assert!(answer.status >= 400, "{rule}: {}", answer.body);
        let logged = logged(&counter, expected.len() + 1);
        let last = logged.last().expect("an entry");
        assert_eq!(last.status, answer.status);
        assert_eq!(last.request_id, answer.header("x-request-id"));
        assert_eq!(last.rule.as_deref(), Some(rule), "{}", answer.body);
        expected.push(rule);
    }
    // By default what succeeds is not recorded.
    counter.get(CHAT).succeeded();
    counter.get("/v2/nothing");
    logged(&counter, expected.len() + 1);
}

#[test]
fn a_call_and_its_answer_are_there_as_they_were() {
    let counter = recording_all();
    let body = "{\"message\":\"Добрый день\"}";
    let request = counter.request(Method::POST, SEND);
    let request = request
        .header("X-Request-Id", "my-call")
        .header("Content-Type", "application/json")
        .body(body);
    let answer = Answer::of(request).succeeded();
    let (request, exchange) = the_only(&counter);
    assert_eq!(
        (
            &*request.method,
            &*request.target,
            request.status,
            &*request.request_id
        ),
        ("POST", SEND, 200, "my-call")
    );
    assert_eq!(request.operation.as_deref(), Some("sendMessageToChat"));
    assert_eq!(request.at, counter.now());
    assert_eq!(
        (request.rule, request.business.map(|it| it.get())),
        (None, Some(1))
    );
    assert_eq!(request.caller.expect("a key").name, "CRM");
    let asked = headers(&exchange.request.headers);
    assert_eq!(
        (asked["content-type"], asked["api-key"]),
        ("application/json", "***")
    );
    assert_eq!(exchange.request.body.text.as_deref(), Some(body));
    assert_eq!(exchange.request.body.bytes, Some(body.len() as u64));
    let answered = headers(&exchange.answer.headers);
    assert_eq!(answered["x-request-id"], "my-call");
    assert_eq!(
        answered["x-ratelimit-resource-remaining"],
        answer.header("x-ratelimit-resource-remaining")
    );
    assert_eq!(exchange.answer.body.text.as_deref(), Some(&*answer.body));
}

#[test]
fn a_refused_body_is_there_although_nobody_read_it() {
    let counter = Counter::open();
    let request = counter
        .anonymous(Method::POST, SEND)
        .header("Api-Key", &counter.keys.pricing);
    let answer = Answer::of(request.body("{\"message\":\"hello\"}"));
    assert_eq!(answer.status, 403);
    let (_, exchange) = the_only(&counter);
    assert_eq!(
        exchange.request.body.text.as_deref(),
        Some("{\"message\":\"hello\"}")
    );
    assert_eq!(exchange.answer.body.text.as_deref(), Some(&*answer.body));
}

#[test]
fn long_bodies_are_cut_between_characters_and_their_length_is_kept() {
    let counter = Counter::with(|settings| {
        settings.request_log.record = Recorded::All;
        settings.request_log.body_kib = 1;
    });
    // The limit falls between the two bytes of a letter.
    let body = format!("{{\"message\":\"{}\"}}", "я".repeat(1_500));
    counter.post(SEND, &body).succeeded();
    let (_, exchange) = the_only(&counter);
    let kept = exchange.request.body;
    let text = kept.text.expect("the beginning");
    assert!(
        kept.cut && body.starts_with(&text) && text.len() == 1_024,
        "{}",
        text.len()
    );
    assert_eq!(kept.bytes, Some(body.len() as u64));
    let answered = counter
        .post("/v2/businesses/1/chats/history?chatId=1", "{}")
        .succeeded();
    let request_id = answered.header("x-request-id").to_owned();
    logged(&counter, 2);
    let found = counter.app.request_log.reader().by_id(request_id);
    let (_, exchange) = counter.block_on(found).expect("a log").expect("an entry");
    let kept = exchange.answer.body;
    assert!(kept.cut && answered.body.starts_with(&kept.text.expect("the beginning")));
    assert_eq!(kept.bytes, Some(answered.body.len() as u64));
}

#[test]
fn files_are_told_of_and_not_kept() {
    let counter = recording_all();
    let file = b"the content of the file".to_vec();
    let form = Form::new().part("file", Part::bytes(file).file_name("a.txt"));
    let path = "/v2/businesses/1/chats/file/send?chatId=1";
    Answer::of(counter.request(Method::POST, path).multipart(form)).succeeded();
    let (_, exchange) = the_only(&counter);
    assert_eq!(
        (exchange.request.body.text, exchange.request.body.cut),
        (None, false)
    );
    assert!(exchange.request.body.bytes > Some(23));
    let history = counter
        .post("/v2/businesses/1/chats/history?chatId=1", "{}")
        .succeeded()
        .json();
    let messages = history["result"]["messages"].as_array().expect("messages");
    let url = messages
        .iter()
        .find_map(|it| it["payload"][0]["url"].as_str())
        .expect("a link");
    let path = url.splitn(4, '/').nth(3).expect("a path");
    let content = Answer::of(counter.anonymous(Method::GET, &format!("/{path}")));
    assert_eq!(content.body, "the content of the file");
    let download = logged(&counter, 3).remove(2);
    assert_eq!(download.operation.as_deref(), Some("downloadFile"));
    assert!(download.target.ends_with("signature=***"), "{}", download.target);
    counter.block_on(counter.app.close());
    let bytes = bytes_of_the_log(&counter);
    assert!(contains(&bytes, "downloadFile") && !contains(&bytes, "content of the file"));
}

#[test]
fn secrets_never_get_into_the_file() {
    let counter = recording_all();
    let keys = &counter.keys;
    let url_encoded = |text: &str| text.replace(':', "%3A");
    for key in [&keys.all, &keys.revoked, &keys.pricing] {
        let encoded = url_encoded(key);
        let json = serde_json::json!({"message": format!("my key: {key}!"), "token": key}).to_string();
        for path in [
            format!("/v2/businesses/1/chat?chatId=1&api_key={encoded}"),
            format!("/v2/businesses/1/chat?chatId={key}"),
            format!("/v2/{encoded}/chat"),
        ] {
            let request = counter.anonymous(Method::POST, &path).header("Api-Key", key);
            let request = request
                .header("Cookie", format!("key={key}"))
                .header("Referer", format!("http://x/?k={encoded}"))
                .header("User-Agent", format!("crm ({key})"))
                .header("X-Request-Id", &**key);
            Answer::of(request.body(json.clone()));
        }
        let send = counter.anonymous(Method::POST, SEND).header("Api-Key", key);
        Answer::of(send.body(json));
    }
    let bearer = format!("Bearer {}", keys.oauth);
    let oauth = format!(
        "OAuth oauth_token=\"{}\", oauth_client_id=\"x\"",
        keys.oauth_revoked
    );
    for header in [&bearer, &oauth, &format!("Odd {}", keys.oauth)] {
        let call = counter.anonymous(Method::GET, &format!("{CHAT}&x={}", keys.oauth));
        Answer::of(call.header("Authorization", header));
    }
    let info = Answer::of(counter.request(Method::POST, "/v2/auth/token")).succeeded();
    counter
        .post("/v2/businesses/1/chats/history?chatId=1", "{}")
        .succeeded();
    let entries = logged(&counter, 17);
    assert!(
        entries
            .iter()
            .all(|entry| !entry.request_id.contains("ACMA:") || entry.request_id == "ACMA:***")
    );
    counter.block_on(counter.app.close());
    let bytes = bytes_of_the_log(&counter);
    assert!(contains(&bytes, "my key: ACMA:***!"), "bodies are in it");
    assert!(contains(&bytes, "***") && info.status == 200);
    let secrets = [
        &keys.all,
        &keys.revoked,
        &keys.pricing,
        &keys.oauth,
        &keys.oauth_revoked,
    ];
    for secret in secrets {
        let random = secret.trim_start_matches("ACMA:").trim_start_matches("y0_");
        assert!(!contains(&bytes, &random[..40]), "{secret}");
        assert!(!contains(&bytes, &random[12..24]), "{secret}");
    }
}

#[test]
fn a_log_that_cannot_be_written_holds_nobody_up() {
    const CALLS: u64 = 300;
    let counter = Counter::with(|settings| {
        settings.request_log.record = Recorded::All;
        settings.request_log.queue_mib = 1;
        settings.limits = prilavok_server::limits::LimitSettings::lifted();
    });
    let file = counter.folder().join(FILE_NAME);
    let other = Connection::open(file).expect("the log");
    other.execute_batch("BEGIN IMMEDIATE").expect("held");
    let body = format!("{{\"orderIds\":[{}1]}}", " ".repeat(12 * 1024));
    for _ in 0..CALLS {
        counter.post("/v2/businesses/1/chats", &body).succeeded();
    }
    // 300 calls of 13 KiB are more than a MiB. They were answered while the file was held.
    let lost = dropped(&counter);
    assert!(lost >= 100, "{lost}");
    other.execute_batch("ROLLBACK").expect("given back");
    counter.block_on(counter.app.close());
    let reader = counter.app.request_log.reader();
    let kept = counter.block_on(reader.after(RequestFilter::default(), 0, 10_000));
    assert_eq!(kept.expect("a log").len() as u64 + dropped(&counter), CALLS);
}

#[test]
fn nothing_is_recorded_where_nothing_is_wanted() {
    for (recorded, days) in [(Recorded::Off, 10), (Recorded::All, 0)] {
        let counter = Counter::with(|settings| {
            settings.request_log.record = recorded;
            settings.request_log.days = days;
        });
        counter.get(CHAT).succeeded();
        counter.get("/v2/nothing");
        counter.block_on(counter.app.close());
        logged(&counter, 0);
        assert_eq!(dropped(&counter), 0);
    }
}

#[test]
fn what_waits_is_written_before_the_end() {
    let counter = Counter::open();
    for _ in 0..20 {
        counter.get("/v2/nothing");
    }
    counter.block_on(counter.app.close());
    logged(&counter, 20);
}
