//! Forms without files: small, and carrying the session's token.

use axum::extract::{FromRequest, Request};
use prilavok_pages::trouble::Problem;
use prilavok_store::{Idempotency, Surface};
use sha2::{Digest, Sha256};

use super::error::WebError;
use super::reader::SignedIn;
use super::session::Session;
use crate::app::SharedApp;

/// The most bytes of a form: a text of 4,096 characters may take twelve for each when it is written as `%XX`.
const MAX_BYTES: usize = 64 * 1024;
const MAX_ONCE_BYTES: usize = 100;
/// The field, and the header of our scripts, that carry the session's token.
const CSRF: &str = "csrf";
pub(super) const CSRF_HEADER: &str = "x-csrf-token";

/// The fields of a form.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The value of a field; empty where there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(it, _)| it == name);
        found.map_or("", |(_, value)| value)
    }

    /// Every value of a field that may come more than once.
    pub(super) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        let found = self.0.iter().filter(move |(it, _)| it == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The key that the form is sent under, with the fingerprint of what it asks for at `address`.
    pub(super) fn once(&self, address: &str) -> Option<Idempotency> {
        let key = self.get("once");
        let mut hash = Sha256::new();
        let fields = self.0.iter().filter(|(name, _)| name != CSRF);
        for part in fields
            .flat_map(|(name, value)| [name.as_str(), value])
            .chain([address])
        {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        (1..=MAX_ONCE_BYTES).contains(&key.len()).then(|| Idempotency {
            surface: Surface::Pages,
            key: key.to_owned(),
            fingerprint: hash.finalize().into(),
        })
    }
}

impl FromRequest<SharedApp> for Fields {
    type Rejection = WebError;

    async fn from_request(request: Request, _: &SharedApp) -> Result<Self, WebError> {
        let broken = |_| WebError::Invalid(Problem::Broken);
        let bytes = axum::body::to_bytes(request.into_body(), MAX_BYTES)
            .await
            .map_err(broken)?;
        Ok(Self(form_urlencoded::parse(&bytes).into_owned().collect()))
    }
}

/// A form that a page of the reader's own session sent. A handler that takes it cannot be reached without the token.
pub(super) struct SentBy<R> {
    pub(super) reader: R,
    pub(super) fields: Fields,
}

impl<R: SignedIn> FromRequest<SharedApp> for SentBy<R> {
    type Rejection = WebError;

    async fn from_request(request: Request, app: &SharedApp) -> Result<Self, WebError> {
        let (mut parts, body) = request.into_parts();
        let reader = R::from_request_parts(&mut parts, app).await?;
        let header = parts.headers.get(CSRF_HEADER).cloned();
        let fields = Fields::from_request(Request::from_parts(parts, body), app).await?;
        let token = header.as_ref().and_then(|header| header.to_str().ok());
        check_token(reader.session(), token.unwrap_or_else(|| fields.get(CSRF)))?;
        Ok(Self { reader, fields })
    }
}

/// Refuses what does not carry the session's token.
pub(super) fn check_token(session: &Session, token: &str) -> Result<(), WebError> {
    // Both are hashed first: how long the comparison takes says nothing about the token.
    if crate::secrets::hash(token) == crate::secrets::hash(&session.csrf) {
        Ok(())
    } else {
        Err(WebError::Forged)
    }
}
