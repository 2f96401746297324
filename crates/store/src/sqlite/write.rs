//! A write: what it works with, and how it is run: within its group in a savepoint of its own, alone in a transaction of its
//! own.

use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::{BusinessId, ChatId, IdSequence, PublicId, Timestamp};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::known::Changed;
use crate::{Result, StoreError};

/// What a write works with: the connection inside its savepoint, and the ids.
pub(super) struct Write<'a> {
    pub(super) conn: &'a Connection,
    pub(super) ids: &'a mut IdSequence,
    /// Businesses with new events.
    pub(super) touched: &'a mut Vec<BusinessId>,
    pub(super) changed: &'a mut Changed,
    /// Whether what was written over must not stay in the write-ahead log.
    pub(super) clear_log: &'a mut bool,
}

impl Write<'_> {
    /// What is known of this chat, and of lists that it is in or will be, will not be true any more.
    pub(super) fn changes(&mut self, business: BusinessId, chat: ChatId) {
        self.changed.chats.insert(chat);
        self.changed.businesses.insert(business);
    }

    /// What is known of this customer will not be true any more.
    pub(super) fn changes_customer(&mut self, customer: &PublicId) {
        self.changed.customers.insert(customer.clone());
    }

    /// What was erased must not stay in the write-ahead log: it is cleared once this is committed.
    pub(super) fn leave_nothing(&mut self) {
        *self.clear_log = true;
    }

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

/// A write that waits, and whoever waits for it.
pub(super) trait Job: Send {
    /// Answers whether it is to be kept. Of one that is not, nothing is left, but where it is `alone` in its transaction, which
    /// is to be rolled back then.
    fn run(&mut self, write: &mut Write<'_>, alone: bool) -> bool;
    fn answer(self: Box<Self>, committed: std::result::Result<(), &str>);
}

/// A write that does `work` and answers to `reply`.
pub(super) fn job<T, F>(work: F, reply: oneshot::Sender<Result<T>>) -> Box<dyn Job>
where
    T: Send + 'static,
    F: FnOnce(&mut Write<'_>) -> Result<T> + Send + 'static,
{
    Box::new(Work {
        work: Some(work),
        result: None,
        reply,
    })
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
    fn run(&mut self, write: &mut Write<'_>, alone: bool) -> bool {
        if let Some(work) = self.work.take() {
            self.result = Some(match alone {
                true => work(write),
                false => in_savepoint(write, work),
            });
        }
        matches!(self.result, Some(Ok(_)))
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
