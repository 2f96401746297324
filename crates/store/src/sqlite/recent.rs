//! The events of a business that came last.
//!
//! Events lie in the order in which all of them happened; those of one business are found by a table of their places. To put
//! each new one there would change a page of a large table for each message. So the last ones of a business hang together:
//! each names the one before it, and a small table has the newest. They are put where the others are together, by whoever
//! brings the rows of chats up to their messages (see `lagging`).

use prilavok_domain::{BusinessId, ChatId, ChatStatus, MessageId, Timestamp};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row};

use super::rows;
use crate::Result;

/// The recent events of business `?1`, the newest first: what a statement begins with that reads `recent_event`.
pub(super) const RECENT: &str = "WITH RECURSIVE recent_event AS (
        SELECT e.* FROM recent r CROSS JOIN event e ON e.event_id = r.newest_event_id WHERE r.business_id = ?1
        UNION ALL SELECT e.* FROM recent_event n CROSS JOIN event e ON e.event_id = n.before_id)";

/// A statement for these columns of the events of business `?1` that meet a condition, recent or not. What follows it may put
/// them in order.
pub(super) fn of_business(columns: &str, condition: &str) -> String {
    format!(
        "{RECENT} SELECT {columns} FROM event_of_business CROSS JOIN event USING (business_id, event_id)
         WHERE business_id = ?1 AND {condition}
         UNION ALL SELECT {columns} FROM recent_event WHERE {condition}"
    )
}

/// The newest of the recent events of a business, and how many they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Newest {
    pub(super) event: Option<i64>,
    pub(super) count: usize,
}

/// A recent event.
pub(super) struct Recent {
    pub(super) id: i64,
    pub(super) chat: ChatId,
    pub(super) message: Option<MessageId>,
    pub(super) at: Timestamp,
    /// The status that its message left the chat with, where the chat's row was not told.
    pub(super) leaves: Option<ChatStatus>,
    before: Option<i64>,
}

/// `None` for a business that never had an event.
pub(super) fn newest(conn: &Connection, business: BusinessId) -> Result<Option<Newest>> {
    let newest = |row: &Row<'_>| {
        Ok(Newest {
            event: row.get(0)?,
            count: row.get(1)?,
        })
    };
    Ok(conn
        .prepare_cached("SELECT newest_event_id, events FROM recent WHERE business_id = ?1")?
        .query_row([business.get()], newest)
        .optional()?)
}

/// Keeps which recent event of a business is the newest.
pub(super) fn keep(conn: &Connection, business: BusinessId, now: Newest) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO recent (business_id, newest_event_id, events) VALUES (?1, ?2, ?3)
         ON CONFLICT (business_id) DO UPDATE SET newest_event_id = ?2, events = ?3",
    )?
    .execute((business.get(), now.event, now.count))?;
    Ok(())
}

/// The recent events of a business, the newest first.
pub(super) fn all(conn: &Connection, business: BusinessId) -> Result<Vec<Recent>> {
    let Some(Newest { event, count }) = newest(conn, business)? else {
        return Ok(Vec::new());
    };
    let mut found: Vec<Recent> = Vec::with_capacity(count);
    let mut statement = conn.prepare_cached(
        "SELECT event_id, chat_id, message_id, at, leaves, before_id FROM event WHERE event_id = ?1 AND business_id = ?2",
    )?;
    let mut next = event;
    while let Some(id) = next {
        let Some(event) = one(&mut statement, business, id)? else {
            break;
        };
        next = event.before;
        found.push(event);
    }
    Ok(found)
}

fn one(statement: &mut CachedStatement<'_>, business: BusinessId, id: i64) -> Result<Option<Recent>> {
    Ok(statement.query_row((id, business.get()), recent).optional()?)
}

fn recent(row: &Row<'_>) -> rusqlite::Result<Recent> {
    Ok(Recent {
        id: row.get(0)?,
        chat: rows::id(row, 1, "chat_id")?,
        message: rows::optional(row, 2, "message_id", |id| MessageId::new(id).ok())?,
        at: rows::time(row, 3, "at")?,
        leaves: rows::named_or_null(row, 4, "leaves")?,
        before: row.get(5)?,
    })
}

/// Puts the recent events of a business, the newest first, where the others are. None is recent any more.
pub(super) fn put_away(conn: &Connection, business: BusinessId, events: &[Recent]) -> Result<()> {
    let mut put =
        conn.prepare_cached("INSERT INTO event_of_business (business_id, event_id) VALUES (?1, ?2)")?;
    for event in events.iter().rev() {
        put.execute((business.get(), event.id))?;
    }
    let none = Newest {
        event: None,
        count: 0,
    };
    keep(conn, business, none)
}
