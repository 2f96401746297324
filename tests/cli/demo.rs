//! `serve --demo`: what it makes, what it prints, and when it leaves a store alone.

use std::fs;
use std::process::Command;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::binary::{Server, new_key, printed};

const DEMO: &[&str] = &["--demo"];

/// What a start with `--demo` printed.
pub(crate) struct Introduction {
    text: String,
}

impl Introduction {
    /// What stands behind a label.
    fn secret(&self, label: &str) -> &str {
        let mut lines = self.text.lines();
        let line = lines.find_map(|line| line.trim_start().strip_prefix(label)?.strip_prefix("  "));
        line.unwrap_or_else(|| panic!("no {label}: {}", self.text)).trim()
    }

    pub(crate) fn seller(&self) -> &str {
        self.secret("Api-Key of business 1")
    }

    pub(crate) fn reader(&self) -> &str {
        self.secret("Api-Key of business 1, reading")
    }

    pub(crate) fn other_seller(&self) -> &str {
        self.secret("Api-Key of business 2")
    }

    pub(crate) fn operator(&self) -> &str {
        self.secret("operator token")
    }

    pub(crate) fn buyer(&self) -> &str {
        let (_, token) = self.text.split_once("#token=").expect("a token");
        token.lines().next().expect("a line")
    }

    fn requests(&self) -> Vec<&str> {
        let lines = self.text.lines().map(str::trim_start);
        lines.filter(|line| line.starts_with("curl ")).collect()
    }
}

pub(crate) fn start(folder: &std::path::Path) -> (Server, Introduction) {
    start_with(folder, &[], &[])
}

/// Starts it with more arguments and variables.
pub(crate) fn start_with(
    folder: &std::path::Path,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> (Server, Introduction) {
    let mut server = Server::with(folder, &[DEMO, arguments].concat(), variables);
    let text = server.printed_until("API reference:");
    (server, Introduction { text })
}

/// The answer to a call of the Operator API, or of the Partner API.
fn ask(server: &Server, method: Method, path: &str, credential: (&str, &str), body: Option<&Value>) -> Value {
    let mut request = server.request(method, path).header(credential.0, credential.1);
    if let Some(body) = body {
        request = request.json(body);
    }
    let answer = request.send().expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.json().expect("JSON")
}

/// All items of a list of the Operator API.
fn list(server: &Server, operator: &str, path: &str) -> Vec<Value> {
    let bearer = format!("Bearer {operator}");
    let path = format!("/operator/v1{path}?limit=1000");
    let page = ask(server, Method::GET, &path, ("Authorization", &bearer), None);
    assert!(page["nextCursor"].is_null(), "{page}");
    page["items"].as_array().expect("items").clone()
}

fn numbers(items: &[Value], name: &str) -> Vec<i64> {
    let mut numbers: Vec<_> = items
        .iter()
        .map(|item| item[name].as_i64().expect("a number"))
        .collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn the_demo_has_the_businesses_orders_returns_and_customers_that_examples_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, told) = start(folder.path());
    let list = |path: &str| list(&server, told.operator(), path);
    assert_eq!(numbers(&list("/businesses"), "businessId"), [1, 2]);
    for (business, expected) in [(1, json!([[1, "FBS"], [2, "DBS"]])), (2, json!([[3, "FBY"]]))] {
        let campaigns = list(&format!("/businesses/{business}/campaigns"));
        let found: Vec<Value> = campaigns
            .iter()
            .map(|campaign| json!([campaign["campaignId"], campaign["placement"]]))
            .collect();
        assert_eq!(json!(found), expected, "business {business}");
    }
    let orders = list("/businesses/1/orders");
    assert_eq!(numbers(&orders, "orderId"), (1..=20).collect::<Vec<_>>());
    assert_eq!(
        numbers(&list("/businesses/1/returns"), "returnId"),
        [1, 2, 3, 4, 5]
    );
    let customers = list("/customers");
    for (script, range) in [
        ("Russian", 'А'..='я'),
        ("Latin", 'A'..='z'),
        ("Chinese", '\u{4e00}'..='\u{9fff}'),
    ] {
        let names = customers
            .iter()
            .map(|customer| customer["name"].as_str().expect("a name"));
        let of_script = names.filter(|name| name.starts_with(|first| range.contains(&first)));
        assert!(of_script.count() >= 2, "{script}: {customers:?}");
    }
}

