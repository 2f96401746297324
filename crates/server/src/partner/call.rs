//! A call that was admitted: what its handler may look at.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use bytes::Bytes;
use prilavok_domain::{BusinessId, ChatId, Timestamp};
use prilavok_store::{Credential, Idempotency, StoreError, Surface};
use prilavok_wire::error::Quoted;
use prilavok_wire::operation::Area;
use prilavok_wire::{ApiError, Errors, Operation, query};
use sha2::{Digest, Sha256};

use super::body::{self, RequestBody};
use super::refusal::{self, Incident};
use crate::access::BusinessAccess;
use crate::app::App;

const BUSINESS_ID: HeaderName = HeaderName::from_static("x-business-id");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const MAX_IDEMPOTENCY_KEY: usize = 255;

/// A call that was admitted.
pub(super) struct Call<'a> {
    pub(super) app: &'a App,
    pub(super) operation: Operation,
    pub(super) credential: &'a Credential,
    /// The business of the credential, which is also the one in the address.
    pub(super) access: &'a BusinessAccess,
    /// The number of the campaign in the address, where the address has one.
    pub(super) campaign: Option<i64>,
    pub(super) parts: &'a Parts,
    pub(super) body: &'a mut RequestBody,
    pub(super) now: Timestamp,
    pub(super) incident: &'a Incident,
}

impl Call<'_> {
    pub(super) fn business(&self) -> BusinessId {
        self.credential.business
    }

    pub(super) fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// What is wrong with the headers; the errors of parameters and body come after it.
    pub(super) fn header_errors(&self) -> Errors {
        let mut errors = Errors::new();
        let area = self.operation.row().area;
        if let Err(error) = check_business_header(&self.parts.headers, area, self.business()) {
            errors.add(error);
        }
        if self.operation.row().idempotency
            && let Err(error) = self.idempotency_key()
        {
            errors.add(error);
        }
        errors
    }

    fn idempotency_key(&self) -> Result<Option<&str>, ApiError> {
        let Some(header) = self.parts.headers.get(IDEMPOTENCY_KEY) else {
            return Ok(None);
        };
        match header.to_str() {
            Ok(key)
                if (1..=MAX_IDEMPOTENCY_KEY).contains(&key.len())
                    && key.bytes().all(|b| b.is_ascii_graphic()) =>
            {
                Ok(Some(key))
            }
            _ => Err(ApiError::IdempotencyKey),
        }
    }

    /// The client's idempotency key, bound to what `parts` say is asked.
    pub(super) fn once(&self, parts: &[&[u8]]) -> Result<Option<Idempotency>, ApiError> {
        let Some(key) = self.idempotency_key()? else {
            return Ok(None);
        };
        let mut hash = Sha256::new();
        let of_all = [
            self.operation.as_str().as_bytes(),
            &self.business().get().to_be_bytes(),
        ];
        for part in of_all.iter().chain(parts) {
            // With its length before it, no part can pass for the end of another.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Ok(Some(Idempotency {
            surface: Surface::Partner,
            key: key.to_owned(),
            fingerprint: hash.finalize().into(),
        }))
    }

    /// The JSON body, not parsed yet.
    pub(super) async fn json(&mut self) -> Result<Bytes, ApiError> {
        body::check_json(self.parts.headers.get(header::CONTENT_TYPE))?;
        self.body.read(body::MAX_JSON_BYTES).await
    }

    /// The error that a partner is shown for an error of the store.
    pub(super) fn refused(&self, error: StoreError) -> ApiError {
        refusal::to_error(error, self.incident)
    }
}

/// Whether the `X-Business-Id` header, where there is one, is an id, and that of the business in the address.
pub(super) fn check_business_header(
    headers: &HeaderMap,
    area: Area,
    business: BusinessId,
) -> Result<(), ApiError> {
    let Some(header) = headers.get(BUSINESS_ID) else {
        return Ok(());
    };
    let text = String::from_utf8_lossy(header.as_bytes());
    let header =
        query::id("X-Business-Id", &text).map_err(|_| ApiError::BusinessIdHeader(Quoted::new(&text)))?;
    let url = business.get();
    if area == Area::Business && header != url {
        return Err(ApiError::BusinessIdMismatch { url, header });
    }
    Ok(())
}

/// The id of a chat that a client named. No chat has a number that is no id.
pub(super) fn chat_id(number: i64) -> Result<ChatId, ApiError> {
    ChatId::new(number).map_err(|_| ApiError::ChatNotFound(number))
}
