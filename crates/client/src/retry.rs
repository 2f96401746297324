//! How often and how fast a call is tried again.

use std::time::Duration;

/// How often and how fast a call is tried again that was not done, or that may be done twice without harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a call is made at most, the first time included.
    pub attempts: u32,
    /// The pause after the first failure; it doubles with each one.
    pub first_pause: Duration,
    /// The longest pause, whatever the server asks for.
    pub longest_pause: Duration,
}

impl RetryPolicy {
    /// Every call is made once.
    pub const NONE: Self = Self {
        attempts: 1,
        first_pause: Duration::ZERO,
        longest_pause: Duration::ZERO,
    };

    /// The pause after so many failures. A random half of it keeps clients that failed together from coming together.
    pub(crate) fn pause(&self, failures: u32, asked: Option<Duration>) -> Duration {
        let doubled = self
            .first_pause
            .saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
        let pause = asked
            .unwrap_or_default()
            .max(doubled.mul_f64(0.5 + fastrand::f64() / 2.0));
        pause.min(self.longest_pause)
    }
}

impl Default for RetryPolicy {
    /// Four times, with pauses from 0.2 to 10 seconds.
    fn default() -> Self {
        Self {
            attempts: 4,
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_longest_one() {
        let policy = RetryPolicy::default();
        for (failures, shortest, longest) in
            [(1, 100, 200), (2, 200, 400), (3, 400, 800), (30, 10_000, 10_000)]
        {
            let pause = policy.pause(failures, None).as_millis();
            assert!((shortest..=longest).contains(&pause), "{failures}: {pause}");
        }
        assert_eq!(
            policy.pause(1, Some(Duration::from_secs(2))),
            Duration::from_secs(2)
        );
        assert_eq!(
            policy.pause(1, Some(Duration::from_secs(3600))),
            Duration::from_secs(10)
        );
    }
}
