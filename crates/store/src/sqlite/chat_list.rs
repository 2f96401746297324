//! Lists of chats: keyset pages whose cost does not grow with the store.
//!
//! Without a filter a page is one range of `chat_by_update`. A filter by type, status or kind of
//! context is at most 36 ranges of `chat_by_kind`, each no longer than a page, merged here. A filter
//! by orders or contexts reads the few chats of each, whatever else is asked of them. First pages are kept in memory.
//! Chats that messages have left at another place than theirs (see `lagging`) are looked at by themselves.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use prilavok_domain::{BusinessId, Chat, ChatId};
use rusqlite::{Connection, Row};

use super::known::Known;
use super::known_lists::{FIRST_PAGE, Kinds};
use super::readers::View;
use super::{chats, lagging, rows};
use crate::chats::kinds;
use crate::{ChatCursor, ChatFilter, Page, Result};

/// The place of a chat in a list: `updated_at` in milliseconds, and the id.
type Place = (i64, i64);

/// Before the first place of every list: the newest comes first.
const BEGINNING: Place = (i64::MAX, i64::MAX);

/// A page that is known.
pub(super) fn known(
    known: &Known,
    business: BusinessId,
    filter: &ChatFilter,
    after: Option<ChatCursor>,
    limit: usize,
) -> Option<Page<Chat>> {
    let chats = known.list(business, kept_as(filter, after, limit)?)?;
    Some(beginning(&chats, limit))
}

/// What a page is kept as, if it is the beginning of a first page that may be kept.
fn kept_as(filter: &ChatFilter, after: Option<ChatCursor>, limit: usize) -> Option<Kinds> {
    let is_first = after.is_none() && limit < FIRST_PAGE;
    Kinds::of(filter).filter(|_| is_first)
}

/// A page that is not known. One that may be kept is known from then on.
pub(super) fn page(
    view: &View<'_>,
    business: BusinessId,
    filter: &ChatFilter,
    after: Option<ChatCursor>,
    limit: usize,
) -> Result<Page<Chat>> {
    let before = after.map_or(BEGINNING, |cursor| {
        (cursor.updated_at.as_millis(), cursor.id.get())
    });
    if let Some(kinds) = kept_as(filter, after, limit) {
        let chats = read(view, business, filter, before, FIRST_PAGE)?.into();
        view.known.keep_list(view.moment, business, kinds, &chats);
        return Ok(beginning(&chats, limit));
    }
    let chats = read(view, business, filter, before, limit + 1)?;
    Ok(Page::beginning(chats, limit))
}

/// The first `limit` of these chats.
fn beginning(chats: &[Chat], limit: usize) -> Page<Chat> {
    let items = &chats[..limit.min(chats.len())];
    // Their customers lie all over memory. Looked at at once, they come together; each for itself, one after the other.
    let looked_at: usize = items.iter().map(|chat| chat.customer.name.as_str().len()).sum();
    std::hint::black_box(looked_at);
    Page {
        items: items.to_vec(),
        more: chats.len() > limit,
    }
}

/// The first `wanted` chats that pass the filter after `before`, newest first.
fn read(
    view: &View<'_>,
    business: BusinessId,
    filter: &ChatFilter,
    before: Place,
    wanted: usize,
) -> Result<Vec<Chat>> {
    let listed = |find: Find<'_>| {
        let mut found = if filter.orders.is_empty() && filter.contexts.is_empty() {
            of_indexes(view.conn, business, filter, before, wanted, find)?
        } else {
            at(of_subjects(view.conn, business, filter)?, chats::now, find)?
        };
        found.retain(|chat| place_of(chat) < before && passes(filter, chat));
        found.sort_unstable_by_key(|chat| Reverse(place_of(chat)));
        found.truncate(wanted);
        Ok(found)
    };
    let chats = listed(&|id, read| chats::seen(view, business, id, read))?;
    if view.known.moment() == view.moment {
        return Ok(chats);
    }
    // What is known may be newer than what was read.
    listed(&|id, read| Ok(read(view.conn, business, id)?.map(|(chat, _)| chat)))
}

/// Finds a chat, in memory or as it is read.
type Find<'a> = &'a dyn Fn(ChatId, chats::Read) -> Result<Option<Chat>>;

/// The chats with these ids.
fn at(ids: impl IntoIterator<Item = ChatId>, read: chats::Read, find: Find<'_>) -> Result<Vec<Chat>> {
    ids.into_iter()
        .filter_map(|id| find(id, read).transpose())
        .collect()
}

