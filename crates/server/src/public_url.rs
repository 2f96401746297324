//! The address that clients reach the server by, where links to it must begin.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};

use crate::app::SharedApp;
use crate::settings::Settings;

/// The address, without a final slash: the configured one, or the one that the client itself used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(pub String);

impl PublicUrl {
    /// The address for a request with `headers`.
    #[must_use]
    pub fn of(settings: &Settings, headers: &HeaderMap) -> Self {
        if let Some(url) = &settings.public_url {
            return Self(url.trim_end_matches('/').to_owned());
        }
        let scheme = settings.server.scheme();
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        match host.filter(|host| {
            host.parse::<Authority>()
                .is_ok_and(|authority| authority.as_str() == *host)
        }) {
            Some(host) => Self(format!("{scheme}://{host}")),
            None => Self(format!("{scheme}://{}", settings.listen)),
        }
    }
}

impl FromRequestParts<SharedApp> for PublicUrl {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, Infallible> {
        Ok(Self::of(&app.settings, &parts.headers))
    }
}
