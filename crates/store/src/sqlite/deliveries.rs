//! What waits to be delivered, and what became of each try.

use prilavok_domain::event::DisabledBy;
use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::{BusinessId, SubscriptionId, Timestamp};
use rusqlite::Connection;

use super::write::Write;
use super::{attempts, events, recent, subscriptions};
use crate::notifications::{Again, Delivery, LOOKED_AT, Settled, Switch, Try, Waiting};
use crate::{Conflict, Entity, Refusal, Result};

/// What was asked for again first, then events in their turn.
pub(super) fn waiting(
    conn: &Connection,
    business: BusinessId,
    id: SubscriptionId,
    seen: i64,
    limit: usize,
) -> Result<Waiting> {
    let transaction = conn.unchecked_transaction()?;
    let subscription = subscriptions::existing(&transaction, business, id)?;
    if subscription.disabled.is_some() {
        return Ok(Waiting::nothing(seen));
    }
    let again = asked_again(&transaction, business, id, limit)?;
    if !again.is_empty() {
        return Ok(Waiting::again(again, seen));
    }
    let settled: i64 = transaction
        .prepare_cached(
            "SELECT settled_event_id FROM subscription WHERE business_id = ?1 AND subscription_id = ?2",
        )?
        .query_row((business.get(), id.get()), |row| row.get(0))?;
    let seen = seen.max(settled);
    let events = events::after(&transaction, Some(business), seen, LOOKED_AT)?;
    Ok(Waiting::in_turn(events, subscription.types, seen, limit))
}

fn asked_again(
    conn: &Connection,
    business: BusinessId,
    id: SubscriptionId,
    limit: usize,
) -> Result<Vec<Delivery>> {
    let mut statement = conn.prepare_cached(
        "SELECT e.business_id, e.event_id, e.type, e.chat_id, e.message_id, e.at, a.again_id
         FROM again a JOIN event e USING (business_id, event_id)
         WHERE a.business_id = ?1 AND a.subscription_id = ?2 ORDER BY a.again_id LIMIT ?3",
    )?;
    let found = statement.query_map((business.get(), id.get(), limit), |row| {
        Ok(Delivery {
            event: events::event(row)?,
            again: row.get(6)?,
        })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Logs tries in order and does what follows from each.
pub(super) fn settle(
    write: &mut Write<'_>,
    business: BusinessId,
    id: SubscriptionId,
    tries: &[Try],
) -> Result<()> {
    for one in tries {
        attempts::log(write, business, id, one)?;
    }
    let conn = write.conn;
    for Try { delivery, .. } in tries.iter().filter(|one| is_over(one.settled)) {
        if let Some(again) = delivery.again {
            conn.prepare_cached(
                "DELETE FROM again WHERE business_id = ?1 AND subscription_id = ?2 AND again_id = ?3",
            )?
            .execute((business.get(), id.get(), again))?;
        }
    }
    let in_turn = tries
        .iter()
        .filter(|one| is_over(one.settled) && one.delivery.again.is_none());
    if let Some(last) = in_turn.map(|one| one.delivery.event.id.get()).max() {
        skip(conn, business, id, last)?;
    }
    if tries.iter().any(|one| is_over(one.settled)) {
        conn.prepare_cached(
            "UPDATE subscription SET failing_since = NULL, next_try_at = NULL
             WHERE business_id = ?1 AND subscription_id = ?2 AND failing_since IS NOT NULL",
        )?
        .execute((business.get(), id.get()))?;
    }
    match tries.last() {
        Some(last) => hold_back(conn, business, id, last),
        None => Ok(()),
    }
}

/// Whether nothing more is to be done about a delivery.
const fn is_over(settled: Settled) -> bool {
    matches!(settled, Settled::Delivered | Settled::Refused)
}

/// What a failure means for what comes after it.
fn hold_back(conn: &Connection, business: BusinessId, id: SubscriptionId, last: &Try) -> Result<()> {
    match last.settled {
        Settled::Delivered | Settled::Refused => {}
        Settled::TryAgain(at) => {
            conn.prepare_cached(
                "UPDATE subscription SET failing_since = coalesce(failing_since, ?3), next_try_at = ?4
                 WHERE business_id = ?1 AND subscription_id = ?2 AND disabled IS NULL",
            )?
            .execute((
                business.get(),
                id.get(),
                last.attempt.at.as_millis(),
                at.as_millis(),
            ))?;
        }
        Settled::GivenUp => {
            if subscriptions::one(conn, business, id)?.is_some_and(|it| it.disabled.is_none()) {
                subscriptions::switch(conn, business, id, Switch::Off(DisabledBy::Failures))?;
            }
        }
    }
    Ok(())
}

/// Settles every event up to `seen`.
pub(super) fn skip(conn: &Connection, business: BusinessId, id: SubscriptionId, seen: i64) -> Result<()> {
    conn.prepare_cached(
        "UPDATE subscription SET settled_event_id = ?3
         WHERE business_id = ?1 AND subscription_id = ?2 AND settled_event_id < ?3",
    )?
    .execute((business.get(), id.get(), seen))?;
    Ok(())
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
    if subscription.disabled.is_some() {
        return Err(Refusal::Conflict(Conflict::SubscriptionDisabled).into());
    }
    let columns = events::EVENT;
    let (sql, first, second) = match again {
        Again::Event(event) => {
            let sql =
                format!("SELECT {columns} FROM event WHERE business_id = ?1 AND event_id = ?2 AND ?3 = 0");
            (sql, event.get(), 0)
        }
        Again::Between(from, until) => {
            let sql = recent::of_business(columns, "at >= ?2 AND at < ?3") + " ORDER BY event_id";
            (sql, from.as_millis(), until.as_millis())
        }
    };
    let found = conn
        .prepare_cached(&sql)?
        .query_map((business.get(), first, second), events::event)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    if let (Again::Event(event), true) = (again, found.is_empty()) {
        return Err(Refusal::NotFound(Entity::Event(event)).into());
    }
    let mut queued = 0;
    for event in found
        .iter()
        .filter(|event| subscription.types.contains(event.kind))
    {
        let place = write.next_id(IdFor::File, now);
        conn.prepare_cached(
            "INSERT INTO again (business_id, subscription_id, again_id, event_id) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((business.get(), id.get(), place, event.id.get()))?;
        queued += 1;
    }
    // A running server sees it, whichever process asked.
    subscriptions::changed(conn)?;
    write.touch(business);
    Ok(queued)
}

/// Subscriptions that were disabled because deliveries failed.
pub(super) fn given_up(conn: &Connection) -> Result<u64> {
    Ok(conn
        .prepare_cached("SELECT count(*) FROM subscription WHERE disabled = 'FAILURES'")?
        .query_row([], |row| row.get(0))?)
}
