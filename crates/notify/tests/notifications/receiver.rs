//! A seller's system that receives notifications, and misbehaves when told to.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, header};
use futures_util::{StreamExt, stream};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::net::TcpListener;

/// How it answers.
#[derive(Debug, Clone)]
pub(crate) enum Manner {
    /// As agreed.
    Accept,
    /// With this status and body.
    Say(u16, &'static str),
    /// Not within any time.
    Hang,
    /// With the head and a part of the body, and then not at all.
    BreakOff,
    /// With a body of so many bytes.
    SayMuch(usize),
    /// That it is to be found elsewhere.
    Redirect(String),
}

/// A notification that came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) body: Value,
    pub(crate) headers: HeaderMap,
}

#[derive(Default)]
struct Desk {
    received: Vec<Received>,
    next: VecDeque<Manner>,
    otherwise: Option<Manner>,
}

/// A receiver that listens on a port of its own.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    desk: Arc<Mutex<Desk>>,
}

impl Receiver {
    /// One that accepts everything.
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let receiver = Self::at(listener.local_addr().expect("an address"));
        let router = receiver.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    /// One whose connections somebody else takes.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self {
            address,
            desk: Arc::default(),
        }
    }

    pub(crate) fn router(&self) -> Router {
        Router::new().fallback(receive).with_state(Arc::clone(&self.desk))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers like this once, after those that were asked for before.
    pub(crate) fn next(&self, manner: Manner) {
        self.desk.lock().next.push_back(manner);
    }

    /// Answers like this from now on.
    pub(crate) fn always(&self, manner: Manner) {
        self.desk.lock().otherwise = Some(manner);
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.desk.lock().received.clone()
    }

    /// What came, each as its type and the message's or chat's id.
    pub(crate) fn told(&self) -> Vec<(String, i64)> {
        let told = |one: &Received| {
            let id = one.body.get("messageId").or(one.body.get("chatId"));
            let kind = one.body["notificationType"].as_str().expect("a type");
            (kind.to_owned(), id.and_then(Value::as_i64).unwrap_or_default())
        };
        self.desk.lock().received.iter().map(told).collect()
    }

    /// The ids of the messages that it was told of, in the order in which they came.
    pub(crate) fn messages(&self) -> Vec<i64> {
        let received = self.received();
        received
            .iter()
            .filter_map(|one| one.body["messageId"].as_i64())
            .collect()
    }

    /// Waits until so many notifications came.
    pub(crate) async fn wait_for(&self, count: usize) {
        let enough = async {
            while self.desk.lock().received.len() < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let came = tokio::time::timeout(Duration::from_secs(20), enough).await;
        assert!(came.is_ok(), "only {:?} came, not {count}", self.told());
    }
}

async fn receive(State(desk): State<Arc<Mutex<Desk>>>, headers: HeaderMap, raw: Bytes) -> Response<Body> {
    let body = serde_json::from_slice(&raw).expect("notifications are JSON");
    let manner = {
        let mut desk = desk.lock();
        desk.received.push(Received { body, headers });
        let next = desk.next.pop_front();
        next.or(desk.otherwise.clone()).unwrap_or(Manner::Accept)
    };
    let answer = Response::builder();
    let answer = match manner {
        Manner::Accept => {
            let body = r#"{"version":"1.0.0","name":"crm","time":"2025-01-16T10:09:49.759084017Z"}"#;
            answer.body(Body::from(body))
        }
        Manner::Say(status, body) => answer.status(status).body(Body::from(body)),
        Manner::Hang => std::future::pending().await,
        Manner::BreakOff => {
            let begun = stream::once(async { Ok(Bytes::from_static(b"{\"version\":")) });
            // Later than the head, so that this much arrives.
            let broken = begun.chain(stream::once(async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Err(std::io::Error::other("gone"))
            }));
            answer
                .header(header::CONTENT_LENGTH, 100)
                .body(Body::from_stream(broken))
        }
        Manner::SayMuch(bytes) => answer.body(Body::from("x".repeat(bytes))),
        Manner::Redirect(to) => answer
            .status(StatusCode::FOUND)
            .header(header::LOCATION, to)
            .body(Body::empty()),
    };
    answer.expect("an answer")
}
