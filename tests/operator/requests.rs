//! The request log through the Operator API.

use std::process::Command;

use reqwest::Method;
use serde_json::Value;

use crate::desk::{Answer, BUSINESS, Desk};

const REQUESTS: &str = "/operator/v1/requests";
const DAY_MS: i64 = 24 * 3_600_000;

/// A call with an id of its own.
fn call(desk: &Desk, id: &str, method: Method, path: &str, key: &str) -> reqwest::blocking::RequestBuilder {
    let client = reqwest::blocking::Client::new();
    let request = client.request(method, format!("http://{}{path}", desk.address));
    request.header("X-Request-Id", id).header("Api-Key", key)
}

fn ids(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("a list");
    items
        .iter()
        .map(|it| it["requestId"].as_str().expect("an id"))
        .collect()
}

/// The list once it has so many entries.
fn listed(desk: &Desk, entries: usize) -> Value {
    desk.eventually(REQUESTS, |page| ids(page).len() == entries)
}

#[test]
fn calls_are_filtered_and_paged() {
    let desk = Desk::recording();
    let (key_id, key) = desk.key("crm");
    let chat = "/v2/businesses/1/chat?chatId=77";
    let send = |id: &str, method: Method, path: &str, key: &str| {
        call(&desk, id, method, path, key)
            .send()
            .expect("an answer")
            .status()
            .as_u16()
    };
    assert_eq!(send("missing", Method::GET, chat, &key), 404);
    assert_eq!(send("stranger", Method::GET, chat, "nonsense"), 401);
    listed(&desk, 2);
    desk.advance(60_000);
    assert_eq!(send("campaigns", Method::GET, "/v2/campaigns", &key), 200);
    assert_eq!(send("again", Method::GET, "/v2/campaigns", &key), 200);
    assert_eq!(send("again", Method::GET, "/v2/nothing", &key), 404);
    let all = listed(&desk, 5);
    assert_eq!(ids(&all), ["again", "again", "campaigns", "stranger", "missing"]);
    let missing = &all["items"][4];
    assert_eq!(missing["at"], "2025-01-16T10:09:49.759Z");
    assert_eq!(
        (&missing["status"], &missing["rule"]),
        (&404.into(), &"CHAT_NOT_FOUND".into())
    );
    assert_eq!(
        (&missing["operation"], &missing["businessId"]),
        (&"getChat".into(), &1.into())
    );
    assert_eq!(missing["key"], serde_json::json!({"id": key_id, "name": "crm"}));
    assert!(
        missing["durationMs"].as_f64().is_some_and(|took| took >= 0.0),
        "{missing:#}"
    );
    assert!(all["items"][3].get("businessId").is_none(), "{all:#}");
    for (query, expected) in [
        ("businessId=1", &["again", "campaigns", "missing"][..]),
        ("businessId=2", &[]),
        ("operation=getCampaigns", &["again", "campaigns"]),
        ("status=4xx", &["again", "stranger", "missing"]),
        ("status=401", &["stranger"]),
        ("refused=true&businessId=1", &["missing"]),
        ("refused=true&status=2xx", &[]),
        ("until=2025-01-16T10:09:49.760Z", &["stranger", "missing"]),
        ("from=2025-01-16T10:09:49.760Z", &["again", "again", "campaigns"]),
        ("requestId=again", &["again", "again"]),
        ("requestId=again&status=200", &["again"]),
    ] {
        let page = desk.get(&format!("{REQUESTS}?{query}")).is(200);
        assert_eq!(ids(&page), expected, "{query}");
    }
    let first = desk.get(&format!("{REQUESTS}?limit=2")).is(200);
    let cursor = first["nextCursor"].as_str().expect("more");
    // What comes between pages neither repeats nor hides others.
    send("later", Method::GET, "/v2/campaigns", &key);
    listed(&desk, 6);
    let second = desk.get(&format!("{REQUESTS}?limit=3&cursor={cursor}")).is(200);
    assert_eq!(ids(&second), ["campaigns", "stranger", "missing"]);
    assert!(second.get("nextCursor").is_none(), "{second:#}");
    for (query, problem) in [
        ("operation=getChta", "operation: must be one of getChat, "),
        (
            "status=4x",
            "status: must be a status like 420 or a class like 4xx",
        ),
        ("refused=yes", "refused: must be true or false"),
        ("cursor=aWQ6NDI", "cursor: is not a cursor of this list"),
    ] {
        let problems = desk
            .get(&format!("{REQUESTS}?{query}"))
            .fails(400, "VALIDATION_FAILED");
        assert!(problems[0].starts_with(problem), "{problems:?}");
    }
}

