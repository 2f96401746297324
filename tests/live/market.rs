//! A marketplace of the test's own: the real binary as a child process, businesses with a chat each, and the few
//! calls that the tests make.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use prilavok_domain::IdSequence;
use prilavok_store::sqlite::{FILE_NAME, SqliteStore};
use reqwest::Method;
use reqwest::blocking::{Client, RequestBuilder, Response};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A server and the businesses 1, 2, … in it. Each has order 1, a chat about it, and a key that may do everything.
pub(crate) struct Market {
    pub(crate) address: String,
    pub(crate) operator: String,
    /// The chat and the key of each business.
    pub(crate) sellers: Vec<Seller>,
    child: Child,
    variables: Vec<(String, String)>,
    client: Client,
    folder: TempDir,
}

pub(crate) struct Seller {
    pub(crate) business: i64,
    pub(crate) chat: i64,
    pub(crate) key: String,
}

impl Market {
    /// A market with so many businesses, and settings of the test's own.
    pub(crate) fn open(businesses: i64, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (format!("PRILAVOK_{name}"), (*value).to_owned()))
            .collect();
        variables.push(("PRILAVOK_LOG__FORMAT".to_owned(), "json".to_owned()));
        let (child, address) = start(folder.path(), &variables);
        let mut market = Self {
            operator: printed(folder.path(), &["operator-token", "create"]),
            address,
            sellers: Vec::new(),
            child,
            variables,
            client: Client::builder().timeout(PATIENCE).build().expect("a client"),
            folder,
        };
        let mut items = vec![json!({"type": "CUSTOMER", "publicId": "anna", "name": "Анна"})];
        for id in 1..=businesses {
            items.push(json!({"type": "BUSINESS", "businessId": id, "name": format!("Shop {id}")}));
            items.push(
                json!({"type": "CAMPAIGN", "businessId": id, "campaignId": id, "domain": "shop.example",
                              "placement": "FBS"}),
            );
            items.push(
                json!({"type": "ORDER", "businessId": id, "orderId": 1, "campaignId": id,
                              "customerId": "anna"}),
            );
        }
        market.post("/bulk", &json!({"items": items}));
        market.sellers = (1..=businesses).map(|id| market.seller(id)).collect();
        market
    }

    fn seller(&self, business: i64) -> Seller {
        let chat = self.post(
            &format!("/businesses/{business}/chats"),
            &json!({"context": {"type": "ORDER", "id": 1}}),
        );
        Seller {
            business,
            chat: chat["chatId"].as_i64().expect("an id"),
            key: self.key(business, "crm", "all-methods").1,
        }
    }

    /// The first business.
    pub(crate) fn first(&self) -> &Seller {
        &self.sellers[0]
    }

    /// Makes a key; answers its id and itself.
    pub(crate) fn key(&self, business: i64, name: &str, scope: &str) -> (i64, String) {
        let body = json!({"name": name, "scopes": [scope]});
        let key = self.post(&format!("/businesses/{business}/keys"), &body);
        let secret = key["secret"].as_str().expect("a secret").to_owned();
        (key["keyId"].as_i64().expect("an id"), secret)
    }

    /// A request without a credential.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("http://{}{path}", self.address))
    }

    /// A call of the Operator API, which must succeed.
    pub(crate) fn call(&self, method: Method, path: &str, body: &Value) -> Value {
        let request = self.request(method, &format!("/operator/v1{path}"));
        let answer = request.bearer_auth(&self.operator).json(body).send();
        let answer = answer.expect("an answer");
        assert!(
            answer.status().is_success(),
            "{path}: {}",
            answer.text().expect("text")
        );
        answer.json().expect("JSON")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.call(Method::POST, path, body)
    }

    /// The customer writes to a seller; answers the message's id.
    pub(crate) fn write(&self, seller: &Seller) -> i64 {
        let path = format!("/businesses/{}/chats/{}/messages", seller.business, seller.chat);
        let message = self.post(&path, &json!({"sender": "CUSTOMER", "message": "Где посылка?"}));
        message["messageId"].as_i64().expect("an id")
    }

    /// The seller writes; answers whether that was acknowledged.
    pub(crate) fn answered(&self, seller: &Seller) -> bool {
        let path = format!(
            "/v2/businesses/{}/chats/message?chatId={}",
            seller.business, seller.chat
        );
        let request = self.request(Method::POST, &path).header("Api-Key", &seller.key);
        let answer = request.json(&json!({"message": "В пути."})).send();
        answer.is_ok_and(|answer: Response| answer.status().is_success())
    }

    /// A number of `/metrics`; zero where it is not shown yet.
    pub(crate) fn measured(&self, series: &str) -> u64 {
        let text = self.request(Method::GET, "/metrics").send().expect("an answer");
        let text = text.text().expect("text");
        let value = text.lines().find_map(|line| line.strip_prefix(series));
        value.map_or(0, |value| value.trim().parse().expect("a number"))
    }

    /// Waits until so many streams of sellers are open.
    pub(crate) fn wait_for_streams(&self, wanted: u64) {
        let began = Instant::now();
        loop {
            let open = self.measured("prilavok_event_streams{surface=\"partner\"}");
            if open == wanted {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{open} streams, not {wanted}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The server's resident memory, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.expect("a size").parse().expect("a number")
    }

    /// The store's file.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("data").join(FILE_NAME)
    }

    /// The store, opened by a second process: this one.
    pub(crate) fn store(&self) -> SqliteStore {
        SqliteStore::open(&self.database(), IdSequence::clocked(1, 0)).expect("the store")
    }

    /// Writes so many events into the store, as if as many messages had been sent.
    pub(crate) fn fill(&self, events: i64) {
        let conn = Connection::open(self.database()).expect("the store");
        conn.execute(
            "WITH RECURSIVE more(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < ?1)
             INSERT INTO event (business_id, event_id, type, chat_id, message_id, at)
             SELECT business_id, (SELECT max(event_id) FROM event) + n, 'CHAT_MESSAGE_SENT', chat_id, 7, at FROM more,
                 (SELECT * FROM event WHERE business_id = 1 ORDER BY event_id DESC LIMIT 1)",
            [events],
        )
        .expect("inserted");
        conn.execute_batch(
            "INSERT INTO event_of_business SELECT business_id, event_id FROM event WHERE true ON CONFLICT DO NOTHING;
             DELETE FROM recent",
        )
        .expect("found");
        conn.execute(
            "UPDATE meta SET value = (SELECT max(event_id) FROM event) WHERE name = 'last_id'",
            [],
        )
        .expect("noted");
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    pub(crate) fn kill(&self) {
        self.signal("KILL");
    }

    /// Starts it again on the same folder, once it has ended.
    pub(crate) fn start_again(&mut self) {
        self.child.wait().expect("a child");
        (self.child, self.address) = start(self.folder.path(), &self.variables);
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.expect("sh runs").success());
    }

    /// SIGTERM; answers how it ended and how long that took.
    pub(crate) fn stop(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        self.signal("TERM");
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return (status, began.elapsed());
            }
            assert!(began.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Market {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn binary(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prilavok"));
    command.args(arguments).arg("--data").arg(folder.join("data"));
    command
}

fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = binary(folder, arguments).output().expect("the binary runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// Starts the server; answers it and where it listens.
fn start(folder: &Path, variables: &[(String, String)]) -> (Child, String) {
    let mut child = binary(folder, &["serve", "--listen", "127.0.0.1:0"])
        .envs(variables.iter().cloned())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(child.stderr.take().expect("piped"))
        .lines()
        .map_while(Result::ok);
    let address = lines.by_ref().find_map(|line| {
        let line: Value = serde_json::from_str(&line).ok()?;
        let address = line["address"].as_str()?.strip_prefix("http://")?;
        Some(address.to_owned())
    });
    // Somebody must go on reading, or the server waits for room to log.
    std::thread::spawn(move || lines.for_each(drop));
    (child, address.expect("the server says where it listens"))
}
