//! One notification posted, one answer read: bounded in time and size, without redirects.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::connector::{GuardedConnector, Resolve};
use crate::guard::Guard;
use crate::target::Target;

/// The most bytes of an answer that are read.
const MAX_ANSWER: usize = 64 * 1024;
/// How long a connection is kept for the next notification.
const IDLE: Duration = Duration::from_secs(30);
/// Connections kept for one host; each subscription uses one at a time.
const IDLE_PER_HOST: usize = 32;

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("Prilavok/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Posts notifications.
#[derive(Clone)]
pub struct WebhookClient {
    http: Client<HttpsConnector<GuardedConnector>, Full<Bytes>>,
    guard: Arc<Guard>,
}

/// What is posted, signed.
pub struct Signed {
    /// The same for every try: receivers know a notification by it.
    pub id: String,
    /// When it is sent, in seconds since 1970.
    pub seconds: i64,
    /// The signatures.
    pub signature: String,
    /// The JSON.
    pub body: Vec<u8>,
}

/// What came of a post.
#[derive(Debug)]
pub struct Exchange {
    /// How long it took.
    pub took: Duration,
    /// The answer, or why there is none.
    pub result: Result<Answer, Unanswered>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its HTTP status.
    pub status: u16,
    /// Its body.
    pub body: Bytes,
    /// Its body was longer than what is read of one.
    pub cut: bool,
}

/// Why there is no answer, or no whole one.
#[derive(Debug)]
pub struct Unanswered {
    /// The HTTP status, if that much came.
    pub status: Option<u16>,
    /// What of the body came.
    pub body: Bytes,
    /// What went wrong.
    pub why: String,
}

impl WebhookClient {
    /// A client that trusts the certificates that the system trusts (`SSL_CERT_FILE` names others), or, where
    /// the system has none, those that are built in.
    #[must_use]
    pub fn new(guard: Guard, resolver: Arc<dyn Resolve>) -> Self {
        let guard = Arc::new(guard);
        let https = HttpsConnectorBuilder::new()
            .with_native_roots()
            .unwrap_or_else(|error| {
                tracing::warn!(%error, "the system has no certificates: the built-in ones are used");
                HttpsConnectorBuilder::new().with_webpki_roots()
            });
        let connector = https
            .https_or_http()
            .enable_http1()
            .wrap_connector(GuardedConnector::new(Arc::clone(&guard), resolver));
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .build(connector);
        Self { http, guard }
    }

    /// Which addresses may be notified.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Posts a notification and waits for the answer, at most so long.
    pub async fn post(&self, target: &Target, signed: Signed, patience: Duration) -> Exchange {
        let began = Instant::now();
        let mut seen = Seen::default();
        let exchange = self.exchange(target, signed, &mut seen);
        let result = tokio::time::timeout(patience, exchange).await;
        let why = match result {
            Ok(Ok(cut)) => {
                return Exchange {
                    took: began.elapsed(),
                    result: Ok(Answer {
                        status: seen.status.unwrap_or_default(),
                        body: seen.body.freeze(),
                        cut,
                    }),
                };
            }
            Ok(Err(why)) => why,
            Err(_) => format!("{} within {} s", seen.missing(), patience.as_secs_f32()),
        };
        Exchange {
            took: began.elapsed(),
            result: Err(Unanswered {
                status: seen.status,
                body: seen.body.freeze(),
                why,
            }),
        }
    }

    /// Fills in what is seen; answers whether the body was cut.
    async fn exchange(&self, target: &Target, signed: Signed, seen: &mut Seen) -> Result<bool, String> {
        let request = Request::post(target.uri().clone())
            .header(header::CONTENT_TYPE, JSON)
            .header(header::USER_AGENT, USER_AGENT)
            .header(WEBHOOK_ID, signed.id)
            .header(WEBHOOK_TIMESTAMP, signed.seconds)
            .header(WEBHOOK_SIGNATURE, signed.signature)
            .body(Full::new(Bytes::from(signed.body)))
            .map_err(|error| told(&error))?;
        let response = self.http.request(request).await.map_err(|error| told(&error))?;
        seen.status = Some(response.status().as_u16());
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| format!("the answer broke off: {}", told(&error)))?;
            let Ok(data) = frame.into_data() else { continue };
            let room = MAX_ANSWER - seen.body.len();
            if data.len() > room {
                seen.body.extend_from_slice(&data[..room]);
                return Ok(true);
            }
            seen.body.extend_from_slice(&data);
        }
        Ok(false)
    }
}

/// How far an exchange has come.
#[derive(Default)]
struct Seen {
    status: Option<u16>,
    body: BytesMut,
}

impl Seen {
    const fn missing(&self) -> &'static str {
        match self.status {
            None => "there was no answer",
            Some(_) => "the answer did not end",
        }
    }
}

/// An error with its causes, outermost first; those that only repeat their cause are left out.
fn told(error: &(dyn Error + 'static)) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !causes.iter().any(|cause| cause.contains(&text)) {
            causes.push(text);
        }
        next = error.source();
    }
    // What the HTTP library calls its own part says nothing to somebody who looks at a URL.
    causes.retain(|cause| !cause.starts_with("client error"));
    causes.join(": ")
}