#[test]
fn a_call_is_shown_and_can_be_repeated() {
    let desk = Desk::recording();
    let (_, key) = desk.key("crm");
    let chat = desk.chat_about_order(1);
    let chat = chat.rsplit('/').next().expect("an id");
    let path = format!("/v2/businesses/1/chats/message?chatId={chat}&x=[a]{{b}}");
    let body = "{\"message\":\"it's $HOME `x` \\\"quoted\\\"\"}";
    let request = call(&desk, "shown", Method::POST, &path, &key);
    assert_eq!(request.body(body).send().expect("an answer").status(), 200);
    listed(&desk, 1);
    let shown = desk.get(&format!("{REQUESTS}/shown")).is(200);
    assert_eq!(shown["request"]["body"], body);
    assert_eq!(shown["answer"]["body"], "{\"status\":\"OK\"}");
    assert_eq!(shown["request"]["bodyBytes"], body.len());
    let curl = shown["curl"].as_str().expect("a command");
    assert!(
        curl.contains("\"$PRILAVOK_KEY\"") && !curl.contains(&key),
        "{curl}"
    );
    let run = Command::new("sh")
        .args(["-c", &format!("{curl} -sS")])
        .env("PRILAVOK_KEY", &key)
        .output();
    let run = run.expect("curl runs");
    assert_eq!(
        String::from_utf8_lossy(&run.stdout),
        "{\"status\":\"OK\"}",
        "{curl}\n{run:?}"
    );
    let repeated = &listed(&desk, 2)["items"][0];
    assert_eq!(
        (&repeated["status"], &repeated["target"]),
        (&200.into(), &shown["target"])
    );
    let messages = desk.get(&format!("{BUSINESS}/chats/{chat}/messages")).is(200);
    let texts: Vec<_> = messages["items"]
        .as_array()
        .expect("messages")
        .iter()
        .map(|it| &it["message"])
        .collect();
    assert_eq!(texts, ["it's $HOME `x` \"quoted\""; 2]);
    assert_eq!(
        desk.get(&format!("{REQUESTS}/nobody%2Fs"))
            .fails(404, "NOT_FOUND"),
        ["requestId: names what does not exist"]
    );
}

#[test]
fn tokens_are_put_where_they_were() {
    let desk = Desk::recording();
    let body = serde_json::json!({"name": "old", "scopes": ["all-methods"]});
    let token = desk.post(&format!("{BUSINESS}/oauth-tokens"), &body).is(201);
    let token = token["secret"].as_str().expect("a token");
    for (id, value) in [
        ("bearer", format!("Bearer {token}")),
        (
            "oauth",
            format!("OAuth oauth_token=\"{token}\", oauth_client_id=\"x\""),
        ),
    ] {
        let client = reqwest::blocking::Client::new();
        let request = client.get(format!("http://{}/v2/campaigns", desk.address));
        let request = request.header("X-Request-Id", id).header("Authorization", value);
        assert_eq!(request.send().expect("an answer").status(), 200);
        let shown = desk.eventually(&format!("{REQUESTS}?requestId={id}"), |page| ids(page).len() == 1);
        assert_eq!(shown["items"][0]["oauthToken"]["name"], "old");
        let shown = desk.get(&format!("{REQUESTS}/{id}")).is(200);
        let curl = format!(
            "{} -sS -o /dev/null -w '%{{http_code}}'",
            shown["curl"].as_str().expect("a command")
        );
        let run = Command::new("sh")
            .args(["-c", &curl])
            .env("PRILAVOK_KEY", token)
            .output();
        assert_eq!(
            String::from_utf8_lossy(&run.expect("curl runs").stdout),
            "200",
            "{curl}"
        );
    }
}

#[test]
fn calls_are_forgotten_after_ten_days() {
    let desk = Desk::recording();
    let (_, key) = desk.key("crm");
    let campaigns = |id| {
        let answer = call(&desk, id, Method::GET, "/v2/campaigns", &key).send();
        assert_eq!(answer.expect("an answer").status(), 200);
    };
    campaigns("old");
    listed(&desk, 1);
    desk.advance(10 * DAY_MS);
    campaigns("new");
    assert_eq!(ids(&listed(&desk, 2)), ["new", "old"]);
    desk.advance(10 * 60_000);
    assert_eq!(ids(&listed(&desk, 1)), ["new"]);
    desk.get(&format!("{REQUESTS}/old")).fails(404, "NOT_FOUND");
    let metrics = Answer::to(desk.anonymous(Method::GET, "/metrics"));
    let metrics = String::from_utf8(metrics.body).expect("text");
    assert!(
        metrics.contains("prilavok_request_log_dropped_total 0"),
        "{metrics}"
    );
}

#[test]
fn the_operator_s_own_calls_are_not_recorded() {
    let desk = Desk::recording();
    desk.get("/operator/v1/businesses/77");
    desk.get("/operator/v1/nothing");
    let (_, key) = desk.key("crm");
    call(&desk, "seller", Method::GET, "/v2/campaigns", &key)
        .send()
        .expect("an answer");
    assert_eq!(ids(&listed(&desk, 1)), ["seller"]);
}
