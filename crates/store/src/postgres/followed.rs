//! What those read who follow the store as a whole: marks, chats by id, changed names.

use prilavok_domain::{BusinessId, Chat, ChatId, PublicId};

use super::db::{Db, Source};
use super::events;
use super::rows::{self, chat_columns};
use super::statements::statements;
use crate::{Marks, Result};

statements! {
    MARKS = "SELECT (SELECT coalesce(max(event_id), 0) FROM event WHERE event_id <= $1), \
            (SELECT coalesce(max(forgotten_event_id), 0) FROM business_head WHERE forgotten_event_id > 0), \
            (SELECT value FROM meta WHERE name = 'renamed')",
        across: "they are the marks of the whole store";
    CHATS_BY_ID = concat!("SELECT ", chat_columns!(), " FROM (SELECT * FROM chat WHERE (business_id, chat_id) > ($1, $2) \
        ORDER BY business_id, chat_id LIMIT $3) c JOIN customer u USING (customer_id) ORDER BY c.business_id, c.chat_id"),
        across: "it goes through the chats of all businesses";
    RENAMED = "SELECT renamed, customer_id FROM customer WHERE renamed > $1 ORDER BY renamed LIMIT $2",
        across: "customers are known to all businesses";
}

/// How far the store has come. No event up to the mark can appear any more that has not been there before.
pub(super) async fn marks(db: &Db) -> Result<Marks> {
    let settled = events::settled_mark(db).await?;
    let read = |row: &tokio_postgres::Row| {
        let (newest, forgotten_event): (i64, i64) = (rows::get(row, 0)?, rows::get(row, 1)?);
        Ok(Marks {
            event: newest.max(forgotten_event),
            forgotten_event,
            renamed: rows::get(row, 2)?,
        })
    };
    Ok(db.first(MARKS, &[&settled], read).await?.unwrap_or_default())
}

pub(super) async fn chats_by_id(
    source: &impl Source,
    after: Option<(BusinessId, ChatId)>,
    limit: usize,
) -> Result<Vec<Chat>> {
    let (business, chat) = after.map_or((0, 0), |(business, chat)| (business.get(), chat.get()));
    source
        .all(CHATS_BY_ID, &[&business, &chat, &rows::count(limit)], rows::chat)
        .await
}

pub(super) async fn renamed_customers(
    source: &impl Source,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, PublicId)>> {
    source
        .all(RENAMED, &[&after, &rows::count(limit)], |row| {
            Ok((
                rows::get(row, 0)?,
                rows::checked(row, 1, "customer_id", PublicId::new)?,
            ))
        })
        .await
}
