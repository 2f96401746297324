//! Limits: what answers say about them, and how they are kept to.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, HeaderName};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::call::{Area, Call};

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-resource-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-resource-remaining");
const UNTIL: HeaderName = HeaderName::from_static("x-ratelimit-resource-until");

/// What an answer says about the limit of its operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// How many calls an hour there are.
    pub limit: Option<u32>,
    /// How many of them are left.
    pub remaining: Option<u32>,
    /// When there are new ones, by the server's clock.
    pub until: Option<Timestamp>,
    /// How long that was when the answer came, whatever the clock of this machine says.
    pub reset_in: Option<Duration>,
}

impl RateLimit {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let text = |name: HeaderName| headers.get(name)?.to_str().ok();
        let number = |name| text(name)?.trim().parse().ok();
        let time = |name| http_date(text(name)?);
        let until = time(UNTIL);
        // Both times are the server's, so that it does not matter how wrong the clock here is.
        let now = time(DATE).unwrap_or_else(Timestamp::now);
        Self {
            limit: number(LIMIT),
            remaining: number(REMAINING),
            until,
            reset_in: until.map(|until| Duration::try_from(until.duration_since(now)).unwrap_or_default()),
        }
    }
}

fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// Keeps calls within the limits, as far as they are known here.
pub(crate) struct Gate {
    parallel: usize,
    places: Mutex<HashMap<Area, Arc<Semaphore>>>,
    used_up: Mutex<HashMap<(&'static str, Area), Instant>>,
}

impl Gate {
    pub(crate) fn new(parallel: usize) -> Self {
        Self {
            parallel,
            places: Mutex::default(),
            used_up: Mutex::default(),
        }
    }

    /// Waits for a place among the calls under way.
    pub(crate) async fn enter(&self, area: Area) -> Option<OwnedSemaphorePermit> {
        let places = {
            let mut places = self.places.lock();
            let places = places
                .entry(area)
                .or_insert_with(|| Arc::new(Semaphore::new(self.parallel)));
            Arc::clone(places)
        };
        // It is never closed.
        places.acquire_owned().await.ok()
    }

    /// Remembers what an answer said.
    pub(crate) fn note(&self, call: &Call, limit: &RateLimit) {
        let key = (call.operation, call.area);
        match (limit.remaining, limit.reset_in) {
            (Some(0), Some(reset_in)) => _ = self.used_up.lock().insert(key, Instant::now() + reset_in),
            (Some(_), _) => _ = self.used_up.lock().remove(&key),
            _ => {}
        }
    }

    /// How long until there are calls again; zero where there are.
    pub(crate) fn reset_in(&self, call: &Call) -> Duration {
        let reset_at = self.used_up.lock().get(&(call.operation, call.area)).copied();
        reset_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &str)]) -> RateLimit {
        let headers = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                value.parse().expect("a header's value"),
            )
        });
        RateLimit::read(&headers.collect())
    }

    #[test]
    fn the_reset_is_as_far_away_as_the_server_thinks() {
        let limit = read(&[
            ("x-ratelimit-resource-limit", "1000"),
            ("x-ratelimit-resource-remaining", "0"),
            ("x-ratelimit-resource-until", "Tue, 09 Jan 2024 15:00:00 GMT"),
            ("date", "Tue, 09 Jan 2024 14:58:30 GMT"),
        ]);
        assert_eq!((limit.limit, limit.remaining), (Some(1000), Some(0)));
        assert_eq!(limit.reset_in, Some(Duration::from_secs(90)));
        assert_eq!(limit.until.expect("a time").to_string(), "2024-01-09T15:00:00Z");
    }

    #[test]
    fn what_cannot_be_read_is_absent() {
        let limit = read(&[
            ("x-ratelimit-resource-limit", "many"),
            ("x-ratelimit-resource-until", "soon"),
        ]);
        assert_eq!(limit, RateLimit::default());
        // The hour is over already.
        let limit = read(&[
            ("x-ratelimit-resource-until", "Tue, 09 Jan 2024 15:00:00 GMT"),
            ("date", "Tue, 09 Jan 2024 15:00:01 GMT"),
        ]);
        assert_eq!(limit.reset_in, Some(Duration::ZERO));
    }
}
