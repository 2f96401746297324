//! A call and its answer as they were, and what is written of them.

use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use bytes::Bytes;
use prilavok_domain::Timestamp;
use prilavok_store::Credential;
use prilavok_store::requests::{Caller, Exchange, LoggedBody, LoggedMessage, LoggedRequest};

use super::mask::{self, Known};
use crate::request_id::{self, RequestId};

/// The most characters that are kept of an address and of a header's value.
const MAX_TARGET: usize = 4_096;
const MAX_VALUE: usize = 1_024;
/// What an entry takes in memory beside its texts, about.
const ENTRY_BYTES: usize = 1_024;

/// The head of a call, which nobody needs any more once it is answered.
pub(super) struct Head {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    id: Option<RequestId>,
}

impl Head {
    pub(super) fn of(mut parts: Parts) -> Self {
        Self {
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            id: parts.extensions.remove(),
        }
    }
}

/// A body, as far as it was seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct CapturedBody {
    /// `None`: it was not looked at.
    beginning: Option<Bytes>,
    bytes: Option<u64>,
}

impl CapturedBody {
    /// The beginning of a body of so many bytes.
    pub(crate) fn new(beginning: Bytes, bytes: u64) -> Self {
        Self {
            beginning: Some(beginning),
            bytes: Some(bytes),
        }
    }

    /// A body that was not looked at.
    pub(crate) fn unseen(bytes: Option<u64>) -> Self {
        Self {
            beginning: None,
            bytes,
        }
    }

    fn logged(&self, known: &Known) -> LoggedBody {
        let bytes = self.bytes;
        let nothing = LoggedBody {
            text: None,
            cut: false,
            bytes,
        };
        let Some(beginning) = self.beginning.as_ref().filter(|beginning| !beginning.is_empty()) else {
            return nothing;
        };
        let cut = bytes.is_some_and(|bytes| bytes > beginning.len() as u64);
        let text = match std::str::from_utf8(beginning) {
            Ok(text) => text,
            // Cut within a character.
            Err(error) if cut && error.error_len().is_none() => {
                std::str::from_utf8(&beginning[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(_) => return nothing,
        };
        if text.contains('\0') {
            return nothing;
        }
        LoggedBody {
            text: Some(mask::text(text, known).into_owned()),
            cut,
            bytes,
        }
    }
}

/// Whether a body of this type is looked at.
pub(super) fn is_text(content_type: Option<&HeaderValue>) -> bool {
    let Some(value) = content_type else { return true };
    let Ok(text) = value.to_str() else { return false };
    let media_type = text.split(';').next().unwrap_or_default().trim();
    let (kind, of) = media_type.split_once('/').unwrap_or((media_type, ""));
    let is = |text: &str, wanted: &str| text.eq_ignore_ascii_case(wanted);
    let ends_with = |suffix: &str| {
        let at = of.len().wrapping_sub(suffix.len());
        of.get(at..).is_some_and(|end| is(end, suffix))
    };
    let written = ["json", "xml", "x-www-form-urlencoded"];
    media_type.is_empty()
        || is(kind, "text") && !is(of, "event-stream")
        || is(kind, "application")
            && (written.iter().any(|it| is(of, it)) || ends_with("+json") || ends_with("+xml"))
}

/// A call and its answer.
pub(super) struct Captured {
    pub(super) at: Timestamp,
    pub(super) took: Duration,
    pub(super) head: Head,
    pub(super) asked: CapturedBody,
    pub(super) operation: Option<&'static str>,
    pub(super) caller: Option<Arc<Credential>>,
    pub(super) rule: Option<&'static str>,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) answered: CapturedBody,
}

impl Captured {
    /// The memory that it takes while it waits, about.
    pub(super) fn weight(&self) -> usize {
        let of_body = |body: &CapturedBody| body.beginning.as_ref().map_or(0, Bytes::len);
        let of_headers = self.head.headers.values().map(HeaderValue::len).sum::<usize>();
        let target = self.head.uri.path_and_query().map_or(0, |it| it.as_str().len());
        ENTRY_BYTES + target + of_headers + of_body(&self.asked) + of_body(&self.answered)
    }

    /// What is written of it; secrets are masked here.
    pub(super) fn logged(&self) -> (LoggedRequest, Exchange) {
        let Head {
            method,
            uri,
            headers,
            id,
        } = &self.head;
        let known = Known::in_headers(headers);
        let id = id.as_ref().map_or("", |id| &id.0);
        let target = uri.path_and_query().map_or(uri.path(), |target| target.as_str());
        let caller = self.caller.as_ref();
        let request = LoggedRequest {
            at: self.at,
            took_us: u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX),
            request_id: mask::text(id, &known).into_owned(),
            method: mask::text(cut(method.as_str(), MAX_VALUE), &known).into_owned(),
            target: mask::target(cut(target, MAX_TARGET), &known),
            operation: self.operation.map(str::to_owned),
            business: caller.map(|caller| caller.business),
            caller: caller.map(|caller| Caller {
                kind: caller.kind,
                id: caller.id,
                name: mask::text(caller.name.as_str(), &known).into_owned(),
            }),
            status: self.status.as_u16(),
            rule: self.rule.map(str::to_owned),
        };
        let mut answered = masked(&self.headers, &known);
        answered.push((request_id::HEADER.to_string(), request.request_id.clone()));
        let exchange = Exchange {
            request: LoggedMessage {
                headers: masked(headers, &known),
                body: self.asked.logged(&known),
            },
            answer: LoggedMessage {
                headers: answered,
                body: self.answered.logged(&known),
            },
        };
        (request, exchange)
    }
}

fn masked(headers: &HeaderMap, known: &Known) -> Vec<(String, String)> {
    let one = |(name, value): (&HeaderName, &HeaderValue)| {
        let text = String::from_utf8_lossy(value.as_bytes());
        let value = mask::header(name, cut(&text, MAX_VALUE), known);
        // An address may be named in full.
        let value = match *name {
            header::REFERER | header::LOCATION => mask::target(&value, known),
            _ => value,
        };
        (name.to_string(), value)
    };
    headers.iter().map(one).collect()
}

/// At most so many bytes of a text, without breaking a character.
fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}
