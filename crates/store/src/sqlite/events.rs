//! Events: written with what caused them, read by those who tell of them.

use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::rules::NotificationType;
use prilavok_domain::{BusinessId, ChatId, ChatStatus, Event, MessageId, Timestamp};
use rusqlite::{Connection, Row};

use super::recent::{self, Newest};
use super::write::Write;
use super::{lagging, rows};
use crate::Result;

/// The columns of [`event`].
pub(super) const EVENT: &str = "business_id, event_id, type, chat_id, message_id, at";

/// Something that happened to a chat.
pub(super) struct Happened {
    pub(super) kind: NotificationType,
    pub(super) chat: ChatId,
    pub(super) message: Option<MessageId>,
    pub(super) at: Timestamp,
    /// What its message left the chat as, where the chat's row was not told.
    pub(super) leaves: Option<ChatStatus>,
}

impl Happened {
    /// Without a message.
    pub(super) fn to(chat: ChatId, kind: NotificationType, at: Timestamp) -> Self {
        Self {
            kind,
            chat,
            message: None,
            at,
            leaves: None,
        }
    }
}

/// Notes that something happened, in the transaction in which it did, after what it did is written: each event is one more
/// for rows to be brought up to their messages.
pub(super) fn note(write: &mut Write<'_>, business: BusinessId, it: &Happened) -> Result<()> {
    let id = write.next_id(IdFor::Event, it.at);
    let before = recent::newest(write.conn, business)?;
    write
        .conn
        .prepare_cached(
            "INSERT INTO event (business_id, event_id, type, chat_id, message_id, at, before_id, leaves)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            business.get(),
            id,
            it.kind.as_str(),
            it.chat.get(),
            it.message.map(MessageId::get),
            it.at.as_millis(),
            before.and_then(|before| before.event),
            it.leaves.map(ChatStatus::as_str),
        ))?;
    write.touch(business);
    let now = Newest {
        event: Some(id),
        count: before.map_or(0, |before| before.count) + 1,
    };
    recent::keep(write.conn, business, now)?;
    lagging::catch_up_when_due(write.conn, business, now.count)
}

pub(super) fn event(row: &Row<'_>) -> rusqlite::Result<Event> {
    rows::event(row, 0)
}

/// Events after `after` in order, of one business or of all.
pub(super) fn after(
    conn: &Connection,
    business: Option<BusinessId>,
    after: i64,
    limit: usize,
) -> Result<Vec<Event>> {
    let sql = match business {
        Some(_) => recent::of_business(EVENT, "event_id > ?2") + " ORDER BY event_id LIMIT ?3",
        None => {
            format!("SELECT {EVENT} FROM event WHERE event_id > ?2 AND ?1 = 0 ORDER BY event_id LIMIT ?3")
        }
    };
    let mut statement = conn.prepare_cached(&sql)?;
    let found = statement.query_map((business.map_or(0, BusinessId::get), after, limit), event)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// The newest event, of one business or of all; zero where there is none.
pub(super) fn newest(conn: &Connection, business: Option<BusinessId>) -> Result<i64> {
    let found = match business {
        Some(business) => conn
            .prepare_cached(
                "SELECT coalesce((SELECT newest_event_id FROM recent WHERE business_id = ?1),
                     (SELECT max(event_id) FROM event_of_business WHERE business_id = ?1), 0)",
            )?
            .query_row([business.get()], |row| row.get(0))?,
        None => conn
            .prepare_cached("SELECT coalesce(max(event_id), 0) FROM event")?
            .query_row([], |row| row.get(0))?,
    };
    Ok(found)
}
