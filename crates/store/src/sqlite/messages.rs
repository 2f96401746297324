//! Messages and their files: written and read.

use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::rules::{self, ChatState, Event};
use prilavok_domain::{Attachment, BusinessId, Chat, ChatId, FileId, Message, MessageId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Rows};

use super::events::{self, Happened};
use super::head::Head;
use super::places::{self, ChatNumber};
use super::readers::View;
use super::registry::must_exist;
use super::standing::{self, Standing};
use super::texts::Texts;
use super::write::Write;
use super::{chats, erasure, idempotency, lagging, rows};
use crate::{
    Applied, Entity, Idempotency, MessageRange, NewMessage, Page, Refusal, Result, StoreError, StoredFile,
};

/// Messages of a page that room is made for before it is read.
const AT_ONCE: usize = 100;

pub(super) fn append(
    write: &mut Write<'_>,
    business: BusinessId,
    chat_id: ChatId,
    new: &NewMessage,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Message>> {
    let conn = write.conn;
    if let Some(id) = idempotency::earlier(conn, business, once, now)? {
        let value = must_exist(in_file(conn, business, chat_id, id)?, || Entity::Chat(chat_id))?;
        return Ok(Applied {
            value,
            replayed: true,
        });
    }
    let there = standing::now(conn, business, chat_id)?;
    let there = must_exist(there, || Entity::Chat(chat_id))?;
    rules::may_write_to(erasure::erased_at(conn, &there.customer)?, new.sender).map_err(Refusal::Rule)?;
    let chat = there.standing;
    let event = Event::Message {
        sender: new.sender,
        wait_for: new.wait_for,
    };
    let state = ChatState {
        kind: chat.kind,
        status: chat.status,
    }
    .apply(event)
    .map_err(Refusal::Rule)?;
    // A clock that steps back must not put a message before the one it answers.
    let created_at = now.max(chat.updated_at);
    let id = write.next_id(IdFor::Message, now);
    let head = Head {
        created_at,
        sender: new.sender,
        files: u8::try_from(new.files.len()).map_err(|error| StoreError::Failed(Box::new(error)))?,
    };
    conn.prepare_cached("INSERT INTO message_row (place, message_id, head, text) VALUES (?1, ?2, ?3, ?4)")?
        .execute((
            there.next_place,
            id,
            head.number(),
            new.text.as_ref().map(prilavok_domain::MessageText::as_str),
        ))?;
    let mut files = Vec::with_capacity(new.files.len());
    for file in &new.files {
        files.push(insert_file(write, business, chat_id, id, file, now)?);
    }
    let id = MessageId::new(id).map_err(|error| StoreError::Failed(Box::new(error)))?;
    write.changes(business, chat_id);
    let told = state.notification(event);
    // What is told to nobody leaves no event behind that says so.
    let lags = told.is_some() && lagging::leaves_the_row(chat.kind, new.sender);
    if !lags {
        let changed = Standing {
            status: state.status,
            updated_at: created_at,
            last_message: Some(id),
            ..chat
        };
        standing::keep(conn, business, chat_id, changed)?;
    }
    if let Some(kind) = told {
        let happened = Happened {
            kind,
            chat: chat_id,
            message: Some(id),
            at: created_at,
            leaves: lags.then_some(state.status),
        };
        events::note(write, business, &happened)?;
    }
    idempotency::remember(conn, business, once, id.get(), now)?;
    let value = Message {
        id,
        created_at,
        sender: new.sender,
        text: new.text.clone(),
        files,
    };
    Ok(Applied {
        value,
        replayed: false,
    })
}

fn insert_file(
    write: &mut Write<'_>,
    business: BusinessId,
    chat: ChatId,
    message: i64,
    file: &StoredFile,
    now: Timestamp,
) -> Result<Attachment> {
    let id = write.next_id(IdFor::File, now);
    write
        .conn
        .prepare_cached(
            "INSERT INTO message_file (business_id, file_id, chat_id, message_id, object, name, size, media_type)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            business.get(),
            id,
            chat.get(),
            message,
            &file.object,
            file.name.as_str(),
            file.size,
            &file.media_type,
        ))?;
    let id = FileId::new(id).map_err(|error| StoreError::Failed(Box::new(error)))?;
    Ok(file.attachment(id))
}

/// A message, if it is in this chat.
pub(super) fn one(
    view: &View<'_>,
    business: BusinessId,
    chat: ChatId,
    id: MessageId,
) -> Result<Option<Message>> {
    match places::known_number(view, business, chat)? {
        Some(number) => numbered(view.conn, business, chat, number, id.get()),
        None => Ok(None),
    }
}

/// The same for whoever looks at the file alone.
pub(super) fn in_file(
    conn: &Connection,
    business: BusinessId,
    chat: ChatId,
    id: i64,
) -> Result<Option<Message>> {
    match places::number(conn, business, chat)? {
        Some(number) => numbered(conn, business, chat, number, id),
        None => Ok(None),
    }
}

