//! An answer that carries errors: one or more of them, and no room for a success.

use std::fmt;

use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ApiError;

/// The most errors that one answer shows.
const MAX_ERRORS: usize = 100;

/// Why a request failed: at least one error. The first one gives the HTTP status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    first: Box<ApiError>,
    more: Vec<ApiError>,
}

impl Failure {
    /// The HTTP status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.first.status()
    }

    /// The errors, the decisive one first.
    pub fn errors(&self) -> impl Iterator<Item = &ApiError> {
        std::iter::once(&*self.first).chain(&self.more)
    }

    /// The body of the answer, as JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let errors = self
            .errors()
            .map(|error| ErrorDto {
                code: error.code(),
                message: error.to_string(),
            })
            .collect();
        let body = ErrorBody {
            status: "ERROR",
            errors,
        };
        // Structs of strings cannot fail to be written into memory.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self {
            first: Box::new(error),
            more: Vec::new(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        self.more.iter().try_for_each(|error| write!(f, "; {error}"))
    }
}

impl std::error::Error for Failure {}

/// Errors found so far in a request; the request is only handed out where there are none.
#[derive(Debug, Default)]
pub struct Errors(Vec<ApiError>);

impl Errors {
    /// None so far.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds one. Beyond 100 nobody reads them.
    pub fn add(&mut self, error: ApiError) {
        if self.0.len() < MAX_ERRORS {
            self.0.push(error);
        }
    }

    /// Adds one that is found late, unless it is of another status than those before it: one answer
    /// has one status.
    pub(crate) fn add_last(&mut self, error: ApiError) {
        if self
            .0
            .first()
            .is_none_or(|first| first.status() == error.status())
        {
            self.add(error);
        }
    }

    /// `value` where nothing was wrong.
    pub fn finish<T>(self, value: T) -> Result<T, Failure> {
        let mut errors = self.0.into_iter();
        match errors.next() {
            None => Ok(value),
            Some(first) => Err(Failure {
                first: Box::new(first),
                more: errors.collect(),
            }),
        }
    }
}

/// The body of an answer with errors.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiErrorResponse)]
pub(crate) struct ErrorBody {
    /// Always `ERROR`.
    #[schema(example = "ERROR", pattern = "^ERROR$")]
    status: &'static str,
    /// What is wrong; wrong fields come together.
    #[schema(min_items = 1)]
    errors: Vec<ErrorDto>,
}

/// One error.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiErrorDTO)]
pub(crate) struct ErrorDto {
    /// What kind of error it is.
    #[schema(example = "BAD_REQUEST")]
    code: &'static str,
    /// What is wrong, for people: names the field and the rule.
    #[schema(example = "Required request parameter 'chatId' is not present")]
    message: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Quoted;

    #[test]
    fn an_answer_shows_every_error_with_its_code() {
        let mut errors = Errors::new();
        errors.add(ApiError::ParameterMissing("chatId"));
        errors.add(ApiError::TypeMismatch(Quoted::new("a\"b")));
        let failure = errors.finish(()).expect_err("two errors");
        assert_eq!(failure.status(), StatusCode::BAD_REQUEST);
        assert_eq!(
            String::from_utf8_lossy(&failure.to_json()),
            concat!(
                r#"{"status":"ERROR","errors":["#,
                r#"{"code":"BAD_REQUEST","message":"Required request parameter 'chatId' is not present"},"#,
                r#"{"code":"BAD_REQUEST","message":"Type mismatch: 'a\"b'"}]}"#
            )
        );
        assert_eq!(Errors::new().finish(5), Ok(5));
    }
}
