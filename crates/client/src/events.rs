//! Live events: a stream that connects again by itself and misses nothing.

use std::fmt;
use std::pin::Pin;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use http::header::{ACCEPT, HeaderName, HeaderValue};
use http_body_util::BodyExt;
use jiff::Timestamp;
use serde::Deserialize;
use sse_stream::{Sse, SseByteStream};

use crate::business::Business;
use crate::call::get;
use crate::error::{Error, Outcome};
use crate::notification::Notification;
use crate::transport::Incoming;

const OPERATION: &str = "streamEvents";
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Servers show that they are there more often than this.
const SILENCE: Duration = Duration::from_secs(60);

/// The id of a live event, as the server wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventId(String);

/// A text that is no id of an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no id of an event")]
pub struct InvalidEventId(String);

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(text: &str) -> Result<Self, InvalidEventId> {
        match !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidEventId(text.to_owned())),
        }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What comes out of a stream of live events.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Live {
    /// The stream is open: what happens from now on comes, and what was missed comes first.
    Connected,
    /// Something happened.
    Event {
        /// Its id, by which a stream can be resumed after it.
        id: Option<EventId>,
        /// What it was.
        notification: Notification,
    },
    /// What was missed is not kept any more: read the chats again.
    Gap {
        /// Events from this time on come after it, where the server knows.
        goes_on_from: Option<Timestamp>,
    },
}

impl Business {
    /// What happens in the chats of the business, as it happens. This is Prilavok's own; other servers answer 404, which is
    /// the error that the stream then ends with.
    ///
    /// With `after`, it begins with the event after that one. When the connection breaks, the stream connects again and
    /// goes on where it was, for as long as it takes; it ends with an error when the server could never be reached or refuses
    /// for good, as with a key that was revoked.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/client/sandbox.rs"));
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = Sandbox::start().await;
    /// # let shop = sandbox.shop();
    /// use futures_util::TryStreamExt;
    /// use prilavok_client::{ChatId, Event, Live};
    ///
    /// let mut events = std::pin::pin!(shop.events(None));
    /// while let Some(live) = events.try_next().await? {
    ///     match live {
    ///         Live::Connected => shop.send_message(ChatId::new(1)?, "Мы на связи.").await?,
    ///         Live::Event { notification, .. } => {
    ///             if let Some(Event::ChatMessageSent { chat_id, message_id, .. }) = notification.event() {
    ///                 println!("{:?}", shop.message(*chat_id, *message_id).await?.text);
    ///                 break;
    ///             }
    ///         }
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub fn events(&self, after: Option<EventId>) -> impl Stream<Item = Result<Live, Error>> + Send + 'static {
        let listener = Listener {
            business: self.clone(),
            last: after,
            open: None,
            was_open: false,
            failures: 0,
        };
        stream::unfold(Some(listener), |listener| async move {
            let mut listener = listener?;
            match listener.next().await {
                Ok(live) => Some((Ok(live), Some(listener))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }
}

type Lines = Pin<Box<SseByteStream<BoxStream<'static, Result<Bytes, Silenced>>>>>;

/// Why a stream broke off.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Silenced(String);

struct Listener {
    business: Business,
    last: Option<EventId>,
    open: Option<Lines>,
    was_open: bool,
    failures: u32,
}

impl Listener {
    async fn next(&mut self) -> Result<Live, Error> {
        loop {
            let Some(open) = &mut self.open else {
                match self.connect().await {
                    Ok(lines) => {
                        self.open = Some(lines);
                        self.was_open = true;
                        return Ok(Live::Connected);
                    }
                    Err(error) => self.bear(error).await?,
                }
                continue;
            };
            match open.next().await {
                Some(Ok(sse)) => {
                    self.failures = 0;
                    if let Some(live) = self.read(sse)? {
                        return Ok(live);
                    }
                }
                Some(Err(error)) => {
                    self.open = None;
                    let error = self.business.client().interrupted(OPERATION, error.to_string());
                    self.bear(error).await?;
                }
                // The server stops or the key is no longer good: connecting again will tell.
                None => {
                    self.open = None;
                    let error = self
                        .business
                        .client()
                        .interrupted(OPERATION, "the stream ended".to_owned());
                    self.bear(error).await?;
                }
            }
        }
    }

    /// Waits before the next attempt; gives up where there is no hope.
    async fn bear(&mut self, error: Error) -> Result<(), Error> {
        self.failures = self.failures.saturating_add(1);
        let retry = self.business.client().retry_policy();
        let hopeless = error.outcome() == Outcome::Final;
        if hopeless || (!self.was_open && self.failures >= retry.attempts) {
            return Err(error);
        }
        let asked = error.api().and_then(|api| api.retry_after);
        tokio::time::sleep(retry.pause(self.failures, asked)).await;
        Ok(())
    }

    async fn connect(&mut self) -> Result<Lines, Error> {
        let mut request = get(&self.business.url(&["events"])).header(ACCEPT, "text/event-stream");
        if let Some(last) = self
            .last
            .as_ref()
            .and_then(|last| HeaderValue::from_str(&last.0).ok())
        {
            request = request.header(LAST_EVENT_ID, last);
        }
        let body = self.business.client().open(OPERATION, request).await?;
        Ok(Box::pin(SseByteStream::new(bytes(body).boxed())))
    }

    /// Takes what a block of lines says.
    fn read(&mut self, sse: Sse) -> Result<Option<Live>, Error> {
        let id = sse.id.as_deref().and_then(|id| id.parse::<EventId>().ok());
        if id.is_some() {
            self.last.clone_from(&id);
        }
        let Some(data) = sse.data else { return Ok(None) };
        let unreadable = |error: serde_json::Error| Error::Unreadable {
            operation: OPERATION,
            why: error.to_string(),
        };
        if sse.event.as_deref() == Some("gap") {
            #[derive(Deserialize)]
            #[serde(rename_all = "camelCase")]
            struct Gap {
                goes_on_from: Option<Timestamp>,
            }
            let Gap { goes_on_from } = serde_json::from_str(&data).map_err(unreadable)?;
            return Ok(Some(Live::Gap { goes_on_from }));
        }
        let notification = Notification::read(data.as_bytes()).map_err(unreadable)?;
        Ok(Some(Live::Event { id, notification }))
    }
}

/// The bytes of a body; one that is silent for too long has broken off.
fn bytes(body: Incoming) -> impl Stream<Item = Result<Bytes, Silenced>> + Send {
    stream::try_unfold(body, |mut body| async move {
        loop {
            let frame = tokio::time::timeout(SILENCE, body.frame()).await;
            let frame = frame.map_err(|_| Silenced("the server is silent".to_owned()))?;
            let Some(frame) = frame else { return Ok(None) };
            let frame = frame.map_err(|error| Silenced(error.to_string()))?;
            if let Ok(data) = frame.into_data() {
                return Ok(Some((data, body)));
            }
        }
    })
}
