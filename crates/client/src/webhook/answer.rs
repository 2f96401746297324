//! What a receiver answers.

use jiff::Timestamp;
use serde::Serialize;

/// An answer to a notification, to be sent as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its HTTP status.
    pub status: u16,
    /// Its body, JSON.
    pub body: Vec<u8>,
}

impl Answer {
    /// The media type of the body.
    pub const CONTENT_TYPE: &str = "application/json";

    pub(super) fn accepted(name: &str, version: &str, time: Timestamp) -> Self {
        #[derive(Serialize)]
        struct Accepted<'a> {
            version: &'a str,
            name: &'a str,
            time: Timestamp,
        }
        Self::new(200, &Accepted { version, name, time })
    }

    /// `kind` is one that the API documents for what will never be taken.
    pub(super) fn never(kind: &str, message: &str) -> Self {
        Self::failed(400, kind, message)
    }

    pub(super) fn again_later(message: &str) -> Self {
        Self::failed(401, "UNKNOWN", message)
    }

    fn failed(status: u16, kind: &str, message: &str) -> Self {
        #[derive(Serialize)]
        struct Failed<'a> {
            error: Why<'a>,
        }
        #[derive(Serialize)]
        struct Why<'a> {
            #[serde(rename = "type")]
            kind: &'a str,
            message: &'a str,
        }
        let error = Why { kind, message };
        Self::new(status, &Failed { error })
    }

    fn new(status: u16, body: &impl Serialize) -> Self {
        // Plain structs cannot fail to be written into memory.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self { status, body }
    }
}

impl From<Answer> for http::Response<Vec<u8>> {
    fn from(answer: Answer) -> Self {
        let mut response = Self::new(answer.body);
        if let Ok(status) = http::StatusCode::from_u16(answer.status) {
            *response.status_mut() = status;
        }
        let json = http::HeaderValue::from_static(Answer::CONTENT_TYPE);
        response.headers_mut().insert(http::header::CONTENT_TYPE, json);
        response
    }
}
