//! Finished chats and files whose time is over: found by readers, taken away in bounded writes.

use std::collections::HashMap;

use prilavok_domain::{BusinessId, ChatId, ChatStatus, ChatType, MessageId, Timestamp};
use rusqlite::Connection;

use super::recent::RECENT;
use super::write::Write;
use super::{chats, lagging, messages, overdue, places, rows, taken};
use crate::personal_data::{FILES_AT_ONCE, OLD_CHATS, ROWS_AT_ONCE, WaitedFor};
use crate::{Result, Taken};

/// A chat whose time is over.
pub(super) struct Old {
    id: ChatId,
    /// Its events that are kept still, each with its message.
    events: Vec<(i64, Option<i64>)>,
}

/// Finished chats of a business whose last message is older than `before`, some of them.
pub(super) fn old_chats(conn: &Connection, business: BusinessId, before: Timestamp) -> Result<Vec<ChatId>> {
    overdue::older(
        conn,
        business,
        ChatType::ALL,
        &[ChatStatus::Finished],
        before,
        OLD_CHATS,
    )
}

/// These chats with their events. Events have no index by chat, which each message would pay for: all of the business's
/// are looked through.
pub(super) fn with_events(conn: &Connection, business: BusinessId, ids: &[ChatId]) -> Result<Vec<Old>> {
    let mut events: HashMap<i64, Vec<_>> = ids.iter().map(|id| (id.get(), Vec::new())).collect();
    let mut statement = conn.prepare(&format!(
        "SELECT event_id, chat_id, message_id FROM event_of_business
             CROSS JOIN event USING (business_id, event_id) WHERE business_id = ?1
         UNION ALL SELECT event_id, chat_id, message_id FROM ({RECENT} SELECT * FROM recent_event)",
    ))?;
    let mut rows = statement.query([business.get()])?;
    while let Some(row) = rows.next()? {
        if let Some(of_chat) = events.get_mut(&row.get(1)?) {
            of_chat.push((row.get(0)?, row.get(2)?));
        }
    }
    let old = |id: &ChatId| Old {
        id: *id,
        events: events.remove(&id.get()).unwrap_or_default(),
    };
    Ok(ids.iter().map(old).collect())
}

/// Removes chats with all that they have, as far as one step goes. One whose events are waited for is left for later.
pub(super) fn forget_chats(
    write: &mut Write<'_>,
    business: BusinessId,
    old: &[Old],
    before: Timestamp,
    now: Timestamp,
) -> Result<Taken> {
    let mut step = Taken::default();
    lagging::catch_up(write.conn, business)?;
    let waited_for = waited_for(write.conn, business)?;
    let mut room = ROWS_AT_ONCE;
    for chat in old {
        // Somebody may have written meanwhile.
        let there = chats::one(write.conn, business, chat.id)?
            .filter(|it| it.status == ChatStatus::Finished && it.updated_at < before);
        let Some(there) = there else { continue };
        if chat.events.iter().any(|(event, _)| waited_for.has(*event)) {
            continue;
        }
        step.more = true;
        let (removed, last) = remove_messages(write.conn, business, chat, room, &mut step.objects)?;
        room = room.saturating_sub(removed);
        if room == 0 && last != there.last_message.map(MessageId::get) {
            // Its first messages are gone; the next step goes on.
            break;
        }
        remove_rest(write, business, chat, now)?;
        step.count += 1;
        room = room.saturating_sub(1);
        if room == 0 {
            break;
        }
    }
    Ok(step)
}

