//! A server of the test's own: the real one, on a free port and an empty folder, with a clock that stands
//! still and an operator token.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use prilavok_domain::{Clock, ManualClock, Timestamp};
use prilavok_server::app::{App, Background};
use prilavok_server::http::Served;
use prilavok_server::secrets;
use prilavok_server::settings::{Overrides, Recorded, Settings};
use prilavok_store::Store;
use prilavok_store::files::FileStore;
use reqwest::Method;
use reqwest::blocking::{Client, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) use crate::answer::Answer;
use crate::test_store::Place;

/// 2025-01-16T10:09:49.759Z.
const OPENED_AT_MS: i64 = 1_737_022_189_759;
/// Business 1, which every test has.
pub(crate) const BUSINESS: &str = "/operator/v1/businesses/1";

/// The operator's desk at a server.
pub(crate) struct Desk {
    pub(crate) clock: ManualClock,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    client: Client,
    _background: Background,
    runtime: Runtime,
    pub(crate) place: Place,
    folder: TempDir,
}

impl Desk {
    /// A server that knows nothing yet.
    pub(crate) fn empty() -> Self {
        Self::with(&Overrides::default())
    }

    fn with(overrides: &Overrides) -> Self {
        Self::over(Settings::load(None, overrides).expect("right settings"))
    }

    /// A furnished server that keeps finished chats and files for so many days; zero: for ever.
    pub(crate) fn keeping(finished_chats_days: u32, files_days: u32) -> Self {
        let mut settings = Settings::load(None, &Overrides::default()).expect("right settings");
        settings.retention.finished_chats_days = finished_chats_days;
        settings.retention.files_days = files_days;
        Self::over(settings).furnished()
    }

