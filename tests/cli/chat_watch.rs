//! `prilavok chat watch`: live from a server that has events, by asking one that has not.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::binary::Server;
use crate::chat::chat;
use crate::demo::{self, Introduction};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A command that watches; it ends with this.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

fn lines(out: ChildStdout) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            // Nobody listens any more when the test is over.
            let _ = sender.send(line);
        }
    });
    lines
}

impl Watching {
    /// Starts it, and waits until it watches.
    fn start(mut command: Command) -> Self {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the binary runs");
        let mut told = String::new();
        let mut err = BufReader::new(child.stderr.take().expect("piped"));
        while !told.contains("watching business 1") {
            assert!(err.read_line(&mut told).expect("text") > 0, "it ended: {told}");
        }
        let lines = lines(child.stdout.take().expect("piped"));
        Self { child, lines }
    }

    fn next(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line")
    }

    fn next_json(&self) -> Value {
        serde_json::from_str(&self.next()).expect("JSON")
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A customer writes.
fn write(server: &Server, told: &Introduction, chat: i64, text: &str) {
    let path = format!("/operator/v1/businesses/1/chats/{chat}/messages");
    let request = server.request(Method::POST, &path).bearer_auth(told.operator());
    let answer = request
        .json(&json!({"sender": "CUSTOMER", "message": text}))
        .send();
    assert!(answer.expect("an answer").status().is_success());
}

#[test]
fn messages_are_shown_as_they_are_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, told) = demo::start(folder.path());
    let watch = |arguments: &[&str]| {
        Watching::start(chat(
            folder.path(),
            &server.address,
            told.seller(),
            &[&["watch"], arguments].concat(),
        ))
    };
    let (all, one, programs) = (watch(&[]), watch(&["1"]), watch(&["--json"]));
    write(&server, &told, 3, "Раз");
    write(&server, &told, 1, "Два");
    let line = all.next();
    assert!(
        line.starts_with("chat 3  ") && line.ends_with("  CUSTOMER  Раз"),
        "{line}"
    );
    let line = all.next();
    assert!(
        line.starts_with("chat 1  ") && line.ends_with("  CUSTOMER  Два"),
        "{line}"
    );
    let line = one.next();
    assert!(
        !line.starts_with("chat") && line.ends_with("  CUSTOMER  Два"),
        "{line}"
    );
    let event = programs.next_json();
    assert_eq!(
        (
            &event["notificationType"],
            &event["chatId"],
            &event["message"]["message"]
        ),
        (&json!("CHAT_MESSAGE_SENT"), &json!(3), &json!("Раз"))
    );
    assert_eq!(event["messageId"], event["message"]["messageId"]);
}

#[test]
fn it_ends_when_nobody_reads_any_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, told) = demo::start(folder.path());
    let mut watch = chat(
        folder.path(),
        &server.address,
        told.seller(),
        &["watch", "--json"],
    );
    let mut child = watch
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs");
    drop(child.stdout.take());
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        assert!(began.elapsed() < PATIENCE, "it goes on");
        // It may not have begun to watch yet.
        write(&server, &told, 1, "Раз");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(status.success(), "{status}");
}

/// Passes calls on to a server, except for those of live events, which other servers do not know.
fn without_events(server: &Server) -> (Runtime, String) {
    async fn pass(State((http, server)): State<(reqwest::Client, String)>, request: Request) -> Response {
        let (head, body) = request.into_parts();
        if head.uri.path().ends_with("/events") {
            let body = r#"{"status":"ERROR","errors":[{"code":"NOT_FOUND","message":"Resource not found"}]}"#;
            return (StatusCode::NOT_FOUND, body).into_response();
        }
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        let passed = http
            .request(head.method, format!("{server}{}", head.uri))
            .headers(head.headers);
        let answer = passed.body(body).send().await.expect("an answer");
        (answer.status(), Body::from_stream(answer.bytes_stream())).into_response()
    }
    let runtime = Runtime::new().expect("a runtime");
    let state = (reqwest::Client::new(), server.address.clone());
    let url = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = axum::Router::new().fallback(pass).with_state(state);
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    });
    (runtime, url)
}

fn polled(folder: &Path, url: &str, told: &Introduction, arguments: &[&str]) -> Watching {
    let arguments = [&["watch", "--poll", "1", "--json"], arguments].concat();
    Watching::start(chat(folder, url, told.seller(), &arguments))
}

#[test]
fn a_server_without_events_is_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, told) = demo::start(folder.path());
    let (_runtime, url) = without_events(&server);
    let all = polled(folder.path(), &url, &told, &[]);
    let one = polled(folder.path(), &url, &told, &["1"]);
    write(&server, &told, 3, "Раз");
    write(&server, &told, 1, "Два");
    write(&server, &told, 3, "Три");
    for (chat, text) in [(3, "Раз"), (1, "Два"), (3, "Три")] {
        let event = all.next_json();
        assert_eq!(
            (&event["chatId"], &event["message"]["message"]),
            (&json!(chat), &json!(text))
        );
    }
    assert_eq!(one.next_json()["message"]["message"], "Два");
    write(&server, &told, 1, "Четыре");
    assert_eq!(all.next_json()["message"]["message"], "Четыре");
    assert_eq!(one.next_json()["message"]["message"], "Четыре");
}
