//! What is to be delivered next, what became of each try, and the log of tries.

use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::{BusinessId, Event, SubscriptionId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};

use super::writer::Write;
use super::{events, rows, subscriptions};
use crate::notifications::{
    Again, Attempt, AttemptFilter, Backlog, Delivery, DisabledBy, ForgetBefore, LoggedAttempt, Outcome,
    Settled, Switch,
};
use crate::{Page, Result};

/// The next delivery of a subscription: what was asked for again first, then events in their turn.
pub(super) fn next(conn: &Connection, business: BusinessId, id: SubscriptionId) -> Result<Option<Delivery>> {
    let again = conn
        .prepare_cached(
            "SELECT e.business_id, e.event_id, e.type, e.chat_id, e.message_id, e.at, a.again_id
             FROM again a JOIN event e USING (business_id, event_id)
             WHERE a.business_id = ?1 AND a.subscription_id = ?2 ORDER BY a.again_id LIMIT 1",
        )?
        .query_row((business.get(), id.get()), |row| {
            Ok(Delivery {
                event: events::event(row)?,
                again: row.get(6)?,
            })
        })
        .optional()?;
    if again.is_some() {
        return Ok(again);
    }
    let subscription = subscriptions::existing(conn, business, id)?;
    let settled: i64 = conn
        .prepare_cached(
            "SELECT settled_event_id FROM subscription WHERE business_id = ?1 AND subscription_id = ?2",
        )?
        .query_row((business.get(), id.get()), |row| row.get(0))?;
    let columns = events::EVENT;
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {columns} FROM event WHERE business_id = ?1 AND event_id > ?2 ORDER BY event_id"
    ))?;
    for event in statement.query_map((business.get(), settled), events::event)? {
        let event = event?;
        if subscription.types.contains(event.kind) {
            return Ok(Some(Delivery { event, again: None }));
        }
    }
    Ok(None)
}

/// Logs a try and does what follows from it. A subscription that was switched off or removed
/// meanwhile stays so; the try is logged all the same.
pub(super) fn settle(
    write: &mut Write<'_>,
    business: BusinessId,
    id: SubscriptionId,
    delivery: &Delivery,
    attempt: &Attempt,
    settled: Settled,
) -> Result<()> {
    let outcome = match settled {
        Settled::Delivered => Outcome::Delivered,
        Settled::Refused => Outcome::Refused,
        Settled::TryAgain(_) => Outcome::Failed,
        Settled::GivenUp => Outcome::GivenUp,
    };
    log(write, business, id, &delivery.event, attempt, outcome)?;
    let conn = write.conn;
    match settled {
        Settled::Delivered | Settled::Refused => advance(conn, business, id, delivery)?,
        Settled::TryAgain(at) => {
            conn.prepare_cached(
                "UPDATE subscription SET failing_since = coalesce(failing_since, ?3), next_try_at = ?4
                 WHERE business_id = ?1 AND subscription_id = ?2 AND disabled IS NULL",
            )?
            .execute((business.get(), id.get(), attempt.at.as_millis(), at.as_millis()))?;
        }
        Settled::GivenUp => {
            if subscriptions::one(conn, business, id)?.is_some_and(|it| it.disabled.is_none()) {
                subscriptions::switch(conn, business, id, Switch::Off(DisabledBy::Failures))?;
            }
        }
    }
    Ok(())
}

fn advance(conn: &Connection, business: BusinessId, id: SubscriptionId, delivery: &Delivery) -> Result<()> {
    match delivery.again {
        Some(again) => {
            conn.prepare_cached(
                "DELETE FROM again WHERE business_id = ?1 AND subscription_id = ?2 AND again_id = ?3",
            )?
            .execute((business.get(), id.get(), again))?;
        }
        None => {
            conn.prepare_cached(
                "UPDATE subscription SET settled_event_id = max(settled_event_id, ?3)
                 WHERE business_id = ?1 AND subscription_id = ?2",
            )?
            .execute((business.get(), id.get(), delivery.event.id.get()))?;
        }
    }
    conn.prepare_cached(
        "UPDATE subscription SET failing_since = NULL, next_try_at = NULL
         WHERE business_id = ?1 AND subscription_id = ?2 AND failing_since IS NOT NULL",
    )?
    .execute((business.get(), id.get()))?;
    Ok(())
}

fn log(
    write: &mut Write<'_>,
    business: BusinessId,
    id: SubscriptionId,
    event: &Event,
    attempt: &Attempt,
    outcome: Outcome,
) -> Result<()> {
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
            event.message.map(prilavok_domain::MessageId::get),
            event.at.as_millis(),
            attempt.at.as_millis(),
            attempt.duration_ms,
            attempt.status,
            &attempt.error,
            &attempt.answer,
            outcome.as_str(),
        ))?;
    Ok(())
}

