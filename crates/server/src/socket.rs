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

use crate::http2::Guard;
use crate::overload::{Place, Standing};

/// A connection's socket. One task uses it, so its lock is free but for the moment at which a stopping server cuts
/// the connection off.
pub(crate) struct Socket {
    stream: Arc<Mutex<TcpStream>>,
    standing: Standing,
}

/// The other end of a connection, as a request's extensions hold it.
#[derive(Clone)]
pub struct Peer {
    stream: Arc<Mutex<TcpStream>>,
    speaks: Speaks,
}

/// What is spoken on a socket, as far as it matters to what may be done with it.
#[derive(Clone)]
enum Speaks {
    /// HTTP/1.
    Plainly,
    /// TLS, and in it HTTP/1 or HTTP/2.
    Encrypted,
    /// HTTP/2, and the request came on this stream.
    Stream(Arc<Guard>),
}

impl Socket {
    /// `place` is told when what the client sent waits to be read.
    pub(crate) fn new(stream: TcpStream, place: Arc<Place>) -> Self {
        Self {
            stream: Arc::new(Mutex::new(stream)),
            standing: Standing::new(place),
        }
    }

    /// The other end, with which HTTP/1 is spoken.
    pub(crate) fn peer(&self) -> Peer {
        Peer {
            stream: Arc::clone(&self.stream),
            speaks: Speaks::Plainly,
        }
    }
}

impl Peer {
    /// The same, behind TLS.
    pub(crate) fn encrypted(self) -> Self {
        Self {
            speaks: Speaks::Encrypted,
            ..self
        }
    }

    /// The same, on a stream of HTTP/2.
    pub(crate) fn on(&self, stream: Arc<Guard>) -> Self {
        Self {
            stream: Arc::clone(&self.stream),
            speaks: Speaks::Stream(stream),
        }
    }

    /// Whether the other end has ended the connection or its side of it; if not, the task is woken when it does.
    ///
    /// The protocol itself does not look while an answer is under way: a client that has ended its side may still wait
    /// for an answer. For one that never ends, there would be nobody left to look. Behind TLS and in HTTP/2 an end is said
    /// in the protocol, which does look.
    pub(crate) fn has_left(&self, cx: &mut Context<'_>) -> bool {
        let Speaks::Plainly = self.speaks else {
            return false;
        };
        let mut byte = [0];
        match self.stream.lock().poll_peek(cx, &mut ReadBuf::new(&mut byte)) {
            // The next request, sent before the answer to this one: not ours to read.
            Poll::Ready(Ok(1..)) | Poll::Pending => false,
            Poll::Ready(Ok(0) | Err(_)) => true,
        }
    }

    /// The address at the other end.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.stream.lock().peer_addr().ok().map(|address| address.ip())
    }

    /// Ends the connection, or the stream of it that the request came on, whatever waits to be sent.
    pub(crate) fn cut_off(&self) {
        if let Speaks::Stream(guard) = &self.speaks {
            return guard.cut_off();
        }
        let mut stream = self.stream.lock();
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
