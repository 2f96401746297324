//! All that is kept of a customer, in all businesses.
//!
//! Each index begins with the business, so every business is asked; that is as quick as there are businesses, and done
//! for one customer now and then.

use prilavok_domain::{BusinessId, Chat, ChatId, Order, OrderId, PublicId, Return, ReturnId};
use rusqlite::Connection;

use super::{lagging, rows};
use crate::Result;

/// The chats of a customer, which `?1` is, behind a place.
const CHATS: &str = "business b CROSS JOIN chat c INDEXED BY chat_by_customer
        ON c.business_id = b.business_id AND c.customer_id = ?1
    WHERE b.business_id >= ?2 AND (b.business_id, c.chat_id) > (?2, ?3)
    ORDER BY b.business_id, c.chat_id LIMIT ?4";

pub(super) fn chat_ids(
    conn: &Connection,
    customer: &PublicId,
    (business, chat): (i64, i64),
    limit: usize,
) -> Result<Vec<(BusinessId, ChatId)>> {
    let mut statement = conn.prepare_cached(&format!("SELECT c.business_id, c.chat_id FROM {CHATS}"))?;
    let found = statement.query_map((customer.as_str(), business, chat, limit), |row| {
        Ok((rows::id(row, 0, "business_id")?, rows::id(row, 1, "chat_id")?))
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// How many chats of a customer there are.
pub(super) fn count_chats(conn: &Connection, customer: &PublicId) -> Result<u64> {
    Ok(conn
        .prepare_cached(
            "SELECT count(*) FROM business b CROSS JOIN chat c INDEXED BY chat_by_customer
                 ON c.business_id = b.business_id AND c.customer_id = ?1",
        )?
        .query_row([customer.as_str()], |row| row.get(0))?)
}

pub(super) fn chats(
    conn: &Connection,
    customer: &PublicId,
    after: Option<(BusinessId, ChatId)>,
    limit: usize,
) -> Result<Vec<Chat>> {
    let (business, chat) = after.map_or((0, 0), |(business, chat)| (business.get(), chat.get()));
    let columns = rows::CHAT;
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {columns} FROM customer u CROSS JOIN {}",
        CHATS.replace("WHERE", "WHERE u.customer_id = ?1 AND")
    ))?;
    let found = statement.query_map((customer.as_str(), business, chat, limit), rows::numbered_chat)?;
    found.map(|chat| lagging::chat_now(conn, chat?)).collect()
}

pub(super) fn orders(
    conn: &Connection,
    customer: &PublicId,
    after: Option<(BusinessId, OrderId)>,
    limit: usize,
) -> Result<Vec<Order>> {
    let (business, order) = after.map_or((0, 0), |(business, order)| (business.get(), order.get()));
    let mut statement = conn.prepare_cached(
        "SELECT p.business_id, p.order_id, p.campaign_id, p.customer_id, p.test
         FROM business b CROSS JOIN purchase p INDEXED BY order_of_customer
             ON p.business_id = b.business_id AND p.customer_id = ?1
         WHERE b.business_id >= ?2 AND (b.business_id, p.order_id) > (?2, ?3)
         ORDER BY b.business_id, p.order_id LIMIT ?4",
    )?;
    let found = statement.query_map((customer.as_str(), business, order, limit), rows::order)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn returns(
    conn: &Connection,
    customer: &PublicId,
    after: Option<(BusinessId, OrderId, ReturnId)>,
    limit: usize,
) -> Result<Vec<Return>> {
    let (business, order, returned) = after.map_or((0, 0, 0), |(business, order, returned)| {
        (business.get(), order.get(), returned.get())
    });
    let mut statement = conn.prepare_cached(
        "SELECT r.business_id, r.return_id, r.order_id
         FROM business b CROSS JOIN purchase p INDEXED BY order_of_customer
             ON p.business_id = b.business_id AND p.customer_id = ?1
         CROSS JOIN purchase_return r INDEXED BY return_of_order
             ON r.business_id = p.business_id AND r.order_id = p.order_id
         WHERE b.business_id >= ?2 AND (b.business_id, p.order_id, r.return_id) > (?2, ?3, ?4)
         ORDER BY b.business_id, p.order_id, r.return_id LIMIT ?5",
    )?;
    let found = statement.query_map(
        (customer.as_str(), business, order, returned, limit),
        rows::returned,
    )?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
