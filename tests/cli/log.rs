//! `prilavok log`, beside a running server and after its end.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use crate::binary::{Server, command, new_key, printed, run};

fn lines(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let out = printed(folder, &[&["log"], arguments].concat());
    out.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// What is shown once it has so many lines.
fn shown(folder: &Path, arguments: &[&str], wanted: usize) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let found = lines(folder, arguments);
        if found.len() == wanted {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{found:#?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Follows the log until it is dropped.
struct Following(Child);

impl Following {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut follow = command(folder, &["log", "--follow"]);
        follow.args(arguments).stdout(Stdio::piped());
        Self(follow.spawn().expect("the binary starts"))
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        let mut out = BufReader::with_capacity(1, self.0.stdout.as_mut().expect("piped"));
        out.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).expect("JSON")
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn refused_calls_are_shown_while_the_server_runs_and_after_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    server.set_up();
    let key = new_key(folder.path(), "crm", "communication");
    assert_eq!(lines(folder.path(), &[]).len(), 0);
    server.status_for(&key);
    let found = shown(folder.path(), &[], 1);
    assert_eq!(found[0]["rule"], "CHAT_NOT_FOUND");
    assert_eq!(found[0]["key"]["name"], "crm");
    assert!(
        found[0]["answer"]["body"]
            .as_str()
            .is_some_and(|body| body.contains("Can't find chat"))
    );

    let pricing = new_key(folder.path(), "prices", "pricing");
    server.status_for(&pricing);
    server.status_for("nonsense");
    let campaigns = server.get("/v2/campaigns").header("Api-Key", &key);
    assert_eq!(campaigns.send().expect("an answer").status(), 200);
    server.stop();
    // A clean stop loses nothing. What succeeds is not recorded by default.
    let rules = |arguments: &[&str]| -> Vec<String> {
        let found = lines(folder.path(), arguments);
        found
            .iter()
            .map(|line| line["rule"].as_str().expect("a rule").to_owned())
            .collect()
    };
    assert_eq!(rules(&[]), ["CHAT_NOT_FOUND", "SCOPE", "KEY_PREFIX"]);
    assert_eq!(rules(&["--last", "1"]), ["KEY_PREFIX"]);
    assert_eq!(
        rules(&["--business", "1", "--refused"]),
        ["CHAT_NOT_FOUND", "SCOPE"]
    );
    assert_eq!(rules(&["--status", "403"]), ["SCOPE"]);
    assert_eq!(rules(&["--operation", "getChats"]), [""; 0]);
    let wrong = run(folder.path(), &["log", "--status", "x"]);
    assert!(
        wrong.code != Some(0) && wrong.err.contains("a class like 4xx"),
        "{wrong:?}"
    );
}

#[test]
fn following_shows_calls_as_they_come() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = [("PRILAVOK_REQUEST_LOG__RECORD", "all")];
    let server = Server::with(folder.path(), &[], &all);
    server.set_up();
    let key = new_key(folder.path(), "crm", "communication");
    server.status_for(&key);
    let mut following = Following::start(folder.path(), &["--refused"]);
    assert_eq!(following.line()["rule"], "CHAT_NOT_FOUND");
    let campaigns = server.get("/v2/campaigns").header("Api-Key", &key);
    assert_eq!(campaigns.send().expect("an answer").status(), 200);
    server.status_for("nonsense");
    assert_eq!(
        following.line()["rule"],
        "KEY_PREFIX",
        "the call that succeeded is passed over"
    );
    // A reader that goes away ends it.
    drop(following.0.stdout.take());
    server.status_for("nonsense");
    assert!(following.0.wait().expect("a child").success());
    shown(folder.path(), &[], 4);
}

#[test]
fn a_call_is_given_as_a_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let request = server
        .request(Method::POST, "/v2/businesses/1/chats")
        .header("X-Request-Id", "mine");
    request
        .header("Api-Key", "nonsense")
        .body("{}")
        .send()
        .expect("an answer");
    shown(folder.path(), &[], 1);
    let curl = printed(folder.path(), &["log", "--curl", "mine"]);
    let expected = format!(
        "curl -X 'POST' '{}/v2/businesses/1/chats' \\\n  -H 'api-key: '\"$PRILAVOK_KEY\" \\\n  -H 'accept: */*' \\\n  -H \
         'content-type:' \\\n  --data-raw '{{}}'\n",
        server.address
    );
    assert_eq!(curl, expected);
    let said = run(folder.path(), &["log", "--curl", "other"]);
    assert_eq!((said.code, &*said.out), (Some(1), ""), "{said:?}");
    assert!(said.err.contains("no call other"), "{said:?}");
}

#[test]
fn a_log_that_is_broken_begins_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    server.status_for("nonsense");
    server.stop();
    let file = folder.path().join("prilavok-data/requests.sqlite");
    std::fs::write(&file, "no database, ".repeat(1_000)).expect("broken");
    let server = Server::start(folder.path());
    server.status_for("nonsense");
    shown(folder.path(), &[], 1);
    server.stop();
}
