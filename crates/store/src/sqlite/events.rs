//! Events: written with what caused them, read by those who tell of them.

use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::rules::NotificationType;
use prilavok_domain::{BusinessId, ChatId, Event, Timestamp};
use rusqlite::{Connection, Row};

use super::write::Write;
use super::{lagging, rows};
use crate::Result;

/// The columns of [`event`].
pub(super) const EVENT: &str = "business_id, event_id, type, chat_id, message_id, at";

/// Notes that something happened, in the transaction in which it did, after what it did is written: each event is one more
/// for rows to be brought up to their messages.
pub(super) fn note(
    write: &mut Write<'_>,
    business: BusinessId,
    kind: NotificationType,
    chat: ChatId,
    message: Option<i64>,
    at: Timestamp,
) -> Result<()> {
    let id = write.next_id(IdFor::Event, at);
    write
        .conn
        .prepare_cached(
            "INSERT INTO event (business_id, event_id, type, chat_id, message_id, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            business.get(),
            id,
            kind.as_str(),
            chat.get(),
            message,
            at.as_millis(),
        ))?;
    write.touch(business);
    lagging::catch_up_when_due(write.conn, business)
}

pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    rows::event(row, 0)
}

/// Events after `after` in order, of one business or of all.
pub(super) fn after(
    conn: &Connection,
    business: Option<BusinessId>,
    after: i64,
    limit: usize,
) -> Result<Vec<Event>> {
    let sql = match business {
        Some(_) => format!(
            "SELECT {EVENT} FROM event INDEXED BY event_of_business
             WHERE business_id = ?1 AND event_id > ?2 ORDER BY event_id LIMIT ?3"
        ),
        None => format!(
            "SELECT {EVENT} FROM event NOT INDEXED WHERE event_id > ?2 AND ?1 = 0
             ORDER BY event_id LIMIT ?3"
        ),
    };
    let mut statement = conn.prepare_cached(&sql)?;
    let found = statement.query_map((business.map_or(0, BusinessId::get), after, limit), event)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// The newest event, of one business or of all; zero where there is none.
pub(super) fn newest(conn: &Connection, business: Option<BusinessId>) -> Result<i64> {
    let found = match business {
        Some(business) => conn
            .prepare_cached(
                "SELECT coalesce(max(event_id), 0) FROM event INDEXED BY event_of_business WHERE business_id = ?1",
            )?
            .query_row([business.get()], |row| row.get(0))?,
        None => conn
            .prepare_cached("SELECT coalesce(max(event_id), 0) FROM event NOT INDEXED")?
            .query_row([], |row| row.get(0))?,
    };
    Ok(found)
}
