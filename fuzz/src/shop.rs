//! A whole server in this process, with the demo in it, for parsers that are only reached through it.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, header};
use prilavok_domain::{IdSequence, ManualClock, Timestamp};
use prilavok_server::app::{App, SharedApp};
use prilavok_server::demo::{self, DemoKeys};
use prilavok_server::http::{Served, serve};
use prilavok_server::router::router;
use prilavok_server::settings::{Overrides, Settings};
use prilavok_store::Store;
use prilavok_store::files::FileStore;
use prilavok_store::sqlite::{FILE_NAME, SqliteStore};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// A new shop is opened after so many requests, so that none grows for ever.
const REQUESTS: usize = 2_000;
/// No connection that a client has ended may last longer.
const PATIENCE: Duration = Duration::from_secs(8);
/// 2024-01-09T14:05:00Z.
const NOW_MS: i64 = 1_704_809_100_000;

thread_local! {
    static OPEN: RefCell<Option<Shop>> = const { RefCell::new(None) };
}

/// The server, and secrets that open it.
pub(crate) struct Shop {
    pub(crate) keys: DemoKeys,
    app: SharedApp,
    router: Router,
    runtime: Runtime,
    folder: TempDir,
    requests: usize,
    /// A key, an OAuth token and a subscription of business 1, by the names that addresses have for them.
    made: Vec<(&'static str, String)>,
    /// Where it listens, once somebody has asked.
    address: Option<SocketAddr>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

/// Does something with the shop that is open.
pub(crate) fn with(work: impl FnOnce(&mut Shop)) {
    OPEN.with_borrow_mut(|open| {
        if open.as_ref().is_some_and(|shop| shop.requests > REQUESTS) {
            let Some(old) = open.take() else { return };
            old.runtime.block_on(old.app.close());
        }
        work(open.get_or_insert_with(Shop::open));
    });
}

impl Shop {
    fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let overrides = Overrides {
            no_limits: true,
            data: Some(folder.path().to_owned()),
            ..Overrides::default()
        };
        let settings = Settings::load(None, &overrides).expect("the defaults");
        let clock = ManualClock::new(Timestamp::from_millis(NOW_MS).expect("in range"));
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let (app, keys) = runtime.block_on(async {
            let database = folder.path().join(FILE_NAME);
            let files = FileStore::local(&folder.path().join("files")).expect("a file store");
            let now = Timestamp::from_millis(NOW_MS).expect("in range");
            demo::seed(&database, &files, now).await.expect("a demo");
            let store = SqliteStore::open(&database, IdSequence::clocked(0, 0)).expect("a store");
            let store: Arc<dyn Store> = Arc::new(store);
            let keys = demo::keys(&*store, now).await.expect("keys");
            let app = App::new(store, files, Arc::new(clock), settings)
                .await
                .expect("an app");
            (Arc::new(app), keys)
        });
        let mut shop = Self {
            keys,
            router: router(Arc::clone(&app)),
            app,
            runtime,
            folder,
            requests: 0,
            made: Vec::new(),
            address: None,
        };
        shop.make(
            "{key}",
            "keys",
            r#"{"name":"a","scopes":["all-methods"]}"#,
            "keyId",
        );
        shop.make("{token}", "oauth-tokens", r#"{"name":"a"}"#, "tokenId");
        let subscription = r#"{"name":"a","url":"https://crm.example","enabled":false}"#;
        shop.make("{subscription}", "subscriptions", subscription, "subscriptionId");
        shop
    }

    fn make(&mut self, name: &'static str, collection: &str, body: &str, id: &str) {
        let path = format!("/businesses/1/{collection}");
        let answer = self.operator(Method::POST, &path, body.into()).expect("a path");
        let id = &answer.json()[id];
        assert!(id.is_i64(), "{answer:?}");
        self.made.push((name, id.to_string()));
    }

    /// An answer to a request of the marketplace's backend; `None` where `path` is no path.
    pub(crate) fn operator(&mut self, method: Method, path: &str, body: Vec<u8>) -> Option<Answer> {
        let path = self
            .made
            .iter()
            .fold(path.to_owned(), |path, (name, id)| path.replace(name, id));
        let request = Request::builder()
            .method(method)
            .uri(format!("/operator/v1{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.keys.operator))
            .body(Body::from(body))
            .ok()?;
        Some(self.answer(request))
    }

    /// An answer, unless it is a stream, which would not end.
    pub(crate) fn answer(&mut self, request: Request<Body>) -> Answer {
        self.requests += 1;
        let router = self.router.clone();
        self.runtime.block_on(async {
            let response: Response<Body> = router.oneshot(request).await.expect("an answer");
            let (parts, body) = response.into_parts();
            let content_type = parts.headers.get(header::CONTENT_TYPE);
            let content_type = content_type
                .and_then(|it| it.to_str().ok())
                .unwrap_or_default()
                .to_owned();
            let body = if content_type == "text/event-stream" {
                Vec::new()
            } else {
                axum::body::to_bytes(body, usize::MAX)
                    .await
                    .expect("a body")
                    .to_vec()
            };
            Answer {
                status: parts.status,
                content_type,
                body,
            }
        })
    }

    /// What comes back on a connection on which `bytes` are sent, in pieces of this size, and nothing after them.
    pub(crate) fn connection(&mut self, bytes: &[u8], piece: usize) -> Vec<u8> {
        self.requests += 1;
        let address = self.listening();
        let talk = async {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            for piece in bytes.chunks(piece) {
                // Who is refused is not read to the end.
                if stream.write_all(piece).await.is_err() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            let _ = stream.shutdown().await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            answer
        };
        self.runtime.block_on(async {
            let answer = tokio::time::timeout(PATIENCE, talk).await;
            answer.expect("a connection that ends")
        })
    }

    fn listening(&mut self) -> SocketAddr {
        let (runtime, app) = (&self.runtime, &self.app);
        *self.address.get_or_insert_with(|| {
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                let address = listener.local_addr().expect("an address");
                let stop = std::future::pending();
                tokio::spawn(serve(Served::always(Arc::clone(app)), listener, stop));
                address
            })
        })
    }

    /// How many files are stored.
    pub(crate) fn files(&self) -> usize {
        count(self.folder.path().join("files"))
    }

    /// The same, once it is `expected` or has not become so within a second: what nobody needs is removed after
    /// the answer.
    pub(crate) fn files_once(&self, expected: usize) -> usize {
        for _ in 0..1_000 {
            if self.files() == expected {
                break;
            }
            self.runtime
                .block_on(async { tokio::time::sleep(Duration::from_millis(1)).await });
        }
        self.files()
    }
}

impl Answer {
    /// The body, which must be JSON.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.content_type, "application/json");
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The JSON of a request that was refused, in the Partner API's envelope.
    pub(crate) fn partner_refusal(&self) -> Value {
        let json = self.json();
        assert_eq!(json["status"], "ERROR", "{json}");
        let errors = json["errors"].as_array().expect("a list");
        assert!(!errors.is_empty(), "{json}");
        for error in errors {
            assert!(
                error["code"].as_str().is_some_and(|code| !code.is_empty()),
                "{json}"
            );
            assert!(
                error["message"].as_str().is_some_and(|text| !text.is_empty()),
                "{json}"
            );
        }
        json
    }

    /// The same of the Operator API: an error about what was sent names every field.
    pub(crate) fn operator_refusal(&self) -> Value {
        let json = self.json();
        let error = &json["error"];
        assert!(
            error["message"].as_str().is_some_and(|text| !text.is_empty()),
            "{json}"
        );
        if error["code"] == "VALIDATION_FAILED" {
            let details = error["details"].as_array().expect("details");
            assert!((1..=100).contains(&details.len()), "{json}");
            for detail in details {
                assert!(
                    detail["field"].is_string() && detail["message"].is_string(),
                    "{json}"
                );
            }
        }
        json
    }
}

fn count(folder: PathBuf) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .map(|path| if path.is_dir() { count(path) } else { 1 })
        .sum()
}
