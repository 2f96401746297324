//! What is logged of requests, in which form, and what never is.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use reqwest::blocking::multipart::{Form, Part};
use reqwest::blocking::{RequestBuilder, Response};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::binary::{Server, new_key, signal};

const EVERYTHING: &[(&str, &str)] = &[
    ("PRILAVOK_LOG__FILTER", "trace"),
    ("PRILAVOK_LOG__REQUESTS", "all"),
];

fn send(request: RequestBuilder) -> Response {
    request.send().expect("an answer")
}

fn id(answer: &Response) -> String {
    answer.headers()["x-request-id"]
        .to_str()
        .expect("ASCII")
        .to_owned()
}

/// The lines about requests.
fn requests(lines: &[String]) -> Vec<Value> {
    let lines = lines.iter().map(|line| serde_json::from_str(line).expect("JSON"));
    lines
        .filter(|line: &Value| line["message"] == "request")
        .collect()
}

#[test]
fn each_answer_has_an_id_and_its_line_has_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::with(folder.path(), &[], &[("PRILAVOK_LOG__REQUESTS", "all")]);
    let (token, chat) = server.set_up();
    let key = new_key(folder.path(), "crm", "communication");
    let chat = format!("/v2/businesses/1/chat?chatId={chat}");
    let mut expected = Vec::new();
    for (request, path, operation, business) in [
        (
            server.get(&chat).header("Api-Key", &key),
            "/v2/businesses/1/chat",
            "getChat",
            json!(1),
        ),
        (server.get(&chat), "/v2/businesses/1/chat", "getChat", Value::Null),
        (
            server.get("/operator/v1/businesses").bearer_auth(&token),
            "/operator/v1/businesses",
            "listBusinesses",
            Value::Null,
        ),
        (server.get("/nothing"), "/nothing", "other", Value::Null),
        (server.get("/healthz"), "/healthz", "other", Value::Null),
        (
            server.get("/docs/prilavok.js"),
            "/docs/prilavok.js",
            "other",
            Value::Null,
        ),
        (
            server.get("/files/1/1"),
            "/files/1/1",
            "downloadFile",
            Value::Null,
        ),
        (
            server.request(Method::DELETE, "/metrics"),
            "/metrics",
            "other",
            Value::Null,
        ),
    ] {
        let answer = send(request);
        expected.push((id(&answer), answer.status().as_u16(), path, operation, business));
    }
    let chosen = send(
        server
            .get("/healthz")
            .header("X-Request-Id", "chosen-by-the-client"),
    );
    assert_eq!(id(&chosen), "chosen-by-the-client");

    let lines = requests(&server.stop().1);
    for (id, status, path, operation, business) in expected {
        let found: Vec<_> = lines.iter().filter(|line| line["request_id"] == id).collect();
        assert_eq!(found.len(), 1, "{path}: {lines:#?}");
        let line = found[0];
        assert_eq!(
            (&line["status"], &line["path"]),
            (&json!(status), &json!(path)),
            "{line}"
        );
        assert_eq!(
            (&line["operation"], &line["business"]),
            (&json!(operation), &business),
            "{line}"
        );
        assert!(
            line["duration_ms"].as_f64().is_some_and(|took| took >= 0.0),
            "{line}"
        );
        assert!(
            line["method"].is_string() && line["timestamp"].is_string(),
            "{line}"
        );
    }
    assert!(
        lines
            .iter()
            .any(|line| line["request_id"] == "chosen-by-the-client")
    );
}

#[test]
fn usually_only_what_failed_is_logged_and_nothing_if_so_set() {
    for (variables, expected) in [
        (&[][..], &[404][..]),
        (&[("PRILAVOK_LOG__REQUESTS", "none")], &[]),
        (&[("PRILAVOK_LOG__REQUESTS", "all")], &[200, 404]),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::with(folder.path(), &[], variables);
        send(server.get("/healthz"));
        send(server.get("/nothing"));
        let lines = requests(&server.stop().1);
        let statuses: Vec<_> = lines.iter().map(|line| line["status"].as_u64()).collect();
        let expected: Vec<_> = expected.iter().copied().map(Some).collect();
        assert_eq!(statuses, expected, "{variables:?}");
    }
}

