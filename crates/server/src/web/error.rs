//! What a page could not do, and how it is answered.

use std::any::Any;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use prilavok_domain::rules::RuleViolation;
use prilavok_pages::Audience;
use prilavok_pages::sign_in::Hint;
use prilavok_pages::trouble::{Problem, Trouble};
use prilavok_store::files::FileError;
use prilavok_store::{Conflict, Refusal, StoreError};

/// What a page could not do. It is left in the answer, where [`super::surround`] makes a page of it.
#[derive(Debug, Clone)]
pub(super) enum WebError {
    /// One has to sign in first.
    SignIn(Audience, Option<Hint>),
    /// There is no such page, chat or file.
    NotFound,
    /// It came from somewhere else, or without the session's token.
    Forged,
    /// The key may read and not write.
    ReadOnly,
    /// What was sent cannot be taken.
    Invalid(Problem),
    /// Too many requests or writes wait.
    Overloaded,
    /// The store does not answer, or cannot write.
    Unavailable(String),
    /// A defect of ours.
    Internal(String),
}

impl WebError {
    pub(super) fn internal(error: impl std::fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }

    pub(super) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Self::Internal(format!("a handler panicked: {}", text.unwrap_or_default()))
    }

    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::SignIn(..) => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forged | Self::ReadOnly => StatusCode::FORBIDDEN,
            Self::Invalid(Problem::FileTooLarge(_)) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Invalid(
                Problem::Finished
                | Problem::Erased
                | Problem::NameTaken
                | Problem::TooManyReplies
                | Problem::KeyNameTaken
                | Problem::TooManyKeys
                | Problem::SubscriptionOff,
            ) => StatusCode::CONFLICT,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Overloaded | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What the reader is told. Nothing of what the server knows about a defect but the request's id.
    pub(super) fn trouble(&self, request_id: &str) -> Trouble {
        match self {
            Self::NotFound | Self::SignIn(..) => Trouble::NotFound,
            Self::Forged => Trouble::Forged,
            Self::ReadOnly => Trouble::ReadOnly,
            Self::Invalid(problem) => Trouble::Invalid(problem.clone()),
            Self::Overloaded => Trouble::Overloaded,
            Self::Unavailable(_) => Trouble::Unavailable,
            Self::Internal(_) => Trouble::Internal(request_id.to_owned()),
        }
    }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for WebError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(Refusal::NotFound(_)) => Self::NotFound,
            StoreError::Refused(Refusal::Rule(RuleViolation::CustomerErased)) => {
                Self::Invalid(Problem::Erased)
            }
            StoreError::Refused(Refusal::Rule(_)) => Self::Invalid(Problem::Finished),
            StoreError::Refused(Refusal::Conflict(Conflict::NameTaken)) => Self::Invalid(Problem::NameTaken),
            StoreError::Refused(Refusal::Conflict(Conflict::TooManyReplies)) => {
                Self::Invalid(Problem::TooManyReplies)
            }
            StoreError::Refused(Refusal::Conflict(Conflict::TooManyKeys)) => {
                Self::Invalid(Problem::TooManyKeys)
            }
            StoreError::Refused(Refusal::Conflict(Conflict::SubscriptionDisabled)) => {
                Self::Invalid(Problem::SubscriptionOff)
            }
            StoreError::Refused(_) => Self::Invalid(Problem::Broken),
            StoreError::Busy => Self::Overloaded,
            StoreError::Unavailable(why) => Self::Unavailable(why),
            StoreError::Failed(cause) => Self::internal(cause),
        }
    }
}

impl From<FileError> for WebError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Unavailable(_) => Self::Unavailable(error.to_string()),
            FileError::NotFound | FileError::Failed(_) => Self::internal(error),
        }
    }
}
