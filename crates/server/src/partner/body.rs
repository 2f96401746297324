//! Request bodies: read up to a limit, given up when nothing comes, and read away before an error is
//! answered, so that clients which are still sending get to see it.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use http_body::Body as _;
use http_body_util::BodyExt;
use prilavok_wire::ApiError;
use prilavok_wire::error::{Kilobytes, Megabytes, Quoted};

use crate::recording::CapturedBody;

/// The most bytes that a JSON body may have.
pub(super) const MAX_JSON_BYTES: u64 = 512 * 1024;
/// A client that sends nothing for so long has given up.
const PROGRESS: Duration = Duration::from_secs(10);
/// At most so much of a body that nobody wants is read away, and for so long.
const DRAIN_BYTES: u64 = 64 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// The body of a request.
pub(super) struct RequestBody {
    body: Body,
    announced: Option<u64>,
    received: u64,
    /// The client sends only once we begin to read.
    waiting: bool,
    /// The beginning, as far as the request log keeps it.
    kept: Kept,
}

/// The beginning of a body.
struct Kept {
    max: usize,
    bytes: usize,
    chunks: Vec<Bytes>,
}

impl Kept {
    fn add(&mut self, chunk: &Bytes) {
        let room = self.max - self.bytes;
        if room > 0 {
            // What comes in one piece is shared, not copied.
            self.chunks.push(chunk.slice(..chunk.len().min(room)));
            self.bytes += chunk.len().min(room);
        }
    }
}

/// Why no more of a body comes.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no more of the body comes")]
pub(super) struct Interrupted;

impl RequestBody {
    /// The body of a request with these headers, of which the first `kept` bytes stay at hand.
    pub(super) fn new(headers: &HeaderMap, body: Body, kept: usize) -> Self {
        Self {
            body,
            announced: headers
                .get(header::CONTENT_LENGTH)
                .and_then(|length| length.to_str().ok()?.parse().ok()),
            received: 0,
            waiting: headers.contains_key(header::EXPECT),
            kept: Kept {
                max: kept,
                bytes: 0,
                chunks: Vec::new(),
            },
        }
    }

    /// What the request log keeps of it.
    pub(super) fn captured(self) -> CapturedBody {
        if self.kept.max == 0 && self.size() > 0 {
            return CapturedBody::unseen(Some(self.size()));
        }
        // A copy, so that the buffer of the connection is free again.
        CapturedBody::new(self.kept.chunks.concat().into(), self.size())
    }

    /// The bytes announced, or those received where nothing was announced.
    pub(super) fn size(&self) -> u64 {
        self.announced.unwrap_or(self.received)
    }

    /// The error that the body is larger than `max`.
    pub(super) fn too_big(&self, max: u64) -> ApiError {
        ApiError::TooBig {
            max: Kilobytes(max),
            size: Megabytes(self.size()),
        }
    }

    /// All of it, if it has at most `max` bytes.
    pub(super) async fn read(&mut self, max: u64) -> Result<Bytes, ApiError> {
        if self.announced.is_some_and(|length| length > max) {
            return Err(self.too_big(max));
        }
        let interrupted = |_| ApiError::UnexpectedEnd;
        let Some(first) = self.chunk().await.map_err(interrupted)? else {
            return Ok(Bytes::new());
        };
        let mut all: Option<BytesMut> = None;
        while let Some(chunk) = self.chunk().await.map_err(interrupted)? {
            if self.received > max {
                return Err(self.too_big(max));
            }
            all.get_or_insert_with(|| BytesMut::from(&*first))
                .extend_from_slice(&chunk);
        }
        if self.received > max {
            return Err(self.too_big(max));
        }
        Ok(all.map_or(first, BytesMut::freeze))
    }

