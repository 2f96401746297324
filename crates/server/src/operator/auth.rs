//! Who may call the Operator API: whoever holds an operator token.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use prilavok_store::SecretHash;

use super::error::{ApiError, Code};
use crate::app::SharedApp;
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

/// The token of the one `Authorization: Bearer …` header.
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty()).then_some(token)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_bearer_token_counts() {
        for (values, expected) in [
            (vec!["Bearer abc"], Some("abc")),
            (vec!["bearer  abc "], Some("abc")),
            (vec!["Bearer "], None),
            (vec!["Bearer"], None),
            (vec!["Basic abc"], None),
            (vec!["abc"], None),
            (vec!["Bearer abc", "Bearer abc"], None),
            (vec![], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in &values {
                headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
            }
            assert_eq!(bearer_token(&headers), expected, "{values:?}");
        }
    }
}
