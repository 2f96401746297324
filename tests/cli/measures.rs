//! `/healthz`, `/readyz` and `/metrics`: what orchestrators and Prometheus see.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::binary::{Server, new_key};

/// The values of `/metrics` by name and labels, as they are written there.
struct Measures(BTreeMap<String, f64>);

impl Measures {
    fn of(server: &Server) -> Self {
        let text = server
            .get("/metrics")
            .send()
            .expect("an answer")
            .text()
            .expect("text");
        let values = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a value");
            (name.to_owned(), value.parse().expect("a number"))
        });
        Self(values.collect())
    }

    /// Zero where there is none yet.
    fn value(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or_default()
    }

    /// How much each of `names` grew since `before`.
    fn since<const N: usize>(&self, before: &Self, names: [&str; N]) -> [f64; N] {
        names.map(|name| self.value(name) - before.value(name))
    }

    fn series(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

fn ready(server: &Server) -> StatusCode {
    server.get("/readyz").send().expect("an answer").status()
}

/// Waits until the server is ready, or is not.
fn wait_for(server: &Server, wanted: StatusCode) {
    let began = Instant::now();
    while ready(server) != wanted {
        assert!(began.elapsed() < Duration::from_secs(20), "never {wanted}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn while_another_process_holds_the_store_the_server_lives_and_is_not_ready() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    assert_eq!(ready(&server), StatusCode::OK);
    let other = rusqlite::Connection::open(folder.path().join("prilavok-data/prilavok.sqlite"));
    let other = other.expect("the store");
    other.execute_batch("BEGIN IMMEDIATE").expect("the write lock");
    wait_for(&server, StatusCode::SERVICE_UNAVAILABLE);
    let alive = server.get("/healthz").send().expect("an answer");
    assert_eq!(alive.status(), StatusCode::OK);
    other.execute_batch("ROLLBACK").expect("the lock is given back");
    wait_for(&server, StatusCode::OK);
}

#[test]
fn a_disk_that_takes_no_more_makes_it_not_ready() {
    let folder = tempfile::tempdir().expect("a folder");
    Server::start(folder.path()).stop();
    // 48 KiB for any file: enough to start with, and full after a few writes.
    let server = Server::with_file_limit(folder.path(), 48);
    wait_for(&server, StatusCode::SERVICE_UNAVAILABLE);
}

#[test]
fn a_database_that_is_removed_replaced_or_emptied_makes_it_not_ready() {
    let ruin: [fn(&Path); 3] = [
        |database| fs::remove_file(database).expect("removed"),
        |database| {
            let other = database.with_extension("other");
            fs::copy(database, &other).expect("copied");
            fs::rename(other, database).expect("replaced");
        },
        |database| {
            let file = OpenOptions::new().write(true).open(database);
            file.and_then(|file| file.set_len(0)).expect("emptied");
        },
    ];
    for ruin in ruin {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(folder.path());
        assert_eq!(ready(&server), StatusCode::OK);
        ruin(&folder.path().join("prilavok-data/prilavok.sqlite"));
        wait_for(&server, StatusCode::SERVICE_UNAVAILABLE);
    }
}

#[test]
fn each_answer_is_counted_by_operation_and_status_and_timed() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let (token, chat) = server.set_up();
    let key = new_key(folder.path(), "crm", "communication");
    let before = Measures::of(&server);
    for _ in 0..3 {
        let message = server.request(
            Method::POST,
            &format!("/v2/businesses/1/chats/message?chatId={chat}"),
        );
        let message = message.header("Api-Key", &key).json(&json!({"message": "hello"}));
        assert_eq!(message.send().expect("an answer").status(), StatusCode::OK);
    }
    assert_eq!(server.status_for(&key), StatusCode::NOT_FOUND);
    assert_eq!(server.status_for("ACMA:none"), StatusCode::UNAUTHORIZED);
    let list = server.get("/operator/v1/businesses").bearer_auth(token);
    assert_eq!(list.send().expect("an answer").status(), StatusCode::OK);
    let after = Measures::of(&server);
    assert_eq!(
        after.since(
            &before,
            [
                r#"prilavok_requests_total{operation="sendMessageToChat",status="200"}"#,
                r#"prilavok_requests_total{operation="getChat",status="404"}"#,
                r#"prilavok_requests_total{operation="getChat",status="401"}"#,
                r#"prilavok_requests_total{operation="listBusinesses",status="200"}"#,
                r#"prilavok_request_seconds_count{operation="sendMessageToChat"}"#,
                r#"prilavok_request_seconds_bucket{operation="getChat",le="+Inf"}"#,
            ]
        ),
        [3.0, 1.0, 1.0, 1.0, 3.0, 2.0]
    );
    let [took, reads, commits, writes] = after.since(
        &before,
        [
            r#"prilavok_request_seconds_sum{operation="sendMessageToChat"}"#,
            r#"prilavok_store_seconds_count{operation="read"}"#,
            r#"prilavok_store_seconds_count{operation="commit"}"#,
            "prilavok_store_commit_writes_sum",
        ],
    );
    assert!(took > 0.0 && took < 60.0, "{took}");
    assert!(
        reads >= 1.0 && commits >= 3.0 && writes >= 3.0,
        "{reads} {commits} {writes}"
    );
}

#[test]
fn refusals_by_a_limit_are_counted_by_the_limit() {
    let folder = tempfile::tempdir().expect("a folder");
    for (variable, value, limit, expected) in [
        ("PRILAVOK_LIMITS__HOURLY__GETCHAT", "1", "hourly", 1.0),
        ("PRILAVOK_LIMITS__PARALLEL", "0", "parallel", 2.0),
    ] {
        let server = Server::with(folder.path(), &[], &[(variable, value)]);
        server.set_up();
        let key = new_key(folder.path(), limit, "communication");
        let name = format!(r#"prilavok_limit_refusals_total{{limit="{limit}",operation="getChat"}}"#);
        let before = Measures::of(&server);
        assert!(
            before.0.contains_key(&name),
            "there from the start: {:?}",
            before.series()
        );
        server.status_for(&key);
        assert_eq!(server.status_for(&key).as_u16(), 420);
        assert_eq!(Measures::of(&server).since(&before, [&*name]), [expected]);
        server.stop();
    }
}

#[test]
fn the_queue_is_as_deep_as_writes_wait() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let (token, _) = server.set_up();
    assert_eq!(Measures::of(&server).value("prilavok_store_queue"), 0.0);
    let other = rusqlite::Connection::open(folder.path().join("prilavok-data/prilavok.sqlite"));
    let other = other.expect("the store");
    other.execute_batch("BEGIN IMMEDIATE").expect("the write lock");
    std::thread::scope(|scope| {
        for number in 0..3 {
            let put = server.request(Method::PUT, &format!("/operator/v1/customers/waiting-{number}"));
            let put = put.bearer_auth(&token).json(&json!({"name": "Waiting"}));
            scope.spawn(move || assert!(put.send().expect("an answer").status().is_success()));
        }
        let began = Instant::now();
        while Measures::of(&server).value("prilavok_store_queue") < 3.0 {
            assert!(began.elapsed() < Duration::from_secs(2), "the writes do not wait");
        }
        other.execute_batch("ROLLBACK").expect("the lock is given back");
    });
    assert_eq!(Measures::of(&server).value("prilavok_store_queue"), 0.0);
}

#[test]
fn strangers_cannot_make_new_series() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let ask = |method: &str, path: &str| {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        server.request(method, path).send().expect("an answer");
    };
    let ask_all = |salt: usize| {
        ask("GET", &format!("/nothing-{salt}"));
        ask(&format!("BREW{salt}"), &format!("/nothing-{salt}"));
        ask(&format!("BREW{salt}"), "/v2/businesses/1/chat");
        ask("GET", &format!("/v2/businesses/{salt}/chat?chatId={salt}"));
        ask("GET", &format!("/operator/v1/nothing-{salt}"));
        ask("GET", &format!("/operator/v1/businesses/{salt}"));
        ask(&format!("BREW{salt}"), "/operator/v1/businesses");
        ask("GET", &format!("/files/{salt}/{salt}"));
        ask("GET", &format!("/docs/{salt}"));
        ask(&format!("BREW{salt}"), "/metrics");
    };
    ask_all(1);
    // What is asked for the measures is counted as well, from the second time on.
    Measures::of(&server);
    let before = Measures::of(&server);
    for salt in 2..7 {
        ask_all(salt);
    }
    let after = Measures::of(&server);
    assert_eq!(after.series(), before.series());
    let refused = r#"prilavok_requests_total{operation="other",status="404"}"#;
    let [refused] = after.since(&before, [refused]);
    assert!(refused >= 10.0, "they are counted all the same: {refused}");
}
