//! Messages and their files: written and read.
//!
//! A message is one statement, which writes it with its files and its event and moves the chat, if the chat still is as
//! the rules were asked about. So no lock is held while this process thinks, and one round trip to the database is a
//! durable message. Whoever loses the race for a chat asks the rules again.

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::rules::{self, ChatState, Event};
use prilavok_domain::{
    Attachment, BusinessId, Chat, ChatId, FileId, FileName, Message, MessageId, MessageText, Timestamp,
};
use tokio_postgres::Row;

use super::chats::{self, chat};
use super::nodes::Node;
use super::registry::must_exist;
use super::rows;
use super::statements::statements;
use super::work::LOW_BITS;
use crate::{Entity, MessageRange, NewMessage, Page, Refusal, Result, StoreError, StoredFile};

/// How often the race for one chat is run: whoever loses so often meets far more writers than a chat has.
const TRIES: u32 = 100;

statements! {
    STATE = concat!("SELECT ", chat!(), ", c.erasures FROM chat c JOIN customer u ON u.customer_id = c.customer_id
        WHERE c.business_id = $1 AND c.chat_id = $2");
    /// `head` comes after `moved`, and with it the business's lock: it is the last one taken, and held for the commit alone.
    APPEND = "WITH moved AS (
            UPDATE chat SET status = $4, updated_at = $5, last_message_id = $6
            WHERE business_id = $1 AND chat_id = $2 AND status = $3 AND last_message_id IS NOT DISTINCT FROM $7
                AND erasures = $21
            RETURNING chat_id),
        written AS (
            INSERT INTO message (business_id, chat_id, message_id, created_at, sender, text, files)
            SELECT $1, chat_id, $6, $5, $8, $9, cardinality($10::bigint[]) FROM moved),
        attached AS (
            INSERT INTO message_file (business_id, file_id, chat_id, message_id, object, name, size, media_type)
            SELECT $1, file.id, chat_id, $6, file.object, file.name, file.size, file.media_type
            FROM moved, unnest($10::bigint[], $11::text[], $12::text[], $13::bigint[], $14::text[])
                AS file (id, object, name, size, media_type)),
        remembered AS (
            INSERT INTO idempotency (business_id, surface, key, fingerprint, result, created_at)
            SELECT $1, $17, $18, $19, $6, $20 FROM moved WHERE $18::text IS NOT NULL),
        head AS (
            UPDATE business_head SET last_event_id = next_event(last_event_id, $16)
            WHERE business_id = $1 AND EXISTS (SELECT 1 FROM moved)
            RETURNING last_event_id)
        INSERT INTO event (business_id, event_id, type, chat_id, message_id, at)
        SELECT $1, last_event_id, $15, $2, $6, $5 FROM head RETURNING event_id";
    ONE = "SELECT message_id, created_at, sender, text, files FROM message
        WHERE business_id = $1 AND chat_id = $2 AND message_id = $3";
    PAGE = "SELECT message_id, created_at, sender, text, files FROM message
        WHERE business_id = $1 AND chat_id = $2 AND message_id >= $3 ORDER BY message_id LIMIT $4";
    BACKWARDS = "SELECT message_id, created_at, sender, text, files FROM message
        WHERE business_id = $1 AND chat_id = $2 AND message_id < $3 ORDER BY message_id DESC LIMIT $4";
    FILES = "SELECT file_id, object, name, size, media_type, removed_at, message_id FROM message_file
        WHERE business_id = $1 AND chat_id = $2 AND message_id = ANY ($3) ORDER BY message_id, file_id";
    FILE = "SELECT file_id, object, name, size, media_type, removed_at FROM message_file
        WHERE business_id = $1 AND file_id = $2 AND removed_at IS NULL";
}

/// A message that was written, and the event that tells of it.
pub(super) struct Appended {
    pub(super) message: Message,
    pub(super) event: i64,
}

