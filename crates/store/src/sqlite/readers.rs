//! Connections that only read.
//!
//! A read of one row or one page takes microseconds, less than handing it to another thread would:
//! it runs where it is asked for. What reads a whole store (backup, check) uses
//! [`Readers::on_its_own`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::Connection;

use super::known::{Known, Moment};
use super::open;
use super::writer::closed;
use crate::observer::Observed;
use crate::{Result, StoreError};

/// Connections kept for the next read; more are opened when more reads run side by side.
const IDLE: usize = 16;
/// One that was read with less often than this in so long is closed, and with it goes its cache of pages: what looks every few
/// milliseconds whether something changed needs none.
const WORTH_KEEPING: u32 = 1_000;
const WATCHED: Duration = Duration::from_secs(10);

/// A connection, and the moment of the transaction that is held on it, if one is.
struct Reader {
    conn: Connection,
    holds: Option<Moment>,
    /// How often it was read with since then.
    reads: u32,
    since: Instant,
}

impl Reader {
    /// Makes sure of a transaction that shows all that was committed when `moment` began.
    fn begin(&mut self, moment: Moment) -> rusqlite::Result<()> {
        if self.holds != Some(moment) {
            self.let_go()?;
            self.conn.prepare_cached("BEGIN")?.execute([])?;
            self.holds = Some(moment);
        }
        Ok(())
    }

    fn let_go(&mut self) -> rusqlite::Result<()> {
        if self.holds.take().is_some() {
            self.conn.prepare_cached("COMMIT")?.execute([])?;
        }
        Ok(())
    }

    fn is_needed(&mut self, now: Instant) -> bool {
        if now.duration_since(self.since) < WATCHED {
            return true;
        }
        self.since = now;
        std::mem::take(&mut self.reads) >= WORTH_KEEPING
    }
}

/// A transaction that reads, and what is known without it.
pub(super) struct View<'a> {
    pub(super) conn: &'a Connection,
    pub(super) known: &'a Known,
    /// In which the transaction began.
    pub(super) moment: Moment,
}

#[derive(Clone)]
pub(super) struct Readers {
    path: PathBuf,
    /// `None` once the store is closed.
    idle: Arc<Mutex<Option<Vec<Reader>>>>,
    known: Arc<Known>,
    observed: Observed,
}

impl Readers {
    pub(super) fn new(path: PathBuf, known: Arc<Known>, observed: Observed) -> Self {
        Self {
            path,
            idle: Arc::new(Mutex::new(Some(Vec::new()))),
            known,
            observed,
        }
    }

    pub(super) fn known(&self) -> &Arc<Known> {
        &self.known
    }

    /// Whether reads are refused, because the store was closed.
    pub(super) fn are_open(&self) -> Result<()> {
        self.idle.lock().as_ref().map(|_| ()).ok_or_else(closed)
    }

    /// Reads one row or one page, here and now, of what any process has committed.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.with(|reader| {
            reader.let_go()?;
            work(&reader.conn)
        })
    }

    /// The same from one consistent state, which has all that this process has committed; what others did last it may
    /// not show for [`HELD`](super::watch::HELD). Chats and messages are read so: beginning and ending a transaction for
    /// each costs as much as finding a chat.
    pub(super) fn view<T>(&self, work: impl FnOnce(&View<'_>) -> Result<T>) -> Result<T> {
        self.with(|reader| {
            // Known before the transaction begins: it shows no less.
            let moment = self.known.moment();
            reader.begin(moment)?;
            let result = work(&View {
                conn: &reader.conn,
                known: &self.known,
                moment,
            });
            if moment.is_unsettled() {
                // It may show the commit under way or not; the next one must show it if this did.
                reader.let_go()?;
            }
            result
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Reader) -> Result<T>) -> Result<T> {
        let kept = self.idle.lock().as_mut().ok_or_else(closed)?.pop();
        let mut reader = match kept {
            Some(reader) => reader,
            None => Reader {
                conn: open::reader(&self.path)?,
                holds: None,
                reads: 0,
                since: Instant::now(),
            },
        };
        reader.reads = reader.reads.saturating_add(1);
        let result = self.observed.read(|| work(&mut reader));
        let usable = match &result {
            Ok(_) => reader.holds.is_some() != reader.conn.is_autocommit(),
            Err(_) => reader.let_go().is_ok() && reader.conn.is_autocommit(),
        };
        if usable {
            // Of a store that was closed meanwhile nothing is kept.
            if let Some(idle) = self.idle.lock().as_mut()
                && idle.len() < IDLE
            {
                idle.push(reader);
            }
        }
        result
    }

    /// Ends the transactions that are held: others may have committed since they began, and the write-ahead
    /// log cannot begin anew while they need it. Closes connections that were little used of late.
    pub(super) fn let_go(&self) {
        // Those that are read in just now are ended by their next read.
        self.known.next_moment();
        let now = Instant::now();
        if let Some(idle) = self.idle.lock().as_mut() {
            idle.retain_mut(|reader| reader.let_go().is_ok() && reader.is_needed(now));
        }
    }

    /// Reads for long, on a thread and a connection of its own.
    pub(super) async fn on_its_own<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.are_open()?;
        let path = self.path.clone();
        let task = tokio::task::spawn_blocking(move || work(&open::reader(&path)?));
        task.await
            .map_err(|panicked| StoreError::Failed(Box::new(panicked)))?
    }

    /// Closes the connections that nobody uses; later reads are refused.
    pub(super) fn close(&self) {
        self.idle.lock().take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_kept_as_long_as_it_is_read_with_often() {
        let began = Instant::now();
        let mut reader = Reader {
            conn: Connection::open_in_memory().expect("a connection"),
            holds: None,
            reads: 0,
            since: began,
        };
        for (part, reads, kept) in [
            (1, 0, true),
            (2, WORTH_KEEPING, true),
            (3, 0, true),
            (4, WORTH_KEEPING - 1, false),
        ] {
            reader.reads += reads;
            assert_eq!(reader.is_needed(began + part * WATCHED / 2), kept, "{part}");
        }
    }
}
