//! What one customer may do at a time: one table, in which only those stand who send or listen now.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use prilavok_domain::{BusinessId, PublicId, Timestamp};

use super::token::Opened;
use crate::limits::Limit;
use crate::settings::BuyerSettings;

const MINUTE_MS: i64 = 60_000;
/// So many rows, and those of whom nothing is under way any more are looked for.
const SWEPT_AT: usize = 1_000;

type Whose = (BusinessId, PublicId);

/// Counts what customers do.
pub struct BuyerLimits {
    sends: Limit,
    streams: Limit,
    table: Arc<Mutex<Table>>,
}

#[derive(Default)]
struct Table {
    rows: HashMap<Whose, Row>,
    swept_at: usize,
}

/// What one customer does.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// When the minute began in which the sends are counted.
    since: Timestamp,
    sends: u32,
    streams: u32,
}

impl Row {
    const fn new(now: Timestamp) -> Self {
        Self {
            since: now,
            sends: 0,
            streams: 0,
        }
    }

    /// Milliseconds until the minute is over; none if it is, or if the clock was put back.
    fn left(&self, now: Timestamp) -> i64 {
        let gone = now.as_millis() - self.since.as_millis();
        if gone < 0 { 0 } else { (MINUTE_MS - gone).max(0) }
    }
}

/// Too much at a time; how many seconds to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMuch {
    pub(super) limit: u32,
    pub(super) seconds: i64,
}

/// A stream's place, given back when dropped.
pub(super) struct StreamPlace {
    table: Arc<Mutex<Table>>,
    whose: Whose,
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        if let Some(row) = self.table.lock().rows.get_mut(&self.whose) {
            row.streams -= 1;
        }
    }
}

impl BuyerLimits {
    /// As the settings say.
    #[must_use]
    pub fn new(settings: &BuyerSettings) -> Self {
        Self {
            sends: settings.sends_per_minute,
            streams: settings.streams_per_customer,
            table: Arc::default(),
        }
    }

    /// Takes one of the sends of a minute.
    pub(super) fn send(&self, by: &Opened, now: Timestamp) -> Result<(), TooMuch> {
        let mut table = self.table.lock();
        let row = table.row(by, now);
        let left = row.left(now);
        if left == 0 {
            (row.since, row.sends) = (now, 0);
        }
        if !self.sends.allows_after(u64::from(row.sends)) {
            return Err(TooMuch {
                limit: self.sends.as_number(),
                seconds: (left + 999) / 1_000,
            });
        }
        row.sends += 1;
        Ok(())
    }

    /// Takes a place for a stream.
    pub(super) fn listen(&self, by: &Opened, now: Timestamp) -> Result<StreamPlace, TooMuch> {
        let mut table = self.table.lock();
        let row = table.row(by, now);
        if !self.streams.allows_after(u64::from(row.streams)) {
            return Err(TooMuch {
                limit: self.streams.as_number(),
                seconds: 1,
            });
        }
        row.streams += 1;
        Ok(StreamPlace {
            table: Arc::clone(&self.table),
            whose: (by.business, by.chats.customer.clone()),
        })
    }
}

impl Table {
    fn row(&mut self, of: &Opened, now: Timestamp) -> &mut Row {
        if self.rows.len() >= self.swept_at.max(SWEPT_AT) {
            self.rows.retain(|_, row| row.streams > 0 || row.left(now) > 0);
            // Not at every request, where all of them are needed.
            self.swept_at = self.rows.len() * 2;
        }
        let whose = (of.business, of.chats.customer.clone());
        self.rows.entry(whose).or_insert_with(|| Row::new(now))
    }
}

#[cfg(test)]
mod tests {
    use prilavok_store::CustomerChats;

    use super::*;

    fn opened(customer: &str) -> Opened {
        Opened {
            business: BusinessId::new(1).expect("an id"),
            chats: CustomerChats {
                customer: PublicId::new(customer).expect("an id"),
                order: None,
                returned: None,
            },
            expires_at: at(0),
        }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + millis).expect("in range")
    }

    fn limits(sends: u32, streams: u32) -> BuyerLimits {
        BuyerLimits {
            sends: Limit::At(sends),
            streams: Limit::At(streams),
            table: Arc::default(),
        }
    }

    #[test]
    fn sends_are_counted_by_the_minute_and_for_each_customer() {
        let limits = limits(2, 0);
        let (anna, boris) = (opened("anna"), opened("boris"));
        assert_eq!(limits.send(&anna, at(0)), Ok(()));
        assert_eq!(limits.send(&anna, at(1)), Ok(()));
        let refused = TooMuch {
            limit: 2,
            seconds: 60,
        };
        assert_eq!(limits.send(&anna, at(2)), Err(refused));
        assert_eq!(limits.send(&boris, at(2)), Ok(()));
        let refused = TooMuch { limit: 2, seconds: 1 };
        assert_eq!(limits.send(&anna, at(59_999)), Err(refused));
        assert_eq!(limits.send(&anna, at(60_000)), Ok(()));
        assert_eq!(limits.send(&anna, at(-5)), Ok(()), "the clock was put back");
    }

    #[test]
    fn places_of_streams_are_given_back() {
        let limits = limits(0, 2);
        let anna = opened("anna");
        let first = limits.listen(&anna, at(0)).ok();
        let second = limits.listen(&anna, at(0)).ok();
        assert!(limits.listen(&anna, at(0)).is_err());
        drop(first);
        assert!(limits.listen(&anna, at(0)).is_ok());
        drop(second);
    }

    #[test]
    fn who_does_nothing_any_more_leaves_the_table() {
        let limits = limits(1, 1);
        let listening = limits.listen(&opened("anna"), at(0));
        for number in 1..SWEPT_AT {
            assert_eq!(limits.send(&opened(&format!("c{number}")), at(0)), Ok(()));
        }
        assert_eq!(limits.send(&opened("boris"), at(120_000)), Ok(()));
        assert_eq!(limits.table.lock().rows.len(), 2, "boris, and anna who listens");
        drop(listening);
    }
}