fn place_of(chat: &Chat) -> Place {
    (chat.updated_at.as_millis(), chat.id.get())
}

/// Chats among which are the first `wanted` of the kinds that the filter lets pass after `before`.
fn of_indexes(
    conn: &Connection,
    business: BusinessId,
    filter: &ChatFilter,
    before: Place,
    wanted: usize,
    find: Find<'_>,
) -> Result<Vec<Chat>> {
    let elsewhere = lagging::elsewhere(conn, business)?;
    let room = wanted + elsewhere.len();
    let mut places = match *filter == ChatFilter::default() {
        true => newest(conn, business, before, room)?,
        false => of_kinds(conn, business, filter, before, room)?,
    };
    places.sort_unstable_by(|a, b| b.cmp(a));
    let ids = places.into_iter().filter_map(|(_, id)| ChatId::new(id).ok());
    let ids = ids.filter(|id| !elsewhere.contains(id)).take(wanted);
    let mut found = at(ids, chats::in_place, find)?;
    found.append(&mut at(elsewhere, chats::now, find)?);
    Ok(found)
}

fn place(row: &Row<'_>) -> rusqlite::Result<Place> {
    Ok((row.get(0)?, row.get(1)?))
}

/// The first `wanted` places after `before`, newest first, whatever the chats are.
fn newest(conn: &Connection, business: BusinessId, before: Place, wanted: usize) -> Result<Vec<Place>> {
    let mut statement = conn.prepare_cached(
        "SELECT updated_at, chat_id FROM chat
         WHERE business_id = ?1 AND (updated_at, chat_id) < (?2, ?3)
         ORDER BY updated_at DESC, chat_id DESC LIMIT ?4",
    )?;
    let found = statement.query_map((business.get(), before.0, before.1, wanted), place)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn of_kinds(
    conn: &Connection,
    business: BusinessId,
    filter: &ChatFilter,
    before: Place,
    wanted: usize,
) -> Result<Vec<Place>> {
    let mut statement = conn.prepare_cached(
        "SELECT updated_at, chat_id FROM chat
         WHERE business_id = ?1 AND type = ?2 AND status = ?3 AND context_type = ?4
             AND (updated_at, chat_id) < (?5, ?6)
         ORDER BY updated_at DESC, chat_id DESC LIMIT ?7",
    )?;
    let mut found = Vec::new();
    for (kind, status, context) in kinds(filter) {
        let of_kind = statement.query_map(
            (
                business.get(),
                kind.as_str(),
                status.as_str(),
                context.as_str(),
                before.0,
                before.1,
                wanted,
            ),
            place,
        )?;
        for place in of_kind {
            found.push(place?);
        }
    }
    Ok(found)
}

/// The ids of all chats about the contexts asked for, or else about the orders, from their indexes alone. Whether they pass
/// the filter, the chats tell, which are in memory more often than not.
fn of_subjects(conn: &Connection, business: BusinessId, filter: &ChatFilter) -> Result<BTreeSet<ChatId>> {
    let mut found = BTreeSet::new();
    // The indexes are named: left to itself, SQLite takes the primary key and reads every chat of the
    // business, because it guesses that those are ten.
    if filter.contexts.is_empty() {
        let mut statement = conn.prepare_cached(
            "SELECT chat_id FROM chat INDEXED BY chat_by_order WHERE business_id = ?1 AND order_id = ?2",
        )?;
        for order in &filter.orders {
            for id in statement.query_map((business.get(), order), |row| rows::id(row, 0, "chat_id"))? {
                found.insert(id?);
            }
        }
    } else {
        let mut statement = conn.prepare_cached(
            "SELECT chat_id FROM chat INDEXED BY chat_by_context
             WHERE business_id = ?1 AND context_type = ?2 AND context_id = ?3",
        )?;
        for (kind, id) in &filter.contexts {
            for id in statement.query_map((business.get(), kind.as_str(), id), |row| {
                rows::id(row, 0, "chat_id")
            })? {
                found.insert(id?);
            }
        }
    }
    Ok(found)
}

fn passes(filter: &ChatFilter, chat: &Chat) -> bool {
    fn any<T: PartialEq>(wanted: &[T], has: &T) -> bool {
        wanted.is_empty() || wanted.contains(has)
    }
    let order = chat.context.order().map(prilavok_domain::OrderId::get);
    any(&filter.types, &chat.kind)
        && any(&filter.statuses, &chat.status)
        && any(&filter.context_types, &chat.context.kind())
        && (filter.orders.is_empty() || order.is_some_and(|order| filter.orders.contains(&order)))
}
