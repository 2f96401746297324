//! The id of a request, by which its log lines are found.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries the id, in requests and answers.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

const MAX_CHARS: usize = 128;

/// The id of a request: in the answer's `X-Request-Id` header and in each log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub Arc<str>);

impl RequestId {
    /// The id that the client chose, if it is 1–128 visible ASCII characters, or a new one.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let chosen = headers
            .get(HEADER)
            .and_then(|value| value.to_str().ok())
            .filter(|text| {
                (1..=MAX_CHARS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
            });
        Self(chosen.map_or_else(random, Arc::from))
    }

    /// The id as a header's value.
    #[must_use]
    pub fn to_header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
    }
}

/// Sixteen hexadecimal digits.
fn random() -> Arc<str> {
    let number = fastrand::u64(..).to_be_bytes();
    let digit = |half: u8| b"0123456789abcdef"[usize::from(half & 15)];
    let mut text = [0; 16];
    for (pair, byte) in text.chunks_exact_mut(2).zip(number) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte)]);
    }
    // Only ASCII was written.
    std::str::from_utf8(&text).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_may_choose_the_id() {
        for (sent, kept) in [
            ("abc-123", true),
            ("", false),
            ("a b", false),
            ("ключ", false),
            (&*"x".repeat(129), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_bytes(sent.as_bytes()).expect("a value"));
            let id = RequestId::of(&headers);
            assert_eq!(&*id.0 == sent, kept, "{sent}");
            assert_eq!(id.to_header().to_str().expect("ASCII"), &*id.0);
        }
        assert_ne!(RequestId::of(&HeaderMap::new()), RequestId::of(&HeaderMap::new()));
    }
}
