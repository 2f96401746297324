//! One call of the API before it is sent.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, USER_AGENT};
use http::{Method, Request};
use http_body_util::Full;
use serde::Serialize;
use url::Url;

use crate::credential::Credential;
use crate::id::{BusinessId, CampaignId};
use crate::request::IdempotencyKey;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const JSON: &str = "application/json";
const AGENT: &str = concat!("prilavok-client/", env!("CARGO_PKG_VERSION"));

/// What a call is about: limits count by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Area {
    Business(BusinessId),
    Campaign(CampaignId),
    Key,
}

/// One call of the API.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) operation: &'static str,
    pub(crate) area: Area,
    pub(crate) url: Url,
    /// Doing it twice is as good as doing it once.
    pub(crate) repeatable: bool,
    method: Method,
    key: Option<IdempotencyKey>,
    content_type: Option<String>,
    body: Bytes,
}

impl Call {
    pub(crate) fn new(operation: &'static str, method: Method, area: Area, url: Url) -> Self {
        Self {
            operation,
            area,
            url,
            repeatable: true,
            method,
            key: None,
            content_type: None,
            body: Bytes::new(),
        }
    }

    pub(crate) fn query(mut self, name: &str, value: &impl ToString) -> Self {
        self.url.query_pairs_mut().append_pair(name, &value.to_string());
        self
    }

    pub(crate) fn json(self, body: &impl Serialize) -> Self {
        // Plain structs cannot fail to be written into memory.
        self.body(
            JSON.to_owned(),
            serde_json::to_vec(body).unwrap_or_default().into(),
        )
    }

    pub(crate) fn body(mut self, content_type: String, body: Bytes) -> Self {
        self.content_type = Some(content_type);
        self.body = body;
        self
    }

    /// It makes something anew each time, unless the server knows it by its key.
    pub(crate) fn once(mut self, key: Option<&IdempotencyKey>, server_knows_keys: bool) -> Self {
        self.repeatable = key.is_some() && server_knows_keys;
        self.key = key.cloned();
        self
    }

    pub(crate) fn request(&self, credential: &Credential) -> Result<Request<Full<Bytes>>, http::Error> {
        let (name, value) = credential.header();
        let mut request = get(&self.url).method(self.method.clone()).header(name, value);
        if let Some(key) = &self.key {
            request = request.header(IDEMPOTENCY_KEY, key.as_str());
        }
        if let Some(content_type) = &self.content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        request.header(ACCEPT, JSON).body(Full::new(self.body.clone()))
    }
}

/// A request to be completed.
pub(crate) fn get(url: &Url) -> http::request::Builder {
    Request::get(url.as_str()).header(USER_AGENT, AGENT)
}