    fn over(mut settings: Settings) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        settings.data = folder.path().to_owned();
        let clock = ManualClock::new(Timestamp::from_millis(OPENED_AT_MS).expect("in range"));
        let runtime = Runtime::new().expect("a runtime");
        let (store, place) = Place::open(&mut settings, &runtime);
        let files = FileStore::local(&folder.path().join("files")).expect("a file store");
        let token = secrets::new_operator_token();
        let (address, background) = runtime.block_on(async {
            let made = store.create_operator_token(secrets::hash(&token), clock.now());
            made.await.expect("an operator token");
            start(Arc::clone(&store), files, clock.clone(), settings).await
        });
        let client = Client::builder().timeout(Duration::from_secs(30));
        let client = client.build().expect("a client");
        Self {
            clock,
            store,
            address,
            token,
            client,
            _background: background,
            runtime,
            place,
            folder,
        }
    }

    /// A server with business 1, its campaigns 1 (FBS) and 2 (DBS), customers `anna` and `li`, orders 1–3 and a
    /// return of each; order 3 is a test.
    pub(crate) fn open() -> Self {
        Self::empty().furnished()
    }

    /// The same where notifications may go to receivers on this machine.
    pub(crate) fn notifying() -> Self {
        let overrides = Overrides {
            allow_private_webhooks: true,
            ..Overrides::default()
        };
        Self::with(&overrides).furnished()
    }

    /// The same where every call of the Partner API is recorded.
    pub(crate) fn recording() -> Self {
        let overrides = Overrides {
            record_by_default: Some(Recorded::All),
            ..Overrides::default()
        };
        Self::with(&overrides).furnished()
    }

    fn furnished(self) -> Self {
        let order = |id: i64, campaign: i64, customer: &str| {
            json!({"type": "ORDER", "businessId": 1, "orderId": id, "campaignId": campaign,
                   "customerId": customer, "test": id == 3})
        };
        let returned = |id: i64| json!({"type": "RETURN", "businessId": 1, "returnId": id, "orderId": id});
        let campaign = |id: i64, placement: &str| {
            json!({"type": "CAMPAIGN", "businessId": 1, "campaignId": id, "domain": "romashka.example",
                   "placement": placement})
        };
        let items = [
            json!({"type": "BUSINESS", "businessId": 1, "name": "Ромашка"}),
            campaign(1, "FBS"),
            campaign(2, "DBS"),
            json!({"type": "CUSTOMER", "publicId": "anna", "name": "Анна К."}),
            json!({"type": "CUSTOMER", "publicId": "li", "name": "李娜"}),
            order(1, 1, "anna"),
            order(2, 2, "li"),
            order(3, 1, "anna"),
            returned(1),
            returned(2),
            returned(3),
        ];
        self.post("/operator/v1/bulk", &json!({"items": items})).is(200);
        self
    }

    /// A request with the operator token. Its id is fixed, so that answers can be compared.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(&self.token)
    }

    /// A request without a token.
    pub(crate) fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.address);
        self.client.request(method, url).header("X-Request-Id", "test")
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path))
    }

    /// What a path shows once it is as wanted; deliveries happen beside requests.
    #[track_caller]
    pub(crate) fn eventually(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..1_000 {
            let shown = self.get(path).is(200);
            if wanted(&shown) {
                return shown;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{path} does not become as wanted: {:#}", self.get(path).json())
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(Method::PUT, path).json(body))
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(Method::PATCH, path).json(body))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(Method::POST, path).json(body))
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::DELETE, path))
    }

    /// A POST without a body.
    pub(crate) fn act(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::POST, path))
    }

    /// A POST under an idempotency key.
    pub(crate) fn post_once(&self, key: &str, path: &str, body: &Value) -> Answer {
        Answer::to(
            self.request(Method::POST, path)
                .header("Idempotency-Key", key)
                .json(body),
        )
    }

    /// Starts the chat about an order; answers its path.
    pub(crate) fn chat_about_order(&self, order: i64) -> String {
        let context = json!({"context": {"type": "ORDER", "id": order}});
        let chat = self.post(&format!("{BUSINESS}/chats"), &context).is(201);
        format!("{BUSINESS}/chats/{}", chat["chatId"])
    }

    /// Creates an Api-Key of business 1; answers its id and itself.
    pub(crate) fn key(&self, name: &str) -> (i64, String) {
        let body = json!({"name": name, "scopes": ["all-methods"]});
        let key = self.post(&format!("{BUSINESS}/keys"), &body).is(201);
        let secret = key["secret"].as_str().expect("a secret").to_owned();
        (key["keyId"].as_i64().expect("an id"), secret)
    }

    /// A call of the Partner API.
    pub(crate) fn partner(&self, method: Method, path: &str, key: &str) -> RequestBuilder {
        self.anonymous(method, path).header("Api-Key", key)
    }

    pub(crate) fn advance(&self, millis: i64) {
        self.clock.advance(millis);
    }

    /// The number of files in the file store, once it is `expected`; what it is after a while otherwise.
    pub(crate) fn stored_files(&self, expected: usize) -> usize {
        fn count(folder: PathBuf) -> usize {
            let entries = std::fs::read_dir(folder).expect("a folder");
            let paths = entries.map(|entry| entry.expect("an entry").path());
            paths
                .map(|path| if path.is_dir() { count(path) } else { 1 })
                .sum()
        }
        for _ in 0..100 {
            if count(self.folder.path().join("files")) == expected {
                return expected;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        count(self.folder.path().join("files"))
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

async fn start(
    store: Arc<dyn Store>,
    files: FileStore,
    clock: ManualClock,
    settings: Settings,
) -> (SocketAddr, Background) {
    let app = App::new(store, files, Arc::new(clock), settings).await;
    let app = Arc::new(app.expect("an app"));
    let background = app.start_background();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(prilavok_server::http::serve(
        Served::always(app),
        listener,
        std::future::pending(),
    ));
    (address, background)
}

impl Answer {
    pub(crate) fn replayed(&self) -> bool {
        self.header("idempotent-replayed") == "true"
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> Value {
        let body = self.json();
        assert_eq!(self.status, status, "{body:#}");
        assert_eq!(self.header("content-type"), "application/json");
        body
    }

    /// The details of an error with this status and code, as `field: message`.
    #[track_caller]
    pub(crate) fn fails(&self, status: u16, code: &str) -> Vec<String> {
        let body = self.is(status);
        let error = &body["error"];
        assert_eq!(error["code"], code, "{body:#}");
        assert_eq!(error["requestId"], "test", "{body:#}");
        assert_eq!(self.header("x-request-id"), "test");
        assert!(
            error["message"].as_str().is_some_and(|text| !text.is_empty()),
            "{body:#}"
        );
        let keys: Vec<&String> = error.as_object().expect("an object").keys().collect();
        assert_eq!(keys.len(), 4, "{body:#}");
        let details = error["details"].as_array().expect("a list").iter();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        details
            .map(|it| format!("{}: {}", text(&it["field"]), text(&it["message"])))
            .collect()
    }

    /// The message of an error with this status and code.
    #[track_caller]
    pub(crate) fn message(&self, status: u16, code: &str) -> String {
        self.fails(status, code);
        self.json()["error"]["message"]
            .as_str()
            .expect("a text")
            .to_owned()
    }
}
