//! Where a stream of live events goes on: the header `Last-Event-ID`.

use axum::http::HeaderMap;
use prilavok_wire::live;

use super::error::ApiError;

/// What is said of an id that no event came with.
pub(crate) const NO_EVENT: &str = "must be the id that an event came with, or 0";

/// The id of the last event seen, if the client tells one.
pub(crate) fn of(headers: &HeaderMap) -> Result<Option<i64>, ApiError> {
    let last = headers.get(live::LAST_EVENT_ID_HEADER);
    let Some(value) = last.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let id = value.to_str().ok().and_then(live::read_id);
    id.map(Some)
        .ok_or_else(|| ApiError::field("Last-Event-ID", NO_EVENT))
}
