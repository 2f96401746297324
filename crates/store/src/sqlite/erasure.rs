//! Erasing a customer: the name at once, the texts and files of their chats in bounded writes. How far it has come is in
//! the store, so that whoever goes on, goes on from there.

use prilavok_domain::{BusinessId, ChatId, Customer, FileName, MessageText, Name, PublicId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};

use super::registry::{self, must_exist};
use super::write::Write;
use super::{all_of_customer, meta, places, rows, taken};
use crate::personal_data::{CHATS_AT_ONCE, ERASED_AT_ONCE, Progress};
use crate::scrub::{self, Found};
use crate::{Entity, Erasure, Result, Taken};

const COLUMNS: &str =
    "customer_id, asked_at, finished_at, chats, chats_done, business_id, chat_id, message_id";

fn read(row: &Row<'_>) -> rusqlite::Result<Progress> {
    Ok(Progress {
        erasure: Erasure {
            customer: rows::checked(row, 0, "customer_id", PublicId::new)?,
            asked_at: rows::time(row, 1, "asked_at")?,
            finished_at: rows::optional(row, 2, "finished_at", Timestamp::from_millis)?,
            chats: row.get(3)?,
            chats_done: row.get(4)?,
        },
        business: row.get(5)?,
        chat: row.get(6)?,
        message: row.get(7)?,
    })
}

fn progress(conn: &Connection, customer: &PublicId) -> Result<Option<Progress>> {
    Ok(conn
        .prepare_cached(&format!("SELECT {COLUMNS} FROM erasure WHERE customer_id = ?1"))?
        .query_row([customer.as_str()], read)
        .optional()?)
}

pub(super) fn one(conn: &Connection, customer: &PublicId) -> Result<Option<Erasure>> {
    Ok(progress(conn, customer)?.map(|progress| progress.erasure))
}

pub(super) fn is_under_way(conn: &Connection, customer: &PublicId) -> Result<bool> {
    Ok(one(conn, customer)?.is_some_and(|erasure| erasure.finished_at.is_none()))
}

/// When a customer was erased, if they are. Whoever is was asked for here, so that for most nothing has to be read.
pub(super) fn erased_at(conn: &Connection, customer: &PublicId) -> Result<Option<Timestamp>> {
    let found = conn
        .prepare_cached(
            "SELECT u.erased_at FROM erasure e CROSS JOIN customer u USING (customer_id) WHERE e.customer_id = ?1",
        )?
        .query_row([customer.as_str()], |row| {
            rows::optional(row, 0, "erased_at", Timestamp::from_millis)
        })
        .optional()?;
    Ok(found.flatten())
}

