//! The `X-RateLimit-Resource-*` headers of every answer of an operation.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use prilavok_domain::Timestamp;
use prilavok_wire::time::http_date;

use crate::limits::Window;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-resource-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-resource-remaining");
const UNTIL: HeaderName = HeaderName::from_static("x-ratelimit-resource-until");

/// The end of the window that was shown last: within an hour it is the same for all.
static SHOWN: ArcSwapOption<(Timestamp, HeaderValue)> = ArcSwapOption::const_empty();

/// Adds the three headers.
pub(super) fn add_limits(headers: &mut HeaderMap, window: Window) {
    headers.insert(LIMIT, HeaderValue::from(window.limit));
    headers.insert(REMAINING, HeaderValue::from(window.remaining));
    headers.insert(UNTIL, until(window.until));
}

fn until(end: Timestamp) -> HeaderValue {
    if let Some(shown) = &*SHOWN.load()
        && shown.0 == end
    {
        return shown.1.clone();
    }
    let Ok(value) = HeaderValue::from_str(&http_date(end)) else {
        return HeaderValue::from_static("");
    };
    SHOWN.store(Some(Arc::new((end, value.clone()))));
    value
}
