//! Messages and their files: written and read.

use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::rules::{ChatState, Event};
use prilavok_domain::{
    Attachment, BusinessId, ChatId, FileId, FileName, Message, MessageId, MessageText, Timestamp,
};
use tokio_postgres::Row;

use super::db::{Source, Value};
use super::statements::statements;
use super::transaction::{Write, kept};
use super::{idempotency, rows};
use crate::columns::attachment;
use crate::error::must_exist;
use crate::{
    Applied, Entity, Idempotency, MessageRange, NewMessage, Page, Refusal, Result, StoreError, StoredFile,
};

/// A message `m` with its files, each kind of column as an array. The files of a message without any are not looked for.
macro_rules! messages {
    ($where:literal) => {
        concat!(
            "SELECT m.message_id, m.created_at, m.sender, m.text, f.ids, f.names, f.sizes, f.types FROM message m \
             LEFT JOIN LATERAL (SELECT array_agg(file_id ORDER BY file_id) AS ids, \
                 array_agg(name ORDER BY file_id) AS names, array_agg(size ORDER BY file_id) AS sizes, \
                 array_agg(media_type ORDER BY file_id) AS types FROM message_file \
                 WHERE m.files > 0 AND business_id = m.business_id AND chat_id = m.chat_id \
                     AND message_id = m.message_id) f ON true \
             WHERE m.business_id = $1 AND m.chat_id = $2 AND ",
            $where
        )
    };
}

statements! {
    /// Locks the chat for whoever writes into it, and says what the rules look at.
    LOCK_STATE = "SELECT type, status, updated_at, coalesce(last_message_id, 0) FROM chat \
        WHERE business_id = $1 AND chat_id = $2 FOR NO KEY UPDATE";
    /// The message, its files and what becomes of the chat.
    WRITE = "WITH written AS (INSERT INTO message (business_id, chat_id, message_id, created_at, sender, text, files) \
                VALUES ($1, $2, $3, $4, $5, $6, cardinality($8::bigint[]))), \
            moved AS (UPDATE chat SET status = $7, updated_at = $4, last_message_id = $3 \
                WHERE business_id = $1 AND chat_id = $2) \
        INSERT INTO message_file (business_id, file_id, chat_id, message_id, object, name, size, media_type) \
        SELECT $1, f.file_id, $2, $3, f.object, f.name, f.size, f.media_type \
        FROM unnest($8::bigint[], $9::text[], $10::text[], $11::bigint[], $12::text[]) \
            AS f (file_id, object, name, size, media_type)";
    ONE = messages!("m.message_id = $3");
    FROM = messages!("m.message_id >= $3 ORDER BY m.message_id LIMIT $4");
    BEFORE = messages!("m.message_id < $3 ORDER BY m.message_id DESC LIMIT $4");
    FILE = "SELECT file_id, object, name, size, media_type FROM message_file \
        WHERE business_id = $1 AND file_id = $2";
    NAMED_FILES = "SELECT EXISTS (SELECT 1 FROM message_file f WHERE f.object = w.object) \
        FROM unnest($1::text[]) WITH ORDINALITY AS w (object, place) ORDER BY w.place",
        across: "files that lie in the file store are compared with those that any message names";
}

