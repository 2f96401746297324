//! Requests whose head cannot be read. hyper refuses them itself, with a bare status and before any
//! service is called, yet a client of the Partner API expects the envelope whatever it sent. So each
//! connection is watched: what is written while no answer of ours is under way is hyper's refusal, and
//! the envelope is sent in its place.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::{Buf, Bytes};
use http_body::{Body as HttpBody, Frame, SizeHint};
use prilavok_wire::{ApiError, Failure};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// What a refused client still sends is read away for so long and up to so many bytes: closing a
/// connection with unread bytes would take the answer back.
const DRAIN_TIME: Duration = Duration::from_secs(2);
const DRAIN_BYTES: usize = 4 * 1024 * 1024;

/// Whether an answer of ours is under way on a connection.
#[derive(Clone, Default)]
pub(crate) struct Turn(Arc<AtomicU8>);

/// No request was read since the last answer was sent.
const NOBODYS: u8 = 0;
/// A request was read and is being answered.
const OURS: u8 = 1;
/// The answer was handed over as a whole, and may still have to be sent.
const HANDED_OVER: u8 = 2;

// One task polls everything of a connection, so no ordering is needed.
impl Turn {
    /// A request was read.
    pub(crate) fn begin(&self) {
        self.0.store(OURS, Ordering::Relaxed);
    }

    /// The body of its answer; hyper drops it when it has taken all of it.
    pub(crate) fn answered_by(&self, body: Body) -> Answering {
        Answering {
            body,
            turn: self.clone(),
        }
    }

    /// All that was handed over is sent.
    fn sent(&self) {
        let _ = self
            .0
            .compare_exchange(HANDED_OVER, NOBODYS, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn is_nobodys(&self) -> bool {
        self.0.load(Ordering::Relaxed) == NOBODYS
    }
}

/// The body of an answer that is under way.
pub(crate) struct Answering {
    body: Body,
    turn: Turn,
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.turn.0.store(HANDED_OVER, Ordering::Relaxed);
    }
}

/// A connection on which refusals are put into the envelope.
pub(crate) struct Watched<S> {
    stream: S,
    turn: Turn,
    /// What is left to send of the refusal; `None` while nothing was refused.
    refusal: Option<Bytes>,
    draining: Option<Draining>,
}

struct Draining {
    deadline: Pin<Box<Sleep>>,
    left: usize,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, turn: Turn) -> Self {
        Self {
            stream,
            turn,
            refusal: None,
            draining: None,
        }
    }

    /// The connection again, for another protocol.
    pub(crate) fn into_inner(self) -> S {
        self.stream
    }
}

/// The answer in place of hyper's, whose status line is at the beginning of `bare`.
fn envelope(bare: &[u8]) -> Bytes {
    let what = match bare.get(9..12) {
        Some(b"414") => "path",
        Some(b"431") => "headers",
        _ => "request",
    };
    let failure = Failure::from(ApiError::IllegalInput(what.to_owned()));
    let body = failure.to_json();
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat().into()
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.refusal.is_none() && this.turn.is_nobodys() {
            let bare = bufs.iter().find(|buf| !buf.is_empty());
            this.refusal = bare.map(|bare| envelope(bare));
        }
        let Some(refusal) = &mut this.refusal else {
            return Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        };
        while refusal.has_remaining() {
            match ready!(Pin::new(&mut this.stream).poll_write(cx, refusal))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => refusal.advance(written),
            }
        }
        Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.turn.sent();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.draining.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            if this.refusal.is_none() {
                return Poll::Ready(Ok(()));
            }
        }
        let draining = this.draining.get_or_insert_with(|| Draining {
            deadline: Box::pin(tokio::time::sleep(DRAIN_TIME)),
            left: DRAIN_BYTES,
        });
        let mut space = [0; 8 * 1024];
        while draining.left > 0 && draining.deadline.as_mut().poll(cx).is_pending() {
            let mut buf = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => {
                    draining.left = draining.left.saturating_sub(buf.filled().len());
                }
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}