/// Writes a message. Outside a transaction it is committed when this answers.
pub(super) async fn append(
    conn: &impl GenericClient,
    node: &Node,
    business: BusinessId,
    chat: ChatId,
    new: &NewMessage,
    once: Option<&crate::Idempotency>,
    now: Timestamp,
) -> Result<Appended> {
    let event = Event::Message {
        sender: new.sender,
        wait_for: new.wait_for,
    };
    for _ in 0..TRIES {
        let row = rows::query_opt(conn, STATE, &[&business.get(), &chat.get()]).await?;
        let row = must_exist(row, || Entity::Chat(chat))?;
        let there = chats::read(&row)?;
        rules::may_write_to(there.customer.erased_at, new.sender).map_err(Refusal::Rule)?;
        let state = ChatState {
            kind: there.kind,
            status: there.status,
        }
        .apply(event)
        .map_err(Refusal::Rule)?;
        let last = there.last_message.map(MessageId::get);
        // A clock that steps back must not put a message before the one it answers.
        let created_at = now.max(there.updated_at);
        let id = node.next_id_above(IdFor::Message, now, last.unwrap_or(0));
        let files: Vec<i64> = new.files.iter().map(|_| node.next_id(IdFor::File, now)).collect();
        let texts = |of: fn(&StoredFile) -> &str| new.files.iter().map(of).collect::<Vec<_>>();
        let sizes = new
            .files
            .iter()
            .map(|file| i64::try_from(file.size).unwrap_or(i64::MAX));
        let kind = state
            .notification(event)
            .ok_or_else(|| StoreError::Failed("a message has no event".into()))?;
        let values: &rows::Values<'_> = &[
            &business.get(),
            &chat.get(),
            &there.status.as_str(),
            &state.status.as_str(),
            &created_at.as_millis(),
            &id,
            &last,
            &new.sender.as_str(),
            &new.text.as_ref().map(MessageText::as_str),
            &files,
            &texts(|file| &file.object),
            &texts(|file| file.name.as_str()),
            &sizes.collect::<Vec<_>>(),
            &texts(|file| &file.media_type),
            &kind.as_str(),
            &(id & LOW_BITS),
            &once.map(|once| once.surface.as_str()),
            &once.map(|once| once.key.as_str()),
            &once.map(|once| once.fingerprint.as_slice()),
            &now.as_millis(),
            &rows::get::<i32>(&row, chats::COLUMNS)?,
        ];
        let Some(written) = rows::query_opt(conn, APPEND, values).await? else {
            continue;
        };
        let attachments = files.iter().zip(&new.files).map(|(id, file)| {
            let id = FileId::new(*id).map_err(|error| StoreError::Failed(Box::new(error)))?;
            Ok(file.attachment(id))
        });
        let message = Message {
            id: MessageId::new(id).map_err(|error| StoreError::Failed(Box::new(error)))?,
            created_at,
            sender: new.sender,
            text: new.text.clone(),
            files: attachments.collect::<Result<_>>()?,
        };
        return Ok(Appended {
            message,
            event: rows::get(&written, 0)?,
        });
    }
    Err(StoreError::Busy)
}

/// The message that was written under an idempotency key.
pub(super) async fn replayed(
    conn: &impl GenericClient,
    business: BusinessId,
    chat: ChatId,
    id: i64,
) -> Result<Message> {
    must_exist(number(conn, business, chat, id).await?, || Entity::Chat(chat))
}

pub(super) async fn one(
    conn: &impl GenericClient,
    business: BusinessId,
    chat: ChatId,
    id: MessageId,
) -> Result<Option<Message>> {
    number(conn, business, chat, id.get()).await
}

async fn number(
    conn: &impl GenericClient,
    business: BusinessId,
    chat: ChatId,
    id: i64,
) -> Result<Option<Message>> {
    let found = rows::query(conn, ONE, &[&business.get(), &chat.get(), &id]).await?;
    Ok(page_of(conn, business, chat, &found, 1).await?.items.pop())
}

