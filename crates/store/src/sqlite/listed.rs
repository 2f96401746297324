//! Where the lists of a business have its chats.
//!
//! A message changes the place of its chat, and with that a page of each index of lists. So messages leave the chat where
//! the indexes have it (`listed_status`, `listed_at`), and chats are moved together: those with events after the one that
//! the business keeps (`listed_event_id`). Whoever reads an index asks for these first, in the same transaction: they are
//! few, and their events lie side by side.

use std::collections::BTreeSet;

use prilavok_domain::{BusinessId, ChatId};
use rusqlite::Connection;

use crate::Result;

/// So many events of a business are waited for before its chats are moved: each then costs a small part of that, and a
/// list has few chats to look at by themselves.
const EVENTS: usize = 32;

/// The chats of a business that may be elsewhere than the indexes have them; one for each event.
fn of_events(conn: &Connection, business: BusinessId) -> Result<Vec<i64>> {
    let mut statement = conn.prepare_cached(
        "SELECT chat_id FROM event WHERE business_id = ?1
             AND event_id > (SELECT listed_event_id FROM business WHERE business_id = ?1)",
    )?;
    let found = statement.query_map([business.get()], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// The chats of a business that may be elsewhere than the indexes have them.
pub(super) fn elsewhere(conn: &Connection, business: BusinessId) -> Result<BTreeSet<i64>> {
    Ok(of_events(conn, business)?.into_iter().collect())
}

/// Moves the chats of a business once enough events came for it to be worth it.
pub(super) fn move_when_due(conn: &Connection, business: BusinessId) -> Result<()> {
    let chats = of_events(conn, business)?;
    if chats.len() >= EVENTS {
        move_these(conn, business, chats)?;
    }
    Ok(())
}

/// Moves the chats of a business: before events are forgotten, which tell that they are elsewhere.
pub(super) fn move_all(conn: &Connection, business: BusinessId) -> Result<()> {
    let chats = of_events(conn, business)?;
    if chats.is_empty() {
        return Ok(());
    }
    move_these(conn, business, chats)
}

/// Moves one chat, now.
pub(super) fn move_one(conn: &Connection, business: BusinessId, chat: ChatId) -> Result<()> {
    move_to_its_place(conn, business, chat.get())
}

fn move_to_its_place(conn: &Connection, business: BusinessId, chat: i64) -> Result<()> {
    conn.prepare_cached(
        "UPDATE chat SET listed_status = status, listed_at = updated_at WHERE business_id = ?1 AND chat_id = ?2",
    )?
    .execute((business.get(), chat))?;
    Ok(())
}

fn move_these(conn: &Connection, business: BusinessId, chats: Vec<i64>) -> Result<()> {
    for chat in chats.into_iter().collect::<BTreeSet<_>>() {
        move_to_its_place(conn, business, chat)?;
    }
    // Ids only ever rise: whatever happens from now on has a higher one.
    conn.prepare_cached(
        "UPDATE business SET listed_event_id = coalesce(
             (SELECT max(event_id) FROM event WHERE business_id = ?1 AND event_id > listed_event_id), listed_event_id)
         WHERE business_id = ?1",
    )?
    .execute([business.get()])?;
    Ok(())
}
