//! Chats whose rows do not know of their newest messages yet.
//!
//! A message that only says whose turn it is leaves its chat's row alone, and with it every index of lists: what it changes
//! about the chat follows from the message itself. Whoever reads a chat looks at its newest message too ([`now`]). Rows are
//! brought up to their messages together, once enough events of their business came after the one that it keeps
//! (`listed_event_id`). Until then those events tell which chats may be elsewhere than the indexes have them: they are
//! few, lie side by side, and are asked for first, in the same transaction.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use prilavok_domain::rules::waits_after;
use prilavok_domain::{BusinessId, Chat, ChatId, ChatType, MessageId, Sender, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};

use super::{chats, rows};
use crate::Result;

/// So many events of a business are waited for before rows are brought up to their messages: each then costs a small part
/// of that, and a list has few chats to look at by themselves.
const EVENTS: usize = 32;

/// Whether a message of `sender` leaves its chat's row as it is. Disputes are few, and the desk reads them in order: their
/// rows always know all.
pub(super) fn leaves_the_row(kind: ChatType, sender: Sender) -> bool {
    kind == ChatType::Chat && waits_after(kind, sender).is_some()
}

/// A chat as its newest message leaves it, from what its row says.
pub(super) fn now(conn: &Connection, chat: Chat) -> Result<Chat> {
    if chat.kind != ChatType::Chat {
        return Ok(chat);
    }
    let known = chat.last_message.map_or(0, MessageId::get);
    let newest = conn
        .prepare_cached(
            "SELECT message_id, created_at, sender FROM message
             WHERE business_id = ?1 AND chat_id = ?2 AND message_id > ?3 ORDER BY message_id DESC LIMIT 1",
        )?
        .query_row((chat.business.get(), chat.id.get(), known), newest)
        .optional()?;
    Ok(match newest {
        Some((id, created_at, sender)) => Chat {
            status: waits_after(chat.kind, sender).unwrap_or(chat.status),
            updated_at: created_at,
            last_message: Some(id),
            ..chat
        },
        None => chat,
    })
}

fn newest(row: &Row<'_>) -> rusqlite::Result<(MessageId, Timestamp, Sender)> {
    Ok((
        rows::id(row, 0, "message_id")?,
        rows::time(row, 1, "created_at")?,
        rows::named(row, 2, "sender")?,
    ))
}

/// All chats as their newest messages leave them, for whoever reads the whole store: what stands for the table `chat`, with
/// its columns.
pub(crate) fn all_now() -> String {
    let mut status = "CASE n.sender".to_owned();
    for sender in Sender::ALL {
        if let Some(left) = waits_after(ChatType::Chat, *sender) {
            // Writing into a text does not fail.
            let _ = write!(status, " WHEN '{sender}' THEN '{left}'");
        }
    }
    format!(
        "SELECT c.business_id, c.chat_id, c.type, {status} ELSE c.status END AS status, c.context_type, c.context_id,
             c.customer_id, c.order_id, c.campaign_id, c.created_at, coalesce(n.created_at, c.updated_at) AS updated_at,
             coalesce(n.message_id, c.last_message_id) AS last_message_id
         FROM main.chat c LEFT JOIN main.message n ON n.business_id = c.business_id AND n.chat_id = c.chat_id
             AND c.type = 'CHAT' AND n.message_id = (SELECT max(m.message_id) FROM main.message m
                 WHERE m.business_id = c.business_id AND m.chat_id = c.chat_id
                     AND m.message_id > coalesce(c.last_message_id, 0))"
    )
}

/// The chats of a business whose rows may lag behind; one for each event.
fn of_events(conn: &Connection, business: BusinessId) -> Result<Vec<ChatId>> {
    let mut statement = conn.prepare_cached(
        "SELECT chat_id FROM event INDEXED BY event_of_business WHERE business_id = ?1
             AND event_id > (SELECT listed_event_id FROM business WHERE business_id = ?1)",
    )?;
    let found = statement.query_map([business.get()], |row| rows::id(row, 0, "chat_id"))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// The chats of a business that may be elsewhere than the indexes have them.
pub(super) fn elsewhere(conn: &Connection, business: BusinessId) -> Result<BTreeSet<ChatId>> {
    Ok(of_events(conn, business)?.into_iter().collect())
}

/// Brings the rows of a business up to their messages once enough events came for it to be worth it.
pub(super) fn catch_up_when_due(conn: &Connection, business: BusinessId) -> Result<()> {
    let chats = of_events(conn, business)?;
    if chats.len() >= EVENTS {
        catch_up(conn, business, chats)?;
    }
    Ok(())
}

/// Brings the rows of a business up to their messages: before events are forgotten, which tell that they lag behind.
pub(super) fn catch_up_all(conn: &Connection, business: BusinessId) -> Result<()> {
    let chats = of_events(conn, business)?;
    if chats.is_empty() {
        return Ok(());
    }
    catch_up(conn, business, chats)
}

fn catch_up(conn: &Connection, business: BusinessId, chats: Vec<ChatId>) -> Result<()> {
    for chat in chats.into_iter().collect::<BTreeSet<_>>() {
        // One that was removed meanwhile has nothing to be brought up to.
        if let Some(chat) = chats::one(conn, business, chat)? {
            chats::write_row(conn, &chat)?;
        }
    }
    // Ids only ever rise: whatever happens from now on has a higher one.
    conn.prepare_cached(
        "UPDATE business SET listed_event_id = coalesce(
             (SELECT max(event_id) FROM event INDEXED BY event_of_business
              WHERE business_id = ?1 AND event_id > listed_event_id), listed_event_id)
         WHERE business_id = ?1",
    )?
    .execute([business.get()])?;
    Ok(())
}
