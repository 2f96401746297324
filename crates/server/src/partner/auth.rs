//! Who calls: the credential behind the `Api-Key` or `Authorization` header.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use prilavok_domain::{CredentialKind, Timestamp};
use prilavok_store::{Credential, SecretHash};
use prilavok_wire::ApiError;

use super::refusal::{self, Incident};
use crate::app::App;
use crate::secrets::{self, AuthorizationError, KeyError};

const API_KEY: HeaderName = HeaderName::from_static("api-key");

/// What a request presents: the hash of a key or token that is well-formed, whoever it may belong to.
#[derive(Clone, Copy)]
pub(super) struct Presented {
    kind: CredentialKind,
    hash: SecretHash,
}

/// What the headers present. An `Api-Key` counts before an `Authorization`.
pub(super) fn presented(headers: &HeaderMap) -> Result<Presented, ApiError> {
    let (kind, secret) = match (headers.get(&API_KEY), headers.get(header::AUTHORIZATION)) {
        (Some(key), _) => (CredentialKind::ApiKey, api_key(key)?),
        (None, Some(header)) => (CredentialKind::OAuthToken, oauth_token(header)?),
        (None, None) => return Err(ApiError::CredentialsMissing),
    };
    Ok(Presented {
        kind,
        hash: secrets::hash(secret),
    })
}

/// The credential that a request is made with.
pub(super) async fn credential(
    app: &App,
    headers: &HeaderMap,
    now: Timestamp,
    incident: &Incident,
) -> Result<Arc<Credential>, ApiError> {
    known(app, presented(headers)?, now, incident).await
}

/// The credential behind what was presented, if it is good now.
pub(super) async fn known(
    app: &App,
    Presented { kind, hash }: Presented,
    now: Timestamp,
    incident: &Incident,
) -> Result<Arc<Credential>, ApiError> {
    let unknown = match kind {
        CredentialKind::ApiKey => ApiError::KeyUnknown,
        CredentialKind::OAuthToken => ApiError::OAuthTokenInvalid,
    };
    let found = app
        .access
        .credential(kind, hash)
        .await
        .map_err(|error| refusal::to_error(error, incident))?;
    match found {
        None => Err(unknown),
        Some(found) if found.revoked_at.is_some() && kind == CredentialKind::ApiKey => {
            Err(ApiError::KeyRevoked)
        }
        Some(found) if found.revoked_at.is_some() || found.expires_at.is_some_and(|end| end <= now) => {
            Err(unknown)
        }
        Some(found) => Ok(found),
    }
}

fn api_key(header: &HeaderValue) -> Result<&str, ApiError> {
    let key = header.to_str().map_err(|_| match header.as_bytes() {
        [b'A', b'C', b'M', b'A', b':', ..] => ApiError::KeyFormat,
        _ => ApiError::KeyPrefix,
    })?;
    match secrets::check_api_key(key) {
        Ok(()) => Ok(key),
        Err(KeyError::PrefixInvalid) => Err(ApiError::KeyPrefix),
        Err(KeyError::LengthInvalid) => Err(ApiError::KeyLength),
        Err(KeyError::FormatInvalid) => Err(ApiError::KeyFormat),
    }
}

fn oauth_token(header: &HeaderValue) -> Result<&str, ApiError> {
    let text = header.to_str().map_err(|_| ApiError::AuthorizationSyntax)?;
    secrets::oauth_token(text).map_err(|error| match error {
        AuthorizationError::Syntax => ApiError::AuthorizationSyntax,
        AuthorizationError::TokenMissing => ApiError::OAuthTokenMissing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_header_can_say_is_no_token() {
        let odd = HeaderValue::from_bytes(b"Bearer \xff").expect("allowed in headers");
        assert_eq!(oauth_token(&odd), Err(ApiError::AuthorizationSyntax));
        let none = HeaderValue::from_static("Bearer");
        assert_eq!(oauth_token(&none), Err(ApiError::OAuthTokenMissing));
    }
}
