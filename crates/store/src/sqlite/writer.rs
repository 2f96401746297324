//! The one thread that writes. It takes every write that waits, runs them in one transaction, each of
//! several in a savepoint of its own, and answers them when the transaction is on the disk: group commit.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use prilavok_domain::{BusinessId, IdSequence};
use rusqlite::Connection;
use rusqlite::hooks::Wal;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::known::Changed;
use super::open::BUSY_TIMEOUT;
use super::presence::{Gone, Presence};
use super::readers::Readers;
use super::watch;
use super::write::{self, Job, Write};
use super::write_back::WriteBack;
use crate::observer::Observed;
use crate::{Changes, Result, StoreError};

/// Writes that may wait. Only what is done at somebody's request comes in masses: see [`AT_REQUEST`].
const QUEUE: usize = 8_192;
/// Writes in one transaction at the most, so that none waits for a very long commit.
const BATCH: usize = 256;
/// Writes that may be under way when a request asks for one more: two commits. So an overload sheds instead of growing, and
/// what is accepted waits for the commit under way, one more and its own, however slow the disk is.
const AT_REQUEST: usize = 2 * BATCH;
/// How long the log's end waits for readers that are about to let go of it.
const LOG_PATIENCE: Duration = Duration::from_millis(50);
/// How long after it could not be cleared the log is tried again: each time, writes may wait for readers.
const CLEAR_AGAIN: Duration = Duration::from_secs(1);
/// Commits that a listener may be behind before it is told only that it missed some.
const CHANGES: usize = 1_024;

/// What the thread is asked for.
enum Asked {
    Write(Box<dyn Job>),
    /// To look whether another process has written.
    Look,
}

/// Makes the thread look whether another process has written.
pub(super) struct Nudge {
    queue: Option<mpsc::WeakSender<Asked>>,
    left_over: Arc<AtomicBool>,
}

impl Nudge {
    /// Whether the thread could not look or clear the log, and nobody may write for long.
    pub(super) fn is_wanted(&self) -> bool {
        self.left_over.load(Ordering::Relaxed)
    }

    pub(super) fn give(&self) {
        if let Some(queue) = self.queue.as_ref().and_then(mpsc::WeakSender::upgrade) {
            // A full queue is looked through soon anyway, and each group looks.
            let _ = queue.try_send(Asked::Look);
        }
    }
}

