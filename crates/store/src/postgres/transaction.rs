//! A write: one transaction, in as few round trips as its questions need.
//!
//! What a write asks is sent with everything that was put down before it, and what is put down last goes out together with the
//! COMMIT: `BEGIN` and the first question are one round trip, everything after the last one is another. The order of locks is
//! the same everywhere: chats first, in the order of their ids, then what is put down, and the heads of businesses last.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use deadpool_postgres::Object;
use futures_util::future::{BoxFuture, join_all};
use parking_lot::Mutex;
use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::rules::NotificationType;
use prilavok_domain::{BusinessId, ChatId, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::db::{Db, Source, Value};
use super::fault::{self, Fault};
use super::listen::Committed;
use super::meta;
use super::statements::{Sql, statements};
use crate::{Result, StoreError};

statements! {
    /// The head is locked before the id is drawn, so that ids of a business increase as they are committed.
    NOTE_EVENTS = "WITH head AS MATERIALIZED (SELECT business_id FROM business_head WHERE business_id = $1 FOR UPDATE), \
            drawn AS MATERIALIZED (SELECT business_id, nextval('event_number') AS number FROM head) \
        INSERT INTO event (business_id, event_id, type, chat_id, message_id, at) \
        SELECT d.business_id, d.number + e.place - 1, e.type, e.chat_id, e.message_id, e.at FROM drawn d CROSS JOIN \
            unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) \
            WITH ORDINALITY AS e (type, chat_id, message_id, at, place) \
        RETURNING event_id";
}

/// How often a transaction is done again that others overtook.
const TRIES: u32 = 6;
/// Statements sent at once. What is polled together is sent in this order only while it is little.
const AT_ONCE: usize = 24;
/// Events that may share the number which a transaction draws.
const EVENTS_OF_A_NUMBER: usize = 16;

/// A value that is put down until it is sent.
pub(super) type Kept = Box<dyn ToSql + Send + Sync>;

/// Values that are put down: `kept![business.get(), text]`.
macro_rules! kept {
    ($($value:expr),* $(,)?) => { vec![$(Box::new($value) as $crate::postgres::transaction::Kept),*] };
}
pub(super) use kept;

/// A question and its values.
pub(super) type Question<'a> = (Sql, &'a [Value<'a>]);

/// An event to be written with the commit.
struct Note {
    business: BusinessId,
    kind: NotificationType,
    chat: ChatId,
    message: Option<i64>,
    at: Timestamp,
}

#[derive(Default)]
struct State {
    begun: bool,
    put_down: Vec<(Sql, Vec<Kept>)>,
    notes: Vec<Note>,
    touched: Vec<BusinessId>,
    access_changed: bool,
    subscriptions_changed: bool,
    /// What went wrong with the database, if anything did.
    fault: Option<Fault>,
}

/// A transaction under way.
pub(super) struct Write {
    pub(super) db: Arc<Db>,
    conn: Object,
    state: Mutex<State>,
}

impl Source for Write {
    async fn ask(&self, sql: Sql, values: &[Value<'_>]) -> Result<Vec<Row>> {
        let mut answers = self.ask_all(&[(sql, values)]).await?;
        Ok(answers.pop().unwrap_or_default())
    }
}

impl Write {
    /// Asks several things in one round trip, each seeing what those before it waited for.
    pub(super) async fn ask_all(&self, questions: &[Question<'_>]) -> Result<Vec<Vec<Row>>> {
        self.send(questions, false).await
    }

    /// Changes rows; answers how many.
    pub(super) async fn change(&self, sql: Sql, values: &[Value<'_>]) -> Result<u64> {
        self.ask_all(&[]).await?;
        let changed = self.db.answered(async {
            let statement = self.conn.prepare_cached(sql.text).await?;
            self.conn.execute(&statement, values).await
        });
        match changed.await {
            Ok(Ok(changed)) => Ok(changed),
            Ok(Err(error)) => {
                self.went_wrong(Fault::of(&error));
                Err(fault::of_statement(sql, error))
            }
            Err(silent) => {
                self.went_wrong(Fault::Lost);
                Err(silent)
            }
        }
    }

    /// Puts a statement down whose answer is of no interest: it is sent with the next question, or with the commit.
    pub(super) fn put(&self, sql: Sql, values: Vec<Kept>) {
        self.state.lock().put_down.push((sql, values));
    }

    /// Notes that something happened in a chat that is locked by this write, or that it has just made.
    pub(super) fn note(
        &self,
        business: BusinessId,
        kind: NotificationType,
        chat: ChatId,
        message: Option<i64>,
        at: Timestamp,
    ) {
        self.state.lock().notes.push(Note {
            business,
            kind,
            chat,
            message,
            at,
        });
        self.touch(business);
    }

    /// Whoever waits for events of this business is woken once this is committed.
    pub(super) fn touch(&self, business: BusinessId) {
        let touched = &mut self.state.lock().touched;
        if !touched.contains(&business) {
            touched.push(business);
        }
    }

    /// Businesses, campaigns, credentials or tokens change.
    pub(super) fn access_changes(&self) {
        self.state.lock().access_changed = true;
    }

    /// Subscriptions change.
    pub(super) fn subscriptions_change(&self) {
        self.state.lock().subscriptions_changed = true;
    }

    /// The next id of this node.
    pub(super) fn next_id(&self, of: IdFor, now: Timestamp) -> i64 {
        self.next_id_above(of, now, 0)
    }

    /// The next id of this node that is above `floor`, whichever node drew that.
    pub(super) fn next_id_above(&self, of: IdFor, now: Timestamp, floor: i64) -> i64 {
        self.db.node.next_id_above(of, now, floor)
    }

    async fn send(&self, questions: &[Question<'_>], commit: bool) -> Result<Vec<Vec<Row>>> {
        let (begin, put_down) = {
            let mut state = self.state.lock();
            (
                !std::mem::replace(&mut state.begun, true),
                std::mem::take(&mut state.put_down),
            )
        };
        let kept: Vec<(Sql, Vec<Value<'_>>)> = put_down
            .iter()
            .map(|(sql, values)| (*sql, values.iter().map(|value| &**value as Value<'_>).collect()))
            .collect();
        let all: Vec<Question<'_>> = kept
            .iter()
            .map(|(sql, values)| (*sql, values.as_slice()))
            .chain(questions.iter().copied())
            .collect();
        let mut answers = Vec::with_capacity(all.len());
        let mut chunks = all.chunks(AT_ONCE).peekable();
        if chunks.peek().is_none() {
            self.send_at_once(begin, &[], commit).await?;
        }
        let mut begin = begin;
        while let Some(chunk) = chunks.next() {
            let last = chunks.peek().is_none();
            answers.extend(self.send_at_once(begin, chunk, commit && last).await?);
            begin = false;
        }
        Ok(answers.split_off(kept.len()))
    }

    async fn send_at_once(&self, begin: bool, asked: &[Question<'_>], commit: bool) -> Result<Vec<Vec<Row>>> {
        let conn = &self.conn;
        let answers = self.db.answered(async {
            let mut prepared = Vec::with_capacity(asked.len());
            for (sql, _) in asked {
                let statement = conn.prepare_cached(sql.text).await;
                prepared.push(statement.map_err(|error| (Some(*sql), error))?);
            }
            let mut sent: Vec<BoxFuture<'_, _>> = Vec::with_capacity(asked.len() + 2);
            if begin {
                sent.push(Box::pin(async { in_words(conn, "BEGIN").await }));
            }
            for ((sql, values), statement) in asked.iter().zip(&prepared) {
                sent.push(Box::pin(async {
                    conn.query(statement, values)
                        .await
                        .map_err(|error| (Some(*sql), error))
                }));
            }
            if commit {
                sent.push(Box::pin(async { in_words(conn, "COMMIT").await }));
            }
            // The first that went wrong is the cause of the others.
            join_all(sent)
                .await
                .into_iter()
                .collect::<std::result::Result<Vec<_>, _>>()
        });
        match answers.await {
            Ok(Ok(mut answers)) => {
                if commit {
                    answers.pop();
                }
                Ok(answers.split_off(usize::from(begin)))
            }
            Ok(Err((sql, error))) => {
                self.went_wrong(Fault::of(&error));
                Err(match sql {
                    Some(sql) => fault::of_statement(sql, error),
                    None => error.into(),
                })
            }
            Err(silent) => {
                self.went_wrong(Fault::Lost);
                Err(silent)
            }
        }
    }

    fn went_wrong(&self, fault: Fault) {
        self.state.lock().fault.get_or_insert(fault);
    }

    /// Writes what was noted, commits, and says what others are to be told.
    async fn commit(&self) -> Result<Committed> {
        let (notes, touched, access_changed, subscriptions_changed) = {
            let mut state = self.state.lock();
            if !state.begun && state.put_down.is_empty() {
                return Ok(Committed::default());
            }
            (
                std::mem::take(&mut state.notes),
                std::mem::take(&mut state.touched),
                state.access_changed,
                state.subscriptions_changed,
            )
        };
        let mut questions: Vec<Question<'_>> = Vec::new();
        if access_changed {
            questions.push((meta::RAISE_ACCESS, &[]));
        }
        if subscriptions_changed {
            questions.push((meta::RAISE_SUBSCRIPTIONS, &[]));
        }
        let written: Vec<NotedTogether> = notes
            .chunks(EVENTS_OF_A_NUMBER)
            .flat_map(NotedTogether::of)
            .collect();
        let values: Vec<[Value<'_>; 5]> = written.iter().map(NotedTogether::values).collect();
        questions.extend(values.iter().map(|values| (NOTE_EVENTS, values.as_slice())));
        let mut answers = self.send(&questions, true).await?.into_iter();
        let mut number = |asked: bool| -> Result<Option<i64>> {
            let answer = asked.then(|| answers.next()).flatten();
            let row = answer.as_ref().and_then(|rows| rows.first());
            Ok(row.map(|row| row.try_get(0)).transpose()?)
        };
        let access_version = number(access_changed)?;
        let subscriptions_version = number(subscriptions_changed)?;
        let mut events = Vec::with_capacity(written.len());
        for (noted, rows) in written.iter().zip(answers) {
            for row in rows {
                events.push((noted.business, row.try_get(0)?));
            }
        }
        Ok(Committed {
            touched,
            events,
            access_version,
            subscriptions_version,
        })
    }

    /// Gives the connection back, or away if it is of no use any more.
    async fn roll_back(self) {
        let (begun, fault) = {
            let state = self.state.lock();
            (state.begun, state.fault)
        };
        if fault == Some(Fault::Lost) {
            drop(Object::take(self.conn));
        } else if begun {
            let rolled_back = self.db.answered(self.conn.batch_execute("ROLLBACK")).await;
            if !matches!(rolled_back, Ok(Ok(()))) {
                drop(Object::take(self.conn));
            }
        }
    }
}

async fn in_words(
    conn: &Object,
    words: &'static str,
) -> std::result::Result<Vec<Row>, (Option<Sql>, tokio_postgres::Error)> {
    conn.batch_execute(words).await.map_err(|error| (None, error))?;
    Ok(Vec::new())
}

/// Events of one business, by column.
struct NotedTogether {
    business: BusinessId,
    number: i64,
    kinds: Vec<&'static str>,
    chats: Vec<i64>,
    messages: Vec<Option<i64>>,
    times: Vec<i64>,
}

impl NotedTogether {
    fn of(notes: &[Note]) -> Vec<Self> {
        let mut businesses: Vec<_> = notes.iter().map(|note| note.business).collect();
        // Heads are locked in the order of their ids.
        businesses.sort_unstable();
        businesses.dedup();
        businesses
            .into_iter()
            .map(|business| {
                let own = || notes.iter().filter(|note| note.business == business);
                Self {
                    business,
                    number: business.get(),
                    kinds: own().map(|note| note.kind.as_str()).collect(),
                    chats: own().map(|note| note.chat.get()).collect(),
                    messages: own().map(|note| note.message).collect(),
                    times: own().map(|note| note.at.as_millis()).collect(),
                }
            })
            .collect()
    }

    fn values(&self) -> [Value<'_>; 5] {
        [
            &self.number,
            &self.kinds,
            &self.chats,
            &self.messages,
            &self.times,
        ]
    }
}

impl Db {
    /// The same for what a request asks for, of which there may be more than can be done: refused when too many wait.
    pub(super) async fn write_at_request<A, T, F>(self: &Arc<Self>, asked: A, work: F) -> Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'a> Fn(&'a Write, &'a A) -> BoxFuture<'a, Result<T>> + Send + Sync + 'static,
    {
        if self.writes.load(Ordering::Relaxed) >= self.most_writes() {
            return Err(StoreError::Busy);
        }
        self.write(asked, work).await
    }

    /// Does `work` in a transaction; answers once that is on the disk. A caller that stops waiting does not stop the write. What
    /// was overtaken by another write, or lost its connection before it could have been committed, is done again from the start.
    pub(super) async fn write<A, T, F>(self: &Arc<Self>, asked: A, work: F) -> Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
        F: for<'a> Fn(&'a Write, &'a A) -> BoxFuture<'a, Result<T>> + Send + Sync + 'static,
    {
        let db = Arc::clone(self);
        let written = tokio::spawn(async move {
            db.writes.fetch_add(1, Ordering::Relaxed);
            let observed = db.observed.clone();
            let result = observed.committing(1, db.write_until_done(&asked, &work)).await;
            db.writes.fetch_sub(1, Ordering::Relaxed);
            result
        });
        written
            .await
            .unwrap_or_else(|error| Err(StoreError::Failed(Box::new(error))))
    }

    async fn write_until_done<A, T, F>(self: &Arc<Self>, asked: &A, work: &F) -> Result<T>
    where
        A: Sync,
        F: for<'a> Fn(&'a Write, &'a A) -> BoxFuture<'a, Result<T>> + Sync,
    {
        let mut tried = 0;
        loop {
            tried += 1;
            let (error, again) = match self.write_once(asked, work).await {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            if !again || tried == TRIES {
                return Err(error);
            }
            // Not at the same instant as the one that was faster.
            tokio::time::sleep(Duration::from_millis(fastrand::u64(0..(4 << tried)))).await;
        }
    }

    /// Does it once; with an error, whether it may be done again.
    async fn write_once<A, T, F>(
        self: &Arc<Self>,
        asked: &A,
        work: &F,
    ) -> std::result::Result<T, (StoreError, bool)>
    where
        A: Sync,
        F: for<'a> Fn(&'a Write, &'a A) -> BoxFuture<'a, Result<T>> + Sync,
    {
        self.node.may_write().map_err(|error| (error, false))?;
        let conn = self.connection().await.map_err(|error| (error, false))?;
        let write = Write {
            db: Arc::clone(self),
            conn,
            state: Mutex::default(),
        };
        let (error, committing) = match work(&write, asked).await {
            Ok(value) => match write.commit().await {
                Ok(committed) => {
                    self.news.committed(committed);
                    return Ok(value);
                }
                Err(error) => (error, true),
            },
            Err(error) => (error, false),
        };
        let again = match write.state.lock().fault {
            Some(Fault::Overtaken) => true,
            // Once COMMIT may have been sent, nobody knows whether it was done.
            Some(Fault::Lost) => !committing,
            Some(Fault::Final) | None => false,
        };
        write.roll_back().await;
        Err((error, again))
    }
}
