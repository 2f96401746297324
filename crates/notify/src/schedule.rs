//! When a delivery that failed is tried again, and when a subscription is given up.

use prilavok_domain::Timestamp;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// One stage of the schedule: until so long after the first failure, try again this often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// The stage ends so many milliseconds after the first failure.
    pub until_ms: i64,
    /// Milliseconds between tries.
    pub every_ms: i64,
}

/// When a delivery that failed is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    stages: Vec<Stage>,
}

impl Default for Schedule {
    /// As upstream does: each minute for an hour, every 15 minutes for a day, hourly for 14 days.
    fn default() -> Self {
        Self {
            stages: vec![
                Stage {
                    until_ms: HOUR_MS,
                    every_ms: MINUTE_MS,
                },
                Stage {
                    until_ms: DAY_MS,
                    every_ms: 15 * MINUTE_MS,
                },
                Stage {
                    until_ms: 14 * DAY_MS,
                    every_ms: HOUR_MS,
                },
            ],
        }
    }
}

/// A schedule whose stages do not follow each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a schedule needs one stage or more, each ending after the one before, each trying again after at least a second"
)]
pub struct InvalidSchedule;

/// What comes after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Try again then.
    At(Timestamp),
    /// It has failed for as long as the schedule goes.
    GiveUp,
}

impl Schedule {
    /// A schedule of stages in order.
    pub fn new(stages: Vec<Stage>) -> Result<Self, InvalidSchedule> {
        let in_order = stages.windows(2).all(|two| two[0].until_ms < two[1].until_ms);
        let positive = stages
            .iter()
            .all(|stage| stage.every_ms >= 1_000 && stage.until_ms > 0);
        if stages.is_empty() || !in_order || !positive {
            Err(InvalidSchedule)
        } else {
            Ok(Self { stages })
        }
    }

    /// What comes after a try that failed at `now`, when the first failure was at `since`.
    #[must_use]
    pub fn after_failure(&self, since: Timestamp, now: Timestamp) -> Next {
        let failing_ms = now.as_millis() - since.as_millis();
        match self.stages.iter().find(|stage| failing_ms < stage.until_ms) {
            Some(stage) => Next::At(now.plus_millis(stage.every_ms)),
            None => Next::GiveUp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_732_406_400_000 + millis).expect("in range")
    }

    #[test]
    fn fourteen_days_of_failures() {
        let schedule = Schedule::default();
        let mut tries = Vec::new();
        let mut now = at(0);
        while let Next::At(next) = schedule.after_failure(at(0), now) {
            tries.push(next.as_millis() - at(0).as_millis());
            now = next;
        }
        let within = |from: i64, to: i64| tries.iter().filter(|it| (from + 1..=to).contains(*it)).count();
        assert_eq!(tries[..2], [MINUTE_MS, 2 * MINUTE_MS]);
        assert_eq!(within(0, HOUR_MS), 60);
        assert_eq!(within(HOUR_MS, DAY_MS), 23 * 4);
        assert_eq!(within(DAY_MS, 14 * DAY_MS), 13 * 24);
        assert_eq!(tries.last(), Some(&(14 * DAY_MS)));
    }

    #[test]
    fn stages_must_follow_each_other() {
        let stage = |until_ms, every_ms| Stage { until_ms, every_ms };
        for (stages, right) in [
            (vec![], false),
            (vec![stage(10, 1_000)], true),
            (vec![stage(10, 999)], false),
            (vec![stage(10, 1_000), stage(10, 1_000)], false),
            (vec![stage(10, 1_000), stage(20, 5_000)], true),
        ] {
            assert_eq!(Schedule::new(stages.clone()).is_ok(), right, "{stages:?}");
        }
    }
}
