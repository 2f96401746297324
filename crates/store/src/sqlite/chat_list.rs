//! Lists of chats: keyset pages whose cost does not grow with the store.
//!
//! Without a filter a page is one range of `chat_by_update`. A filter by type, status or kind of
//! context is at most 36 ranges of `chat_by_kind`, each no longer than a page, merged here. A filter
//! by orders or contexts reads the few chats of each, whatever else is asked of them. First pages are kept in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use prilavok_domain::{BusinessId, Chat, ChatId};
use rusqlite::{Connection, Row};

use super::known_lists::{FIRST_PAGE, Kinds, Place};
use super::readers::View;
use super::{chats, rows};
use crate::chats::kinds;
use crate::{ChatCursor, ChatFilter, Page, Result};

/// Before the first place of every list: the newest comes first.
const BEGINNING: Place = (i64::MAX, i64::MAX);

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
    let listed = match Kinds::of(filter) {
        Some(kinds) if before == BEGINNING && limit < FIRST_PAGE => first(view, business, filter, kinds)?,
        _ => places(view.conn, business, filter, before, limit + 1)?.into(),
    };
    let page = at(&listed, limit, |id| chats::seen(view, business, id))?;
    if view.known.moment() == view.moment {
        return Ok(page);
    }
    // What is known may be newer than what was read.
    let found = places(view.conn, business, filter, before, limit + 1)?;
    at(&found, limit, |id| chats::one(view.conn, business, id))
}

/// The first page of a list: known from then on.
fn first(view: &View<'_>, business: BusinessId, filter: &ChatFilter, kinds: Kinds) -> Result<Arc<[Place]>> {
    if let Some(places) = view.known.list(business, kinds) {
        return Ok(places);
    }
    let places = places(view.conn, business, filter, BEGINNING, FIRST_PAGE)?.into();
    view.known.keep_list(view.moment, business, kinds, &places);
    Ok(places)
}

/// The chats at the first `limit` of these places.
fn at(places: &[Place], limit: usize, read: impl Fn(ChatId) -> Result<Option<Chat>>) -> Result<Page<Chat>> {
    let mut items = Vec::with_capacity(limit.min(places.len()));
    for (_, id) in places.iter().take(limit) {
        if let Ok(id) = ChatId::new(*id) {
            items.extend(read(id)?);
        }
    }
    Ok(Page {
        items,
        more: places.len() > limit,
    })
}

/// The first `wanted` places of chats that pass the filter after `before`, newest first.
fn places(
    conn: &Connection,
    business: BusinessId,
    filter: &ChatFilter,
    before: Place,
    wanted: usize,
) -> Result<Vec<Place>> {
    if *filter == ChatFilter::default() {
        return newest(conn, business, before, wanted);
    }
    let by_subject = !filter.orders.is_empty() || !filter.contexts.is_empty();
    let mut found = if by_subject {
        of_subjects(conn, business, filter, before)?
    } else {
        of_kinds(conn, business, filter, before, wanted)?
    };
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.truncate(wanted);
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

/// Chats about the orders and contexts asked for that pass the rest of the filter as well.
fn of_subjects(
    conn: &Connection,
    business: BusinessId,
    filter: &ChatFilter,
    before: Place,
) -> Result<Vec<Place>> {
    let columns = rows::CHAT;
    let mut found = BTreeSet::new();
    let mut keep = |chat: Chat| {
        let place = (chat.updated_at.as_millis(), chat.id.get());
        if place < before && passes(filter, &chat) {
            found.insert(place);
        }
    };
    // The indexes are named: left to itself, SQLite takes the primary key and reads every chat of the
    // business, because it guesses that those are ten.
    if filter.contexts.is_empty() {
        let mut statement = conn.prepare_cached(&format!(
            "SELECT {columns} FROM chat c INDEXED BY chat_by_order JOIN customer u USING (customer_id)
             WHERE c.business_id = ?1 AND c.order_id = ?2"
        ))?;
        for order in &filter.orders {
            for chat in statement.query_map((business.get(), order), rows::chat)? {
                keep(chat?);
            }
        }
    } else {
        let mut statement = conn.prepare_cached(&format!(
            "SELECT {columns} FROM chat c INDEXED BY chat_by_context JOIN customer u USING (customer_id)
             WHERE c.business_id = ?1 AND c.context_type = ?2 AND c.context_id = ?3"
        ))?;
        for (kind, id) in &filter.contexts {
            for chat in statement.query_map((business.get(), kind.as_str(), id), rows::chat)? {
                keep(chat?);
            }
        }
    }
    Ok(found.into_iter().collect())
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
