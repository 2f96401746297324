//! The one thread that writes. It takes every write that waits, runs them in one transaction, each
//! in a savepoint of its own, and answers them when the transaction is on the disk: group commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::{BusinessId, IdSequence, Timestamp};
use rusqlite::Connection;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::presence::{Gone, Presence};
use crate::observer::Observed;
use crate::{Changes, Result, StoreError};

/// Writes that may wait. Only what is done at somebody's request comes in masses: see [`AT_REQUEST`].
const QUEUE: usize = 8_192;
/// Writes in one transaction at the most, so that none waits for a very long commit.
const BATCH: usize = 256;
/// Writes that may be under way when a request asks for one more: two commits. So an overload sheds instead of growing, and
/// what is accepted waits for the commit under way, one more and its own, however slow the disk is.
const AT_REQUEST: usize = 2 * BATCH;
/// Commits that a listener may be behind before it is told only that it missed some.
const CHANGES: usize = 1_024;

/// What a write works with: the connection inside its savepoint, and the ids.
pub(super) struct Write<'a> {
    pub(super) conn: &'a Connection,
    ids: &'a mut IdSequence,
    touched: &'a mut Vec<BusinessId>,
}

impl Write<'_> {
    /// The next id, above every one handed out by any process on this file.
    pub(super) fn next_id(&mut self, of: IdFor, now: Timestamp) -> i64 {
        self.ids.next(of, now)
    }

    /// Whoever waits for events of this business is woken once this is committed.
    pub(super) fn touch(&mut self, business: BusinessId) {
        if self.touched.last() != Some(&business) {
            self.touched.push(business);
        }
    }
}

trait Job: Send {
    fn run(&mut self, write: &mut Write<'_>);
    fn answer(self: Box<Self>, committed: std::result::Result<(), &str>);
}

struct Work<T, F> {
    work: Option<F>,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Job for Work<T, F>
where
    T: Send,
    F: FnOnce(&mut Write<'_>) -> Result<T> + Send,
{
    fn run(&mut self, write: &mut Write<'_>) {
        if let Some(work) = self.work.take() {
            self.result = Some(in_savepoint(write, work));
        }
    }

    fn answer(self: Box<Self>, committed: std::result::Result<(), &str>) {
        let result = match (self.result, committed) {
            // What was refused changed nothing: no commit is needed for that to be true.
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (_, Err(why)) => Err(StoreError::Unavailable(why.to_owned())),
            (None, Ok(())) => Err(StoreError::Unavailable("the write was not run".to_owned())),
        };
        // A caller that went away does not need its answer.
        let _ = self.reply.send(result);
    }
}

fn in_savepoint<T>(write: &mut Write<'_>, work: impl FnOnce(&mut Write<'_>) -> Result<T>) -> Result<T> {
    write.conn.prepare_cached("SAVEPOINT write")?.execute([])?;
    let result = work(write);
    // After a full disk SQLite may have rolled the whole transaction back: no savepoint is left.
    if !write.conn.is_autocommit()
        && let Err(error) = leave(write.conn, result.is_ok())
    {
        // Half of a write must not be committed with the others of its group: none is.
        let _ = write.conn.execute_batch("ROLLBACK");
        return Err(error.into());
    }
    result
}

/// Ends the savepoint, and keeps what was written in it or not.
fn leave(conn: &Connection, keep: bool) -> rusqlite::Result<()> {
    if !keep {
        conn.prepare_cached("ROLLBACK TO write")?.execute([])?;
    }
    conn.prepare_cached("RELEASE write")?.execute([])?;
    Ok(())
}

/// The writing thread, from outside.
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    depth: Arc<AtomicUsize>,
    changes: broadcast::Sender<Changes>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(
        conn: Connection,
        presence: Presence,
        ids: IdSequence,
        observed: Observed,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let depth = Arc::new(AtomicUsize::new(0));
        let waiting = Arc::clone(&depth);
        let (changes, _) = broadcast::channel(CHANGES);
        let thread = Thread {
            conn,
            presence,
            ids,
            observed,
            changes: changes.clone(),
            touched: Vec::new(),
        };
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || thread.run(receiver, &waiting))?;
        Ok(Self {
            queue: Mutex::new(Some(sender)),
            depth,
            changes,
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
        let job: Box<dyn Job> = Box::new(Work {
            work: Some(work),
            result: None,
            reply,
        });
        {
            let queue = self.queue.lock();
            let sender = queue.as_ref().ok_or_else(closed)?;
            self.depth.fetch_add(1, Ordering::Relaxed);
            if let Err(refused) = sender.try_send(job) {
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
    ids: IdSequence,
    observed: Observed,
    changes: broadcast::Sender<Changes>,
    touched: Vec<BusinessId>,
}

impl Thread {
    fn run(mut self, mut queue: mpsc::Receiver<Box<dyn Job>>, depth: &AtomicUsize) {
        let mut batch = Vec::with_capacity(BATCH);
        while queue.blocking_recv_many(&mut batch, BATCH) > 0 {
            let observed = self.observed.clone();
            let committed = observed.commit(batch.len(), || self.commit(&mut batch));
            if let Err(error) = &committed {
                tracing::error!(%error, writes = batch.len(), "a group of writes was not committed");
                if !self.conn.is_autocommit() {
                    // Rolling back fails only where nothing is left to roll back.
                    let _ = self.conn.execute_batch("ROLLBACK");
                }
            } else if !self.touched.is_empty() {
                // Nobody listening is nothing to worry about.
                let _ = self.changes.send(self.touched.as_slice().into());
            }
            depth.fetch_sub(batch.len(), Ordering::Relaxed);
            let outcome = committed.map_err(|error| error.to_string());
            for job in batch.drain(..) {
                job.answer(outcome.as_ref().copied().map_err(String::as_str));
            }
        }
        // Leaves a file without a write-ahead log behind it where nobody else has it open.
        if let Err((_, error)) = self.conn.close() {
            tracing::warn!(%error, "the store was not closed cleanly");
        }
    }

    fn commit(&mut self, batch: &mut [Box<dyn Job>]) -> std::result::Result<(), NotCommitted> {
        let Self {
            conn,
            presence,
            ids,
            touched,
            ..
        } = self;
        touched.clear();
        conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let kept = raise_to_kept(conn, ids)?;
        for job in batch {
            job.run(&mut Write { conn, ids, touched });
            if conn.is_autocommit() {
                return Err(NotCommitted::RolledBack);
            }
        }
        if ids.last() > kept {
            conn.prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'last_id'")?
                .execute([ids.last()])?;
        }
        conn.prepare_cached("COMMIT")?.execute([])?;
        Ok(presence.prove()?)
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