fn numbered(
    conn: &Connection,
    business: BusinessId,
    chat: ChatId,
    number: ChatNumber,
    id: i64,
) -> Result<Option<Message>> {
    let columns = rows::MESSAGE;
    let first = places::from(conn, number, id)?;
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {columns} FROM message_row WHERE place BETWEEN ?1 AND ?2 ORDER BY place LIMIT 1"
    ))?;
    let found = statement.query((first, number.last()))?;
    let found = page_of(conn, business, chat, found, 1)?.items.pop();
    Ok(found.filter(|message| message.id.get() == id))
}

/// A chat, if need be as it is in a view, and a page of its messages, from the oldest on.
pub(super) fn history(
    view: &View<'_>,
    business: BusinessId,
    chat: ChatId,
    known: Option<(Chat, ChatNumber)>,
    range: MessageRange,
    limit: usize,
) -> Result<Option<(Chat, Page<Message>)>> {
    let found = match known {
        Some(known) => Some(known),
        None => chats::unknown(view, business, chat, chats::now)?,
    };
    let Some((chat, number)) = found else {
        return Ok(None);
    };
    let page = numbered_page(view.conn, business, chat.id, number, range, limit)?;
    Ok(Some((chat, page)))
}

/// A page of the messages of a chat, from the oldest on.
pub(super) fn page(
    view: &View<'_>,
    business: BusinessId,
    chat: ChatId,
    range: MessageRange,
    limit: usize,
) -> Result<Page<Message>> {
    match places::known_number(view, business, chat)? {
        Some(number) => numbered_page(view.conn, business, chat, number, range, limit),
        None => Ok(Page::none()),
    }
}

fn numbered_page(
    conn: &Connection,
    business: BusinessId,
    chat: ChatId,
    number: ChatNumber,
    range: MessageRange,
    limit: usize,
) -> Result<Page<Message>> {
    let columns = rows::MESSAGE;
    let from = range.from.unwrap_or(0);
    let first = match range.after.map_or(from, |after| from.max(after.get() + 1)) {
        0 => number.first(),
        first => places::from(conn, number, first)?,
    };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {columns} FROM message_row WHERE place BETWEEN ?1 AND ?2 ORDER BY place LIMIT ?3"
    ))?;
    let found = statement.query((first, number.last(), limit + 1))?;
    page_of(conn, business, chat, found, limit)
}

/// A page of the messages before `before`, the newest first; `None`: of all.
pub(super) fn page_before(
    conn: &Connection,
    business: BusinessId,
    chat: ChatId,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Page<Message>> {
    // Of one state: messages may be taken away meanwhile.
    let transaction = conn.unchecked_transaction()?;
    let Some(number) = places::number(&transaction, business, chat)? else {
        return Ok(Page::none());
    };
    let columns = rows::MESSAGE;
    let last = match before {
        Some(before) => places::from(&transaction, number, before.get())? - 1,
        None => number.last(),
    };
    let mut statement = transaction.prepare_cached(&format!(
        "SELECT {columns} FROM message_row WHERE place BETWEEN ?1 AND ?2 ORDER BY place DESC LIMIT ?3"
    ))?;
    let found = statement.query((number.first(), last, limit + 1))?;
    page_of(&transaction, business, chat, found, limit)
}

/// The first `limit` of the messages that were found, with their files.
fn page_of(
    conn: &Connection,
    business: BusinessId,
    chat: ChatId,
    mut found: Rows<'_>,
    limit: usize,
) -> Result<Page<Message>> {
    let at_once = limit.min(AT_ONCE);
    let (mut items, mut texts) = (
        Vec::with_capacity(at_once),
        Texts::of(at_once, rows::MESSAGE_TEXT),
    );
    let mut more = false;
    while let Some(row) = found.next()? {
        if items.len() == limit {
            more = true;
            break;
        }
        let (mut message, files) = rows::message(row)?;
        texts.add(row)?;
        if files > 0 {
            message.files = files_of(conn, business, chat, message.id)?;
        }
        items.push(message);
    }
    for (message, text) in items.iter_mut().zip(texts.all()?) {
        message.text = text?;
    }
    Ok(Page { items, more })
}

fn files_of(
    conn: &Connection,
    business: BusinessId,
    chat: ChatId,
    message: MessageId,
) -> Result<Vec<Attachment>> {
    let columns = rows::FILE;
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {columns} FROM message_file
         WHERE business_id = ?1 AND chat_id = ?2 AND message_id = ?3 ORDER BY file_id"
    ))?;
    let found = statement.query_map((business.get(), chat.get(), message.get()), rows::file)?;
    Ok(found.map(|file| Ok(file?.0)).collect::<rusqlite::Result<_>>()?)
}

pub(super) fn file(
    conn: &Connection,
    business: BusinessId,
    id: FileId,
) -> Result<Option<(Attachment, StoredFile)>> {
    let columns = rows::FILE;
    Ok(conn
        .prepare_cached(&format!(
            "SELECT {columns} FROM message_file WHERE business_id = ?1 AND file_id = ?2 AND removed_at IS NULL"
        ))?
        .query_row((business.get(), id.get()), rows::file)
        .optional()?)
}