#[test]
fn the_demo_has_the_chats_that_examples_name_and_three_pages_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, told) = start(folder.path());
    let seller = ("Api-Key", told.seller());
    let chat = |id: i64| {
        let path = format!("/v2/businesses/1/chat?chatId={id}");
        ask(&server, Method::GET, &path, seller, None)["result"].clone()
    };
    for (id, kind, context) in [
        (1, "CHAT", json!({"type": "ORDER", "orderId": 1})),
        (2, "CHAT", json!({"type": "RETURN", "returnId": 1})),
        (3, "CHAT", json!({"type": "DIRECT"})),
        (4, "ARBITRAGE", json!({"type": "RETURN", "returnId": 1})),
    ] {
        let chat = chat(id);
        assert_eq!(
            (&chat["chatId"], &chat["type"]),
            (&json!(id), &json!(kind)),
            "{chat}"
        );
        for (name, value) in context.as_object().expect("an object") {
            assert_eq!(&chat["context"][name], value, "{chat}");
        }
    }

    let mut chats = Vec::new();
    let mut pages = Vec::new();
    let mut token = String::new();
    loop {
        let path = format!("/v2/businesses/1/chats?limit=20&page_token={token}");
        let page = ask(&server, Method::POST, &path, seller, Some(&json!({})));
        let found = page["result"]["chats"].as_array().expect("chats").clone();
        pages.push(found.len());
        chats.extend(found);
        match page["result"]["paging"]["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert!(
        pages.len() >= 3 && pages[..2] == [20, 20] && pages[2] > 0,
        "{pages:?}"
    );
    let of_order_2 = chats.iter().find(|chat| chat["context"]["orderId"] == 2);
    assert_eq!(of_order_2, None, "order 2 waits for its chat to be started");
    let new = json!({"context": {"type": "ORDER", "id": 2}});
    let made = ask(
        &server,
        Method::POST,
        "/v2/businesses/1/chats/new",
        seller,
        Some(&new),
    );
    let made = made["result"]["chatId"].as_i64().expect("an id");
    assert!(!numbers(&chats, "chatId").contains(&made), "{made}");
}

#[test]
fn what_the_demo_prints_works_as_it_stands() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, told) = start(folder.path());
    for (key, business, status) in [
        (told.seller(), 1, StatusCode::OK),
        (told.reader(), 1, StatusCode::OK),
        (told.other_seller(), 2, StatusCode::OK),
        (told.other_seller(), 1, StatusCode::FORBIDDEN),
    ] {
        let request = server.request(Method::POST, &format!("/v2/businesses/{business}/chats"));
        let answer = request
            .header("Api-Key", key)
            .json(&json!({}))
            .send()
            .expect("an answer");
        assert_eq!(answer.status(), status, "{key} for business {business}");
    }
    let message = server.request(Method::POST, "/v2/businesses/1/chats/message?chatId=1");
    let answer = message
        .header("Api-Key", told.reader())
        .json(&json!({"message": "?"}));
    let status = answer.send().expect("an answer").status();
    assert_eq!(status, StatusCode::FORBIDDEN, "the reader does not write");

    let requests = told.requests();
    assert_eq!(requests.len(), 2, "{}", told.text);
    let answers: Vec<Value> = requests
        .iter()
        .map(|line| {
            let output = Command::new("sh").args(["-c", line]).output().expect("sh runs");
            assert!(
                output.status.success(),
                "{line}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            serde_json::from_slice(&output.stdout).expect("JSON")
        })
        .collect();
    assert_eq!(answers[0]["result"]["chatId"], 1, "{}", answers[0]);
    assert_eq!(answers[1]["sender"], "CUSTOMER", "{}", answers[1]);
    let messages = list(&server, told.operator(), "/businesses/1/chats/1/messages");
    let said = messages
        .iter()
        .filter(|message| message["message"] == answers[1]["message"]);
    assert_eq!(said.count(), 1, "{messages:?}");
}

