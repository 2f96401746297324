//! Who may call the Operator API: whoever holds an operator token.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use prilavok_store::SecretHash;

use crate::app::SharedApp;
use crate::json_api::bearer::bearer_token;
use crate::json_api::error::{ApiError, Code};
use crate::secrets;

/// The marketplace's backend, known by its token. A handler that takes it cannot be reached without one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operator(pub(super) SecretHash);

/// A request without a valid operator token.
#[derive(Debug)]
pub(super) enum AuthError {
    /// No bearer token was sent.
    Missing,
    /// Nobody issued the token.
    Invalid,
    /// It could not be looked up.
    Failed(ApiError),
}

impl FromRequestParts<SharedApp> for Operator {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, AuthError> {
        let token = bearer_token(&parts.headers).ok_or(AuthError::Missing)?;
        let hash = secrets::hash(token);
        let found = app.access.operator_token(hash).await;
        match found.map_err(|error| AuthError::Failed(error.into()))? {
            Some(_) => Ok(Self(hash)),
            None => Err(AuthError::Invalid),
        }
    }
}

impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        let (challenge, message) = match self {
            Self::Missing => (
                r#"Bearer realm="operator""#,
                "An operator token is needed: Authorization: Bearer <token>",
            ),
            Self::Invalid => (
                r#"Bearer realm="operator", error="invalid_token""#,
                "The operator token is not valid",
            ),
            Self::Failed(error) => return error.into_response(),
        };
        let mut response = ApiError::new(Code::Unauthorized, message).into_response();
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        response
    }
}
