//! The real binary: run to its end, or serving.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, RequestBuilder};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// After a line about this path the log is read no more.
const LAST_LINE: &str = "/the-last-line";
/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The binary with `arguments`, in a folder of its own.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prilavok"));
    command.args(arguments).current_dir(folder);
    command
}

/// The binary with `arguments`, for which every file is like a full disk above so many KiB.
pub(crate) fn limited(folder: &Path, kib: u32, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    // POSIX counts in blocks of 512 bytes. The signal would end the process before the error is seen.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", kib * 2);
    command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_prilavok")]);
    command.args(arguments).current_dir(folder);
    command
}

/// Sends a signal to the process with this id.
pub(crate) fn signal(name: &str, id: &str) {
    let kill = format!("kill -{name} {id}");
    let status = Command::new("sh").args(["-c", &kill]).status();
    assert!(status.expect("sh runs").success());
}

/// What a command that has ended said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

/// Runs the binary to its end.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Said {
    command(folder, arguments)
        .output()
        .expect("the binary runs")
        .into()
}

/// Runs the binary to its end, which must be a good one; answers its standard output.
pub(crate) fn printed(folder: &Path, arguments: &[&str]) -> String {
    let said = run(folder, arguments);
    assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
    said.out
}

/// Makes a key of business 1.
pub(crate) fn new_key(folder: &Path, name: &str, scope: &str) -> String {
    let arguments = [
        "keys",
        "create",
        "--business",
        "1",
        "--name",
        name,
        "--scope",
        scope,
    ];
    printed(folder, &arguments).trim().to_owned()
}

/// A server in a folder; its data is in `prilavok-data` there, where the other commands look for it.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    pub(crate) folder: PathBuf,
    logged: Receiver<String>,
    lines: Vec<String>,
    client: Client,
}

impl Server {
    /// Starts it on a free port.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::with(folder, &[], &[])
    }

    /// Starts it with more arguments and variables.
    pub(crate) fn with(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut serve = command(folder, &["serve", "--listen", "127.0.0.1:0"]);
        serve.args(arguments).envs(variables.iter().copied());
        Self::run(folder, serve)
    }

    /// Starts it so that no file may grow above so many KiB.
    pub(crate) fn with_file_limit(folder: &Path, kib: u32) -> Self {
        Self::run(
            folder,
            limited(folder, kib, &["serve", "--listen", "127.0.0.1:0"]),
        )
    }

    fn run(folder: &Path, mut serve: Command) -> Self {
        let mut child = serve
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let (sender, logged) = channel();
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let is_last = line.contains(LAST_LINE);
                // Nobody listens any more when the test is over.
                let _ = sender.send(line);
                if is_last {
                    break;
                }
            }
        });
        let mut server = Self {
            child,
            address: String::new(),
            folder: folder.to_owned(),
            logged,
            lines: Vec::new(),
            client: Client::builder().timeout(PATIENCE).build().expect("a client"),
        };
        let listening = server.logged(|line| line["message"] == "listening");
        server.address = listening["address"].as_str().expect("an address").to_owned();
        server
    }

    /// Waits for a log line, which must be JSON, as every line before it.
    pub(crate) fn logged(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self
                .logged
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("not logged; there was {:#?}", self.lines));
            let json: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            self.lines.push(line);
            if wanted(&json) {
                return json;
            }
        }
    }

    /// What it prints up to the line that contains `last`.
    pub(crate) fn printed_until(&mut self, last: &str) -> String {
        let mut text = String::new();
        let mut out = BufReader::new(self.child.stdout.as_mut().expect("piped"));
        while !text.contains(last) {
            let read = out.read_line(&mut text).expect("text");
            assert!(read > 0, "it never printed {last}: {text}");
        }
        text
    }

    /// A request without a credential.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.address))
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// The status of an answer about a chat, by which it is seen whether a key works.
    pub(crate) fn status_for(&self, key: &str) -> StatusCode {
        let request = self.get("/v2/businesses/1/chat?chatId=1").header("Api-Key", key);
        request.send().expect("an answer").status()
    }

    /// Business 1 with order 1 and its chat, through the Operator API. Answers the token and the chat's id.
    pub(crate) fn set_up(&self) -> (String, i64) {
        let token = printed(&self.folder, &["operator-token", "create"]);
        let token = token.trim();
        let send = |method: Method, path: &str, body: Value| -> Value {
            let request = self.request(method, &format!("/operator/v1{path}"));
            let answer = request.bearer_auth(token).json(&body).send().expect("an answer");
            assert!(
                answer.status().is_success(),
                "{path}: {}",
                answer.text().expect("text")
            );
            answer.json().expect("JSON")
        };
        send(Method::PUT, "/businesses/1", json!({"name": "Shop"}));
        let campaign = json!({"domain": "shop.example", "placement": "FBS"});
        send(Method::PUT, "/businesses/1/campaigns/1", campaign);
        send(Method::PUT, "/customers/anna", json!({"name": "Анна"}));
        let order = json!({"campaignId": 1, "customerId": "anna"});
        send(Method::PUT, "/businesses/1/orders/1", order);
        let about = json!({"context": {"type": "ORDER", "id": 1}});
        let chat = send(Method::POST, "/businesses/1/chats", about);
        (token.to_owned(), chat["chatId"].as_i64().expect("an id"))
    }

    /// Takes one more line of the log, and then closes it.
    pub(crate) fn stop_reading_logs(&mut self) {
        self.get(LAST_LINE).send().expect("an answer");
        self.logged(|line| line["path"] == LAST_LINE);
        // Nothing more can come once the reading end is closed.
        assert!(self.logged.recv_timeout(PATIENCE).is_err());
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        signal(name, &self.child.id().to_string());
    }

    /// Waits until it has ended.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops it in good order; answers what it printed and what it logged.
    pub(crate) fn stop(mut self) -> (String, Vec<String>) {
        self.signal("TERM");
        let status = self.ended();
        let mut out = String::new();
        let mut stdout = self.child.stdout.take().expect("piped");
        stdout.read_to_string(&mut out).expect("text");
        let mut lines = std::mem::take(&mut self.lines);
        lines.extend(std::iter::from_fn(|| self.logged.recv_timeout(PATIENCE).ok()));
        assert!(status.success(), "{lines:#?}");
        (out, lines)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
