//! What the people share who answer the chats of a business: how far chats are read, and saved replies.

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::{BusinessId, ChatId, Message, MessageId, MessageText, Name, SavedReplyId, Timestamp};
use tokio_postgres::Row;

use super::registry::must_exist;
use super::statements::statements;
use super::work::Work;
use super::{chats, messages, rows};
use crate::counter::{self, MAX_SAVED_REPLIES, ReplyContent, SavedReply};
use crate::{Conflict, Entity, Page, Refusal, Result, StoreError};

statements! {
    SEEN = "SELECT chat_id, message_id FROM seen WHERE business_id = $1 AND chat_id = ANY ($2)";
    MARK_SEEN = "INSERT INTO seen (business_id, chat_id, message_id) VALUES ($1, $2, $3)
        ON CONFLICT (business_id, chat_id) DO UPDATE SET message_id = greatest(seen.message_id, excluded.message_id)";
    REPLIES = "SELECT business_id, reply_id, name, text FROM saved_reply WHERE business_id = $1 ORDER BY name";
    /// Replies of one business change one after the other.
    LOCK = "SELECT business_id FROM business WHERE business_id = $1 FOR UPDATE";
    ADD = "INSERT INTO saved_reply (business_id, reply_id, name, text) VALUES ($1, $2, $3, $4)";
    CHANGE = "UPDATE saved_reply SET name = $3, text = $4 WHERE business_id = $1 AND reply_id = $2";
    DELETE = "DELETE FROM saved_reply WHERE business_id = $1 AND reply_id = $2";
}

/// The newest messages of a chat before `before`, oldest first.
pub(super) async fn latest(
    conn: &impl GenericClient,
    business: BusinessId,
    chat: ChatId,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Page<Message>> {
    let mut page = messages::page_before(conn, business, chat, before, limit).await?;
    page.items.reverse();
    Ok(page)
}

/// For each of `chats` the newest message of it that was seen.
pub(super) async fn seen(
    conn: &impl GenericClient,
    business: BusinessId,
    chats: &[ChatId],
) -> Result<Vec<Option<MessageId>>> {
    let ids: Vec<_> = chats.iter().map(|chat| chat.get()).collect();
    let found = rows::query(conn, SEEN, &[&business.get(), &ids]).await?;
    let found = found
        .iter()
        .map(|row| Ok((rows::id(row, 0, "chat_id")?, rows::id(row, 1, "message_id")?)))
        .collect::<Result<HashMap<ChatId, MessageId>>>()?;
    Ok(chats.iter().map(|chat| found.get(chat).copied()).collect())
}

/// Keeps that the messages of a chat up to `message` were seen. What was seen stays so.
pub(super) async fn mark_seen(
    conn: &impl GenericClient,
    business: BusinessId,
    chat: ChatId,
    message: MessageId,
) -> Result<()> {
    chats::existing(conn, business, chat).await?;
    rows::execute(conn, MARK_SEEN, &[&business.get(), &chat.get(), &message.get()])
        .await
        .map(drop)
}

fn read(row: &Row) -> Result<SavedReply> {
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
pub(super) async fn replies(conn: &impl GenericClient, business: BusinessId) -> Result<Vec<SavedReply>> {
    let found = rows::query(conn, REPLIES, &[&business.get()]).await?;
    found.iter().map(read).collect()
}

pub(super) async fn add_reply(
    work: &mut Work<'_>,
    business: BusinessId,
    content: &ReplyContent,
    now: Timestamp,
) -> Result<SavedReply> {
    must_exist(rows::query_opt(&work.tx, LOCK, &[&business.get()]).await?, || {
        Entity::Business(business)
    })?;
    let replies = replies(&work.tx, business).await?;
    if replies.len() >= MAX_SAVED_REPLIES {
        return Err(Refusal::Conflict(Conflict::TooManyReplies).into());
    }
    counter::must_be_free(&replies, None, content)?;
    let id = work.next_id(IdFor::File, now);
    let values: &rows::Values<'_> = &[
        &business.get(),
        &id,
        &content.name.as_str(),
        &content.text.as_str(),
    ];
    rows::execute(&work.tx, ADD, values).await?;
    Ok(SavedReply {
        business,
        id: SavedReplyId::new(id).map_err(|error| StoreError::Failed(Box::new(error)))?,
        content: content.clone(),
    })
}

pub(super) async fn change_reply(
    work: &mut Work<'_>,
    business: BusinessId,
    id: SavedReplyId,
    content: &ReplyContent,
) -> Result<()> {
    rows::query_opt(&work.tx, LOCK, &[&business.get()]).await?;
    counter::must_be_free(&replies(&work.tx, business).await?, Some(id), content)?;
    let values: &rows::Values<'_> = &[
        &business.get(),
        &id.get(),
        &content.name.as_str(),
        &content.text.as_str(),
    ];
    let changed = rows::execute(&work.tx, CHANGE, values).await?;
    must_exist((changed > 0).then_some(()), || Entity::SavedReply(id))
}

pub(super) async fn delete_reply(
    conn: &impl GenericClient,
    business: BusinessId,
    id: SavedReplyId,
) -> Result<()> {
    rows::execute(conn, DELETE, &[&business.get(), &id.get()])
        .await
        .map(drop)
}
