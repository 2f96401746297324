//! Settings of the Buyer API and its widget: who signs buyers' tokens, what those may ask for, and which pages may
//! have the widget in them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use http::HeaderValue;
use serde::de::{self, Deserialize, Deserializer};

use super::values;
use crate::buyer::keys::TokenKey;
use crate::limits::Limit;

/// Settings of the Buyer API.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuyerSettings {
    /// The `aud` that tokens must have.
    #[serde(deserialize_with = "values::not_empty")]
    pub audience: String,
    /// The longest time that a token may be valid for, in minutes.
    pub max_token_minutes: u32,
    /// Whether a key of the server's own is taken too, and the example page is shown.
    pub try_out: bool,
    /// Pages of these origins may call.
    #[serde(deserialize_with = "values::all_parsed")]
    pub allowed_origins: Vec<WebOrigin>,
    /// Pages that may have the widget in them.
    #[serde(deserialize_with = "values::all_parsed")]
    pub frame_ancestors: Vec<FrameAncestor>,
    /// What a customer may send in a minute: messages, files, new chats, disputes.
    pub sends_per_minute: Limit,
    /// Streams of live events of a customer at a time.
    pub streams_per_customer: Limit,
    /// Who signs tokens: keys by their `kid`.
    #[serde(deserialize_with = "keys")]
    pub keys: BTreeMap<String, TokenKey>,
}

/// An origin of pages: `https://shop.example`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebOrigin(HeaderValue);

impl WebOrigin {
    /// As browsers write it into `Origin`.
    #[must_use]
    pub fn to_header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// No origin of pages.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{0}` is no origin like https://shop.example or http://127.0.0.1:3000")]
pub struct NoOrigin(String);

impl FromStr for WebOrigin {
    type Err = NoOrigin;

    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        let no_origin = || NoOrigin(text.to_owned());
        let host = host(text).ok_or_else(no_origin)?;
        if host.contains('*') {
            return Err(no_origin());
        }
        HeaderValue::from_str(text).map(Self).map_err(|_| no_origin())
    }
}

/// Pages that may have the widget in them, as the policy `frame-ancestors` names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameAncestor(String);

impl fmt::Display for FrameAncestor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Nothing that `frame-ancestors` can name.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{0}` is neither \"self\" nor an origin like https://shop.example or https://*.shop.example")]
pub struct NoAncestor(String);

impl FromStr for FrameAncestor {
    type Err = NoAncestor;

    fn from_str(text: &str) -> Result<Self, NoAncestor> {
        if text == "self" {
            return Ok(Self("'self'".to_owned()));
        }
        let host = host(text).ok_or_else(|| NoAncestor(text.to_owned()))?;
        // One star, for the first labels of the name: a bare star would be every page there is.
        let rest = host.strip_prefix("*.").unwrap_or(host);
        if rest.contains('*') {
            return Err(NoAncestor(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

/// The host and port of what is written as an origin.
fn host(text: &str) -> Option<&str> {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))?;
    let is_host = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._:[]*".contains(c);
    (!host.is_empty() && host.len() <= 300 && host.chars().all(is_host)).then_some(host)
}

/// Keys by names that can be a `kid`.
fn keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, TokenKey>, D::Error> {
    let keys = BTreeMap::<String, TokenKey>::deserialize(deserializer)?;
    match keys.keys().find(|kid| kid.is_empty() || kid.len() > 100) {
        Some(kid) => Err(de::Error::custom(format!("`{kid}` is no name of a key"))),
        None => Ok(keys),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_whole_and_nothing_else() {
        for right in ["https://shop.example", "http://127.0.0.1:3000", "http://[::1]:80"] {
            assert!(right.parse::<WebOrigin>().is_ok(), "{right}");
            assert!(right.parse::<FrameAncestor>().is_ok(), "{right}");
        }
        for wrong in [
            "",
            "*",
            "https://",
            "https://*",
            "shop.example",
            "https://shop.example/",
            "https://shop.example; script-src *",
            "https://a https://b",
            "javascript:alert(1)",
            "https://a.*.example",
            "'self'",
        ] {
            assert!(wrong.parse::<WebOrigin>().is_err(), "{wrong}");
            assert!(wrong.parse::<FrameAncestor>().is_err(), "{wrong}");
        }
        assert!("https://*.shop.example".parse::<WebOrigin>().is_err());
        let any_shop: FrameAncestor = "https://*.shop.example".parse().expect("an ancestor");
        assert_eq!(any_shop.to_string(), "https://*.shop.example");
        let own: FrameAncestor = "self".parse().expect("an ancestor");
        assert_eq!(own.to_string(), "'self'");
    }
}
