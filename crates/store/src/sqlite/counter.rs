//! What the people share who answer the chats of a business: how far chats are read, and saved replies.

use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::{BusinessId, ChatId, Message, MessageId, MessageText, Name, SavedReplyId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};

use super::registry::must_exist;
use super::write::Write;
use super::{chats, messages, registry, rows};
use crate::counter::{MAX_SAVED_REPLIES, ReplyContent, SavedReply, must_be_free};
use crate::{Conflict, Entity, Page, Refusal, Result, StoreError};

/// The newest messages of a chat before `before`, oldest first.
pub(super) fn latest(
    conn: &Connection,
    business: BusinessId,
    chat: ChatId,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Page<Message>> {
    let mut page = messages::page_before(conn, business, chat, before, limit)?;
    page.items.reverse();
    Ok(page)
}

/// For each of `chats` the newest message of it that was seen.
pub(super) fn seen(
    conn: &Connection,
    business: BusinessId,
    chats: &[ChatId],
) -> Result<Vec<Option<MessageId>>> {
    let mut statement =
        conn.prepare_cached("SELECT message_id FROM seen WHERE business_id = ?1 AND chat_id = ?2")?;
    chats
        .iter()
        .map(|chat| {
            let found = statement
                .query_row((business.get(), chat.get()), |row| rows::id(row, 0, "message_id"))
                .optional();
            Ok(found?)
        })
        .collect()
}

/// Keeps that the messages of a chat up to `message` were seen. What was seen stays so.
pub(super) fn mark_seen(
    conn: &Connection,
    business: BusinessId,
    chat: ChatId,
    message: MessageId,
) -> Result<()> {
    chats::existing(conn, business, chat)?;
    conn.prepare_cached(
        "INSERT INTO seen (business_id, chat_id, message_id) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET message_id = max(message_id, excluded.message_id)",
    )?
    .execute((business.get(), chat.get(), message.get()))?;
    Ok(())
}

const COLUMNS: &str = "business_id, reply_id, name, text";

fn saved_reply(row: &Row<'_>) -> rusqlite::Result<SavedReply> {
    Ok(SavedReply {
        business: rows::id(row, 0, "business_id")?,
        id: rows::id(row, 1, "reply_id")?,
        content: ReplyContent {
            name: rows::checked(row, 2, "name", Name::new)?,
            text: rows::checked(row, 3, "text", MessageText::new)?,
        },
    })
}

/// The saved replies of a business by name.
pub(super) fn replies(conn: &Connection, business: BusinessId) -> Result<Vec<SavedReply>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM saved_reply INDEXED BY saved_reply_name WHERE business_id = ?1 ORDER BY name"
    ))?;
    let replies = statement.query_map([business.get()], saved_reply)?;
    Ok(replies.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn add_reply(
    write: &mut Write<'_>,
    business: BusinessId,
    content: &ReplyContent,
    now: Timestamp,
) -> Result<SavedReply> {
    must_exist(registry::business(write.conn, business)?, || {
        Entity::Business(business)
    })?;
    let replies = replies(write.conn, business)?;
    if replies.len() >= MAX_SAVED_REPLIES {
        return Err(Refusal::Conflict(Conflict::TooManyReplies).into());
    }
    must_be_free(&replies, None, content)?;
    let id = write.next_id(IdFor::File, now);
    write
        .conn
        .prepare_cached(
            "INSERT INTO saved_reply (business_id, reply_id, name, text) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((business.get(), id, content.name.as_str(), content.text.as_str()))?;
    Ok(SavedReply {
        business,
        id: SavedReplyId::new(id).map_err(|error| StoreError::Failed(Box::new(error)))?,
        content: content.clone(),
    })
}

pub(super) fn change_reply(
    conn: &Connection,
    business: BusinessId,
    id: SavedReplyId,
    content: &ReplyContent,
) -> Result<()> {
    must_be_free(&replies(conn, business)?, Some(id), content)?;
    let changed = conn
        .prepare_cached(
            "UPDATE saved_reply SET name = ?3, text = ?4 WHERE business_id = ?1 AND reply_id = ?2",
        )?
        .execute((
            business.get(),
            id.get(),
            content.name.as_str(),
            content.text.as_str(),
        ))?;
    must_exist((changed > 0).then_some(()), || Entity::SavedReply(id))
}

pub(super) fn delete_reply(conn: &Connection, business: BusinessId, id: SavedReplyId) -> Result<()> {
    conn.prepare_cached("DELETE FROM saved_reply WHERE business_id = ?1 AND reply_id = ?2")?
        .execute((business.get(), id.get()))?;
    Ok(())
}
