//! A marketplace of the test's own: the real binary with the demo in it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, RequestBuilder};
use reqwest::{Method, redirect};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::{Browser, Reader};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A server with the demo.
pub(crate) struct Market {
    pub(crate) url: String,
    /// The Api-Key of business 1.
    pub(crate) key: String,
    /// Another one of it, which may only read.
    pub(crate) reader: String,
    /// The Api-Key of business 2.
    pub(crate) other: String,
    /// The operator token.
    pub(crate) token: String,
    pub(crate) client: Client,
    child: Child,
    data: TempDir,
}

impl Market {
    pub(crate) fn open() -> Self {
        Self::with(&[])
    }

    /// A market with settings of the test's own.
    pub(crate) fn with(variables: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(env!("CARGO_BIN_EXE_prilavok"))
            .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--data"])
            .arg(data.path())
            .envs(
                variables
                    .iter()
                    .map(|(name, value)| (format!("PRILAVOK_{name}"), *value)),
            )
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let (mut secrets, mut url) = (Vec::new(), String::new());
        while url.is_empty() {
            let line = lines.next().expect("an introduction").expect("text");
            if let Some(docs) = line.strip_prefix("API reference: ") {
                docs.trim_end_matches("/docs/").clone_into(&mut url);
            } else if line.starts_with("  Api-Key") || line.starts_with("  operator token") {
                secrets.push(line.split_whitespace().last().expect("a secret").to_owned());
            }
        }
        // What it goes on to print is read away.
        std::thread::spawn(move || lines.for_each(drop));
        let [key, reader, other, operator] = secrets.try_into().expect("three keys and a token");
        Self {
            url,
            key,
            reader,
            other,
            token: operator,
            client: Client::builder()
                .timeout(PATIENCE)
                .redirect(redirect::Policy::none())
                .build()
                .expect("a client"),
            child,
            data,
        }
    }

    /// A request without a credential.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// A call of the Operator API, which must succeed.
    pub(crate) fn operator(&self, method: Method, path: &str, body: &Value) -> Value {
        let request = self.request(method, &format!("/operator/v1{path}"));
        let answer = request
            .bearer_auth(&self.token)
            .json(body)
            .send()
            .expect("an answer");
        let (status, text) = (answer.status(), answer.text().expect("text"));
        assert!(status.is_success(), "{path}: {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// The customer writes into a chat of business 1.
    pub(crate) fn customer_writes(&self, chat: i64, text: &str) {
        let path = format!("/businesses/1/chats/{chat}/messages");
        self.operator(
            Method::POST,
            &path,
            &json!({"sender": "CUSTOMER", "message": text}),
        );
    }

    /// Opens the dispute beside a chat of business 1; answers its id.
    pub(crate) fn dispute(&self, chat: i64) -> i64 {
        let path = format!("/businesses/1/chats/{chat}/arbitration");
        let started = self.operator(Method::POST, &path, &json!({}));
        started["chatId"].as_i64().unwrap_or_else(|| panic!("{started}"))
    }

    /// The messages of a chat of business 1, as the Operator API has them.
    pub(crate) fn messages(&self, chat: i64) -> Vec<Value> {
        let path = format!("/businesses/1/chats/{chat}/messages?limit=100");
        let page = self.operator(Method::GET, &path, &json!({}));
        page["items"]
            .as_array()
            .unwrap_or_else(|| panic!("{page}"))
            .clone()
    }

    /// Ends the server, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }

    /// Starts it again, at the same address and with the same keys.
    pub(crate) fn start_again(&mut self) {
        self.child = Command::new(env!("CARGO_BIN_EXE_prilavok"))
            .args([
                "serve",
                "--listen",
                self.url.trim_start_matches("http://"),
                "--data",
            ])
            .arg(self.data.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary");
        let begun = Instant::now();
        while self.request(Method::GET, "/healthz").send().is_err() {
            assert!(begun.elapsed() < PATIENCE, "it did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Browser {
    /// A browser in which the seller of business 1 is signed in, at a path.
    pub(crate) fn signed_in(market: &Market, reader: Reader, path: &str) -> Self {
        let browser = Self::open(&market.url, reader);
        browser.go("/ui/sign-in");
        browser.sign_in(&market.key);
        browser.go(path);
        browser
    }

    /// A browser in which somebody of the marketplace is signed in, at a path.
    pub(crate) fn of_operator(market: &Market, reader: Reader, path: &str) -> Self {
        let browser = Self::open(&market.url, reader);
        browser.go("/ui/operator/sign-in");
        browser.sign_in(&market.token);
        browser.go(path);
        browser
    }

    /// Signs in at the page of it, where the browser is.
    pub(crate) fn sign_in(&self, secret: &str) {
        self.find("#secret").fill(self, secret);
        // Whatever comes of it is another page.
        self.run("window.before = true");
        self.find("form.box button").click(self);
        self.wait("return !window.before && document.readyState === 'complete'");
    }
}

impl Drop for Market {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
