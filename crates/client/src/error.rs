//! What can go wrong, and what it says about whether a call was done.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

use crate::limit::RateLimit;
use crate::names::ErrorCode;

/// 420, by which the API refuses a call that is one too many.
const LIMITED: u16 = 420;
/// How much of an answer that is not the API's is shown.
const EXCERPT_CHARS: usize = 200;

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection could be made, so nothing was sent.
    #[error("cannot reach {host}: {why}")]
    Unreachable {
        /// The host and port.
        host: String,
        /// What stood in the way.
        why: String,
    },
    /// The call was sent, and no whole answer came: it may have been done or not.
    #[error("no answer to {operation} from {host}: {why}; it may have been done all the same")]
    Interrupted {
        /// The operation.
        operation: &'static str,
        /// The host and port.
        host: String,
        /// What stood in the way.
        why: String,
    },
    /// The server answered with an error.
    #[error("{0}")]
    Api(Box<ApiError>),
    /// The calls of the hour are used up, and waiting for the next hour takes longer than it may.
    #[error("the calls of {operation} are used up for {} s", reset_in.as_secs())]
    UsedUp {
        /// The operation.
        operation: &'static str,
        /// How long until there are new ones.
        reset_in: Duration,
    },
    /// The server answered 200 with something that is not the API's answer.
    #[error("the answer to {operation} is not what the API answers ({why}): is the base URL right?")]
    Unreadable {
        /// The operation.
        operation: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

/// An answer that is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// The operation.
    pub operation: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong; empty when the answer did not come from the API but from a proxy, for example.
    pub details: Vec<ErrorDetail>,
    /// What the answer said about the limit of the operation.
    pub limit: RateLimit,
    /// The beginning of the body where it is not the API's.
    excerpt: String,
    /// How long the server asks to wait.
    pub(crate) retry_after: Option<Duration>,
}

/// One of the things that are wrong.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ErrorDetail {
    /// What it is.
    pub code: ErrorCode,
    /// The same for people.
    #[serde(default)]
    pub message: String,
}

/// What an error says about whether a call was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was not done, and may be done if it is tried again.
    NotDone,
    /// Nobody knows; trying again may help.
    InDoubt,
    /// Trying again does not help.
    Final,
}

impl Error {
    /// The HTTP status, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.api().map(|error| error.status)
    }

    /// The server's answer, if it answered with an error.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            _ => None,
        }
    }

    /// Whether the call may have been done in spite of the error: sending a message again may make two.
    #[must_use]
    pub fn may_have_been_done(&self) -> bool {
        self.outcome() == Outcome::InDoubt || matches!(self, Self::Unreadable { .. })
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Unreachable { .. } => Outcome::NotDone,
            Self::Interrupted { .. } => Outcome::InDoubt,
            Self::Api(error) => match error.status {
                LIMITED | 423 | 429 => Outcome::NotDone,
                500..=599 => Outcome::InDoubt,
                _ => Outcome::Final,
            },
            Self::UsedUp { .. } | Self::Unreadable { .. } => Outcome::Final,
        }
    }
}

impl ApiError {
    pub(crate) fn new(
        operation: &'static str,
        status: u16,
        body: &[u8],
        limit: RateLimit,
        retry_after: Option<Duration>,
    ) -> Self {
        #[derive(Deserialize)]
        struct Envelope {
            errors: Vec<ErrorDetail>,
        }
        let details =
            serde_json::from_slice(body).map_or_else(|_| Vec::new(), |envelope: Envelope| envelope.errors);
        let excerpt = match details.is_empty() {
            true => String::from_utf8_lossy(body)
                .chars()
                .take(EXCERPT_CHARS)
                .collect(),
            false => String::new(),
        };
        Self {
            operation,
            status,
            details,
            limit,
            excerpt,
            retry_after,
        }
    }

    /// Whether one of the things that are wrong is this one.
    #[must_use]
    pub fn has(&self, code: &ErrorCode) -> bool {
        self.details.iter().any(|detail| detail.code == *code)
    }

    /// Whether it was refused because the calls of the hour are used up.
    #[must_use]
    pub fn is_used_up(&self) -> bool {
        matches!(self.status, LIMITED | 429) && self.limit.remaining == Some(0)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was answered {}", self.operation, self.status)?;
        if self.details.is_empty() {
            return write!(f, ", not by the API: {}", self.excerpt.trim());
        }
        let mut before = ": ";
        for detail in &self.details {
            write!(f, "{before}{}", detail.message)?;
            before = "; ";
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(status: u16, body: &str) -> ApiError {
        ApiError::new("getChat", status, body.as_bytes(), RateLimit::default(), None)
    }

    #[test]
    fn an_error_tells_all_that_is_wrong() {
        let error = api(
            400,
            r#"{"status":"ERROR","errors":[{"code":"BAD_REQUEST","message":"one"},{"code":"NEW","message":"two"}]}"#,
        );
        assert_eq!(error.to_string(), "getChat was answered 400: one; two");
        assert!(error.has(&ErrorCode::BadRequest) && error.has(&ErrorCode::Other("NEW".to_owned())));
        let error = api(502, "<h1>Bad gateway</h1>");
        assert_eq!(
            error.to_string(),
            "getChat was answered 502, not by the API: <h1>Bad gateway</h1>"
        );
    }

    #[test]
    fn it_is_known_whether_a_call_may_have_been_done() {
        for (status, outcome) in [
            (400, Outcome::Final),
            (404, Outcome::Final),
            (420, Outcome::NotDone),
            (423, Outcome::NotDone),
            (429, Outcome::NotDone),
            (500, Outcome::InDoubt),
            (503, Outcome::InDoubt),
        ] {
            assert_eq!(
                Error::Api(Box::new(api(status, "{}"))).outcome(),
                outcome,
                "{status}"
            );
        }
    }
}
