//! What a customer sees of a business: their own chats, the events of those, and whose chat a file is in.

use deadpool_postgres::GenericClient;
use prilavok_domain::{BusinessId, Chat, ChatId, FileId, OrderId, ReturnId};

use super::chats::{self, chat};
use super::rows;
use super::statements::statements;
use crate::{CustomerChats, CustomerEvents, Page, Result};

/// The condition that a chat `c` is among those asked for.
macro_rules! shown {
    () => {
        "c.customer_id = $2 AND ($3::bigint = 0 OR c.order_id = $3)
         AND ($4::bigint = 0 OR (c.context_type = 'RETURN' AND c.context_id = $4))"
    };
}

statements! {
    CHATS = concat!("SELECT ", chat!(), " FROM chat c JOIN customer u ON u.customer_id = c.customer_id
        WHERE c.business_id = $1 AND ", shown!(), " AND c.chat_id < $5 ORDER BY c.chat_id DESC LIMIT $6");
    EVENTS = concat!("SELECT e.business_id, e.event_id, e.type, e.chat_id, e.message_id, e.at, ", shown!(), "
        FROM event e LEFT JOIN chat c ON c.business_id = e.business_id AND c.chat_id = e.chat_id
        WHERE e.business_id = $1 AND e.event_id > $5 ORDER BY e.event_id LIMIT $6");
    CHAT_OF_FILE = "SELECT chat_id FROM message_file WHERE business_id = $1 AND file_id = $2";
}

/// A page of the customer's chats, the newest first.
pub(super) async fn chats(
    conn: &impl GenericClient,
    business: BusinessId,
    of: &CustomerChats,
    after: Option<ChatId>,
    limit: usize,
) -> Result<Page<Chat>> {
    let before = after.map_or(i64::MAX, ChatId::get);
    let values: &rows::Values<'_> = &[
        &business.get(),
        &of.customer.as_str(),
        &of.order.map_or(0, OrderId::get),
        &of.returned.map_or(0, ReturnId::get),
        &before,
        &rows::limit(limit + 1),
    ];
    chats::page(&rows::query(conn, CHATS, values).await?, limit)
}

/// Those of the next `limit` events of the business that are about the customer's chats.
pub(super) async fn events(
    conn: &impl GenericClient,
    business: BusinessId,
    of: &CustomerChats,
    after: i64,
    limit: usize,
) -> Result<CustomerEvents> {
    let values: &rows::Values<'_> = &[
        &business.get(),
        &of.customer.as_str(),
        &of.order.map_or(0, OrderId::get),
        &of.returned.map_or(0, ReturnId::get),
        &after,
        &rows::limit(limit),
    ];
    let looked = rows::query(conn, EVENTS, values).await?;
    let mut found = CustomerEvents {
        events: Vec::new(),
        seen: after,
        more: looked.len() == limit,
    };
    for row in &looked {
        let event = rows::event(row, 0)?;
        found.seen = event.id.get();
        if rows::get::<Option<bool>>(row, 6)? == Some(true) {
            found.events.push(event);
        }
    }
    Ok(found)
}

/// The chat that a file was sent into.
pub(super) async fn chat_of_file(
    conn: &impl GenericClient,
    business: BusinessId,
    id: FileId,
) -> Result<Option<ChatId>> {
    let found = rows::query_opt(conn, CHAT_OF_FILE, &[&business.get(), &id.get()]).await?;
    found.map(|row| rows::id(&row, 0, "chat_id")).transpose()
}
