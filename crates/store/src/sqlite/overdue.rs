//! Chats that wait for longer than they should: found by one business at a time, so that no run holds up
//! the writer for long.

use prilavok_domain::{
    BusinessId, Chat, ChatId, ChatStatus, ChatType, ContextType, MessageText, Sender, Timestamp,
};
use rusqlite::{Connection, OptionalExtension};

use super::head::SENDER;
use super::places::NEWEST_PLACE;
use super::write::Write;
use super::{chats, head, lagging, messages};
use crate::chats::kinds;
use crate::{ChatChange, ChatFilter, NewMessage, Result};

/// Unfinished ordinary chats of a business whose last message is older than `before`, at most `limit`.
pub(super) fn idle(
    conn: &Connection,
    business: BusinessId,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<ChatId>> {
    let unfinished: Vec<_> = ChatStatus::ALL
        .iter()
        .copied()
        .filter(|status| *status != ChatStatus::Finished)
        .collect();
    let mut found = older(conn, business, &[ChatType::Chat], &unfinished, before, limit)?;
    found.truncate(limit);
    Ok(found)
}

/// Chats of a business in which the partner has owed the customer an answer since before `before`. A
/// reminder is the market's own message, so a chat is not found again until the customer writes.
pub(super) fn unanswered(
    conn: &Connection,
    business: BusinessId,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<ChatId>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT c.chat_id FROM chat c
         JOIN message_row m ON m.place = {NEWEST_PLACE}
         JOIN customer u ON u.customer_id = c.customer_id
         WHERE c.business_id = ?1 AND c.type = 'CHAT' AND c.status = 'WAITING_FOR_PARTNER'
             AND c.context_type = ?2 AND c.updated_at < ?3 AND {SENDER} <> ?5 AND u.erased_at IS NULL
         LIMIT ?4"
    ))?;
    let elsewhere = lagging::elsewhere(conn, business)?;
    let room = limit + elsewhere.len();
    let mut found = Vec::new();
    for context in ContextType::ALL {
        let ids = statement.query_map(
            (
                business.get(),
                context.as_str(),
                before.as_millis(),
                room,
                head::code(Sender::Market),
            ),
            |row| row.get::<_, i64>(0),
        )?;
        for id in ids {
            found.extend(ChatId::new(id?));
        }
    }
    found.retain(|id| !elsewhere.contains(id));
    for id in elsewhere {
        if let Some(chat) = chats::one(conn, business, id)?
            && owes_answer(conn, &chat, before)?
        {
            found.push(id);
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// Whether the partner has owed the customer an answer in this chat since before `before`.
fn owes_answer(conn: &Connection, chat: &Chat, before: Timestamp) -> Result<bool> {
    let last = chat
        .last_message
        .map(|last| messages::in_file(conn, chat.business, chat.id, last.get()))
        .transpose()?
        .flatten();
    Ok(chat.kind == ChatType::Chat
        && chat.status == ChatStatus::WaitingForPartner
        && chat.updated_at < before
        && chat.customer.erased_at.is_none()
        && last.is_some_and(|last| last.sender != Sender::Market))
}

/// Finishes the chat if it is idle still; answers whether it did.
pub(super) fn finish_idle(
    write: &mut Write<'_>,
    business: BusinessId,
    id: ChatId,
    before: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let chat = chats::existing(write.conn, business, id)?;
    let idle = chat.kind == ChatType::Chat && chat.status != ChatStatus::Finished && chat.updated_at < before;
    if idle {
        chats::change(write, business, id, ChatChange::Finish, None, now)?;
    }
    Ok(idle)
}

/// Writes the market's reminder if the partner owes an answer still; answers whether it did.
pub(super) fn remind(
    write: &mut Write<'_>,
    business: BusinessId,
    id: ChatId,
    before: Timestamp,
    text: MessageText,
    now: Timestamp,
) -> Result<bool> {
    let chat = chats::existing(write.conn, business, id)?;
    let owed = owes_answer(write.conn, &chat, before)?;
    if owed {
        let new = NewMessage {
            sender: Sender::Market,
            text: Some(text),
            files: Vec::new(),
            wait_for: None,
        };
        messages::append(write, business, id, &new, None, now)?;
    }
    Ok(owed)
}

/// Chats of these types and statuses whose last message is older than `before`, at most `limit` of each kind.
pub(super) fn older(
    conn: &Connection,
    business: BusinessId,
    types: &[ChatType],
    statuses: &[ChatStatus],
    before: Timestamp,
    limit: usize,
) -> Result<Vec<ChatId>> {
    let mut statement = conn.prepare_cached(
        "SELECT chat_id FROM chat
         WHERE business_id = ?1 AND type = ?2 AND status = ?3 AND context_type = ?4 AND updated_at < ?5
         ORDER BY updated_at LIMIT ?6",
    )?;
    let elsewhere = lagging::elsewhere(conn, business)?;
    let room = limit + elsewhere.len();
    let mut found = Vec::new();
    let filter = ChatFilter {
        types: types.to_vec(),
        statuses: statuses.to_vec(),
        ..ChatFilter::default()
    };
    for (kind, status, context) in kinds(&filter) {
        let ids = statement.query_map(
            (
                business.get(),
                kind.as_str(),
                status.as_str(),
                context.as_str(),
                before.as_millis(),
                room,
            ),
            |row| row.get::<_, i64>(0),
        )?;
        for id in ids {
            found.extend(ChatId::new(id?));
        }
    }
    found.retain(|id| !elsewhere.contains(id));
    for id in elsewhere {
        let of_these = |chat: &Chat| types.contains(&chat.kind) && statuses.contains(&chat.status);
        let chat = chats::one(conn, business, id)?;
        found.extend(
            chat.filter(|chat| of_these(chat) && chat.updated_at < before)
                .map(|chat| chat.id),
        );
    }
    Ok(found)
}

/// Which of these objects a message names.
pub(super) fn named_files(conn: &Connection, objects: &[String]) -> Result<Vec<bool>> {
    let mut statement =
        conn.prepare_cached("SELECT 1 FROM message_file WHERE object = ?1 AND removed_at IS NULL")?;
    objects
        .iter()
        .map(|object| Ok(statement.query_row([object], |_| Ok(())).optional()?.is_some()))
        .collect()
}