pub(super) async fn append(
    write: &Write,
    business: BusinessId,
    chat: ChatId,
    new: &NewMessage,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Message>> {
    let (tenant, number) = (business.get(), chat.get());
    let locked: &[Value<'_>] = &[&tenant, &number];
    let (earlier, answers) = idempotency::ask(write, business, once, now, &[(LOCK_STATE, locked)]).await?;
    if let Some(id) = earlier {
        let found = write.first(ONE, &[&tenant, &number, &id], read).await?;
        return Ok(Applied::before(must_exist(found, || Entity::Chat(chat))?));
    }
    let row = must_exist(answers.first().and_then(|rows| rows.first()), || {
        Entity::Chat(chat)
    })?;
    let there = ChatState {
        kind: rows::named(row, 0, "type")?,
        status: rows::named(row, 1, "status")?,
    };
    let event = Event::Message {
        sender: new.sender,
        wait_for: new.wait_for,
    };
    let state = there.apply(event).map_err(Refusal::Rule)?;
    // A clock that steps back must not put a message before the one it answers.
    let created_at = now.max(rows::time(row, 2, "updated_at")?);
    let id = write.next_id_above(IdFor::Message, now, rows::get(row, 3)?);
    let files = new
        .files
        .iter()
        .map(|file| {
            let id = FileId::new(write.next_id(IdFor::File, now));
            Ok(attachment(
                id.map_err(|error| StoreError::Failed(Box::new(error)))?,
                file,
            ))
        })
        .collect::<Result<Vec<_>>>()?;
    let of_each =
        |text: fn(&StoredFile) -> &str| new.files.iter().map(|file| text(file).to_owned()).collect();
    let (objects, names, types): (Vec<String>, Vec<String>, Vec<String>) = (
        of_each(|file| &file.object),
        of_each(|file| file.name.as_str()),
        of_each(|file| &file.media_type),
    );
    let sizes: Vec<i64> = files
        .iter()
        .map(|file| file.size.try_into().unwrap_or(i64::MAX))
        .collect();
    write.put(
        WRITE,
        kept![
            tenant,
            number,
            id,
            created_at.as_millis(),
            new.sender.as_str(),
            new.text.as_ref().map(|text| text.as_str().to_owned()),
            state.status.as_str(),
            files.iter().map(|file| file.id.get()).collect::<Vec<_>>(),
            objects,
            names,
            sizes,
            types,
        ],
    );
    if let Some(kind) = state.notification(event) {
        write.note(business, kind, chat, Some(id), created_at);
    }
    idempotency::remember(write, business, once, id, now);
    Ok(Applied::now(Message {
        id: MessageId::new(id).map_err(|error| StoreError::Failed(Box::new(error)))?,
        created_at,
        sender: new.sender,
        text: new.text.clone(),
        files,
    }))
}

fn read(row: &Row) -> Result<Message> {
    let text: Option<&str> = rows::get(row, 3)?;
    let text = text.map(MessageText::new).transpose();
    Ok(Message {
        id: rows::id(row, 0, "message_id")?,
        created_at: rows::time(row, 1, "created_at")?,
        sender: rows::named(row, 2, "sender")?,
        text: text.map_err(|_| rows::bad("text", &"a text that is too long or empty"))?,
        files: attachments(row)?,
    })
}

fn attachments(row: &Row) -> Result<Vec<Attachment>> {
    let Some(ids) = rows::get::<Option<Vec<i64>>>(row, 4)? else {
        return Ok(Vec::new());
    };
    let names: Vec<&str> = rows::get(row, 5)?;
    let sizes: Vec<i64> = rows::get(row, 6)?;
    let types: Vec<String> = rows::get(row, 7)?;
    let files = ids.into_iter().zip(names).zip(sizes).zip(types);
    files
        .map(|(((id, name), size), media_type)| {
            Ok(Attachment {
                id: FileId::new(id).map_err(|_| rows::bad("file_id", &id))?,
                name: FileName::from_client(name),
                size: size.try_into().map_err(|_| rows::bad("size", &size))?,
                media_type,
            })
        })
        .collect()
}

pub(super) async fn one(
    source: &impl Source,
    business: BusinessId,
    chat: ChatId,
    id: MessageId,
) -> Result<Option<Message>> {
    source
        .first(ONE, &[&business.get(), &chat.get(), &id.get()], read)
        .await
}

pub(super) async fn page(
    source: &impl Source,
    business: BusinessId,
    chat: ChatId,
    range: MessageRange,
    limit: usize,
) -> Result<Page<Message>> {
    let from = range.from.unwrap_or(0);
    let first = range.after.map_or(from, |after| from.max(after.get() + 1));
    let values: &[Value<'_>] = &[&business.get(), &chat.get(), &first, &rows::count(limit + 1)];
    Ok(Page::of(source.all(FROM, values, read).await?, limit))
}

/// Messages before `before` (`None`: of all), newest first.
pub(super) async fn before(
    source: &impl Source,
    business: BusinessId,
    chat: ChatId,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Page<Message>> {
    let before = before.map_or(i64::MAX, MessageId::get);
    let values: &[Value<'_>] = &[&business.get(), &chat.get(), &before, &rows::count(limit + 1)];
    Ok(Page::of(source.all(BEFORE, values, read).await?, limit))
}

/// The newest messages before `before`, oldest first.
pub(super) async fn latest(
    source: &impl Source,
    business: BusinessId,
    chat: ChatId,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Page<Message>> {
    let mut page = self::before(source, business, chat, before, limit).await?;
    page.items.reverse();
    Ok(page)
}

pub(super) async fn file(
    source: &impl Source,
    business: BusinessId,
    id: FileId,
) -> Result<Option<(Attachment, StoredFile)>> {
    let found = source
        .first(FILE, &[&business.get(), &id.get()], rows::file)
        .await?;
    Ok(found.map(|(id, file)| (attachment(id, &file), file)))
}

/// Which of these objects a message names.
pub(super) async fn named_files(source: &impl Source, objects: &[String]) -> Result<Vec<bool>> {
    source
        .all(NAMED_FILES, &[&objects], |row| rows::get(row, 0))
        .await
}
