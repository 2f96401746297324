//! The real binary as a child process, and the few calls that the test makes to it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::blocking::{Client, RequestBuilder, multipart};
use serde_json::{Value, json};

use crate::a_business;
use crate::writers::{self, What};

pub(crate) struct Server {
    child: Child,
    folder: PathBuf,
    pub(crate) address: String,
}

/// What the writers need to know.
pub(crate) struct Setting {
    pub(crate) chats: Vec<i64>,
    pub(crate) key: String,
    pub(crate) operator: String,
}

fn command(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prilavok"));
    command.args(arguments).arg("--data").arg(folder);
    command
}

fn printed(arguments: &[&str], folder: &Path) -> String {
    let output = command(arguments, folder).output().expect("the binary runs");
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// Runs a command to its end; answers its exit code and all that it said.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    run_with(folder, arguments, &[])
}

/// The same, with more variables.
pub(crate) fn run_with(
    folder: &Path,
    arguments: &[&str],
    variables: &[(String, String)],
) -> (Option<i32>, String) {
    // A server that should not have started is stopped, and the test fails.
    let mut limited = Command::new("timeout");
    limited.args(["60", env!("CARGO_BIN_EXE_prilavok")]);
    let output = limited
        .args(arguments)
        .arg("--data")
        .arg(folder)
        .env("PRILAVOK_LISTEN", "127.0.0.1:0")
        .envs(variables.iter().cloned())
        .output()
        .expect("the binary runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).expect("text"))
}

/// `prilavok check` finds nothing.
pub(crate) fn check(folder: &Path) {
    printed(&["check"], folder);
}

/// Where the server listens, if the line of its log tells it.
fn address(line: &str) -> Option<String> {
    // Other lines may tell of other servers.
    let line = &line[line.find("listening")?..];
    let from = line.find("http://127.0.0.1:")?;
    let address = line[from..]
        .split(|c: char| c == '"' || c.is_whitespace())
        .next()?;
    Some(address.trim_end_matches('/').to_owned())
}

impl Server {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[], &[])
    }

    /// Starts it with more arguments and variables.
    pub(crate) fn start_with(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = Self::command(folder)
            .args(arguments)
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| address(&line))
            .expect("the server says where it listens");
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            folder: folder.to_owned(),
            address,
        }
    }

    /// Starts it with its log in a file.
    pub(crate) fn logging_to(folder: &Path, log: &Path) -> Self {
        let file = File::create(log).expect("a log");
        let mut command = Self::command(folder);
        let mut server = Self {
            child: command.stderr(file).spawn().expect("the binary starts"),
            folder: folder.to_owned(),
            address: String::new(),
        };
        while server.address.is_empty() {
            let text = std::fs::read_to_string(log).expect("text");
            let ended = server.child.try_wait().expect("a child");
            assert_eq!(ended, None, "{text}");
            server.address = text.lines().find_map(address).unwrap_or_default();
            std::thread::sleep(Duration::from_millis(5));
        }
        server
    }

    fn command(folder: &Path) -> Command {
        let mut command = command(&["serve", "--no-limits", "--listen", "127.0.0.1:0"], folder);
        command.env("PRILAVOK_LOG__FORMAT", "json").stdout(Stdio::null());
        command
    }

    /// Keeps it on one core from now on.
    pub(crate) fn pin(&self, core: &str) {
        let pid = self.child.id().to_string();
        let pinned = Command::new("taskset")
            .args(["--all-tasks", "--cpu-list", "--pid", core, &pid])
            .stdout(Stdio::null())
            .status();
        assert!(pinned.expect("taskset runs").success());
    }

    /// The most memory that it had resident so far, in KiB; `None` where the system does not tell.
    pub(crate) fn peak_memory_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.trim().parse().ok()
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("the server runs");
        self.child.wait().expect("the server ends");
    }

    /// A business with `chats` chats about orders.
    pub(crate) fn set_up(&self, chats: usize) -> Setting {
        let operator = printed(&["operator-token", "create"], &self.folder);
        let chats = a_business::with_chats(&self.address, &operator, chats);
        let key = printed(&a_business::CREATE_KEY, &self.folder);
        Setting { chats, key, operator }
    }

    /// The status of a page that anybody may ask for.
    pub(crate) fn get(&self, path: &str) -> StatusCode {
        let answer = Client::new().get(format!("{}{path}", self.address)).send();
        answer.expect("an answer").status()
    }

    /// Waits until the server says that it can serve, or that it cannot.
    pub(crate) fn becomes(&self, readiness: StatusCode) {
        while self.get("/readyz") != readiness {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn partner(&self, setting: &Setting, path: &str) -> RequestBuilder {
        let url = format!("{}/v2/businesses/1/chats/{path}", self.address);
        Client::new().post(url).header("Api-Key", &setting.key)
    }

    /// The partner writes.
    pub(crate) fn send_text(&self, setting: &Setting, chat: i64, text: &str) -> (StatusCode, Value) {
        let request = self.partner(setting, &format!("message?chatId={chat}"));
        answered(request.json(&json!({"message": text})))
    }

    /// The partner sends a file.
    pub(crate) fn send_file(&self, setting: &Setting, chat: i64, bytes: Vec<u8>) -> (StatusCode, Value) {
        let part = multipart::Part::bytes(bytes).file_name("file.bin");
        let request = self.partner(setting, &format!("file/send?chatId={chat}"));
        answered(request.multipart(multipart::Form::new().part("file", part)))
    }

    /// The partner reads a chat.
    pub(crate) fn history(&self, setting: &Setting, chat: i64) -> (StatusCode, Value) {
        let request = self.partner(setting, &format!("history?chatId={chat}&limit=100"));
        answered(request.json(&json!({})))
    }

    /// The customer writes, through the operator.
    pub(crate) fn say(&self, setting: &Setting, chat: i64, text: &str) -> (StatusCode, Value) {
        let url = format!("{}/operator/v1/businesses/1/chats/{chat}/messages", self.address);
        let request = Client::new().post(url).bearer_auth(&setting.operator);
        answered(request.json(&json!({"sender": "CUSTOMER", "message": text})))
    }

    /// The messages of a chat, in order.
    pub(crate) fn messages(&self, setting: &Setting, chat: i64) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/operator/v1/businesses/1/chats/{chat}/messages?limit=1000{cursor}");
            let request = Client::new().get(format!("{}{path}", self.address));
            let answer = request.bearer_auth(&setting.operator).send().expect("an answer");
            let mut page: Value = answer.json().expect("JSON");
            let Value::Array(items) = page["items"].take() else {
                panic!("no list: {page}")
            };
            all.extend(items);
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    /// Whether a message that was found is the one that was sent; of a file every byte.
    pub(crate) fn is(&self, found: &Value, sent: &What) -> bool {
        match sent {
            What::Text(text) => found["message"] == text.as_str(),
            What::File { name, seed } => {
                let file = &found["files"][0];
                file["name"] == name.as_str() && self.content(file) == writers::bytes(*seed)
            }
        }
    }

    fn content(&self, file: &Value) -> Vec<u8> {
        let url = file["url"].as_str().expect("a link");
        let path = url.splitn(4, '/').nth(3).expect("a path");
        let answer = Client::new()
            .get(format!("{}/{path}", self.address))
            .send()
            .expect("an answer");
        assert!(answer.status().is_success(), "{url}: {}", answer.status());
        answer.bytes().expect("bytes").to_vec()
    }
}

fn answered(request: RequestBuilder) -> (StatusCode, Value) {
    let answer = request.send().expect("an answer");
    (answer.status(), answer.json().expect("JSON"))
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
