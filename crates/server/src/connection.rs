//! What is spoken on a connection: HTTP/1.1 with bounded heads and to clients that read, HTTP/2 to those who ask for it,
//! and TLS around either.

use std::io::Cursor;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prilavok_wire::ApiError;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_io_timeout::TimeoutWriter;
use tokio_rustls::TlsAcceptor;

use crate::head_refusal::{Answering, Turn, Watched};
use crate::http::{HangUp, MAX_HEAD_BYTES, Served, answer};
use crate::http2::{self, Guard, Streams};
use crate::overload::{Place, Standing};
use crate::partner;
use crate::settings::ServerSettings;
use crate::socket::{Peer, Socket};

/// What a client of HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The connection ends instead of an answer.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the answer was lost on purpose")]
struct HungUp;

/// How connections are spoken on.
pub(crate) struct Protocols {
    plain: http1::Builder,
    encrypted: http1::Builder,
    /// For a head, for a handshake, and for the next request.
    patience: Duration,
    write_timeout: Duration,
}

impl Protocols {
    pub(crate) fn new(settings: &ServerSettings) -> Self {
        let patience = Duration::from_secs(settings.header_timeout_seconds);
        let mut plain = http1::Builder::new();
        plain
            .timer(TokioTimer::new())
            .header_read_timeout(patience)
            .max_buf_size(MAX_HEAD_BYTES)
            // A client that has ended its side still waits for its answer.
            .half_close(true);
        let mut encrypted = plain.clone();
        // Behind TLS nobody but the protocol can see that a client has left.
        encrypted.half_close(false);
        Self {
            plain,
            encrypted,
            patience,
            write_timeout: Duration::from_secs(settings.write_timeout_seconds),
        }
    }
}

/// A connection that was accepted.
pub(crate) struct Connection {
    pub(crate) served: Arc<ArcSwap<Served>>,
    pub(crate) protocols: Arc<Protocols>,
    pub(crate) place: Arc<Place>,
    /// Changes when the server stops.
    pub(crate) stopped: watch::Receiver<()>,
}

/// A client that leaves unread what was sent to it holds memory here: it is cut off.
type Bounded = Pin<Box<TimeoutWriter<Socket>>>;

impl Connection {
    /// Speaks HTTP in clear text until one side ends the connection.
    pub(crate) async fn plain(self, stream: TcpStream) {
        let (socket, peer) = self.bounded(stream);
        let protocols = Arc::clone(&self.protocols);
        self.http1(socket, peer, &protocols.plain).await;
    }

    /// The same within TLS, where the handshake says which HTTP.
    pub(crate) async fn encrypted(mut self, stream: TcpStream, acceptor: TlsAcceptor) {
        let (socket, peer) = self.bounded(stream);
        let peer = peer.encrypted();
        let protocols = Arc::clone(&self.protocols);
        let handshake = tokio::time::timeout(protocols.patience, acceptor.accept(socket));
        let shaken = tokio::select! {
            shaken = handshake => shaken,
            _ = self.stopped.changed() => return,
        };
        let stream = match shaken {
            Ok(Ok(stream)) => stream,
            // Scanners and clients that do not trust the certificate come every minute: their affair.
            Ok(Err(error)) => return tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => return tracing::debug!("a TLS handshake took too long"),
        };
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            self.http2(stream, peer).await;
        } else {
            self.http1(stream, peer, &protocols.encrypted).await;
        }
    }

    fn bounded(&self, stream: TcpStream) -> (Bounded, Peer) {
        let socket = Socket::new(stream, Arc::clone(&self.place));
        let peer = socket.peer();
        let mut socket = TimeoutWriter::new(socket);
        socket.set_timeout(Some(self.protocols.write_timeout));
        (Box::pin(socket), peer)
    }

    async fn http1<S>(mut self, stream: S, peer: Peer, protocol: &http1::Builder)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let turn = Turn::default();
        let watched = TokioIo::new(Watched::new(stream, turn.clone()));
        let (served, place) = (Arc::clone(&self.served), Arc::clone(&self.place));
        let of_request = peer.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            turn.begin();
            let served = served.load_full();
            let turn = turn.clone();
            let is_late = place.was_late();
            let under_way = place.begin_answer();
            request.extensions_mut().insert(of_request.clone());
            async move {
                let response = answer(&served, request, is_late).await;
                if !under_way.is_alone() {
                    // Answers to those who wait at the same time leave together: one after the other, each would wake its
                    // client by itself.
                    tokio::task::yield_now().await;
                }
                if response.extensions().get::<HangUp>().is_some() {
                    return Err(HungUp);
                }
                Ok::<Response<Answering>, HungUp>(response.map(|body| turn.answered_by(body)))
            }
        });
        let mut connection = protocol.serve_connection(watched, service);
        let ended = tokio::select! {
            biased;
            ended = &mut connection => ended,
            _ = self.stopped.changed() => {
                Pin::new(&mut connection).graceful_shutdown();
                (&mut connection).await
            }
        };
        // A client that breaks off is its own affair. One that begins as HTTP/2 does was left alone by HTTP/1.
        if ended.is_err_and(|error| error.is_parse()) {
            let left = connection.into_parts();
            if left.read_buf.starts_with(PREFACE) {
                let stream = unread(left.read_buf, left.io.into_inner().into_inner());
                // Rare, and large: in a box, so that other connections have no room for it.
                Box::pin(self.http2(stream, peer)).await;
            }
        }
    }

    async fn http2<S>(mut self, stream: S, peer: Peer)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (served, place) = (Arc::clone(&self.served), Arc::clone(&self.place));
        let service = service_fn(move |request: Request<Incoming>| {
            let served = served.load_full();
            let peer = peer.clone();
            // The connection had its turn; now each request waits for its own.
            let with_connection = place.is_late();
            let standing = Standing::new(place.another());
            async move {
                standing.place.turn();
                let is_late = with_connection || standing.place.was_late();
                answer_on_stream(&served, request, &peer, is_late).await
            }
        });
        let streams = Streams::new(self.protocols.write_timeout);
        let patience = self.protocols.patience;
        let protocol = http2::protocol(streams.clone());
        let mut connection = std::pin::pin!(protocol.serve_connection(TokioIo::new(stream), service));
        let is_useless = tokio::select! {
            biased;
            _ = &mut connection => return,
            _ = self.stopped.changed() => false,
            () = streams.of_no_use(patience) => true,
        };
        connection.as_mut().graceful_shutdown();
        let ending = async {
            // A client that breaks off is its own affair.
            let _ = connection.await;
        };
        if is_useless {
            let _ = tokio::time::timeout(patience, ending).await;
        } else {
            ending.await;
        }
    }
}

async fn answer_on_stream(
    served: &Served,
    mut request: Request<Incoming>,
    peer: &Peer,
    is_late: bool,
) -> Result<Response<http2::Answering>, HungUp> {
    http2::as_usual(&mut request);
    if let Some(guard) = Guard::own() {
        request.extensions_mut().insert(peer.on(guard));
    }
    let response = match http2::is_too_large(request.uri(), request.headers()) {
        true => partner::refuse(ApiError::IllegalInput("headers".to_owned())),
        false => answer(served, request, is_late).await,
    };
    if response.extensions().get::<HangUp>().is_some() {
        return Err(HungUp);
    }
    Ok(response.map(http2::Answering::own))
}

/// A stream of which `read` was read already.
fn unread<S>(read: Bytes, stream: S) -> impl AsyncRead + AsyncWrite + Send + Unpin
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let (reading, writing) = tokio::io::split(stream);
    tokio::io::join(Cursor::new(read).chain(reading), writing)
}
