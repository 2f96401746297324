//! What a customer sees of a business: their own chats, the events of those, and whose chat a file is in.

use prilavok_domain::{BusinessId, Chat, ChatId, FileId, OrderId, ReturnId};
use rusqlite::{Connection, OptionalExtension};

use super::events::EVENT;
use super::{lagging, recent, rows};
use crate::{CustomerChats, CustomerEvents, Page, Result};

/// The condition that a chat `c` is among those asked for; `?1` to `?4` are [`parameters`].
const SHOWN: &str = "c.customer_id = ?2 AND (?3 = 0 OR c.order_id = ?3)
    AND (?4 = 0 OR (c.context_type = 'RETURN' AND c.context_id = ?4))";

fn parameters(business: BusinessId, of: &CustomerChats) -> (i64, &str, i64, i64) {
    (
        business.get(),
        of.customer.as_str(),
        of.order.map_or(0, OrderId::get),
        of.returned.map_or(0, ReturnId::get),
    )
}

/// A page of the customer's chats, the newest first.
pub(super) fn chats(
    conn: &Connection,
    business: BusinessId,
    of: &CustomerChats,
    after: Option<ChatId>,
    limit: usize,
) -> Result<Page<Chat>> {
    let columns = rows::CHAT;
    // The index is named: left to itself, SQLite may read every chat of the business.
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {columns} FROM chat c INDEXED BY chat_by_customer CROSS JOIN customer u USING (customer_id)
         WHERE c.business_id = ?1 AND {SHOWN} AND c.chat_id < ?5
         ORDER BY c.chat_id DESC LIMIT ?6"
    ))?;
    let (business, customer, order, returned) = parameters(business, of);
    let before = after.map_or(i64::MAX, ChatId::get);
    let found = statement.query_map(
        (business, customer, order, returned, before, limit + 1),
        rows::numbered_chat,
    )?;
    let found = found.map(|chat| lagging::chat_now(conn, chat?));
    Ok(Page::beginning(found.collect::<Result<_>>()?, limit))
}

/// Those of the next `limit` events of the business that are about the customer's chats.
pub(super) fn events(
    conn: &Connection,
    business: BusinessId,
    of: &CustomerChats,
    after: i64,
    limit: usize,
) -> Result<CustomerEvents> {
    let mut statement = conn.prepare_cached(&format!(
        "WITH next_event AS ({} ORDER BY event_id LIMIT ?6)
         SELECT next_event.*, {SHOWN} FROM next_event LEFT JOIN chat c USING (business_id, chat_id)",
        recent::of_business(EVENT, "event_id > ?5")
    ))?;
    let (business, customer, order, returned) = parameters(business, of);
    let looked = statement.query_map((business, customer, order, returned, after, limit), |row| {
        Ok((rows::event(row, 0)?, row.get::<_, Option<bool>>(6)?))
    })?;
    let mut found = CustomerEvents {
        events: Vec::new(),
        seen: after,
        more: false,
    };
    let mut count = 0;
    for one in looked {
        let (event, shown) = one?;
        count += 1;
        found.seen = event.id.get();
        if shown == Some(true) {
            found.events.push(event);
        }
    }
    found.more = count == limit;
    Ok(found)
}

/// The chat that a file was sent into.
pub(super) fn chat_of_file(conn: &Connection, business: BusinessId, id: FileId) -> Result<Option<ChatId>> {
    Ok(conn
        .prepare_cached("SELECT chat_id FROM message_file WHERE business_id = ?1 AND file_id = ?2")?
        .query_row((business.get(), id.get()), |row| rows::id(row, 0, "chat_id"))
        .optional()?)
}
