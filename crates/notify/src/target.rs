//! The URL of a subscription: what it may look like, whoever it leads to.

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use url::{Host, Url};

use crate::guard::{Forbidden, Guard};

/// The most characters of a URL.
const MAX_CHARS: usize = 2_048;

/// A URL that notifications may be sent to, as far as it can be told without asking for its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    url: Url,
    uri: Uri,
}

/// Why a URL cannot be notified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// It is too long, as it came or as it is kept.
    #[error("must have at most {MAX_CHARS} characters; letters beyond ASCII count with their escapes")]
    TooLong,
    /// It is no URL.
    #[error("must be a URL like https://crm.example.com/notifications ({0})")]
    NoUrl(String),
    /// It is neither HTTPS nor, where that is allowed, HTTP.
    #[error("must begin with https:// (plain http:// only with --allow-private-webhooks)")]
    Scheme,
    /// It holds a user's name or password.
    #[error("must not contain a user name or password")]
    Credentials,
    /// Its host is an address that is not notified.
    #[error(
        "must not lead to {0}, unless the settings allow its network (notifications.allowed_networks) or every \
         address (--allow-private-webhooks)"
    )]
    Forbidden(Forbidden),
}

impl Target {
    /// Checks a URL.
    pub fn parse(text: &str, guard: &Guard) -> Result<Self, InvalidTarget> {
        if text.chars().count() > MAX_CHARS {
            return Err(InvalidTarget::TooLong);
        }
        let no_url = |error: &dyn fmt::Display| InvalidTarget::NoUrl(error.to_string());
        let mut url = Url::parse(text).map_err(|error| no_url(&error))?;
        match url.scheme() {
            "https" => {}
            "http" if guard.allows_plain_http() => {}
            _ => return Err(InvalidTarget::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidTarget::Credentials);
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) | None => None,
        };
        if let Some(address) = literal {
            guard.check(address).map_err(InvalidTarget::Forbidden)?;
        }
        url.set_fragment(None);
        // Letters beyond ASCII are kept escaped, and what is kept is read again before each delivery.
        if url.as_str().len() > MAX_CHARS {
            return Err(InvalidTarget::TooLong);
        }
        let uri = url.as_str().parse().map_err(|error| no_url(&error))?;
        Ok(Self { url, uri })
    }

    /// The URL as it is kept: normalised, its host in ASCII.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// As the HTTP client takes it.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The host alone: paths and queries of such URLs may hold secrets and are not logged.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_url_may_look_like() {
        let public = Guard::public_and(Vec::new());
        let open = Guard::open();
        let long = format!("https://crm.example/{}", "x".repeat(MAX_CHARS));
        let long_when_kept = format!("https://crm.example/{}", "ы".repeat(MAX_CHARS / 6));
        for (guard, text, kept) in [
            (
                &public,
                "https://crm.example.com/hook?x=1",
                Ok("https://crm.example.com/hook?x=1"),
            ),
            (
                &public,
                "https://магазин.рф/вход",
                Ok("https://xn--80aairftm.xn--p1ai/%D0%B2%D1%85%D0%BE%D0%B4"),
            ),
            (
                &public,
                "https://crm.example.com#part",
                Ok("https://crm.example.com/"),
            ),
            (
                &public,
                "https://crm.example.com:8443",
                Ok("https://crm.example.com:8443/"),
            ),
            (
                &open,
                "http://127.0.0.1:9000/hook",
                Ok("http://127.0.0.1:9000/hook"),
            ),
            (
                &public,
                "http://crm.example.com/",
                Err("must begin with https://"),
            ),
            (&public, "ftp://crm.example.com/", Err("must begin with https://")),
            (&open, "file:///etc/passwd", Err("must begin with https://")),
            (
                &public,
                "https://user:pw@crm.example.com/",
                Err("must not contain a user name"),
            ),
            (&public, "https://", Err("must be a URL like")),
            (&public, "crm.example.com", Err("must be a URL like")),
            (
                &public,
                "https://127.0.0.1/",
                Err("must not lead to a loopback address"),
            ),
            (
                &public,
                "https://2130706433/",
                Err("must not lead to a loopback address"),
            ),
            (
                &public,
                "https://0x7f.1/",
                Err("must not lead to a loopback address"),
            ),
            (
                &public,
                "https://[::ffff:10.0.0.1]/",
                Err("must not lead to a private address"),
            ),
            (
                &public,
                "https://169.254.169.254/latest",
                Err("must not lead to a link-local address"),
            ),
            (&public, &long, Err("must have at most 2048 characters")),
            (&public, &long_when_kept, Err("must have at most 2048 characters")),
        ] {
            match (Target::parse(text, guard), kept) {
                (Ok(target), Ok(kept)) => assert_eq!(target.as_str(), kept),
                (Err(error), Err(told)) => {
                    assert!(error.to_string().starts_with(told), "{text:.80}: {error}");
                }
                (result, _) => panic!("{text:.80}: {result:?}"),
            }
        }
    }
}