fn logged(row: &Row<'_>) -> rusqlite::Result<LoggedAttempt> {
    let outcome: String = row.get(13)?;
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
        outcome: Outcome::ALL
            .into_iter()
            .find(|one| one.as_str() == outcome)
            .unwrap_or(Outcome::Failed),
    })
}

/// The log, newest first; `before` is the last id of the page before.
pub(super) fn attempts(
    conn: &Connection,
    business: BusinessId,
    filter: &AttemptFilter,
    before: Option<i64>,
    limit: usize,
) -> Result<Page<LoggedAttempt>> {
    let mut statement = conn.prepare_cached(
        "SELECT business_id, event_id, type, chat_id, message_id, event_at, attempt_id, subscription_id, at,
             duration_ms, status, error, answer, outcome
         FROM attempt
         WHERE business_id = ?1 AND attempt_id < ?2
             AND (?3 IS NULL OR subscription_id = ?3) AND (?4 IS NULL OR outcome = ?4)
             AND (?5 IS NULL OR event_id = ?5) AND at >= ?6 AND at < ?7
         ORDER BY attempt_id DESC LIMIT ?8",
    )?;
    let found = statement.query_map(
        (
            business.get(),
            before.unwrap_or(i64::MAX),
            filter.subscription.map(SubscriptionId::get),
            filter.outcome.map(Outcome::as_str),
            filter.event.map(prilavok_domain::EventId::get),
            filter.from.map_or(0, Timestamp::as_millis),
            filter.until.map_or(i64::MAX, Timestamp::as_millis),
            limit + 1,
        ),
        logged,
    )?;
    let mut items = found.collect::<rusqlite::Result<Vec<_>>>()?;
    let more = items.len() > limit;
    items.truncate(limit);
    Ok(Page { items, more })
}

/// Puts events into the queue of what is sent again; answers how many.
pub(super) fn send_again(
    write: &mut Write<'_>,
    business: BusinessId,
    id: SubscriptionId,
    again: Again,
    now: Timestamp,
) -> Result<u64> {
    let conn = write.conn;
    let subscription = subscriptions::existing(conn, business, id)?;
    let columns = events::EVENT;
    let (which, first, second) = match again {
        Again::Event(event) => ("event_id = ?2 AND ?3 = 0", event.get(), 0),
        Again::Between(from, until) => ("at >= ?2 AND at < ?3", from.as_millis(), until.as_millis()),
    };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {columns} FROM event WHERE business_id = ?1 AND {which} ORDER BY event_id"
    ))?;
    let found = statement
        .query_map((business.get(), first, second), events::event)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut queued = 0;
    for event in found {
        if subscription.types.contains(event.kind) {
            let place = write.next_id(IdFor::File, now);
            conn.prepare_cached(
                "INSERT INTO again (business_id, subscription_id, again_id, event_id) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((business.get(), id.get(), place, event.id.get()))?;
            queued += 1;
        }
    }
    write.touch(business);
    Ok(queued)
}

pub(super) fn backlog(conn: &Connection) -> Result<Backlog> {
    let given_up = conn.query_row(
        "SELECT count(*) FROM subscription WHERE disabled = 'FAILURES'",
        [],
        |row| row.get(0),
    )?;
    let mut oldest: Option<Timestamp> = None;
    for subscription in subscriptions::enabled(conn)? {
        if let Some(delivery) = next(conn, subscription.business, subscription.id)? {
            let at = delivery.event.at;
            oldest = Some(oldest.map_or(at, |oldest| oldest.min(at)));
        }
    }
    Ok(Backlog { oldest, given_up })
}

/// Forgets old lines of the log, and old events that no subscription waits for.
pub(super) fn forget(conn: &Connection, before: ForgetBefore) -> Result<u64> {
    let attempts = conn
        .prepare_cached("DELETE FROM attempt WHERE at < ?1")?
        .execute([before.attempts.as_millis()])?;
    let events = conn
        .prepare_cached(
            "DELETE FROM event WHERE at < ?1
                 AND NOT EXISTS (SELECT 1 FROM subscription s WHERE s.business_id = event.business_id
                     AND s.disabled IS NULL AND s.settled_event_id < event.event_id)
                 AND NOT EXISTS (SELECT 1 FROM again a WHERE a.business_id = event.business_id
                     AND a.event_id = event.event_id)",
        )?
        .execute([before.events.as_millis()])?;
    Ok((attempts + events) as u64)
}
