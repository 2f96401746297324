//! A seller's system that is told of things: a real HTTP server on a free port, which answers as it is bidden and
//! remembers what came.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::Value;
use tokio::runtime::Runtime;

/// What a receiver has to answer.
pub(crate) const ACCEPTED: &str =
    r#"{"version":"1.0.0","name":"crm","time":"2025-01-16T10:09:49.759084017Z"}"#;
/// Longer than a delivery takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a receiver answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Behaviour {
    /// As documented.
    Accepts,
    /// With this status and body.
    Answers(u16, &'static str),
    /// As documented, but so late.
    IsLate(Duration),
}

/// A notification, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    headers: HeaderMap,
    raw: Bytes,
    pub(crate) body: Value,
}

impl Received {
    pub(crate) fn kind(&self) -> &str {
        self.body["notificationType"].as_str().expect("a type")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().expect("ASCII")
    }

    /// Whether one of its signatures was made with `secret`, by the rule of Standard Webhooks.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret"));
        let mut mac: Hmac<sha2::Sha256> = Hmac::new_from_slice(&key.expect("Base64")).expect("a key");
        let head = format!(
            "{}.{}.",
            self.header("webhook-id"),
            self.header("webhook-timestamp")
        );
        mac.update(head.as_bytes());
        mac.update(&self.raw);
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature")
            .split(' ')
            .any(|one| one == expected)
    }
}

struct Shared {
    behaviour: Mutex<Behaviour>,
    received: Mutex<Vec<Received>>,
}

/// A receiver; it stops when it is dropped.
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    _runtime: Runtime,
}

impl Receiver {
    /// One that answers as documented.
    pub(crate) fn start() -> Self {
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(Behaviour::Accepts),
            received: Mutex::default(),
        });
        let runtime = Runtime::new().expect("a runtime");
        let router = axum::Router::new()
            .fallback(receive)
            .with_state(Arc::clone(&shared));
        let address = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
                .await
                .expect("a port");
            let address = listener.local_addr().expect("an address");
            tokio::spawn(async move { axum::serve(listener, router).await });
            address
        });
        Self {
            address,
            shared,
            _runtime: runtime,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// From now on it answers so.
    pub(crate) fn now(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().expect("nobody panics here") = behaviour;
    }

    /// What has come so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().expect("nobody panics here").clone()
    }

    /// What has come of events, once it is `count`.
    #[track_caller]
    pub(crate) fn events(&self, count: usize) -> Vec<Received> {
        let began = Instant::now();
        loop {
            let events = self.received();
            let events: Vec<_> = events.into_iter().filter(|one| one.kind() != "PING").collect();
            if events.len() >= count {
                assert_eq!(events.len(), count, "{events:#?}");
                return events;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{count} events were to come: {events:#?}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// How many PINGs have come.
    pub(crate) fn pings(&self) -> usize {
        self.received().iter().filter(|one| one.kind() == "PING").count()
    }
}

async fn receive(State(shared): State<Arc<Shared>>, headers: HeaderMap, raw: Bytes) -> Response {
    let behaviour = *shared.behaviour.lock().expect("nobody panics here");
    let received = Received {
        body: serde_json::from_slice(&raw).expect("JSON"),
        headers,
        raw,
    };
    shared.received.lock().expect("nobody panics here").push(received);
    match behaviour {
        Behaviour::Accepts => ACCEPTED.into_response(),
        Behaviour::Answers(status, body) => {
            (StatusCode::from_u16(status).expect("a status"), body).into_response()
        }
        Behaviour::IsLate(by) => {
            tokio::time::sleep(by).await;
            ACCEPTED.into_response()
        }
    }
}

/// A URL where nobody listens.
pub(crate) fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    format!("http://{address}/hook")
}
