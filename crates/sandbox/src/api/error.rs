//! Answers of the sandbox's own API that are no success.

use axum::Json;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a request to the sandbox failed.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    message: String,
}

#[derive(Serialize)]
struct Body {
    error: Said,
}

#[derive(Serialize)]
struct Said {
    message: String,
}

impl ApiError {
    /// The request says something that cannot be.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
        }
    }

    /// The address has other methods; the router names them.
    pub(super) fn other_method() -> Self {
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            message: "the address has no such method".to_owned(),
        }
    }

    /// There is no such thing.
    pub(super) fn missing(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            message: message.into(),
        }
    }
}

impl From<anyhow::Error> for ApiError {
    fn from(error: anyhow::Error) -> Self {
        tracing::warn!(error = format!("{error:#}"), "a request to the sandbox failed");
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            message: format!("{error:#}"),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let message = self.message;
        (
            self.status,
            Json(Body {
                error: Said { message },
            }),
        )
            .into_response()
    }
}

/// Reads a JSON body; an error names the field and the rule. No body is an empty object.
pub(super) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, ApiError> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    let mut json = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let place = error.path().to_string();
        let what = error.into_inner();
        ApiError::bad(match place.as_str() {
            "." => format!("the body is not what it must be: {what}"),
            place => format!("'{place}': {what}"),
        })
    })
}
