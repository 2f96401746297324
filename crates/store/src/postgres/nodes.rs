//! A node among others: its number, which is in every id that it hands out, and whether it may still write.
//!
//! Numbers are leased by the database's clock. Whoever did not renew in time stops writing before the lease ends, by its
//! own clock of how long ago it asked; so a number has one holder at a time, whatever a pause did to a process.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use deadpool_postgres::GenericClient;
use parking_lot::Mutex;
use prilavok_domain::id_sequence::{IdFor, NODES};
use prilavok_domain::{IdSequence, Timestamp};

use super::rows;
use super::statements::statements;
use crate::{Result, StoreError};

statements! {
    /// The lowest number that nobody holds. Two who find the same are told apart by its row: one gets nothing.
    TAKE_NUMBER = "INSERT INTO node AS n (node_id, instance, beat_at, last_id)
        SELECT number, $1, clock_timestamp(), 0 FROM generate_series(0, $2 - 1) AS number
            LEFT JOIN node held ON held.node_id = number
            WHERE held.beat_at IS NULL OR held.beat_at < clock_timestamp() - make_interval(secs => $3)
            ORDER BY number LIMIT 1
        ON CONFLICT (node_id) DO UPDATE SET instance = excluded.instance, beat_at = excluded.beat_at
            WHERE n.beat_at < clock_timestamp() - make_interval(secs => $3)
        RETURNING node_id, last_id";
    BEAT = "UPDATE node SET beat_at = clock_timestamp(), last_id = greatest(last_id, $3) WHERE node_id = $1 AND instance = $2";
    LIVE = "SELECT count(*) FROM node WHERE beat_at >= clock_timestamp() - make_interval(secs => $1)";
    GIVE_UP_NUMBER = "UPDATE node SET beat_at = '-infinity', last_id = greatest(last_id, $3)
        WHERE node_id = $1 AND instance = $2";
}

/// An id's bits below its milliseconds.
const LOW_BITS: u32 = 12;

/// How long leases are and how often they are renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTimes {
    /// How often leases are renewed.
    pub renew_every: Duration,
    /// After how long without it they are over.
    pub length: Duration,
}

impl Default for LeaseTimes {
    fn default() -> Self {
        Self {
            renew_every: Duration::from_secs(5),
            length: Duration::from_secs(15),
        }
    }
}

impl LeaseTimes {
    pub(super) fn seconds(&self) -> f64 {
        self.length.as_secs_f64()
    }
}

/// This process among the nodes of the store.
pub(super) struct Node {
    /// Distinguishes this process from whoever has or had its number.
    instance: i64,
    times: LeaseTimes,
    ids: Mutex<IdSequence>,
    lease: Mutex<Option<Lease>>,
    live: AtomicU32,
}

#[derive(Clone, Copy)]
struct Lease {
    number: u8,
    /// Until when this process may rely on it.
    until: Instant,
}

impl Node {
    /// Takes a number.
    pub(super) async fn join(conn: &impl GenericClient, times: LeaseTimes, ids: IdSequence) -> Result<Self> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let node = Self {
            instance: i64::from_ne_bytes(bytes),
            times,
            ids: Mutex::new(ids),
            lease: Mutex::new(None),
            live: AtomicU32::new(1),
        };
        node.beat(conn).await?;
        Ok(node)
    }

    pub(super) const fn instance(&self) -> i64 {
        self.instance
    }

    pub(super) const fn times(&self) -> LeaseTimes {
        self.times
    }

    /// Nodes that were alive when this one looked last, itself included.
    pub(super) fn live(&self) -> u32 {
        self.live.load(Ordering::Relaxed).max(1)
    }

    /// Renews the lease, or takes a number where there is none or it was lost.
    pub(super) async fn beat(&self, conn: &impl GenericClient) -> Result<()> {
        let held = *self.lease.lock();
        // Counted from before the database was asked, so that it ends here before it ends there.
        let until = Instant::now() + self.times.length.mul_f64(0.8);
        let renewed = match held {
            None => false,
            Some(lease) => {
                let number = i16::from(lease.number);
                let ahead = self.last_id() + ids_of(self.times.length);
                rows::execute(conn, BEAT, &[&number, &self.instance, &ahead]).await? == 1
            }
        };
        match (renewed, held) {
            (true, Some(lease)) => *self.lease.lock() = Some(Lease { until, ..lease }),
            _ => self.take_number(conn).await?,
        }
        self.count(conn).await
    }

    /// Counts the nodes that are alive.
    pub(super) async fn count(&self, conn: &impl GenericClient) -> Result<()> {
        let live = rows::query_one(conn, LIVE, &[&self.times.seconds()]).await?;
        self.live
            .store(rows::unsigned(&live, 0, "count")?, Ordering::Relaxed);
        Ok(())
    }

    async fn take_number(&self, conn: &impl GenericClient) -> Result<()> {
        *self.lease.lock() = None;
        for _ in 0..NODES {
            let until = Instant::now() + self.times.length.mul_f64(0.8);
            let values: &rows::Values<'_> = &[&self.instance, &i32::from(NODES), &self.times.seconds()];
            let Some(row) = rows::query_opt(conn, TAKE_NUMBER, values).await? else {
                continue;
            };
            let (number, last): (i16, i64) = (rows::get(&row, 0)?, rows::get(&row, 1)?);
            let number = u8::try_from(number).unwrap_or_default();
            {
                let mut ids = self.ids.lock();
                if let IdSequence::Clocked { last: own, .. } = *ids {
                    *ids = IdSequence::clocked(number, own.max(last));
                }
            }
            *self.lease.lock() = Some(Lease { number, until });
            return Ok(());
        }
        let why = format!("{NODES} nodes serve this store already, and there are no more numbers");
        Err(StoreError::Unavailable(why))
    }

    /// Gives the number to whoever comes next.
    pub(super) async fn leave(&self, conn: &impl GenericClient) -> Result<()> {
        let held = self.lease.lock().take();
        if let Some(lease) = held {
            let number = i16::from(lease.number);
            rows::execute(conn, GIVE_UP_NUMBER, &[&number, &self.instance, &self.last_id()]).await?;
        }
        Ok(())
    }

    /// Whether this process may write.
    pub(super) fn may_write(&self) -> Result<()> {
        match *self.lease.lock() {
            Some(lease) if Instant::now() < lease.until => Ok(()),
            _ => {
                let why = "this node's lease has run out: it could not reach the database in time";
                Err(StoreError::Unavailable(why.to_owned()))
            }
        }
    }

    fn last_id(&self) -> i64 {
        self.ids.lock().last()
    }

    /// The next id of this node.
    pub(super) fn next_id(&self, of: IdFor, now: Timestamp) -> i64 {
        self.ids.lock().next(of, now)
    }

    /// The next id of this node above `last`, which another one may have handed out.
    pub(super) fn next_id_above(&self, of: IdFor, now: Timestamp, last: i64) -> i64 {
        let mut ids = self.ids.lock();
        if let IdSequence::Clocked { last: own, .. } = &mut *ids {
            *own = (*own).max(last);
        }
        ids.next(of, now)
    }
}

/// How far ids go ahead in a time, by the clock in them. What is drawn between two beats stays below.
fn ids_of(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX >> LOW_BITS) << LOW_BITS
}