#[test]
fn a_second_start_keeps_the_demo_and_gives_new_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, first) = start(folder.path());
    let chats = list(&server, first.operator(), "/businesses/1/chats");
    server.stop();
    let (server, second) = start(folder.path());
    assert!(second.text.contains("was here already"), "{}", second.text);
    for (old, new) in [
        (first.seller(), second.seller()),
        (first.reader(), second.reader()),
    ] {
        assert_eq!(server.status_for(old), StatusCode::UNAUTHORIZED, "an earlier key");
        assert_eq!(server.status_for(new), StatusCode::OK);
    }
    assert_ne!(first.operator(), second.operator());
    assert_eq!(list(&server, second.operator(), "/businesses/1/chats"), chats);
    // A key that somebody made stays.
    let own = new_key(folder.path(), "own", "communication");
    server.stop();
    let (server, _) = start(folder.path());
    assert_eq!(server.status_for(&own), StatusCode::OK);
}

#[test]
fn the_demo_is_a_store_without_problems() {
    let folder = tempfile::tempdir().expect("a folder");
    start(folder.path()).0.stop();
    let report = printed(folder.path(), &["check"]);
    assert!(report.ends_with("no problems\n"), "{report}");
    assert!(
        !report.contains(" 0 "),
        "there is something of everything: {report}"
    );
}

#[test]
fn a_store_with_other_data_is_left_alone_with_a_warning() {
    let business = ("/operator/v1/businesses/1", json!({"name": "Not the demo's"}));
    let customer = ("/operator/v1/customers/anna", json!({"name": "Not the demo's"}));
    for (path, body) in [business, customer] {
        let folder = tempfile::tempdir().expect("a folder");
        let token = printed(folder.path(), &["operator-token", "create"]);
        let token = token.trim();
        let server = Server::start(folder.path());
        let put = server.request(Method::PUT, path).bearer_auth(token).json(&body);
        assert!(put.send().expect("an answer").status().is_success());
        server.stop();
        let before = contents(folder.path());

        let mut server = Server::with(folder.path(), DEMO, &[]);
        let warning = server.logged(|line| line["level"] == "WARN");
        let text = warning["message"].as_str().expect("a text");
        assert!(
            text.contains("data that is not the demo's") && text.contains("--data"),
            "{text}"
        );
        let (out, _) = server.stop();
        assert_eq!(out, "", "there are no keys to show");
        assert_eq!(contents(folder.path()), before, "{path}");
    }
}

/// Everything that is registered and said, as text.
fn contents(folder: &std::path::Path) -> Vec<String> {
    let database = folder.join("prilavok-data/prilavok.sqlite");
    assert!(fs::exists(&database).expect("a folder"));
    let conn = rusqlite::Connection::open(database).expect("the store");
    let mut rows = Vec::new();
    for table in [
        "business",
        "campaign",
        "customer",
        "purchase",
        "chat",
        "message",
        "credential",
        "operator_token",
    ] {
        let mut all = conn.prepare(&format!("SELECT * FROM {table}")).expect("a table");
        let width = all.column_count();
        let found = all.query_map([], |row| {
            let values = (0..width).map(|column| row.get::<_, rusqlite::types::Value>(column));
            Ok(format!("{table}: {:?}", values.collect::<Result<Vec<_>, _>>()?))
        });
        rows.extend(found.expect("rows").map(|row| row.expect("a row")));
    }
    rows
}
