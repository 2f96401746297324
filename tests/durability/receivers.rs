//! Many receivers of notifications, some of which misbehave, and what each of them was told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::response::IntoResponse;
use futures_util::stream;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// How a receiver answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As agreed.
    Right,
    /// As agreed, but for every 50th notification, which fails.
    Flaky,
    /// Never.
    Hangs,
    /// 500.
    Fails,
    /// 200 with another body.
    SaysSomethingElse,
    /// It closes before its answer ends.
    BreaksOff,
    /// It sends the server elsewhere.
    Redirects,
    /// It is not there.
    Absent,
}

impl Manner {
    /// Those that misbehave.
    pub(crate) const WRONG: [Self; 7] = [
        Self::Flaky,
        Self::Hangs,
        Self::Fails,
        Self::SaysSomethingElse,
        Self::BreaksOff,
        Self::Redirects,
        Self::Absent,
    ];
}

/// A notification that came: the number of kills before it, and the event's id.
pub(crate) type Receipt = (usize, i64);

/// A receiver on a port of its own.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    pub(crate) manner: Manner,
    receipts: Arc<Mutex<Vec<Receipt>>>,
}

impl Receiver {
    pub(crate) fn receipts(&self) -> MutexGuard<'_, Vec<Receipt>> {
        lock(&self.receipts)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All of them, on one thread.
pub(crate) struct Receivers {
    pub(crate) all: Vec<Receiver>,
    /// Kills so far.
    pub(crate) kills: Arc<AtomicUsize>,
    _runtime: Runtime,
}

#[derive(Clone)]
struct Desk {
    manner: Manner,
    receipts: Arc<Mutex<Vec<Receipt>>>,
    kills: Arc<AtomicUsize>,
}

impl Receivers {
    /// `count` receivers, of which `wrong` misbehave.
    pub(crate) fn open(count: usize, wrong: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let kills = Arc::new(AtomicUsize::new(0));
        let manners = (0..count).map(|number| match number.checked_sub(count - wrong) {
            Some(number) => Manner::WRONG[number % Manner::WRONG.len()],
            None => Manner::Right,
        });
        let all = manners
            .map(|manner| {
                let desk = Desk {
                    manner,
                    receipts: Arc::default(),
                    kills: Arc::clone(&kills),
                };
                let listener = runtime
                    .block_on(TcpListener::bind("127.0.0.1:0"))
                    .expect("a port");
                let address = listener.local_addr().expect("an address");
                let receipts = Arc::clone(&desk.receipts);
                if manner != Manner::Absent {
                    let router = Router::new().fallback(receive).with_state(desk);
                    runtime.spawn(async move { axum::serve(listener, router).await });
                }
                Receiver {
                    address,
                    manner,
                    receipts,
                }
            })
            .collect();
        Self {
            all,
            kills,
            _runtime: runtime,
        }
    }

    /// Those that behave.
    pub(crate) fn healthy(&self) -> impl Iterator<Item = &Receiver> {
        self.all.iter().filter(|it| it.manner == Manner::Right)
    }

    /// Waits until nothing comes any more: what a killed server sent may still be on its way.
    pub(crate) fn take_what_is_under_way(&self) {
        let mut came = self.came();
        loop {
            std::thread::sleep(Duration::from_millis(100));
            match self.came() {
                same if same == came => return,
                more => came = more,
            }
        }
    }

    /// How many notifications came to those that behave.
    pub(crate) fn came(&self) -> usize {
        self.healthy().map(|it| it.receipts().len()).sum()
    }
}

async fn receive(State(desk): State<Desk>, headers: HeaderMap, _: Bytes) -> Response<Body> {
    let id = headers["webhook-id"].to_str().expect("text");
    let event = id
        .strip_prefix("evt_")
        .expect("an event")
        .parse()
        .expect("a number");
    let count = {
        let mut receipts = lock(&desk.receipts);
        receipts.push((desk.kills.load(Ordering::SeqCst), event));
        receipts.len()
    };
    const RIGHT: &str = r#"{"version":"1.0.0","name":"crm","time":"2025-01-16T10:09:49Z"}"#;
    match desk.manner {
        Manner::Flaky if count % 50 == 0 => StatusCode::BAD_GATEWAY.into_response(),
        Manner::Right | Manner::Flaky | Manner::Absent => RIGHT.into_response(),
        Manner::Hangs => std::future::pending().await,
        Manner::Fails => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Manner::SaysSomethingElse => "ok".into_response(),
        Manner::BreaksOff => {
            let begun = stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("gone"))]);
            ([(header::CONTENT_LENGTH, "100")], Body::from_stream(begun)).into_response()
        }
        Manner::Redirects => (StatusCode::FOUND, [(header::LOCATION, "http://127.0.0.1:1/")]).into_response(),
    }
}
