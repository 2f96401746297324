//! A server of the test's own: the real one, on a free port and an empty folder, with a clock that stands
//! still.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use prilavok_domain::{Clock, ManualClock, Timestamp};
use prilavok_server::app::{App, SharedApp};
use prilavok_server::http::Served;
use prilavok_server::settings::{Overrides, Settings};
use prilavok_store::Store;
use prilavok_store::files::FileStore;
use reqwest::Method;
use reqwest::blocking::{Client, RequestBuilder, Response};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::population::{self, Keys};
use crate::test_store::Place;

#[path = "../s3_server.rs"]
mod s3_server;
use s3_server::S3Server;

/// 2024-01-09T14:05:00Z.
const OPENED_AT_MS: i64 = 1_704_809_100_000;

/// A server with the population of `population.rs`.
pub(crate) struct Counter {
    pub(crate) keys: Keys,
    pub(crate) clock: ManualClock,
    pub(crate) app: SharedApp,
    pub(crate) address: SocketAddr,
    runtime: Runtime,
    client: Client,
    pub(crate) place: Place,
    folder: TempDir,
    _s3: Option<S3Server>,
}

fn in_folder(folder: &Path) -> (FileStore, Option<S3Server>) {
    let files = FileStore::local(&folder.join("files"));
    (files.expect("a file store"), None)
}

fn in_bucket(folder: &Path) -> (FileStore, Option<S3Server>) {
    let server = S3Server::start(&folder.join("s3"));
    let files = FileStore::bucket(&server.bucket(), folder, server.variables());
    (files.expect("a file store"), Some(server))
}

impl Counter {
    /// A server with the usual settings.
    pub(crate) fn open() -> Self {
        Self::with(|_| {})
    }

    /// Servers with the usual settings that keep files in each of the places that there are.
    pub(crate) fn of_each_file_store() -> impl Iterator<Item = Self> {
        type Open = fn(&Path) -> (FileStore, Option<S3Server>);
        let places: [(&str, Open); 2] = [("a folder", in_folder), ("a bucket", in_bucket)];
        places.into_iter().map(|(name, open)| {
            // Shown with a failure only.
            println!("files in {name}");
            Self::with_files(open, |_| {})
        })
    }

    /// A server with settings of the test's own.
    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::with_files(in_folder, change)
    }

    fn with_files(
        open: impl FnOnce(&Path) -> (FileStore, Option<S3Server>),
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = Settings::load(None, &Overrides::default()).expect("the defaults");
        settings.data = folder.path().to_owned();
        change(&mut settings);
        let clock = ManualClock::new(Timestamp::from_millis(OPENED_AT_MS).expect("in range"));
        let runtime = Runtime::new().expect("a runtime");
        let (store, place) = Place::open(&mut settings, &runtime);
        let (files, s3) = open(folder.path());
        let keys = runtime.block_on(population::populate(&*store, &clock));
        let (app, address) = runtime.block_on(start(store, files, clock.clone(), settings));
        Self {
            keys,
            clock,
            app,
            address,
            runtime,
            client: Client::builder()
                .timeout(Duration::from_secs(30))
                .build()
                .expect("a client"),
            place,
            folder,
            _s3: s3,
        }
    }

    /// A request with the key of business 1 that may do everything.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).header("Api-Key", &self.keys.all)
    }

    /// A request without a credential.
    pub(crate) fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path))
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        Answer::of(self.request(Method::POST, path).body(body.to_owned()))
    }

    /// Runs something of the store beside the server.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.runtime.spawn(future)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Where the server keeps what it has.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The number of files in the file store.
    pub(crate) fn stored_files(&self) -> usize {
        let long_after = Timestamp::from_millis(4_000_000_000_000).expect("in range");
        let all = self.app.files.older_than(long_after);
        self.block_on(all.try_collect::<Vec<_>>()).expect("a list").len()
    }

    /// Sends bytes as they are and reads until the server closes the connection.
    pub(crate) fn raw(&self, bytes: &[u8]) -> String {
        read_to_end(self.connect(bytes))
    }

    /// Sends bytes as they are and nothing after them, then reads.
    pub(crate) fn raw_and_no_more(&self, bytes: &[u8]) -> String {
        let stream = self.connect(bytes);
        stream.shutdown(Shutdown::Write).expect("a connection");
        read_to_end(stream)
    }

    /// A connection on which these bytes were sent.
    pub(crate) fn connect(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).expect("connected");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a socket");
        stream.write_all(bytes).expect("sent");
        stream
    }
}

fn read_to_end(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn start(
    store: Arc<dyn Store>,
    files: FileStore,
    clock: ManualClock,
    settings: Settings,
) -> (SharedApp, SocketAddr) {
    let app = Arc::new(
        App::new(store, files, Arc::new(clock), settings)
            .await
            .expect("an app"),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(prilavok_server::http::serve(
        Served::always(Arc::clone(&app)),
        listener,
        std::future::pending(),
    ));
    (app, address)
}

/// An answer, as the tests look at it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn of(request: RequestBuilder) -> Self {
        Self::from(request.send().expect("an answer"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The messages of an answer that carries errors; each has the code of the status.
    pub(crate) fn errors(&self) -> Vec<String> {
        let body = self.json();
        assert_eq!(body["status"], "ERROR", "{body}");
        assert_eq!(self.header("content-type"), "application/json");
        let code = match self.status {
            400 => "BAD_REQUEST",
            401 => "UNAUTHORIZED",
            403 => "FORBIDDEN",
            404 => "NOT_FOUND",
            405 => "METHOD_NOT_ALLOWED",
            415 => "UNSUPPORTED_MEDIA_TYPE",
            420 => "METHOD_FAILURE",
            423 => "LOCKED",
            500 => "INTERNAL_ERROR",
            503 => "SERVICE_UNAVAILABLE",
            other => panic!("{other}: {}", self.body),
        };
        let errors = body["errors"].as_array().expect("a list").iter();
        errors
            .map(|error| {
                assert_eq!(error["code"], code, "{body}");
                error["message"].as_str().expect("a text").to_owned()
            })
            .collect()
    }

    /// Asserts that the answer has this status and this one error.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, message: &str) {
        assert_eq!((self.status, self.errors()), (status, vec![message.to_owned()]));
    }

    /// Asserts that the call succeeded.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.status, 200, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/json");
        self
    }

    /// Status and body for a snapshot, without what differs from run to run.
    pub(crate) fn snapshot(&self) -> String {
        let pretty = serde_json::to_string_pretty(&self.json()).expect("JSON");
        let steady = replaced(&pretty, "http://127.0.0.1:", '/', "PORT");
        let steady = replaced(&steady, "signature=", '"', "SIGNATURE");
        format!("{}\n{steady}", self.status)
    }
}

/// Replaces what stands between `before` and `after`, wherever that is.
fn replaced(text: &str, before: &str, after: char, replacement: &str) -> String {
    let mut parts = text.split(before);
    let mut steady = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(after).unwrap_or(part.len());
        steady.extend([before, replacement, &part[end..]]);
    }
    steady
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().expect("a body"),
        }
    }
}
