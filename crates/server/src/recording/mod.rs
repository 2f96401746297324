//! The request log as it is made: calls of sellers' systems with their answers.
//!
//! A request only leaves what it owns anyway in a bounded queue; masking secrets and writing the file is the work of
//! one thread ([`queue`]). When the queue is full, entries are dropped, and no request waits.

mod captured;
pub mod curl;
pub mod mask;
mod queue;

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response, StatusCode, header};
use bytes::Bytes;
use http_body::Body as _;
use prilavok_domain::{BusinessId, Timestamp};
use prilavok_store::Credential;
use prilavok_store::requests::RequestLog;
use prilavok_wire::{Operation, live};
use prometheus::IntCounter;

use crate::metrics::OperationName;
use crate::settings::{Recorded, RequestLogSettings};
pub(crate) use captured::CapturedBody;
use captured::{Captured, Head};
use queue::Queue;

/// How downloads of files are called; they are no operation of the contract.
pub const DOWNLOAD: &str = "downloadFile";

/// The names of all operations that calls can be of.
pub fn operations() -> impl Iterator<Item = &'static str> {
    let of_contract = Operation::ALL.iter().map(|operation| operation.as_str());
    of_contract.chain([live::NAME, DOWNLOAD])
}

/// The credential that a call was made with; left in the answer's extensions.
#[derive(Clone)]
pub(crate) struct CalledWith(pub(crate) Arc<Credential>);

impl CalledWith {
    /// Leaves it there, if the caller is known.
    pub(crate) fn leave(caller: Option<Arc<Credential>>, response: &mut Response<Body>) {
        if let Some(credential) = caller {
            response.extensions_mut().insert(Self(credential));
        }
    }

    pub(crate) fn business(&self) -> BusinessId {
        self.0.business
    }
}

/// The rule that refused a call; left in the answer's extensions.
#[derive(Clone, Copy)]
pub(crate) struct RefusedBy(pub(crate) &'static str);

/// Takes calls into the request log.
pub struct Recorder {
    recorded: Recorded,
    max_body: usize,
    queue: Option<Queue>,
}

/// A call that may be recorded once it is answered.
pub(crate) struct Recording<'a> {
    recorder: &'a Recorder,
    queue: &'a Queue,
    at: Timestamp,
    started: Instant,
}

impl Recorder {
    /// Starts the thread that writes `log`, if anything is to be recorded. Entries that are lost are counted in
    /// `dropped`.
    pub fn start(
        log: Arc<RequestLog>,
        settings: &RequestLogSettings,
        dropped: IntCounter,
    ) -> std::io::Result<Self> {
        let queue = match settings.recorded() {
            Recorded::Off => None,
            _ => Some(Queue::start(log, settings, dropped)?),
        };
        Ok(Self {
            recorded: settings.recorded(),
            max_body: settings.max_body_bytes(),
            queue,
        })
    }

    /// Begins to look at a call that came at `now`; `None` where none is recorded.
    pub(crate) fn begin(&self, now: impl FnOnce() -> Timestamp) -> Option<Recording<'_>> {
        self.queue.as_ref().map(|queue| Recording {
            recorder: self,
            queue,
            at: now(),
            started: Instant::now(),
        })
    }

    /// Bytes that are to be kept of a call's body: none where it is not recorded, or is no text.
    pub(crate) fn kept_of_body(&self, headers: &HeaderMap) -> usize {
        if self.queue.is_some() && captured::is_text(headers.get(header::CONTENT_TYPE)) {
            self.max_body
        } else {
            0
        }
    }

    /// Writes what waits and ends the thread. Blocks.
    pub(crate) fn close(&self) {
        if let Some(queue) = &self.queue {
            queue.close();
        }
    }

    fn wants(&self, status: StatusCode) -> bool {
        self.recorded == Recorded::All || status.is_client_error() || status.is_server_error()
    }
}

impl Recording<'_> {
    /// Records the call, if it is one of those that are, and gives its answer back.
    pub(crate) async fn answered(
        self,
        request: Parts,
        asked: CapturedBody,
        response: Response<Body>,
    ) -> Response<Body> {
        if !self.recorder.wants(response.status()) {
            return response;
        }
        let (parts, body) = response.into_parts();
        let (body, answered) = self.look_into(body, &parts.headers).await;
        let extensions = &parts.extensions;
        let operation = extensions.get::<Operation>().map(|operation| operation.as_str());
        let operation = operation.or_else(|| extensions.get::<OperationName>().map(|name| name.0));
        let caller = extensions.get::<CalledWith>().cloned();
        let rule = extensions.get::<RefusedBy>().map(|rule| rule.0);
        let took = self.started.elapsed();
        self.queue.push(Captured {
            at: self.at,
            took,
            head: Head::of(request),
            asked,
            operation,
            caller: caller.map(|caller| caller.0),
            rule,
            status: parts.status,
            headers: parts.headers.clone(),
            answered,
        });
        Response::from_parts(parts, body)
    }

    /// Answers that are in memory are kept up to the limit; files and streams go by unread.
    async fn look_into(&self, body: Body, headers: &HeaderMap) -> (Body, CapturedBody) {
        let size = body.size_hint().exact();
        let in_memory = size.is_some() && captured::is_text(headers.get(header::CONTENT_TYPE));
        if !in_memory {
            let announced = headers.get(header::CONTENT_LENGTH);
            let announced = announced.and_then(|length| length.to_str().ok()?.parse().ok());
            return (body, CapturedBody::unseen(size.or(announced)));
        }
        // It is one piece that is there already, and cannot fail to be read.
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        let captured = CapturedBody::new(beginning(&bytes, self.recorder.max_body), bytes.len() as u64);
        (Body::from(bytes), captured)
    }
}

/// The first bytes, without holding on to the rest.
fn beginning(bytes: &Bytes, max: usize) -> Bytes {
    match bytes.get(..max) {
        Some(first) if bytes.len() > max => Bytes::copy_from_slice(first),
        _ => bytes.clone(),
    }
}
