//! Request bodies: JSON up to a limit; and, for all of them, no waiting for ever and a bounded reading
//! away of what nobody wanted, so that a client which is still sending gets to see its answer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::time::{Instant, Sleep};

use super::error::{ApiError, Code};
use super::fields::{self, FromFields};
use crate::app::SharedApp;

/// The most bytes that a JSON body may have, unless its operation says otherwise.
const MAX_JSON_BYTES: usize = 512 * 1024;
/// A client that sends nothing for so long has given up.
const PROGRESS: Duration = Duration::from_secs(10);
/// At most so much of a body that nobody wants is read away, and for so long.
const DRAIN_BYTES: u64 = 8 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// A body that is read as JSON.
pub(crate) trait JsonBody: FromFields + Send {
    /// The most bytes that it may have.
    const MAX_BYTES: usize = MAX_JSON_BYTES;
}

/// A JSON body whose fields were all found in order.
#[derive(Debug)]
pub(crate) struct Json<T> {
    /// What it says.
    pub(crate) value: T,
    /// The same JSON with its fields sorted and without white space: equal for equal requests.
    pub(crate) canonical: String,
}

impl<T: JsonBody> FromRequest<SharedApp> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &SharedApp) -> Result<Self, ApiError> {
        check_content_type(request.headers())?;
        let bytes = read(request.into_body(), T::MAX_BYTES).await?;
        let json = parse(&bytes)?;
        Ok(Self {
            value: fields::read(&json)?,
            canonical: json.to_string(),
        })
    }
}

/// A missing type is taken for JSON; anything else that is said must be JSON.
fn check_content_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
    let (media_type, parameters) = text.split_once(';').unwrap_or((&text, ""));
    let media_type = media_type.trim();
    let is_json = media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"));
    let charset = parameters
        .split(';')
        .find_map(|it| it.trim().strip_prefix("charset="));
    let is_utf8 = charset.is_none_or(|it| matches!(it.trim_matches('"'), "utf-8" | "utf8" | "us-ascii"));
    if is_json && is_utf8 {
        Ok(())
    } else {
        Err(unsupported(value, "application/json"))
    }
}

/// The body is not of the type that the operation takes.
pub(crate) fn unsupported(value: &HeaderValue, wanted: &str) -> ApiError {
    let given: String = String::from_utf8_lossy(value.as_bytes())
        .chars()
        .take(200)
        .collect();
    ApiError::new(
        Code::UnsupportedMediaType,
        format!("Content type '{given}' is not supported: send {wanted}"),
    )
}

async fn read(body: Body, max: usize) -> Result<Bytes, ApiError> {
    let too_large = || {
        ApiError::new(
            Code::PayloadTooLarge,
            format!("The body must have at most {} KB", max / 1024),
        )
    };
    if body.size_hint().lower() > max as u64 {
        return Err(too_large());
    }
    let mut all = BytesMut::new();
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| interrupted(&error))?;
        if all.len() + chunk.len() > max {
            return Err(too_large());
        }
        all.extend_from_slice(&chunk);
    }
    Ok(all.freeze())
}

fn parse(bytes: &[u8]) -> Result<Value, ApiError> {
    if bytes.is_empty() {
        return Err(ApiError::field("body", "is required"));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let error = ApiError::new(Code::ValidationFailed, format!("The body is not JSON: {error}"));
        error.about("body", "must be JSON in UTF-8")
    })
}

/// No more of a body comes.
#[derive(Debug, thiserror::Error)]
#[error("nothing came for {} seconds", PROGRESS.as_secs())]
struct TooSlow;

/// The error of a body that stopped short, told apart by whose patience ended.
pub(crate) fn interrupted(error: &(dyn std::error::Error + 'static)) -> ApiError {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<TooSlow>() {
            return ApiError::new(Code::RequestTimeout, format!("The body did not arrive: {error}"));
        }
        cause = error.source();
    }
    ApiError::new(Code::ValidationFailed, "The body broke off").about("body", "must arrive as a whole")
}

/// Puts the guard around a request's body.
pub(crate) fn guarded(request: Request) -> Request {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return Request::from_parts(parts, body);
    }
    let guard = Guarded {
        body: Some(body),
        deadline: Box::pin(tokio::time::sleep(PROGRESS)),
        waiting: false,
        wanted: !parts.headers.contains_key(header::EXPECT),
    };
    Request::from_parts(parts, Body::new(guard))
}

/// A body that gives up when nothing comes, and is read away when it is dropped before its end.
struct Guarded {
    /// `None` once it ended.
    body: Option<Body>,
    /// Counts while we wait for the client, not while the client waits for us.
    deadline: Pin<Box<Sleep>>,
    waiting: bool,
    /// The client sends, or was told to.
    wanted: bool,
}

impl HttpBody for Guarded {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.wanted = true;
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) else {
            if !std::mem::replace(&mut self.waiting, true) {
                self.deadline.as_mut().reset(Instant::now() + PROGRESS);
            }
            ready!(self.deadline.as_mut().poll(cx));
            self.body = None;
            return Poll::Ready(Some(Err(TooSlow.into())));
        };
        self.waiting = false;
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let Some(body) = self.body.take() else { return };
        let bounded = body.size_hint().lower() <= DRAIN_BYTES;
        if self.wanted
            && bounded
            && !body.is_end_stream()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            // What is still coming after that time is the client's loss.
            runtime.spawn(tokio::time::timeout(DRAIN_TIME, read_away(body)));
        }
    }
}

async fn read_away(mut body: Body) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await
        && read <= DRAIN_BYTES
    {
        read += frame.data_ref().map_or(0, |data| data.len() as u64);
    }
}