/// Removes the first messages of a chat with their files and events, at most `room`; answers how many, and the last.
fn remove_messages(
    conn: &Connection,
    business: BusinessId,
    chat: &Old,
    room: usize,
    objects: &mut Vec<String>,
) -> Result<(usize, Option<i64>)> {
    let Some(number) = places::number(conn, business, chat.id)? else {
        return Ok((0, None));
    };
    let found = places::some(conn, number, number.first(), room)?;
    let Some(last) = found.last() else {
        return Ok((0, None));
    };
    let (business, id) = (business.get(), chat.id.get());
    let messages: HashMap<i64, u8> = found.iter().map(|one| (one.id, one.files)).collect();
    let mut event = conn.prepare_cached("DELETE FROM event WHERE business_id = ?1 AND event_id = ?2")?;
    let of_messages = |message: &Option<i64>| message.is_some_and(|message| messages.contains_key(&message));
    for (of_message, _) in chat.events.iter().filter(|(_, message)| of_messages(message)) {
        event.execute((business, *of_message))?;
    }
    let mut files = conn.prepare_cached(
        "DELETE FROM message_file
         WHERE business_id = ?1 AND chat_id = ?2 AND message_id = ?3
         RETURNING iif(removed_at IS NULL, object, NULL)",
    )?;
    for (message, _) in messages.iter().filter(|(_, files)| **files > 0) {
        for object in files.query_map((business, id, message), |row| row.get::<_, Option<String>>(0))? {
            objects.extend(object?);
        }
    }
    conn.prepare_cached("DELETE FROM message_row WHERE place BETWEEN ?1 AND ?2")?
        .execute((number.first(), last.place))?;
    Ok((messages.len(), Some(last.id)))
}

/// Removes a chat that has no messages left.
fn remove_rest(write: &mut Write<'_>, business: BusinessId, chat: &Old, now: Timestamp) -> Result<()> {
    let mut event = write
        .conn
        .prepare_cached("DELETE FROM event WHERE business_id = ?1 AND event_id = ?2")?;
    for (id, _) in &chat.events {
        event.execute((business.get(), id))?;
    }
    for table in ["seen", "verdict", "chat"] {
        write
            .conn
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE business_id = ?1 AND chat_id = ?2"
            ))?
            .execute((business.get(), chat.id.get()))?;
    }
    write.changes(business, chat.id);
    taken::note(write, business, chat.id, now)
}

fn waited_for(conn: &Connection, business: BusinessId) -> Result<WaitedFor> {
    let settled: Option<i64> = conn
        .prepare_cached(
            "SELECT min(settled_event_id) FROM subscription WHERE business_id = ?1 AND disabled IS NULL",
        )?
        .query_row([business.get()], |row| row.get(0))?;
    let mut again = conn.prepare_cached("SELECT event_id FROM again WHERE business_id = ?1")?;
    let again = again.query_map([business.get()], |row| row.get(0))?;
    Ok(WaitedFor::new(settled, again.collect::<rusqlite::Result<_>>()?))
}

/// Files of a business that came before `before` and are kept, the first ones of them.
pub(super) fn old_files(conn: &Connection, business: BusinessId, before: Timestamp) -> Result<Vec<i64>> {
    let mut statement = conn.prepare_cached(
        "SELECT file_id, chat_id, message_id FROM message_file INDEXED BY file_kept
         WHERE business_id = ?1 AND removed_at IS NULL ORDER BY file_id LIMIT ?2",
    )?;
    let kept = statement.query_map((business.get(), FILES_AT_ONCE), |row| {
        Ok((
            row.get::<_, i64>(0)?,
            rows::id(row, 1, "chat_id")?,
            row.get::<_, i64>(2)?,
        ))
    })?;
    let mut old = Vec::new();
    for file in kept {
        let (file, chat, message) = file?;
        let message = messages::in_file(conn, business, chat, message)?;
        if message.is_some_and(|message| message.created_at < before) {
            old.push(file);
        }
    }
    Ok(old)
}

/// Forgets where the bytes of these files are.
pub(super) fn forget_files(
    conn: &Connection,
    business: BusinessId,
    files: &[i64],
    now: Timestamp,
) -> Result<Taken> {
    let mut step = Taken::default();
    let mut forget = conn.prepare_cached(
        "UPDATE message_file SET removed_at = ?3
         WHERE business_id = ?1 AND file_id = ?2 AND removed_at IS NULL RETURNING object",
    )?;
    for file in files {
        let forgotten = forget.query_map((business.get(), file, now.as_millis()), |row| row.get(0))?;
        step.objects
            .extend(forgotten.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    step.count = step.objects.len() as u64;
    step.more = step.count > 0;
    Ok(step)
}
