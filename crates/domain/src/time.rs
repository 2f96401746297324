//! Instants and the clock. Nothing outside this module reads the system time.

use std::sync::Arc;

use parking_lot::Mutex;

/// An instant: milliseconds since 1970-01-01T00:00:00Z, between the years 1970 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

/// 9999-12-30T22:00:00Z: the last instant that every offset can still show.
const MAX_MILLIS: i64 = 253_402_207_200_000;

impl Timestamp {
    /// Accepts what RFC 3339 can show; `None` outside.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Option<Self> {
        if millis >= 0 && millis <= MAX_MILLIS {
            Some(Self(millis))
        } else {
            None
        }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This instant moved by `millis`, kept within the range.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis).clamp(0, MAX_MILLIS))
    }

    /// The start of the clock hour (UTC) that this instant lies in.
    #[must_use]
    pub const fn hour_start(self) -> Self {
        Self(self.0 - self.0 % 3_600_000)
    }
}

/// Where "now" comes from; injected everywhere, so that tests and the sandbox can move time.
pub trait Clock: Send + Sync + 'static {
    /// The current instant.
    fn now(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp(jiff::Timestamp::now().as_millisecond().clamp(0, MAX_MILLIS))
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Timestamp>>);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// Moves the clock by `millis`, back when negative.
    pub fn advance(&self, millis: i64) {
        let mut now = self.0.lock();
        *now = now.plus_millis(millis);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}
