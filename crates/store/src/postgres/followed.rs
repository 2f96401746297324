//! What those read who follow the store as a whole: marks, chats by id, changed names.

use deadpool_postgres::GenericClient;
use prilavok_domain::{BusinessId, Chat, ChatId, PublicId};

use super::chats::{self, chat};
use super::statements::statements;
use super::{events, rows, taken};
use crate::{Marks, Result};

statements! {
    MARKS = "SELECT coalesce((SELECT number FROM meta WHERE name = 'forgotten_event'), 0),
        coalesce((SELECT max(renamed) FROM customer WHERE renamed IS NOT NULL), 0)";
    BY_ID = concat!("SELECT ", chat!(), " FROM chat c JOIN customer u ON u.customer_id = c.customer_id
        WHERE (c.business_id, c.chat_id) > ($1, $2) ORDER BY c.business_id, c.chat_id LIMIT $3");
    RENAMED = "SELECT renamed, customer_id FROM customer WHERE renamed > $1 ORDER BY renamed LIMIT $2";
}

pub(super) async fn marks(conn: &impl GenericClient) -> Result<Marks> {
    // What is forgotten meanwhile is seen by the second statement, so nothing between the two is missed.
    let newest = events::newest(conn, None).await?;
    let row = rows::query_one(conn, MARKS, &[]).await?;
    let forgotten_event = rows::get(&row, 0)?;
    let (newest_taken, forgotten_taken) = taken::marks(conn).await?;
    Ok(Marks {
        event: newest.max(forgotten_event),
        forgotten_event,
        renamed: rows::get(&row, 1)?,
        taken: newest_taken,
        forgotten_taken,
    })
}

pub(super) async fn chats_by_id(
    conn: &impl GenericClient,
    after: Option<(BusinessId, ChatId)>,
    limit: usize,
) -> Result<Vec<Chat>> {
    let (business, chat) = after.map_or((0, 0), |(business, chat)| (business.get(), chat.get()));
    let found = rows::query(conn, BY_ID, &[&business, &chat, &rows::limit(limit)]).await?;
    found.iter().map(chats::read).collect()
}

pub(super) async fn renamed_customers(
    conn: &impl GenericClient,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, PublicId)>> {
    let found = rows::query(conn, RENAMED, &[&after, &rows::limit(limit)]).await?;
    let renamed = found.iter().map(|row| {
        Ok((
            rows::get(row, 0)?,
            rows::checked(row, 1, "customer_id", PublicId::new)?,
        ))
    });
    renamed.collect()
}
