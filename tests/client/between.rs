//! Something between client and server that passes calls on, and fails as it is bidden: a proxy, a cable, a server that
//! is being restarted.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use tokio::sync::Notify;

use crate::{PATIENCE, Sandbox};

/// What happens to one call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// It does not reach the server, and is answered so.
    Answered(u16, &'static str),
    /// It reaches the server, and the answer is lost.
    AnswerLost,
    /// Its answer breaks off when [`Between::cut`] is called.
    CutLater,
    /// Its answer ends in good order when [`Between::cut`] is called.
    EndsLater,
}

struct Shared {
    server: String,
    http: reqwest::Client,
    faults: Mutex<VecDeque<Fault>>,
    calls: AtomicUsize,
    under_way: AtomicUsize,
    most: AtomicUsize,
    date: Mutex<Option<String>>,
    cut: Notify,
    begun: Notify,
}

/// What stands between.
pub(crate) struct Between {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

impl Between {
    /// Stands before `sandbox`; the first calls meet these faults, one each, the later ones none.
    pub(crate) async fn start(sandbox: &Sandbox, faults: &[Fault]) -> Self {
        let shared = Arc::new(Shared {
            server: sandbox.url.clone(),
            http: reqwest::Client::new(),
            faults: Mutex::new(faults.iter().copied().collect()),
            calls: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            date: Mutex::default(),
            cut: Notify::new(),
            begun: Notify::new(),
        });
        let router = Router::new().fallback(count).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// A client that calls the server through this.
    pub(crate) fn client(&self, sandbox: &Sandbox) -> prilavok_client::ClientBuilder {
        let key = prilavok_client::Credential::api_key(&sandbox.key).expect("a key");
        prilavok_client::Client::builder(&self.url, key)
    }

    /// How many calls came so far.
    pub(crate) fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::SeqCst)
    }

    /// How many calls were under way at a time at most.
    pub(crate) fn most(&self) -> usize {
        self.shared.most.load(Ordering::SeqCst)
    }

    /// Waits until so many calls came.
    pub(crate) async fn called(&self, times: usize) {
        let began = Instant::now();
        while self.calls() < times {
            assert!(began.elapsed() < PATIENCE, "there were {} calls", self.calls());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// From now on answers say that it is this time.
    pub(crate) fn say_that_it_is(&self, date: String) {
        *self.shared.date.lock().expect("nobody panics here") = Some(date);
    }

    /// Waits until a part of an answer that is to break off or end has been passed on.
    pub(crate) async fn begun(&self) {
        self.shared.begun.notified().await;
    }

    /// Breaks off or ends the answer that waits for it.
    pub(crate) fn cut(&self) {
        self.shared.cut.notify_one();
    }
}

async fn count(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    shared.calls.fetch_add(1, Ordering::SeqCst);
    let under_way = shared.under_way.fetch_add(1, Ordering::SeqCst) + 1;
    shared.most.fetch_max(under_way, Ordering::SeqCst);
    let response = pass(&shared, request).await;
    shared.under_way.fetch_sub(1, Ordering::SeqCst);
    response
}

async fn pass(shared: &Arc<Shared>, request: Request) -> Response {
    let fault = shared.faults.lock().expect("nobody panics here").pop_front();
    if let Some(Fault::Answered(status, body)) = fault {
        return (StatusCode::from_u16(status).expect("a status"), body).into_response();
    }
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
    let mut headers = head.headers;
    headers.remove(header::HOST);
    let url = format!("{}{}", shared.server, head.uri);
    let passed = shared.http.request(head.method, url).headers(headers).body(body);
    let answer = passed.send().await.expect("the server answers");
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    if let Some(date) = &*shared.date.lock().expect("nobody panics here") {
        headers.insert(header::DATE, date.parse().expect("a header"));
    }
    let body = match fault {
        None => Body::from_stream(answer.bytes_stream()),
        Some(fault @ (Fault::CutLater | Fault::EndsLater)) => {
            let (begun, cut) = (Arc::clone(shared), Arc::clone(shared));
            let parts = answer.bytes_stream().map(move |bytes| {
                begun.begun.notify_one();
                bytes.map_err(std::io::Error::other)
            });
            let parts = parts.take_until(async move { cut.cut.notified().await });
            match fault {
                Fault::EndsLater => Body::from_stream(parts),
                _ => Body::from_stream(parts.chain(broken())),
            }
        }
        Some(_) => {
            // The server has done it by now.
            answer.bytes().await.expect("an answer");
            Body::from_stream(broken())
        }
    };
    answered(status, headers, body)
}

fn broken() -> impl stream::Stream<Item = std::io::Result<Bytes>> {
    stream::once(async { Err(std::io::ErrorKind::ConnectionReset.into()) })
}

fn answered(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
