//! Whether a request that changes something came from a page of ours.
//!
//! Browsers say where a request comes from (`Sec-Fetch-Site`, `Origin`) and let no page lie about it. A client that says
//! nothing is no browser, and carries nobody's cookies but its own. Beside this each form carries its session's token.

use axum::http::{HeaderMap, Method, header};

use crate::public_url::PublicUrl;
use crate::settings::Settings;

/// Whether a request may change something.
pub(super) fn is_ours(method: &Method, headers: &HeaderMap, settings: &Settings) -> bool {
    if matches!(*method, Method::GET | Method::HEAD) {
        return true;
    }
    if let Some(site) = headers.get("sec-fetch-site") {
        return matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    // The scheme is the proxy's affair: compared is who speaks, host and port.
    let own = PublicUrl::of(settings, headers).0;
    let host = |url: &str| url.split_once("://").map(|(_, host)| host.to_ascii_lowercase());
    origin.to_str().ok().and_then(host).is_some_and(|from| {
        let addressed = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        Some(&from) == host(&own).as_ref() || addressed.is_some_and(|to| to.eq_ignore_ascii_case(&from))
    })
}
