//! A client of HTTP/2 that can do what clients should not.

use std::time::Duration;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection.
pub(crate) struct Connection {
    requests: SendRequest<Bytes>,
    task: JoinHandle<Result<(), h2::Error>>,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Connection {
    pub(crate) async fn begin<S>(stream: S) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Self::with_room_for(16 * 1024, stream).await
    }

    /// A client that takes so many bytes of an answer before it reads them.
    pub(crate) async fn with_room_for<S>(bytes: u32, stream: S) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (requests, connection) = h2::client::Builder::new()
            .initial_window_size(bytes)
            .handshake(stream)
            .await
            .expect("HTTP/2");
        Self {
            requests,
            task: tokio::spawn(connection),
        }
    }

    /// Waits until the server has ended the connection. Whether its last bytes still find us is the system's affair.
    pub(crate) async fn ended(self) {
        drop(self.requests);
        let _ = within(self.task).await.expect("its task");
    }

    /// Waits until the server lets another request begin.
    pub(crate) async fn ready(&self) -> Result<SendRequest<Bytes>, h2::Error> {
        self.requests.clone().ready().await
    }

    /// Sends a head.
    pub(crate) async fn send(
        &self,
        request: Request<()>,
        is_all: bool,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        let mut ready = self.ready().await.expect("another request");
        ready.send_request(request, is_all).expect("sent")
    }

    pub(crate) async fn ask(&self, request: Request<String>) -> Answer {
        let (head, body) = request.into_parts();
        let (answer, mut sending) = self.send(Request::from_parts(head, ()), body.is_empty()).await;
        if !body.is_empty() {
            sending.send_data(body.into(), true).expect("sent");
        }
        within(read(answer)).await
    }
}

/// What an answer says, to its end.
pub(crate) async fn read(answer: ResponseFuture) -> Answer {
    let (head, mut body) = answer.await.expect("an answer").into_parts();
    let mut text = String::new();
    while let Some(more) = more(&mut body).await.expect("a body") {
        text += &more;
    }
    Answer {
        status: head.status,
        headers: head.headers,
        body: text,
    }
}

/// The next part of a body, for which room is made in the window.
pub(crate) async fn more(body: &mut RecvStream) -> Result<Option<String>, h2::Error> {
    while let Some(part) = within(body.data()).await.transpose()? {
        body.flow_control().release_capacity(part.len())?;
        if !part.is_empty() {
            return Ok(Some(String::from_utf8(part.to_vec()).expect("text")));
        }
    }
    Ok(None)
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("in time")
}
