//! What a customer sees of a business: their own chats, the events of those, and whose chat a file is in.

use prilavok_domain::{BusinessId, Chat, ChatId, FileId, OrderId, ReturnId};

use super::db::{Source, Value};
use super::rows::{self, chat_columns};
use super::statements::statements;
use crate::{CustomerChats, CustomerEvents, Page, Result};

/// The condition that a chat `c` is among those asked for; `$2` to `$4` say which.
macro_rules! shown {
    () => {
        "c.customer_id = $2 AND ($3::bigint IS NULL OR c.order_id = $3) \
         AND ($4::bigint IS NULL OR (c.context_type = 'RETURN' AND c.context_id = $4))"
    };
}

statements! {
    CHATS = concat!("SELECT ", chat_columns!(), " FROM (SELECT * FROM chat c WHERE c.business_id = $1 AND ", shown!(),
        " AND c.chat_id < $5 ORDER BY c.chat_id DESC LIMIT $6) c JOIN customer u USING (customer_id) \
        ORDER BY c.chat_id DESC");
    EVENTS = concat!("SELECT e.business_id, e.event_id, e.type, e.chat_id, e.message_id, e.at, coalesce(", shown!(), ", false) \
        FROM (SELECT * FROM event WHERE business_id = $1 AND event_id > $5 ORDER BY event_id LIMIT $6) e \
        JOIN chat c ON c.business_id = e.business_id AND c.chat_id = e.chat_id ORDER BY e.event_id");
    CHAT_OF_FILE = "SELECT chat_id FROM message_file WHERE business_id = $1 AND file_id = $2";
}

/// A page of the customer's chats, the newest first.
pub(super) async fn chats(
    source: &impl Source,
    business: BusinessId,
    of: &CustomerChats,
    after: Option<ChatId>,
    limit: usize,
) -> Result<Page<Chat>> {
    let values: &[Value<'_>] = &[
        &business.get(),
        &of.customer.as_str(),
        &of.order.map(OrderId::get),
        &of.returned.map(ReturnId::get),
        &after.map_or(i64::MAX, ChatId::get),
        &rows::count(limit + 1),
    ];
    Ok(Page::of(source.all(CHATS, values, rows::chat).await?, limit))
}

/// Those of the next `limit` events of the business that are about the customer's chats.
pub(super) async fn events(
    source: &impl Source,
    business: BusinessId,
    of: &CustomerChats,
    after: i64,
    limit: usize,
) -> Result<CustomerEvents> {
    let values: &[Value<'_>] = &[
        &business.get(),
        &of.customer.as_str(),
        &of.order.map(OrderId::get),
        &of.returned.map(ReturnId::get),
        &after,
        &rows::count(limit),
    ];
    let looked = source
        .all(EVENTS, values, |row| {
            Ok((rows::event(row)?, rows::get::<bool>(row, 6)?))
        })
        .await?;
    Ok(CustomerEvents {
        seen: looked.last().map_or(after, |(event, _)| event.id.get()),
        more: looked.len() == limit,
        events: looked
            .into_iter()
            .filter(|(_, shown)| *shown)
            .map(|(event, _)| event)
            .collect(),
    })
}

/// The chat that a file was sent into.
pub(super) async fn chat_of_file(
    source: &impl Source,
    business: BusinessId,
    id: FileId,
) -> Result<Option<ChatId>> {
    let values: &[Value<'_>] = &[&business.get(), &id.get()];
    source
        .first(CHAT_OF_FILE, values, |row| rows::id(row, 0, "chat_id"))
        .await
}
