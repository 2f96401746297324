//! The delivery log: a line for each try.

use prilavok_domain::event::Outcome;
use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::{BusinessId, EventId, MessageId, SubscriptionId, Timestamp};
use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension, Row};

use super::recent::RECENT;
use super::write::Write;
use super::{lagging, meta, rows};
use crate::notifications::{Attempt, AttemptFilter, ForgetBefore, LoggedAttempt, Try};
use crate::{Page, Result};

/// Rows forgotten in one transaction, so that no sweep holds up the writer for long.
const FORGOTTEN_AT_ONCE: usize = 1_000;

const COLUMNS: &str = "business_id, event_id, type, chat_id, message_id, event_at, attempt_id, subscription_id, at, \
    duration_ms, status, error, answer, outcome";

pub(super) fn log(write: &mut Write<'_>, business: BusinessId, id: SubscriptionId, one: &Try) -> Result<()> {
    let Try {
        delivery,
        attempt,
        settled,
    } = one;
    let event = &delivery.event;
    let attempt_id = write.next_id(IdFor::File, attempt.at);
    write
        .conn
        .prepare_cached(
            "INSERT INTO attempt (business_id, attempt_id, subscription_id, event_id, type, chat_id, message_id,
                 event_at, at, duration_ms, status, error, answer, outcome)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute((
            business.get(),
            attempt_id,
            id.get(),
            event.id.get(),
            event.kind.as_str(),
            event.chat.get(),
            event.message.map(MessageId::get),
            event.at.as_millis(),
            attempt.at.as_millis(),
            attempt.duration_ms,
            attempt.status,
            &attempt.error,
            &attempt.answer,
            settled.outcome().as_str(),
        ))?;
    Ok(())
}

fn logged(row: &Row<'_>) -> rusqlite::Result<LoggedAttempt> {
    Ok(LoggedAttempt {
        event: rows::event(row, 0)?,
        id: row.get(6)?,
        subscription: rows::id(row, 7, "subscription_id")?,
        attempt: Attempt {
            at: rows::time(row, 8, "at")?,
            duration_ms: row.get(9)?,
            status: row.get(10)?,
            error: row.get(11)?,
            answer: row.get(12)?,
        },
        outcome: rows::named(row, 13, "outcome")?,
    })
}

pub(super) fn one(conn: &Connection, business: BusinessId, id: i64) -> Result<Option<LoggedAttempt>> {
    Ok(conn
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM attempt WHERE business_id = ?1 AND attempt_id = ?2"
        ))?
        .query_row((business.get(), id), logged)
        .optional()?)
}

/// The log, newest first; `before` is the last id of the page before.
pub(super) fn page(
    conn: &Connection,
    business: BusinessId,
    filter: &AttemptFilter,
    before: Option<i64>,
    limit: usize,
) -> Result<Page<LoggedAttempt>> {
    let subscription = filter.subscription.map(SubscriptionId::get);
    let event = filter.event.map(EventId::get);
    let (from, until) = (
        filter.from.map_or(0, Timestamp::as_millis),
        filter.until.map_or(i64::MAX, Timestamp::as_millis),
    );
    let (business, before, limit_and_one) = (business.get(), before.unwrap_or(i64::MAX), limit + 1);
    let mut wanted = "business_id = ?1 AND attempt_id < ?2 AND at >= ?3 AND at < ?4".to_owned();
    let mut values: Vec<&dyn ToSql> = vec![&business, &before, &from, &until, &limit_and_one];
    for (column, value) in [("subscription_id", &subscription), ("event_id", &event)] {
        if let Some(value) = value {
            values.push(value);
            wanted += &format!(" AND {column} = ?{}", values.len());
        }
    }
    if let Some(outcome) = filter.outcome {
        // Written out, since the index of what went wrong is partial.
        wanted += &format!(" AND outcome = '{}'", outcome.as_str());
        if outcome != Outcome::Delivered {
            wanted += " AND outcome <> 'DELIVERED'";
        }
    }
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM attempt WHERE {wanted} ORDER BY attempt_id DESC LIMIT ?5"
    ))?;
    let lines = statement
        .query_map(values.as_slice(), logged)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Page::beginning(lines, limit))
}

/// Whether there may be something to forget.
pub(super) fn is_any_old(conn: &Connection, business: BusinessId, before: ForgetBefore) -> Result<bool> {
    let mut old = conn.prepare_cached(&format!(
        "SELECT coalesce((SELECT at FROM attempt WHERE business_id = ?1 ORDER BY attempt_id LIMIT 1) < ?2, FALSE)
             OR coalesce((SELECT at FROM event_of_business CROSS JOIN event USING (business_id, event_id)
                              WHERE business_id = ?1 ORDER BY event_id LIMIT 1) < ?3, FALSE)
             OR EXISTS ({RECENT} SELECT 1 FROM recent_event WHERE at < ?3)",
    ))?;
    let before = (
        business.get(),
        before.attempts.as_millis(),
        before.events.as_millis(),
    );
    Ok(old.query_row(before, |row| row.get(0))?)
}

/// Forgets the oldest lines of the log, and the oldest events up to the first one that is young or that a
/// subscription waits for: what is kept has no gaps.
pub(super) fn forget(conn: &Connection, business: BusinessId, before: ForgetBefore) -> Result<u64> {
    lagging::catch_up(conn, business)?;
    let lines = conn
        .prepare_cached(
            "DELETE FROM attempt WHERE business_id = ?1 AND attempt_id IN
                 (SELECT attempt_id FROM attempt WHERE business_id = ?1 ORDER BY attempt_id LIMIT ?3)
             AND at < ?2",
        )?
        .execute((business.get(), before.attempts.as_millis(), FORGOTTEN_AT_ONCE))?;
    let mut events = 0;
    let mut newest = 0;
    let mut forgetting = conn.prepare_cached(
        "WITH oldest AS MATERIALIZED
                 (SELECT event_id, at FROM event_of_business CROSS JOIN event USING (business_id, event_id)
                  WHERE business_id = ?1 ORDER BY event_id LIMIT ?3),
             kept (event_id) AS MATERIALIZED
                 (SELECT min(event_id) FROM oldest WHERE at >= ?2
                  UNION ALL SELECT min(settled_event_id) + 1 FROM subscription
                      WHERE business_id = ?1 AND disabled IS NULL
                  UNION ALL SELECT min(event_id) FROM again WHERE business_id = ?1)
             DELETE FROM event WHERE event_id IN (SELECT event_id FROM oldest
                 WHERE event_id < (SELECT coalesce(min(event_id), 9223372036854775807) FROM kept))
             RETURNING event_id",
    )?;
    let forgotten = (business.get(), before.events.as_millis(), FORGOTTEN_AT_ONCE);
    for event in forgetting.query_map(forgotten, |row| row.get::<_, i64>(0))? {
        newest = newest.max(event?);
        events += 1;
    }
    if events > 0 {
        meta::forgotten_event(conn, newest)?;
    }
    Ok((lines + events) as u64)
}