/// The writing thread, from outside.
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Asked>>>,
    depth: Arc<AtomicUsize>,
    changes: broadcast::Sender<Changes>,
    left_over: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(
        path: &Path,
        mut conn: Connection,
        presence: Presence,
        readers: Readers,
        ids: IdSequence,
        observed: Observed,
    ) -> rusqlite::Result<Self> {
        let log_pages = Arc::new(AtomicI32::new(0));
        let pages = Arc::clone(&log_pages);
        conn.wal_hook(Some(move |_: &mut Wal, in_log| {
            pages.store(in_log, Ordering::Relaxed);
            Ok(())
        }))?;
        let seen = watch::version(&conn)?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let depth = Arc::new(AtomicUsize::new(0));
        let waiting = Arc::clone(&depth);
        let (changes, _) = broadcast::channel(CHANGES);
        let left_over = Arc::new(AtomicBool::new(false));
        let thread = Thread {
            conn,
            presence,
            readers,
            log_pages,
            background: WriteBack::start(path)?,
            seen,
            ids,
            kept: None,
            observed,
            changes: changes.clone(),
            touched: Vec::new(),
            changed: Changed::default(),
            clear_log: false,
            clear_after: Instant::now(),
            must_look: false,
            left_over: Arc::clone(&left_over),
        };
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || thread.run(receiver, &waiting))
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        Ok(Self {
            queue: Mutex::new(Some(sender)),
            depth,
            changes,
            left_over,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// The same for what a request asks for, of which there may be more than can be done: refused when too many wait.
    pub(super) async fn write_at_request<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Write<'_>) -> Result<T> + Send + 'static,
    {
        if self.depth() >= AT_REQUEST {
            return Err(StoreError::Busy);
        }
        self.write(work).await
    }

    /// Runs `work` in the next transaction; answers once that is on the disk. A caller that stops
    /// waiting does not stop the write.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Write<'_>) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = write::job(work, reply);
        {
            let queue = self.queue.lock();
            let sender = queue.as_ref().ok_or_else(closed)?;
            self.depth.fetch_add(1, Ordering::Relaxed);
            if let Err(refused) = sender.try_send(Asked::Write(job)) {
                self.depth.fetch_sub(1, Ordering::Relaxed);
                return Err(match refused {
                    mpsc::error::TrySendError::Full(_) => {
                        StoreError::Unavailable(format!("{QUEUE} writes are waiting already"))
                    }
                    mpsc::error::TrySendError::Closed(_) => closed(),
                });
            }
        }
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// What another thread can make this one look with.
    pub(super) fn nudge(&self) -> Nudge {
        Nudge {
            queue: self.queue.lock().as_ref().map(mpsc::Sender::downgrade),
            left_over: Arc::clone(&self.left_over),
        }
    }

    /// The businesses that have new events, told after each commit.
    pub(super) fn changes(&self) -> broadcast::Receiver<Changes> {
        self.changes.subscribe()
    }

    /// Writes waiting to be committed.
    pub(super) fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }

    /// Takes no more writes, commits those that wait, and closes the file.
    pub(super) async fn close(&self) {
        self.queue.lock().take();
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            // A thread that panicked has told so on standard error; there is nothing left to close.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

pub(super) fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}

/// Why nothing of a group is acknowledged.
#[derive(Debug, thiserror::Error)]
enum NotCommitted {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("a write failed, and the whole group with it")]
    RolledBack,
    #[error(transparent)]
    Gone(#[from] Gone),
}

/// What the thread works with.
struct Thread {
    conn: Connection,
    presence: Presence,
    readers: Readers,
    /// Pages in the write-ahead log after the last commit.
    log_pages: Arc<AtomicI32>,
    background: WriteBack,
    /// The version of the file in which nobody else has written since the last look.
    seen: i64,
    ids: IdSequence,
    /// The highest id that the file keeps as handed out, by this process: there is room for more below it. `None`: another
    /// process may have handed out more.
    kept: Option<i64>,
    observed: Observed,
    changes: broadcast::Sender<Changes>,
    touched: Vec<BusinessId>,
    changed: Changed,
    /// Whether the log has something in it that was erased, and when it is tried next to clear it.
    clear_log: bool,
    clear_after: Instant,
    /// Whether it was asked to look and has not seen yet.
    must_look: bool,
    /// Whether any of this is left to be done: told to who nudges.
    left_over: Arc<AtomicBool>,
}

impl Thread {
    fn run(mut self, mut queue: mpsc::Receiver<Asked>, depth: &AtomicUsize) {
        let mut asked = Vec::with_capacity(BATCH);
        let mut batch = Vec::with_capacity(BATCH);
        while queue.blocking_recv_many(&mut asked, BATCH) > 0 {
            batch.extend(asked.drain(..).filter_map(|asked| match asked {
                Asked::Write(job) => Some(job),
                Asked::Look => {
                    self.must_look = true;
                    None
                }
            }));
            if batch.is_empty() {
                if let Err(error) = self.look() {
                    tracing::debug!(%error, "what others have written is looked at again");
                }
            } else {
                self.write(&mut batch, depth);
                self.bound_log();
            }
            if self.clear_log && Instant::now() >= self.clear_after {
                self.clear_log();
            }
            self.left_over
                .store(self.clear_log || self.must_look, Ordering::Relaxed);
        }
        let file = self.background.end();
        // Leaves a file without a write-ahead log behind it where nobody else has it open.
        if let Err((_, error)) = self.conn.close() {
            tracing::warn!(%error, "the store was not closed cleanly");
        }
        drop(file);
    }

    fn write(&mut self, batch: &mut Vec<Box<dyn Job>>, depth: &AtomicUsize) {
        let observed = self.observed.clone();
        let committed = observed.commit(batch.len(), || self.commit(batch));
        if let Err(error) = &committed {
            tracing::error!(%error, writes = batch.len(), "a group of writes was not committed");
            if !self.conn.is_autocommit() {
                // Rolling back fails only where nothing is left to roll back.
                let _ = self.conn.execute_batch("ROLLBACK");
            }
        }
        depth.fetch_sub(batch.len(), Ordering::Relaxed);
        let outcome = committed.map_err(|error| error.to_string());
        for job in batch.drain(..) {
            job.answer(outcome.as_ref().copied().map_err(String::as_str));
        }
        // Those who wrote come first.
        if outcome.is_ok() && !self.touched.is_empty() {
            // Nobody listening is nothing to worry about.
            let _ = self.changes.send(self.touched.as_slice().into());
        }
    }

    fn commit(&mut self, batch: &mut [Box<dyn Job>]) -> std::result::Result<(), NotCommitted> {
        self.touched.clear();
        self.changed.clear();
        self.conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        // Nobody else writes from here on.
        self.look()?;
        let Self {
            conn,
            presence,
            ids,
            kept: known,
            touched,
            changed,
            clear_log,
            readers,
            ..
        } = self;
        // Known again once this is committed.
        let mut kept = match known.take() {
            Some(kept) => kept,
            None => raise_to_kept(conn, ids)?,
        };
        let alone = batch.len() == 1;
        for job in batch {
            let mut write = Write {
                conn,
                ids,
                touched,
                changed,
                clear_log,
            };
            let is_to_stay = job.run(&mut write, alone);
            if conn.is_autocommit() {
                return Err(NotCommitted::RolledBack);
            }
            if alone && !is_to_stay {
                // There is nothing else to commit.
                conn.prepare_cached("ROLLBACK")?.execute([])?;
                touched.clear();
                return Ok(());
            }
        }
        if ids.last() > kept {
            // Above what is handed out: most groups need not change it.
            kept = ids.reserved();
            conn.prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'last_id'")?
                .execute([kept])?;
        }
        let committing = readers.known().committing(changed);
        conn.prepare_cached("COMMIT")?.execute([])?;
        drop(committing);
        *known = Some(kept);
        Ok(presence.prove()?)
    }

    /// Forgets what is known if another process has written.
    fn look(&mut self) -> rusqlite::Result<()> {
        let found = watch::version(&self.conn)?;
        self.must_look = false;
        if found != self.seen {
            self.seen = found;
            self.kept = None;
            self.readers.known().forget_all();
        }
        Ok(())
    }

    /// Begins a log anew that has become long and is copied, but for its end.
    fn bound_log(&mut self) {
        if self.background.is_due(self.log_pages.load(Ordering::Relaxed)) {
            // Whoever reads on in the log would keep it from beginning anew.
            self.readers.let_go();
            self.write_back("RESTART");
        }
    }

    /// Writes the log back into the file and leaves nothing in it. Somebody who reads in it keeps it from that: it is
    /// tried again later.
    fn clear_log(&mut self) {
        self.background.finish();
        self.readers.let_go();
        self.clear_log = !self.write_back("TRUNCATE");
        self.clear_after = Instant::now()
            + if self.clear_log {
                CLEAR_AGAIN
            } else {
                Duration::ZERO
            };
    }

    /// Writes the log back into the file; answers whether all of it was, and whether nobody reads in it.
    fn write_back(&self, how: &str) -> bool {
        let written = self.conn.busy_timeout(LOG_PATIENCE).and_then(|()| {
            let pragma = format!("PRAGMA wal_checkpoint({how})");
            self.conn
                .query_row(&pragma, [], |row| Ok(row.get::<_, i64>(0)? == 0))
        });
        let restored = self.conn.busy_timeout(BUSY_TIMEOUT);
        match written.and_then(|whole| restored.map(|()| whole)) {
            Ok(whole) => whole,
            Err(error) => {
                tracing::warn!(%error, "the write-ahead log could not be written back");
                false
            }
        }
    }
}

/// Goes above the ids that another process handed out on this file; answers the highest kept one.
fn raise_to_kept(conn: &Connection, ids: &mut IdSequence) -> rusqlite::Result<i64> {
    let kept = conn
        .prepare_cached("SELECT value FROM meta WHERE name = 'last_id'")?
        .query_row([], |row| row.get::<_, i64>(0))?;
    if let IdSequence::Clocked { last, .. } = ids {
        *last = kept.max(*last);
    }
    Ok(kept)
}