/// A chat, and a page of its messages, oldest first.
pub(super) async fn history(
    conn: &impl GenericClient,
    business: BusinessId,
    chat: ChatId,
    range: MessageRange,
    limit: usize,
) -> Result<Option<(Chat, Page<Message>)>> {
    match chats::one(conn, business, chat).await? {
        Some(found) => Ok(Some((found, page(conn, business, chat, range, limit).await?))),
        None => Ok(None),
    }
}

/// A page of messages, oldest first.
pub(super) async fn page(
    conn: &impl GenericClient,
    business: BusinessId,
    chat: ChatId,
    range: MessageRange,
    limit: usize,
) -> Result<Page<Message>> {
    let from = range.from.unwrap_or(0);
    let first = range.after.map_or(from, |after| from.max(after.get() + 1));
    let values: &rows::Values<'_> = &[&business.get(), &chat.get(), &first, &rows::limit(limit + 1)];
    let found = rows::query(conn, PAGE, values).await?;
    page_of(conn, business, chat, &found, limit).await
}

/// A page of the messages before `before`, the newest first; `None`: of all.
pub(super) async fn page_before(
    conn: &impl GenericClient,
    business: BusinessId,
    chat: ChatId,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Page<Message>> {
    let before = before.map_or(i64::MAX, MessageId::get);
    let values: &rows::Values<'_> = &[&business.get(), &chat.get(), &before, &rows::limit(limit + 1)];
    let found = rows::query(conn, BACKWARDS, values).await?;
    page_of(conn, business, chat, &found, limit).await
}

/// At most `limit` of the messages found, with their files.
async fn page_of(
    conn: &impl GenericClient,
    business: BusinessId,
    chat: ChatId,
    found: &[Row],
    limit: usize,
) -> Result<Page<Message>> {
    let mut items = Vec::with_capacity(found.len().min(limit));
    let mut with_files = Vec::new();
    for row in found.iter().take(limit) {
        let message = read(row)?;
        if rows::get::<i32>(row, 4)? > 0 {
            with_files.push(message.id.get());
        }
        items.push(message);
    }
    if !with_files.is_empty() {
        let mut files: HashMap<MessageId, Vec<Attachment>> = HashMap::new();
        let values: &rows::Values<'_> = &[&business.get(), &chat.get(), &with_files];
        for row in rows::query(conn, FILES, values).await? {
            let of = rows::id(&row, 6, "message_id")?;
            files.entry(of).or_default().push(read_file(&row)?.0);
        }
        for message in &mut items {
            message.files = files.remove(&message.id).unwrap_or_default();
        }
    }
    Ok(Page {
        items,
        more: found.len() > limit,
    })
}

fn read(row: &Row) -> Result<Message> {
    let text: Option<&str> = rows::get(row, 3)?;
    Ok(Message {
        id: rows::id(row, 0, "message_id")?,
        created_at: rows::time(row, 1, "created_at")?,
        sender: rows::named(row, 2, "sender")?,
        text: text
            .map(|_| rows::checked(row, 3, "text", MessageText::new))
            .transpose()?,
        files: Vec::new(),
    })
}

/// A file as its readers see it, and where its bytes lie, or lay.
fn read_file(row: &Row) -> Result<(Attachment, StoredFile)> {
    let file = StoredFile {
        object: rows::get(row, 1)?,
        name: FileName::from_client(rows::get(row, 2)?),
        size: rows::unsigned(row, 3, "size")?,
        media_type: rows::get(row, 4)?,
    };
    let attachment = Attachment {
        removed_at: rows::optional(row, 5, "removed_at", Timestamp::from_millis)?,
        ..file.attachment(rows::id(row, 0, "file_id")?)
    };
    Ok((attachment, file))
}

/// A file of a business.
pub(super) async fn file(
    conn: &impl GenericClient,
    business: BusinessId,
    id: FileId,
) -> Result<Option<(Attachment, StoredFile)>> {
    let found = rows::query_opt(conn, FILE, &[&business.get(), &id.get()]).await?;
    found.as_ref().map(read_file).transpose()
}
