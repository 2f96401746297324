//! Waiting until a clock shows a time, whoever moves the clock: one task looks at it often enough for all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use prilavok_domain::{Clock, Timestamp};
use tokio::sync::oneshot;

/// A clock that goes back by less is only being corrected.
const SLEWED_MS: i64 = 1_000;

type Waiting = Mutex<BTreeMap<(Timestamp, u64), oneshot::Sender<()>>>;

/// Wakes whoever waits for a time.
#[derive(Clone)]
pub struct Alarm {
    clock: Arc<dyn Clock>,
    /// How often the clock is looked at, in real time.
    every: Duration,
    waiting: Arc<Waiting>,
    number: Arc<AtomicU64>,
}

impl Alarm {
    /// An alarm that is at most `every` late; it rings while [`Alarm::run`] runs.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, every: Duration) -> Self {
        Self {
            clock,
            every,
            waiting: Arc::default(),
            number: Arc::default(),
        }
    }

    /// Waits until the clock shows `at` or more, or is set back: what was to be in a minute must not be in an hour.
    pub async fn until(&self, at: Timestamp) {
        if self.clock.now() >= at {
            return;
        }
        let (sender, rings) = oneshot::channel();
        let key = (at, self.number.fetch_add(1, Ordering::Relaxed));
        self.waiting.lock().insert(key, sender);
        let _forgotten = Forget {
            waiting: &self.waiting,
            key,
        };
        // An alarm that is gone rings no more: whoever waits is gone soon as well.
        if rings.await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Looks at the clock for ever.
    pub async fn run(&self) {
        let mut ticks = tokio::time::interval(self.every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut before = self.clock.now();
        loop {
            ticks.tick().await;
            let now = self.clock.now();
            let set_back = now < before.plus_millis(-SLEWED_MS);
            before = now;
            let due = {
                let mut waiting = self.waiting.lock();
                if set_back {
                    std::mem::take(&mut *waiting)
                } else {
                    let later = waiting.split_off(&(now.plus_millis(1), 0));
                    std::mem::replace(&mut *waiting, later)
                }
            };
            for sender in due.into_values() {
                // Somebody who has stopped waiting needs no waking.
                let _ = sender.send(());
            }
        }
    }
}

/// Takes whoever stops waiting off the list.
struct Forget<'a> {
    waiting: &'a Waiting,
    key: (Timestamp, u64),
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.waiting.lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use prilavok_domain::ManualClock;

    use super::*;

    #[tokio::test]
    async fn it_rings_when_the_clock_is_moved() {
        let start = Timestamp::from_millis(1_000).expect("in range");
        let clock = ManualClock::new(start);
        let alarm = Alarm::new(Arc::new(clock.clone()), Duration::from_millis(1));
        let ringing = tokio::spawn({
            let alarm = alarm.clone();
            async move { alarm.run().await }
        });
        let hour = start.plus_millis(3_600_000);
        let mut waiting = std::pin::pin!(alarm.until(hour));
        let short = Duration::from_millis(30);
        assert!(tokio::time::timeout(short, &mut waiting).await.is_err());
        clock.advance(3_599_999);
        assert!(tokio::time::timeout(short, &mut waiting).await.is_err());
        clock.advance(1);
        tokio::time::timeout(Duration::from_secs(10), waiting)
            .await
            .expect("it rings");
        {
            let later = alarm.until(hour.plus_millis(1));
            assert!(tokio::time::timeout(short, later).await.is_err());
        }
        assert!(
            alarm.waiting.lock().is_empty(),
            "who stopped waiting is forgotten"
        );
        ringing.abort();
    }

    #[tokio::test]
    async fn it_rings_when_the_clock_is_set_back() {
        let start = Timestamp::from_millis(7_200_000).expect("in range");
        let clock = ManualClock::new(start);
        let alarm = Alarm::new(Arc::new(clock.clone()), Duration::from_millis(1));
        let ringing = tokio::spawn({
            let alarm = alarm.clone();
            async move { alarm.run().await }
        });
        let mut waiting = std::pin::pin!(alarm.until(start.plus_millis(60_000)));
        let short = Duration::from_millis(30);
        clock.advance(-1_000);
        assert!(tokio::time::timeout(short, &mut waiting).await.is_err());
        clock.advance(-3_600_000);
        tokio::time::timeout(Duration::from_secs(10), waiting)
            .await
            .expect("it rings");
        ringing.abort();
    }
}