#[test]
fn no_secret_is_ever_logged() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::with(folder.path(), &[], EVERYTHING);
    let (operator, chat) = server.set_up();
    let key = new_key(folder.path(), "crm", "all-methods");
    let new = server.request(Method::POST, "/operator/v1/businesses/1/oauth-tokens");
    let new = send(
        new.bearer_auth(&operator)
            .json(&json!({"name": "module", "scopes": ["all-methods"]})),
    );
    assert_eq!(new.status(), StatusCode::CREATED);
    let oauth = new.json::<Value>().expect("JSON")["secret"]
        .as_str()
        .expect("a secret")
        .to_owned();
    let made = server.request(Method::POST, "/operator/v1/businesses/1/keys");
    let made = send(
        made.bearer_auth(&operator)
            .json(&json!({"name": "made", "scopes": ["all-methods"]})),
    );
    let made = made.json::<Value>().expect("JSON")["secret"]
        .as_str()
        .expect("a secret")
        .to_owned();

    let file = Form::new().part("file", Part::bytes(b"receipt".to_vec()).file_name("receipt.txt"));
    let upload = server.request(
        Method::POST,
        &format!("/v2/businesses/1/chats/file/send?chatId={chat}"),
    );
    assert_eq!(
        send(upload.header("Api-Key", &key).multipart(file)).status(),
        StatusCode::OK
    );
    let history = server.request(
        Method::POST,
        &format!("/v2/businesses/1/chats/history?chatId={chat}"),
    );
    let history: Value = send(history.header("Api-Key", &key).json(&json!({})))
        .json()
        .expect("JSON");
    let link = history["result"]["messages"][0]["payload"][0]["url"]
        .as_str()
        .expect("a link");
    let signature = link.split("signature=").nth(1).expect("a signature").to_owned();
    let link = link.strip_prefix(&server.address).expect("a link to this server");

    let chat = format!("/v2/businesses/1/chat?chatId={chat}");
    let wrong_key = format!("{}00000000", &key[..key.len() - 8]);
    let wrong_oauth = format!("{oauth}x");
    let wrong_operator = format!("{operator}x");
    let statuses = [
        send(server.get(&chat).header("Api-Key", &key)),
        send(server.get(&chat).header("Api-Key", &made)),
        send(server.get(&chat).bearer_auth(&oauth)),
        send(
            server
                .get(&chat)
                .header("Authorization", format!("OAuth oauth_token=\"{oauth}\"")),
        ),
        send(server.get(link)),
        send(server.get("/operator/v1/businesses/2").bearer_auth(&operator)),
        send(
            server
                .get("/v2/businesses/2/chat?chatId=1")
                .header("Api-Key", &key),
        ),
        send(server.get(&chat).header("Api-Key", &wrong_key)),
        send(server.get(&chat).header("Api-Key", &operator)),
        send(server.get(&chat).bearer_auth(&wrong_oauth)),
        send(server.get(&chat).header("Authorization", &*oauth)),
        send(server.get("/operator/v1/businesses").bearer_auth(&wrong_operator)),
        send(server.get("/operator/v1/businesses").bearer_auth(&key)),
        send(server.get(&format!("{link}0"))),
        send(server.get(&link.replace("/files/1/", "/files/2/"))),
    ]
    .map(|answer| answer.status().as_u16());
    assert_eq!(
        statuses,
        [
            200, 200, 200, 200, 200, 404, 403, 401, 401, 403, 401, 401, 401, 403, 403
        ]
    );

    let (out, lines) = server.stop();
    let logged = lines.join("\n");
    assert!(
        requests(&lines).len() >= statuses.len(),
        "all is logged: {logged}"
    );
    for secret in [&key, &made, &oauth, &operator, &signature] {
        // Not even most of it.
        let most = &secret[..secret.len() - 9];
        assert!(
            !logged.contains(most) && !out.contains(most),
            "{most} is in {logged}"
        );
    }
}

#[test]
fn the_form_for_people_can_be_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut shell = Command::new("sh");
    shell.args(["-c", &serve("human")]);
    let line = first_line(folder.path(), shell);
    assert!(line.contains(" INFO listening address="), "{line}");
    assert!(
        !line.contains(['{', '\u{1b}']),
        "neither JSON nor colours in a file: {line}"
    );
}

#[test]
fn on_a_terminal_logs_are_for_people_unless_json_is_asked_for() {
    for (format, people) in [("auto", true), ("json", false)] {
        let folder = tempfile::tempdir().expect("a folder");
        // `script` makes a terminal.
        let mut script = Command::new("script");
        script.args(["-qec", &serve(format), "/dev/null"]);
        let line = first_line(folder.path(), script);
        assert_eq!(line.contains("\"level\":\"INFO\""), !people, "{line}");
        assert_eq!(line.contains('\u{1b}'), people, "{line}");
    }
}

#[test]
fn a_server_outlives_the_reader_of_its_logs() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::start(folder.path());
    server.stop_reading_logs();
    for _ in 0..3 {
        // Each is a line that nobody takes.
        assert_eq!(send(server.get("/nothing")).status(), StatusCode::NOT_FOUND);
    }
    server.signal("TERM");
    assert!(server.ended().success());
}

/// A shell command that prints its process id, and becomes the server with this form of logs, on standard output.
fn serve(format: &str) -> String {
    let binary = env!("CARGO_BIN_EXE_prilavok");
    format!("echo $$; PRILAVOK_LOG__FORMAT={format} exec {binary} serve --listen 127.0.0.1:0 2>&1")
}

/// The first line that the server prints which a command starts; it is stopped then. Its terminal's end would not stop it.
fn first_line(folder: &Path, mut command: Command) -> String {
    let mut child = command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let (mut id, mut line) = (String::new(), String::new());
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    out.read_line(&mut id).expect("text");
    out.read_line(&mut line).expect("text");
    signal("TERM", id.trim());
    out.read_to_end(&mut Vec::new()).expect("the end");
    // It may have been stopped before it knew of signals.
    child.wait().expect("ended");
    assert!(line.contains("listening"), "{line}");
    line
}
