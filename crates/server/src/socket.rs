//! The socket of a connection, shared between the protocol that speaks on it and answers that go on for long: these
//! must see that the other end has left, and be cut off when the server stops.

use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::overload::{Place, Standing};

/// A connection's socket. One task uses it, so its lock is free but for the moment at which a stopping server cuts
/// the connection off.
pub(crate) struct Socket {
    stream: Arc<Mutex<TcpStream>>,
    standing: Standing,
}

/// The other end of a connection, as a request's extensions hold it.
#[derive(Clone)]
pub struct Peer(Arc<Mutex<TcpStream>>);

impl Socket {
    /// `place` is told when what the client sent waits to be read.
    pub(crate) fn new(stream: TcpStream, place: Arc<Place>) -> Self {
        Self {
            stream: Arc::new(Mutex::new(stream)),
            standing: Standing::new(place),
        }
    }

    pub(crate) fn peer(&self) -> Peer {
        Peer(Arc::clone(&self.stream))
    }
}

impl Peer {
    /// Whether the other end has ended the connection or its side of it; if not, the task is woken when it does.
    ///
    /// The protocol itself does not look while an answer is under way: a client that has ended its side may still wait
    /// for an answer. For one that never ends, there would be nobody left to look.
    pub(crate) fn has_left(&self, cx: &mut Context<'_>) -> bool {
        let mut byte = [0];
        match self.0.lock().poll_peek(cx, &mut ReadBuf::new(&mut byte)) {
            // The next request, sent before the answer to this one: not ours to read.
            Poll::Ready(Ok(1..)) | Poll::Pending => false,
            Poll::Ready(Ok(0) | Err(_)) => true,
        }
    }

    /// The address at the other end.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.0.lock().peer_addr().ok().map(|address| address.ip())
    }

    /// Ends the connection, whatever waits to be sent.
    pub(crate) fn cut_off(&self) {
        let mut stream = self.0.lock();
        // A socket is shut down at once; one that is gone already needs it no more.
        let _ = Pin::new(&mut *stream).poll_shutdown(&mut Context::from_waker(Waker::noop()));
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Standing { place, waker } = &self.standing;
        place.turn();
        place.ask(cx);
        let read = Pin::new(&mut *self.stream.lock()).poll_read(&mut Context::from_waker(waker), buf);
        if read.is_ready() {
            place.turn();
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream.lock()).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream.lock()).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.lock().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream.lock()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream.lock()).poll_shutdown(cx)
    }
}
