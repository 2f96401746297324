//! HTTP/2: many requests on one connection, so what bounds a connection of HTTP/1 has to bound each of them. A stream
//! is a task of its own, which waits for its turn like a connection, and is given up when its client does not read.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Uri};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper_util::rt::TokioTimer;
use tokio::sync::Notify;
use tokio::time::Sleep;

use crate::http::MAX_HEAD_BYTES;

/// Requests of a connection at a time.
const MAX_STREAMS: u32 = 100;
/// What may come of a request's body, and of all of a connection, before it is read.
const STREAM_WINDOW: u32 = 128 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// What waits to be sent on a stream.
const SEND_BUFFER: usize = 64 * 1024;
/// Above this the library refuses a head itself, with a bare status.
const MAX_HEAD_LIST: u32 = 256 * 1024;
/// Requests that a client may take back before they are answered, beyond as many as it let be answered.
const MAX_TAKEN_BACK: u64 = 100;
/// Streams that were reset and are still remembered.
const MAX_RESET: usize = 20;
const MAX_RESET_BY_US: usize = 128;

/// How connections speak HTTP/2.
pub(crate) fn protocol(streams: Streams) -> http2::Builder<Streams> {
    let mut protocol = http2::Builder::new(streams);
    protocol
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD_LIST)
        .max_pending_accept_reset_streams(MAX_RESET)
        .max_local_error_reset_streams(MAX_RESET_BY_US)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER);
    protocol
}

/// The streams of a connection: it runs them, and counts them.
#[derive(Clone)]
pub(crate) struct Streams {
    counts: Arc<Counts>,
    write_timeout: Duration,
}

#[derive(Default)]
struct Counts {
    open: AtomicUsize,
    begun: AtomicU64,
    answered: AtomicU64,
    taken_back: AtomicU64,
    /// More was taken back than people do.
    abused: Notify,
}

impl Streams {
    /// `write_timeout`: how long a client may leave an answer unread.
    pub(crate) fn new(write_timeout: Duration) -> Self {
        Self {
            counts: Arc::default(),
            write_timeout,
        }
    }

    /// Waits until there was no stream for `patience`, and at most for twice as long, or the client takes back most of
    /// what it asks for.
    pub(crate) async fn of_no_use(&self, patience: Duration) {
        let no_stream = async {
            let mut seen = 0;
            loop {
                tokio::time::sleep(patience).await;
                let begun = self.counts.begun.load(Ordering::Relaxed);
                if begun == seen && self.counts.open.load(Ordering::Relaxed) == 0 {
                    return;
                }
                seen = begun;
            }
        };
        tokio::select! {
            () = no_stream => {}
            () = self.counts.abused.notified() => {}
        }
    }
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, answering: F) {
        let counted = Counted::new(&self.counts);
        let guard = Arc::new(Guard::default());
        let watched = Watched {
            answering: Box::pin(OWN.scope(Arc::clone(&guard), answering)),
            guard,
            write_timeout: self.write_timeout,
            timer: None,
            counted,
        };
        tokio::spawn(watched);
    }
}

/// A stream that is counted while it is open.
struct Counted {
    counts: Arc<Counts>,
    answered: bool,
}

impl Counted {
    fn new(counts: &Arc<Counts>) -> Self {
        counts.open.fetch_add(1, Ordering::Relaxed);
        counts.begun.fetch_add(1, Ordering::Relaxed);
        Self {
            counts: Arc::clone(counts),
            answered: false,
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let counts = &self.counts;
        counts.open.fetch_sub(1, Ordering::Relaxed);
        if self.answered {
            counts.answered.fetch_add(1, Ordering::Relaxed);
        } else if counts.taken_back.fetch_add(1, Ordering::Relaxed)
            > counts.answered.load(Ordering::Relaxed) + MAX_TAKEN_BACK
        {
            counts.abused.notify_one();
        }
    }
}

tokio::task_local! {
    /// The stream that a task answers.
    static OWN: Arc<Guard>;
}

/// What is known of a stream from outside, and how it is ended from there.
#[derive(Default)]
pub(crate) struct Guard {
    /// A part of the answer was handed over, and no more was asked for since.
    unread: AtomicBool,
    /// The answer was begun.
    begun: AtomicBool,
    cut_off: AtomicBool,
    task: AtomicWaker,
}

impl Guard {
    /// The guard of the stream that the running task answers.
    pub(crate) fn own() -> Option<Arc<Self>> {
        OWN.try_with(Arc::clone).ok()
    }

    /// Ends the stream.
    pub(crate) fn cut_off(&self) {
        self.cut_off.store(true, Ordering::Release);
        self.task.wake();
    }
}

/// A stream's task: it ends when the stream is cut off, or its client reads nothing for too long.
struct Watched<F> {
    answering: Pin<Box<F>>,
    guard: Arc<Guard>,
    write_timeout: Duration,
    /// Runs while nothing is asked for.
    timer: Option<Pin<Box<Sleep>>>,
    counted: Counted,
}

impl<F: Future<Output = ()>> Future for Watched<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let ended = this.answering.as_mut().poll(cx);
        this.counted.answered = this.guard.begun.load(Ordering::Relaxed);
        if ended.is_ready() {
            return ended;
        }
        this.guard.task.register(cx.waker());
        if this.guard.cut_off.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        if !this.guard.unread.load(Ordering::Relaxed) {
            this.timer = None;
            return Poll::Pending;
        }
        let write_timeout = this.write_timeout;
        let timer = this
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(write_timeout)));
        timer.as_mut().poll(cx)
    }
}

/// The body of an answer on a stream; it tells the stream's guard whether the client reads.
pub(crate) struct Answering {
    body: Body,
    guard: Option<Arc<Guard>>,
}

impl Answering {
    /// The answer of the running task.
    pub(crate) fn own(body: Body) -> Self {
        Self {
            body,
            guard: Guard::own(),
        }
    }

    /// Notes that the head is on its way: a stream that was taken back is asked for nothing.
    fn begun(&self, unread: bool) {
        if let Some(guard) = &self.guard {
            guard.begun.store(true, Ordering::Relaxed);
            guard.unread.store(unread, Ordering::Relaxed);
        }
    }
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        self.begun(matches!(frame, Poll::Ready(Some(_))));
        frame
    }

    fn is_end_stream(&self) -> bool {
        let ended = self.body.is_end_stream();
        if ended {
            // Nothing will be asked for: the head was all.
            self.begun(true);
        }
        ended
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Writes a request as HTTP/1 writes it: a path, and a `Host`.
pub(crate) fn as_usual<B>(request: &mut Request<B>) {
    let uri = std::mem::take(request.uri_mut());
    let mut parts = uri.into_parts();
    let host = parts
        .authority
        .take()
        .and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(host) = host {
        request.headers_mut().entry(HOST).or_insert(host);
    }
    let path = parts.path_and_query.take();
    *request.uri_mut() = Uri::from(path.unwrap_or(PathAndQuery::from_static("/")));
}

/// Whether a head is larger than one may be.
pub(crate) fn is_too_large(uri: &Uri, headers: &HeaderMap) -> bool {
    let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
    let lines = headers.iter();
    let lines: usize = lines.map(|(name, value)| name.as_str().len() + value.len()).sum();
    path + lines > MAX_HEAD_BYTES
}
