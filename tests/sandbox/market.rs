//! A sandbox that runs, and calls to it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::blocking::{Client, RequestBuilder};
use serde_json::{Value, json};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The binary with `arguments`.
pub(crate) fn sandbox(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prilavok"));
    command.args(["sandbox", "--port", "0", "--json"]).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// A sandbox that runs; it is killed when it is dropped.
pub(crate) struct Market {
    child: Child,
    out: BufReader<ChildStdout>,
    pub(crate) told: Value,
    client: Client,
}

impl Market {
    /// A sandbox whose clock stands still.
    pub(crate) fn open() -> Self {
        Self::with(&["--speed", "0"])
    }

    pub(crate) fn with(arguments: &[&str]) -> Self {
        let mut child = sandbox(arguments).spawn().expect("the binary starts");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        let told = serde_json::from_str(&line).expect("JSON");
        // Each request a connection of its own: one that was closed on purpose must not be tried again.
        let client = Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0);
        Self {
            child,
            out,
            told,
            client: client.build().expect("a client"),
        }
    }

    pub(crate) fn told(&self, name: &str) -> &str {
        self.told[name].as_str().expect(name)
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.told("url")))
    }

    /// A call of a seller's system.
    pub(crate) fn get(&self, key: &str, path: &str) -> RequestBuilder {
        self.request(Method::GET, path).header("Api-Key", key)
    }

    /// Sends JSON and answers status and JSON.
    pub(crate) fn send(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.request(method, path).json(body).send().expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.text().expect("a body");
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.send(Method::POST, path, body);
        assert!(status < 300, "{path}: {status} {answer}");
        answer
    }

    /// Moves the clock; answers what happened.
    pub(crate) fn advance(&self, by: &str) -> Vec<Value> {
        let moved = self.post("/sandbox/v1/clock", &json!({ "advance": by }));
        moved["happened"].as_array().expect("a list").clone()
    }

    /// Writes as the customer of a chat, as the marketplace's backend does.
    pub(crate) fn customer_writes(&self, business: i64, chat: i64, text: &str) -> i64 {
        let path = format!("/operator/v1/businesses/{business}/chats/{chat}/messages");
        let body = json!({ "sender": "CUSTOMER", "message": text });
        let request = self
            .request(Method::POST, &path)
            .bearer_auth(self.told("operatorToken"));
        let answer = request.json(&body).send().expect("an answer");
        assert!(answer.status().is_success(), "{answer:?}");
        let answer: Value = answer.json().expect("JSON");
        answer["messageId"].as_i64().unwrap_or_default()
    }

    /// Tells `url` of everything in business 1.
    pub(crate) fn subscribe(&self, url: &str) {
        let path = "/operator/v1/businesses/1/subscriptions";
        let body = json!({ "name": "crm", "url": url });
        let request = self
            .request(Method::POST, path)
            .bearer_auth(self.told("operatorToken"));
        let answer = request.json(&body).send().expect("an answer");
        assert!(answer.status().is_success(), "{:?}", answer.text());
    }

    /// The texts of a chat of business 1.
    pub(crate) fn texts(&self, chat: i64) -> Vec<String> {
        let path = format!("/v2/businesses/1/chats/history?chatId={chat}");
        let request = self
            .request(Method::POST, &path)
            .header("Api-Key", self.told("apiKey"));
        let answer: Value = request
            .json(&json!({}))
            .send()
            .expect("an answer")
            .json()
            .expect("JSON");
        let messages = answer["result"]["messages"].as_array().expect("messages").clone();
        let text = |message: &Value| message["message"].as_str().map(str::to_owned);
        messages.iter().filter_map(text).collect()
    }

    /// Bids it stop; answers its exit code and what it printed at the end.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &id]).status();
        assert!(killed.expect("kill runs").success());
        self.ended()
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("text");
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a status") {
                return (status.code(), rest);
            }
            assert!(began.elapsed() < PATIENCE, "it does not stop");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Market {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
