//! The sandbox's clock: real, faster, or moved by hand.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use prilavok_domain::{Clock, SystemClock, Timestamp};
use serde::{Deserialize, Serialize};

/// How many seconds of the sandbox go by in a second: 1 is real time, at 0 the clock stands still until it is moved.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Speed(f64);

impl Speed {
    /// Real time.
    pub const REAL: Self = Self(1.0);
    /// The greatest one: a day in less than a second.
    pub const MAX: f64 = 100_000.0;

    /// Whether the clock stands still.
    #[must_use]
    pub fn is_still(self) -> bool {
        self.0 == 0.0
    }
}

/// A speed that no clock can have.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("a speed must be between 0 and {}", Speed::MAX)]
pub struct SpeedError;

impl TryFrom<f64> for Speed {
    type Error = SpeedError;

    fn try_from(speed: f64) -> Result<Self, SpeedError> {
        if (0.0..=Self::MAX).contains(&speed) {
            Ok(Self(speed))
        } else {
            Err(SpeedError)
        }
    }
}

impl From<Speed> for f64 {
    fn from(speed: Speed) -> Self {
        speed.0
    }
}

/// What a snapshot keeps of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    speed: Speed,
    now_ms: i64,
    /// How far it was ahead of real time.
    lead_ms: i64,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    shown: Timestamp,
    at: Instant,
    speed: Speed,
}

impl Reading {
    fn now(&self) -> Timestamp {
        let passed = self.at.elapsed().as_secs_f64() * 1_000.0 * self.speed.0;
        // A float is converted to the nearest integer that there is.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "saturates, and a timestamp is clamped"
        )]
        let passed = passed as i64;
        self.shown.plus_millis(passed)
    }
}

/// A clock that can be moved forward and run at another speed. Its copies are the same clock.
#[derive(Debug, Clone)]
pub struct SandboxClock(Arc<Mutex<Reading>>);

impl SandboxClock {
    /// A clock that begins at the present.
    #[must_use]
    pub fn new(speed: Speed) -> Self {
        Self(Arc::new(Mutex::new(Reading {
            shown: SystemClock.now(),
            at: Instant::now(),
            speed,
        })))
    }

    /// How fast it runs.
    #[must_use]
    pub fn speed(&self) -> Speed {
        self.0.lock().speed
    }

    /// Lets it run at another speed from now on.
    pub fn set_speed(&self, speed: Speed) {
        let mut reading = self.0.lock();
        *reading = Reading {
            shown: reading.now(),
            at: Instant::now(),
            speed,
        };
    }

    /// Moves it forward, so that it shows `to`; it never goes back.
    pub fn move_to(&self, to: Timestamp) {
        let mut reading = self.0.lock();
        if to > reading.now() {
            reading.shown = to;
            reading.at = Instant::now();
        }
    }

    /// What a snapshot keeps of it.
    #[must_use]
    pub fn keep(&self) -> Kept {
        let reading = *self.0.lock();
        let now_ms = reading.now().as_millis();
        Kept {
            speed: reading.speed,
            now_ms,
            lead_ms: now_ms - SystemClock.now().as_millis(),
        }
    }

    /// Sets it to what was kept: a clock that stood still shows the same time again, one that ran is as far ahead
    /// of real time as it was.
    pub fn restore(&self, kept: Kept) {
        let shown = if kept.speed.is_still() {
            Timestamp::from_millis(kept.now_ms).unwrap_or_else(|| SystemClock.now())
        } else {
            SystemClock.now().plus_millis(kept.lead_ms)
        };
        *self.0.lock() = Reading {
            shown,
            at: Instant::now(),
            speed: kept.speed,
        };
    }
}

impl Clock for SandboxClock {
    fn now(&self) -> Timestamp {
        self.0.lock().now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STILL: Speed = Speed(0.0);

    #[test]
    fn a_clock_that_stands_still_is_moved_forward_only() {
        let clock = SandboxClock::new(STILL);
        let start = clock.now();
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert_eq!(clock.now(), start);
        clock.move_to(start.plus_millis(1_000));
        assert_eq!(clock.now(), start.plus_millis(1_000));
        clock.move_to(start);
        assert_eq!(clock.now(), start.plus_millis(1_000));
    }

    #[test]
    fn a_faster_clock_runs_ahead() {
        let clock = SandboxClock::new(Speed(100_000.0));
        let start = clock.now();
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(clock.now() >= start.plus_millis(2_000_000));
    }

    #[test]
    fn what_was_kept_is_shown_again() {
        let clock = SandboxClock::new(STILL);
        let kept = clock.keep();
        let start = clock.now();
        clock.move_to(start.plus_millis(86_400_000));
        clock.set_speed(Speed::REAL);
        clock.restore(kept);
        assert_eq!((clock.now(), clock.speed()), (start, STILL));
        let running = SandboxClock::new(Speed::REAL);
        let kept = running.keep();
        running.move_to(running.now().plus_millis(86_400_000));
        running.restore(kept);
        let apart = running.now().as_millis() - SystemClock.now().as_millis();
        assert!(apart.abs() < 60_000, "{apart}");
    }

    #[test]
    fn speeds_are_bounded() {
        for (speed, good) in [
            (0.0, true),
            (1.0, true),
            (Speed::MAX, true),
            (-1.0, false),
            (f64::NAN, false),
            (1e6, false),
        ] {
            assert_eq!(Speed::try_from(speed).is_ok(), good, "{speed}");
        }
    }
}
