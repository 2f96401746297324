//! The `Idempotency-Key` header: a request that is sent again under its key happens once, for 24 hours.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use prilavok_store::{Idempotency, Surface};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::error::ApiError;
use crate::app::SharedApp;

/// The header, as errors and the API's document write it.
pub(crate) const HEADER: &str = "Idempotency-Key";
/// Set on answers that repeat an earlier one.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

const MAX_LENGTH: usize = 255;

/// The client's key for a request that must happen once, if it sent one.
#[derive(Debug)]
pub(crate) struct Once(Option<String>);

impl Once {
    /// The key, bound to what is asked: the operation and everything that decides what it does.
    pub(crate) fn of(self, operation: &str, asked: &[&[u8]]) -> Option<Idempotency> {
        let key = self.0?;
        let mut hash = Sha256::new();
        for part in [operation.as_bytes()].iter().chain(asked) {
            // With its length before it, no part can pass for the end of another.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Some(Idempotency {
            surface: Surface::Operator,
            key,
            fingerprint: hash.finalize().into(),
        })
    }
}

impl FromRequestParts<SharedApp> for Once {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &SharedApp) -> Result<Self, ApiError> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let (value, further) = (values.next(), values.next());
        let Some(value) = value else { return Ok(Self(None)) };
        let visible = |key: &HeaderValue| key.as_bytes().iter().all(u8::is_ascii_graphic);
        if further.is_none() && (1..=MAX_LENGTH).contains(&value.len()) && visible(value) {
            return Ok(Self(value.to_str().ok().map(str::to_owned)));
        }
        Err(ApiError::field(
            HEADER,
            format!("must be one key of 1 to {MAX_LENGTH} visible ASCII characters"),
        ))
    }
}

impl IntoParams for Once {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter("business")]
    }
}

/// How the API's document describes the header; `whose` says to whom keys belong.
pub(crate) fn parameter(whose: &str) -> Parameter {
    let key = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(MAX_LENGTH))
        .pattern(Some("^[!-~]+$"))
        .examples(["5d1f0b5e-8a7c-4a53-9c0b-6a3a5b7f2d11"]);
    let parameter = ParameterBuilder::new()
        .name(HEADER)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(format!(
            "Makes it safe to send the request again: within 24 hours the same key makes the same thing \
                 happen once, and later answers carry `Idempotent-Replayed: true`. The same key with another \
                 request is refused with `IDEMPOTENCY_KEY_REUSED`. Keys belong to the {whose}; requests that \
                 were refused are not remembered.",
        )))
        .schema(Some(key));
    parameter.build()
}

/// An answer that says whether it repeats an earlier one.
pub(crate) struct Answer<T> {
    pub(crate) status: StatusCode,
    pub(crate) body: T,
    pub(crate) replayed: bool,
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.body)).into_response();
        if self.replayed {
            response
                .headers_mut()
                .insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}