/// Those under way, the one that was asked for first.
pub(super) fn under_way(conn: &Connection, limit: usize) -> Result<Vec<PublicId>> {
    let mut statement = conn.prepare_cached(
        "SELECT customer_id FROM erasure INDEXED BY erasure_under_way
         WHERE finished_at IS NULL ORDER BY asked_at, customer_id LIMIT ?1",
    )?;
    let found = statement.query_map([limit], |row| rows::checked(row, 0, "customer_id", PublicId::new))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Begins an erasure, unless the customer is erased; `chats` is how many chats there were a moment ago.
pub(super) fn begin(
    write: &mut Write<'_>,
    customer: &PublicId,
    chats: u64,
    now: Timestamp,
) -> Result<Erasure> {
    let there = must_exist(registry::customer(write.conn, customer)?, || {
        Entity::Customer(customer.clone())
    })?;
    if there.erased_at.is_some()
        && let Some(erasure) = one(write.conn, customer)?
    {
        return Ok(erasure);
    }
    registry::rename(
        write,
        &Customer {
            public_id: customer.clone(),
            name: Name::erased(),
            erased_at: Some(now),
        },
    )?;
    let begun = Progress::begun(customer.clone(), chats, now);
    keep(write.conn, &begun)?;
    Ok(begun.erasure)
}

/// What the next step of an erasure is about.
pub(super) struct Next {
    from: Progress,
    chats: Vec<(BusinessId, ChatId)>,
}

/// The next step of an erasure; `None` where it is not under way.
pub(super) fn next(conn: &Connection, customer: &PublicId) -> Result<Option<Next>> {
    let Some(from) = progress(conn, customer)?.filter(|it| it.erasure.finished_at.is_none()) else {
        return Ok(None);
    };
    let chats = all_of_customer::chat_ids(conn, customer, from.behind(), CHATS_AT_ONCE)?;
    Ok(Some(Next { from, chats }))
}

/// Takes a step, unless somebody else took it meanwhile.
pub(super) fn step(write: &mut Write<'_>, next: &Next, now: Timestamp) -> Result<Taken> {
    let mut step = Taken {
        more: true,
        ..Taken::default()
    };
    let customer = &next.from.erasure.customer;
    if progress(write.conn, customer)?.as_ref() != Some(&next.from) {
        return Ok(step);
    }
    let mut at = next.from.clone();
    let mut room = ERASED_AT_ONCE;
    for (business, chat) in &next.chats {
        let behind = at.enter(*business, *chat);
        let here = (*business, *chat);
        let (seen, last) = erase_messages(write.conn, here, behind, room, now, &mut step.objects)?;
        // A connector's call shows the chat's texts until now: what it recorded is to be looked for from here on.
        taken::note(write, *business, *chat, now)?;
        write.changes(*business, *chat);
        room -= seen;
        if room == 0 {
            at.stay_at(last);
            break;
        }
        write
            .conn
            .prepare_cached("UPDATE verdict SET text = ?3 WHERE business_id = ?1 AND chat_id = ?2")?
            .execute((business.get(), chat.get(), MessageText::erased().as_str()))?;
        at.leave();
        step.count += 1;
    }
    if next.chats.is_empty() {
        at.finish(now);
        step.more = false;
        // From the first page on, even where somebody else's traces are just being cleared.
        meta::set_traces(write.conn, Some(1))?;
    }
    keep(write.conn, &at)?;
    Ok(step)
}

/// Erases messages of a chat behind `behind`, at most `room`; answers how many were looked at, and the last one.
fn erase_messages(
    conn: &Connection,
    (business, chat): (BusinessId, ChatId),
    behind: i64,
    room: usize,
    now: Timestamp,
    objects: &mut Vec<String>,
) -> Result<(usize, i64)> {
    let Some(number) = places::number(conn, business, chat)? else {
        return Ok((0, behind));
    };
    let first = places::from(conn, number, behind + 1)?;
    let messages = places::some(conn, number, first, room)?;
    let Some(last) = messages.last() else {
        return Ok((0, behind));
    };
    let (business, chat) = (business.get(), chat.get());
    conn.prepare_cached(
        "UPDATE message_row SET text = ?3 WHERE place BETWEEN ?1 AND ?2 AND text IS NOT NULL",
    )?
    .execute((first, last.place, MessageText::erased().as_str()))?;
    let mut named = conn.prepare_cached(
        "SELECT object FROM message_file
         WHERE business_id = ?1 AND chat_id = ?2 AND message_id = ?3 AND removed_at IS NULL",
    )?;
    let mut erase = conn.prepare_cached(
        "UPDATE message_file SET name = ?4, removed_at = coalesce(removed_at, ?5)
         WHERE business_id = ?1 AND chat_id = ?2 AND message_id = ?3",
    )?;
    for message in messages.iter().filter(|message| message.files > 0) {
        let of_message = named.query_map((business, chat, message.id), |row| row.get(0))?;
        objects.extend(of_message.collect::<rusqlite::Result<Vec<_>>>()?);
        erase.execute((
            business,
            chat,
            message.id,
            FileName::erased().as_str(),
            now.as_millis(),
        ))?;
    }
    Ok((messages.len(), last.id))
}

fn keep(conn: &Connection, progress: &Progress) -> Result<()> {
    let erasure = &progress.erasure;
    conn.prepare_cached(&format!(
        "INSERT OR REPLACE INTO erasure ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
    ))?
    .execute((
        erasure.customer.as_str(),
        erasure.asked_at.as_millis(),
        erasure.finished_at.map(Timestamp::as_millis),
        erasure.chats,
        erasure.chats_done,
        progress.business,
        progress.chat,
        progress.message,
    ))?;
    Ok(())
}

/// Clears pages that were found; answers whether there are others to look at.
pub(super) fn clear_traces(write: &mut Write<'_>, found: &Found) -> Result<bool> {
    if meta::traces(write.conn)? != Some(found.first) {
        // Somebody else was here, or another erasure was finished.
        return Ok(true);
    }
    scrub::clear(write.conn, &found.unclean)?;
    meta::set_traces(write.conn, found.next)?;
    if found.next.is_none() {
        write.leave_nothing();
    }
    Ok(found.next.is_some())
}
