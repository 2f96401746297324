//! HTTP: connections, certificates, time-outs.

use std::error::Error as StdError;
use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::limit::RateLimit;

/// The longest body that is read.
const MAX_BODY: usize = 64 * 1024 * 1024;
/// Connections are given up for new ones after this time without a call: before servers do it.
const IDLE: Duration = Duration::from_secs(30);

/// A body that still comes.
pub(crate) type Incoming = UnsyncBoxBody<Bytes, Broken>;

/// A body broke off.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Broken(String);

/// Speaks HTTP.
pub(crate) struct Transport {
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) limit: RateLimit,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Bytes,
}

/// Why there is none.
pub(crate) enum Unanswered {
    /// Nothing was sent.
    NotSent(String),
    /// It was sent, or it is not known how far it came.
    InDoubt(String),
}

impl Transport {
    /// Trusts the certificates that the system trusts (`SSL_CERT_FILE` names others), or, where it has none, those that
    /// are built in.
    pub(crate) fn new(timeout: Duration, connect_timeout: Duration) -> Result<Self, String> {
        let provider = || rustls::crypto::ring::default_provider();
        let https = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(provider())
            .or_else(|_| HttpsConnectorBuilder::new().with_provider_and_webpki_roots(provider()))
            .map_err(|error| error.to_string())?;
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(connect_timeout));
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(https.https_or_http().enable_http1().wrap_connector(tcp));
        Ok(Self { http, timeout })
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, Unanswered> {
        self.in_time(async { whole(self.send(request).await?).await })
            .await
    }

    /// Sends a request; answers once the head of the answer is there.
    pub(crate) async fn open(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Unanswered> {
        self.in_time(self.send(request)).await
    }

    /// Reads the rest of an answer.
    pub(crate) async fn finish(&self, response: Response<Incoming>) -> Result<Answer, Unanswered> {
        self.in_time(whole(response)).await
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Unanswered>>) -> Result<T, Unanswered> {
        let late = |_| {
            let why = format!("it took longer than {} s", self.timeout.as_secs_f32());
            Err(Unanswered::InDoubt(why))
        };
        tokio::time::timeout(self.timeout, work)
            .await
            .unwrap_or_else(late)
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Unanswered> {
        match self.http.request(request).await {
            Ok(response) => {
                Ok(response.map(|body| body.map_err(|error| Broken(told(&error))).boxed_unsync()))
            }
            Err(error) if error.is_connect() => Err(Unanswered::NotSent(told(&error))),
            Err(error) => Err(Unanswered::InDoubt(told(&error))),
        }
    }
}

async fn whole(response: Response<Incoming>) -> Result<Answer, Unanswered> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await;
    let body =
        body.map_err(|error| Unanswered::InDoubt(format!("the answer broke off: {}", told(&*error))))?;
    Ok(Answer {
        status: head.status.as_u16(),
        limit: RateLimit::read(&head.headers),
        retry_after: retry_after(&head.headers),
        body: body.to_bytes(),
    })
}

/// How long the server asks to wait, where it says so in seconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// An error with its causes, outermost first; those that only repeat their cause are left out.
fn told(error: &(dyn StdError + 'static)) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !causes.iter().any(|cause| cause.contains(&text)) {
            causes.push(text);
        }
        next = error.source();
    }
    // What the HTTP library calls its own part says nothing to callers.
    if causes.len() > 1 {
        causes.retain(|cause| !cause.starts_with("client error"));
    }
    causes.join(": ")
}
