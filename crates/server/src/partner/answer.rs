//! Answers as HTTP: a success with its JSON, or a failure with the errors' JSON.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use prilavok_wire::{ApiError, Failure, answer};
use serde::Serialize;

use crate::overload::{RETRY_AFTER, Shed};
use crate::recording::RefusedBy;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Room for what one chat takes in JSON, most of the time: what is written into room that was made before need not be moved while
/// it grows.
pub(super) const CHAT_BYTES: usize = 512;
/// Room for what is around a result.
const ENVELOPE_BYTES: usize = 512;

/// The body of an answer to a call that succeeded.
pub(super) struct Reply(Body);

impl Reply {
    /// Nothing more than that it succeeded.
    pub(super) fn empty() -> Self {
        Self(Body::from(answer::EMPTY))
    }

    /// A result within its envelope.
    pub(super) fn result(result: impl Serialize) -> Self {
        Self::list(result, CHAT_BYTES)
    }

    /// A result that takes about so many bytes, within its envelope.
    pub(super) fn list(result: impl Serialize, bytes: usize) -> Self {
        Self::written(&answer::Success::new(result), bytes)
    }

    /// A body that is its own envelope.
    pub(super) fn bare(body: &impl Serialize) -> Self {
        Self::written(body, CHAT_BYTES)
    }

    fn written(body: &impl Serialize, bytes: usize) -> Self {
        let mut json = Vec::with_capacity(ENVELOPE_BYTES + bytes);
        Self(match sonic_rs::to_writer(&mut json, body) {
            Ok(()) => Body::from(json),
            // Answers are plain structs, which cannot fail to be written into memory.
            Err(_) => Body::empty(),
        })
    }
}

/// The answer to a call.
pub(super) fn respond(outcome: Result<Reply, Failure>) -> Response<Body> {
    match outcome {
        Ok(Reply(body)) => json(StatusCode::OK, body),
        Err(failure) => {
            let mut response = json(failure.status(), Body::from(failure.to_json()));
            if let Some(decisive) = failure.errors().next() {
                response.extensions_mut().insert(RefusedBy(decisive.rule()));
            }
            if failure.errors().any(|error| *error == ApiError::Overloaded) {
                response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
                response.extensions_mut().insert(Shed::Writes);
            }
            response
        }
    }
}

fn json(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}
