//! What those read who follow the store as a whole: marks, chats by id, changed names.

use prilavok_domain::{BusinessId, Chat, ChatId, PublicId};
use rusqlite::Connection;

use super::{events, lagging, rows, taken};
use crate::{Marks, Result};

pub(super) fn marks(conn: &Connection) -> Result<Marks> {
    let transaction = conn.unchecked_transaction()?;
    let newest = events::newest(&transaction, None)?;
    let forgotten_event = transaction
        .prepare_cached("SELECT coalesce((SELECT value FROM meta WHERE name = 'forgotten_event'), 0)")?
        .query_row([], |row| row.get(0))?;
    let renamed = transaction
        .prepare_cached("SELECT coalesce(max(renamed), 0) FROM customer WHERE renamed > 0")?
        .query_row([], |row| row.get(0))?;
    let (newest_taken, forgotten_taken) = taken::marks(&transaction)?;
    Ok(Marks {
        taken: newest_taken,
        forgotten_taken,
        event: newest.max(forgotten_event),
        forgotten_event,
        renamed,
    })
}

pub(super) fn chats_by_id(
    conn: &Connection,
    after: Option<(BusinessId, ChatId)>,
    limit: usize,
) -> Result<Vec<Chat>> {
    let columns = rows::CHAT;
    let (business, chat) = after.map_or((0, 0), |(business, chat)| (business.get(), chat.get()));
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {columns} FROM chat c CROSS JOIN customer u USING (customer_id)
         WHERE (c.business_id, c.chat_id) > (?1, ?2) ORDER BY c.business_id, c.chat_id LIMIT ?3"
    ))?;
    let found = statement.query_map((business, chat, limit), rows::numbered_chat)?;
    found.map(|chat| lagging::chat_now(conn, chat?)).collect()
}

pub(super) fn renamed_customers(conn: &Connection, after: i64, limit: usize) -> Result<Vec<(i64, PublicId)>> {
    let mut statement = conn.prepare_cached(
        "SELECT customer_id, renamed FROM customer WHERE renamed > ?1 AND renamed > 0 ORDER BY renamed LIMIT ?2",
    )?;
    let found = statement.query_map((after, limit), |row| {
        Ok((row.get(1)?, rows::checked(row, 0, "customer_id", PublicId::new)?))
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
