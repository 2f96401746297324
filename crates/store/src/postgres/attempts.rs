//! The delivery log: a line for each try.

use deadpool_postgres::{GenericClient, Transaction};
use prilavok_domain::{BusinessId, EventId, MessageId, SubscriptionId, Timestamp};
use tokio_postgres::Row;

use super::statements::statements;
use super::{meta, rows};
use crate::notifications::{Attempt, AttemptFilter, ForgetBefore, LoggedAttempt, Try};
use crate::{Page, Result};

/// Rows forgotten in one transaction, so that no sweep holds locks for long.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

macro_rules! columns {
    () => {
        "business_id, event_id, type, chat_id, message_id, event_at, attempt_id, subscription_id, at, duration_ms, \
         status, error, answer, outcome"
    };
}

/// A page of the log under one more condition, which an index serves.
macro_rules! page {
    ($and:literal) => {
        concat!(
            "SELECT ", columns!(), " FROM attempt
             WHERE business_id = $1 AND attempt_id < $2 AND at >= $3 AND at < $4
                 AND ($6::bigint IS NULL OR subscription_id = $6) AND ($7::bigint IS NULL OR event_id = $7)
                 AND ($8::text IS NULL OR outcome = $8)", $and, " ORDER BY attempt_id DESC LIMIT $5"
        )
    };
}

statements! {
    LOG = concat!("INSERT INTO attempt (", columns!(), ")
        SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
            array_fill($8::bigint, ARRAY[cardinality($2)]), $9::bigint[], $10::bigint[], $11::integer[], $12::text[],
            $13::text[], $14::text[])");
    ONE = concat!("SELECT ", columns!(), " FROM attempt WHERE business_id = $1 AND attempt_id = $2");
    PAGE = page!("");
    /// What went wrong is looked for most.
    PAGE_NOT_DELIVERED = page!(" AND outcome <> 'DELIVERED'");
    FORGET_LINES = "DELETE FROM attempt WHERE business_id = $1 AND at < $2 AND attempt_id IN
        (SELECT attempt_id FROM attempt WHERE business_id = $1 ORDER BY attempt_id LIMIT $3)";
    /// The oldest events up to the first one that is young or that a subscription waits for: what is kept has no gaps.
    FORGET_EVENTS = "WITH oldest AS MATERIALIZED
            (SELECT event_id, at FROM event WHERE business_id = $1 ORDER BY event_id LIMIT $3),
        kept (event_id) AS MATERIALIZED
            (SELECT min(event_id) FROM oldest WHERE at >= $2
             UNION ALL SELECT min(settled_event_id) + 1 FROM subscription
                 WHERE business_id = $1 AND disabled IS NULL
             UNION ALL SELECT min(event_id) FROM again WHERE business_id = $1),
        forgotten AS
            (DELETE FROM event WHERE business_id = $1
                 AND event_id <= (SELECT max(event_id) FROM oldest)
                 AND event_id < (SELECT coalesce(min(event_id), 9223372036854775807) FROM kept)
             RETURNING event_id)
        SELECT count(*), coalesce(max(event_id), 0) FROM forgotten";
}

/// Logs tries in order; `ids` are the lines' ids.
pub(super) async fn log(
    tx: &Transaction<'_>,
    business: BusinessId,
    id: SubscriptionId,
    tries: &[Try],
    ids: &[i64],
) -> Result<()> {
    fn each<'a, T>(tries: &'a [Try], of: impl Fn(&'a Try) -> T) -> Vec<T> {
        tries.iter().map(of).collect()
    }
    let optional = |number: Option<u16>| number.map(i32::from);
    rows::execute(
        tx,
        LOG,
        &[
            &business.get(),
            &each(tries, |one| one.delivery.event.id.get()),
            &each(tries, |one| one.delivery.event.kind.as_str()),
            &each(tries, |one| one.delivery.event.chat.get()),
            &each(tries, |one| one.delivery.event.message.map(MessageId::get)),
            &each(tries, |one| one.delivery.event.at.as_millis()),
            &ids,
            &id.get(),
            &each(tries, |one| one.attempt.at.as_millis()),
            &each(tries, |one| i64::from(one.attempt.duration_ms)),
            &each(tries, |one| optional(one.attempt.status)),
            &each(tries, |one| one.attempt.error.as_deref()),
            &each(tries, |one| one.attempt.answer.as_str()),
            &each(tries, |one| one.settled.outcome().as_str()),
        ],
    )
    .await
    .map(drop)
}

fn logged(row: &Row) -> Result<LoggedAttempt> {
    Ok(LoggedAttempt {
        event: rows::event(row, 0)?,
        id: rows::get(row, 6)?,
        subscription: rows::id(row, 7, "subscription_id")?,
        attempt: Attempt {
            at: rows::time(row, 8, "at")?,
            duration_ms: rows::unsigned(row, 9, "duration_ms")?,
            status: rows::optional(row, 10, "status", |status: i32| u16::try_from(status).ok())?,
            error: rows::get(row, 11)?,
            answer: rows::get(row, 12)?,
        },
        outcome: rows::named(row, 13, "outcome")?,
    })
}

pub(super) async fn one(
    conn: &impl GenericClient,
    business: BusinessId,
    id: i64,
) -> Result<Option<LoggedAttempt>> {
    let found = rows::query_opt(conn, ONE, &[&business.get(), &id]).await?;
    found.as_ref().map(logged).transpose()
}

/// The log, newest first; `before` is the last id of the page before.
pub(super) async fn page(
    conn: &impl GenericClient,
    business: BusinessId,
    filter: &AttemptFilter,
    before: Option<i64>,
    limit: usize,
) -> Result<Page<LoggedAttempt>> {
    use prilavok_domain::event::Outcome;

    let sql = match filter.outcome {
        None | Some(Outcome::Delivered) => PAGE,
        Some(_) => PAGE_NOT_DELIVERED,
    };
    let found = rows::query(
        conn,
        sql,
        &[
            &business.get(),
            &before.unwrap_or(i64::MAX),
            &filter.from.map_or(0, Timestamp::as_millis),
            &filter.until.map_or(i64::MAX, Timestamp::as_millis),
            &rows::limit(limit + 1),
            &filter.subscription.map(SubscriptionId::get),
            &filter.event.map(EventId::get),
            &filter.outcome.map(Outcome::as_str),
        ],
    )
    .await?;
    let lines = found.iter().map(logged).collect::<Result<_>>()?;
    Ok(Page::beginning(lines, limit))
}

/// Forgets the oldest lines of the log and the oldest events.
pub(super) async fn forget(tx: &Transaction<'_>, business: BusinessId, before: ForgetBefore) -> Result<u64> {
    let lines = rows::execute(
        tx,
        FORGET_LINES,
        &[&business.get(), &before.attempts.as_millis(), &FORGOTTEN_AT_ONCE],
    )
    .await?;
    let row = rows::query_one(
        tx,
        FORGET_EVENTS,
        &[&business.get(), &before.events.as_millis(), &FORGOTTEN_AT_ONCE],
    )
    .await?;
    let events: u64 = rows::unsigned(&row, 0, "count")?;
    if events > 0 {
        meta::forgotten_event(tx, rows::get(&row, 1)?).await?;
    }
    Ok(lines + events)
}
