//! What the people share who answer the chats of a business: how far chats are read, and saved replies.

use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::{BusinessId, ChatId, MessageId, MessageText, Name, SavedReplyId, Timestamp};
use tokio_postgres::Row;

use super::db::Source;
use super::statements::statements;
use super::transaction::{Write, kept};
use super::{chats, rows};
use crate::counter::{ReplyContent, SavedReply, must_have_room, name_must_be_free};
use crate::error::must_exist;
use crate::{Entity, Result, StoreError};

statements! {
    SEEN = "SELECT s.message_id FROM unnest($2::bigint[]) WITH ORDINALITY AS w (chat_id, place) \
        LEFT JOIN seen s ON s.business_id = $1 AND s.chat_id = w.chat_id ORDER BY w.place";
    CHAT_EXISTS = "SELECT 1 FROM chat WHERE business_id = $1 AND chat_id = $2";
    MARK_SEEN = "INSERT INTO seen (business_id, chat_id, message_id) VALUES ($1, $2, $3) \
        ON CONFLICT (business_id, chat_id) DO UPDATE SET message_id = excluded.message_id \
            WHERE seen.message_id < excluded.message_id";
    REPLIES = "SELECT business_id, reply_id, name, text FROM saved_reply WHERE business_id = $1 ORDER BY name";
    ADD_REPLY = "INSERT INTO saved_reply (business_id, reply_id, name, text) VALUES ($1, $2, $3, $4)";
    CHANGE_REPLY = "UPDATE saved_reply SET name = $3, text = $4 WHERE business_id = $1 AND reply_id = $2";
    DELETE_REPLY = "DELETE FROM saved_reply WHERE business_id = $1 AND reply_id = $2";
}

/// For each of `chats` the newest message of it that was seen.
pub(super) async fn seen(
    source: &impl Source,
    business: BusinessId,
    chats: &[ChatId],
) -> Result<Vec<Option<MessageId>>> {
    let chats: Vec<i64> = chats.iter().map(|chat| chat.get()).collect();
    source
        .all(SEEN, &[&business.get(), &chats], |row| {
            rows::optional(row, 0, "message_id", |id: i64| MessageId::new(id).ok())
        })
        .await
}

/// Keeps that the messages of a chat up to `message` were seen. What was seen stays so.
pub(super) async fn mark_seen(
    write: &Write,
    business: BusinessId,
    chat: ChatId,
    message: MessageId,
) -> Result<()> {
    let found = write.ask(CHAT_EXISTS, &[&business.get(), &chat.get()]).await?;
    must_exist(found.first(), || Entity::Chat(chat))?;
    write.put(MARK_SEEN, kept![business.get(), chat.get(), message.get()]);
    Ok(())
}

fn saved_reply(row: &Row) -> Result<SavedReply> {
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
pub(super) async fn replies(source: &impl Source, business: BusinessId) -> Result<Vec<SavedReply>> {
    source.all(REPLIES, &[&business.get()], saved_reply).await
}

pub(super) async fn add_reply(
    write: &Write,
    business: BusinessId,
    content: &ReplyContent,
    now: Timestamp,
) -> Result<SavedReply> {
    chats::lock_business(write, business).await?;
    let replies = replies(write, business).await?;
    must_have_room(&replies)?;
    name_must_be_free(&replies, None, content)?;
    let id = write.next_id(IdFor::File, now);
    let (name, text) = (content.name.as_str().to_owned(), content.text.as_str().to_owned());
    write.put(ADD_REPLY, kept![business.get(), id, name, text]);
    Ok(SavedReply {
        business,
        id: SavedReplyId::new(id).map_err(|error| StoreError::Failed(Box::new(error)))?,
        content: content.clone(),
    })
}

pub(super) async fn change_reply(
    write: &Write,
    business: BusinessId,
    id: SavedReplyId,
    content: &ReplyContent,
) -> Result<()> {
    name_must_be_free(&replies(write, business).await?, Some(id), content)?;
    let (name, text) = (content.name.as_str(), content.text.as_str());
    let changed = write
        .change(CHANGE_REPLY, &[&business.get(), &id.get(), &name, &text])
        .await?;
    must_exist((changed > 0).then_some(()), || Entity::SavedReply(id))
}

#[expect(
    clippy::unused_async,
    reason = "a write is waited for, whether it asks anything or not"
)]
pub(super) async fn delete_reply(write: &Write, business: BusinessId, id: SavedReplyId) -> Result<()> {
    write.put(DELETE_REPLY, kept![business.get(), id.get()]);
    Ok(())
}