    /// The body as a stream, until it ends or is interrupted.
    pub(super) fn stream(&mut self) -> impl Stream<Item = Result<Bytes, Interrupted>> + Send {
        stream::try_unfold(self, async |body| {
            Ok(body.chunk().await?.map(|chunk| (chunk, body)))
        })
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, Interrupted> {
        self.waiting = false;
        loop {
            let frame = tokio::time::timeout(PROGRESS, self.body.frame())
                .await
                .map_err(|_| Interrupted)?;
            match frame
                .transpose()
                .map_err(|_| Interrupted)?
                .map(|frame| frame.into_data())
            {
                None => return Ok(None),
                Some(Ok(data)) if !data.is_empty() => {
                    self.received += data.len() as u64;
                    self.kept.add(&data);
                    return Ok(Some(data));
                }
                Some(_) => {}
            }
        }
    }

    /// Reads away what is left, within bounds.
    pub(super) async fn drain(&mut self) {
        if self.body.is_end_stream()
            || self.waiting
            || self.announced.is_some_and(|length| length > DRAIN_BYTES)
        {
            return;
        }
        let read_away = async {
            while let Ok(Some(_)) = self.chunk().await
                && self.received <= DRAIN_BYTES
            {}
        };
        // What is still coming after that time is the client's loss.
        let _ = tokio::time::timeout(DRAIN_TIME, read_away).await;
    }
}

/// Checks that a body is JSON as we read it: in UTF-8, and said to be JSON or nothing.
pub(super) fn check_json(content_type: Option<&HeaderValue>) -> Result<(), ApiError> {
    let Some(header) = content_type else { return Ok(()) };
    let unsupported = || ApiError::ContentType(Quoted::new(&String::from_utf8_lossy(header.as_bytes())));
    let text = header.to_str().map_err(|_| unsupported())?;
    let mut parts = text.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_json = media_type.is_empty()
        || media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"));
    let readable = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, charset)) if name.trim().eq_ignore_ascii_case("charset") => {
            let charset = charset.trim().trim_matches('"');
            ["utf-8", "utf8", "us-ascii"]
                .iter()
                .any(|known| charset.eq_ignore_ascii_case(known))
        }
        _ => true,
    });
    if is_json && readable {
        Ok(())
    } else {
        Err(unsupported())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_of_json() {
        for (text, accepted) in [
            ("application/json", true),
            ("Application/JSON; charset=UTF-8", true),
            ("application/json;charset=\"utf-8\";v=1", true),
            ("application/vnd.api+json", true),
            ("", true),
            ("application/json; charset=windows-1251", false),
            ("application/x-www-form-urlencoded", false),
            ("text/plain", false),
            ("multipart/form-data; boundary=x", false),
        ] {
            assert_eq!(
                check_json(Some(&HeaderValue::from_static(text))).is_ok(),
                accepted,
                "{text}"
            );
        }
        assert_eq!(check_json(None), Ok(()));
    }

    fn body(headers: &[(header::HeaderName, &'static str)], body: Body) -> RequestBody {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        RequestBody::new(&headers.collect(), body, 4)
    }

    /// A body of which `sent` arrives, and then nothing more for ever.
    fn stalled(sent: &'static [u8]) -> Body {
        let sent = stream::iter([Ok::<_, Interrupted>(Bytes::from_static(sent))]);
        Body::from_stream(futures_util::StreamExt::chain(sent, stream::pending()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stops_sending_is_given_up() {
        let begun = tokio::time::Instant::now();
        let mut stopped = body(&[(header::CONTENT_LENGTH, "100")], stalled(b"{"));
        assert_eq!(stopped.read(1000).await, Err(ApiError::UnexpectedEnd));
        assert_eq!(begun.elapsed().as_secs(), PROGRESS.as_secs());
        body(&[], stalled(b"{")).drain().await;
        assert_eq!(begun.elapsed().as_secs(), (PROGRESS + DRAIN_TIME).as_secs());
        body(&[(header::EXPECT, "100-continue")], stalled(b""))
            .drain()
            .await;
        assert_eq!(begun.elapsed().as_secs(), (PROGRESS + DRAIN_TIME).as_secs());
    }

    #[tokio::test]
    async fn a_body_of_several_chunks_is_put_together() {
        let chunks = ["{\"a\"", "", ":1}"].map(|text| Ok::<_, Interrupted>(Bytes::from(text)));
        let mut whole = body(&[], Body::from_stream(stream::iter(chunks.clone())));
        assert_eq!(whole.read(7).await, Ok(Bytes::from_static(b"{\"a\":1}")));
        let mut too_big = body(&[], Body::from_stream(stream::iter(chunks)));
        assert_eq!(too_big.read(6).await, Err(too_big.too_big(6)));
        let mut empty = body(&[], Body::empty());
        assert_eq!(empty.read(0).await, Ok(Bytes::new()));
    }
}
