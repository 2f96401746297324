//! Chats that something was taken away from, in the order in which it happened.

use prilavok_domain::{BusinessId, ChatId, Timestamp};
use rusqlite::Connection;

use super::write::Write;
use super::{meta, rows};
use crate::personal_data::TAKEN_AT_ONCE;
use crate::{Result, TakenFrom};

/// The place of the newest of them that there was, and that of the newest one that was forgotten.
pub(super) fn marks(conn: &Connection) -> Result<(i64, i64)> {
    let forgotten: i64 = conn
        .prepare_cached("SELECT coalesce((SELECT value FROM meta WHERE name = 'forgotten_taken'), 0)")?
        .query_row([], |row| row.get(0))?;
    let newest: i64 = conn
        .prepare_cached("SELECT coalesce(max(place), 0) FROM taken")?
        .query_row([], |row| row.get(0))?;
    Ok((newest.max(forgotten), forgotten))
}

/// Notes that something was taken away from a chat, in the transaction in which it was.
pub(super) fn note(write: &mut Write<'_>, business: BusinessId, chat: ChatId, now: Timestamp) -> Result<()> {
    let (newest, _) = marks(write.conn)?;
    write
        .conn
        .prepare_cached(
            "INSERT INTO taken (business_id, chat_id, place, at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET place = excluded.place, at = excluded.at",
        )?
        .execute((business.get(), chat.get(), newest + 1, now.as_millis()))?;
    Ok(())
}

/// Those behind the place `after`, in order.
pub(super) fn after(conn: &Connection, after: i64, limit: usize) -> Result<Vec<TakenFrom>> {
    let mut statement = conn.prepare_cached(
        "SELECT place, at, business_id, chat_id FROM taken WHERE place > ?1 ORDER BY place LIMIT ?2",
    )?;
    let found = statement.query_map((after, limit), |row| {
        Ok(TakenFrom {
            place: row.get(0)?,
            at: rows::time(row, 1, "at")?,
            business: rows::id(row, 2, "business_id")?,
            chat: rows::id(row, 3, "chat_id")?,
        })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Forgets the first of them, as far as they are from before `before`.
pub(super) fn forget(conn: &Connection, before: Timestamp) -> Result<u64> {
    let last: Option<i64> = conn
        .prepare_cached(
            "SELECT max(place) FROM (SELECT place, at FROM taken ORDER BY place LIMIT ?2) WHERE at < ?1",
        )?
        .query_row((before.as_millis(), TAKEN_AT_ONCE), |row| row.get(0))?;
    let Some(last) = last else { return Ok(0) };
    let forgotten = conn
        .prepare_cached("DELETE FROM taken WHERE place <= ?1")?
        .execute([last])?;
    meta::forgotten_taken(conn, last)?;
    Ok(forgotten as u64)
}
