//! What a message has to know of its chat, and changes about it: less than the whole chat, of which the customer lies on a
//! page of their own.

use prilavok_domain::{BusinessId, Chat, ChatId, ChatStatus, ChatType, MessageId, PublicId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};

use super::{lagging, places, rows};
use crate::Result;

/// How a chat stands: whose turn it is, and since when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) kind: ChatType,
    pub(super) status: ChatStatus,
    pub(super) updated_at: Timestamp,
    pub(super) last_message: Option<MessageId>,
}

impl Standing {
    pub(super) fn of(chat: &Chat) -> Self {
        Self {
            kind: chat.kind,
            status: chat.status,
            updated_at: chat.updated_at,
            last_message: chat.last_message,
        }
    }

    /// The chat, if it stands so.
    pub(super) fn put_into(self, chat: Chat) -> Chat {
        Chat {
            kind: self.kind,
            status: self.status,
            updated_at: self.updated_at,
            last_message: self.last_message,
            ..chat
        }
    }
}

/// What a message finds: how its chat stands, whose it is, and where the message goes.
pub(super) struct Found {
    pub(super) standing: Standing,
    pub(super) customer: PublicId,
    pub(super) next_place: i64,
}

/// How a chat stands now.
pub(super) fn now(conn: &Connection, business: BusinessId, id: ChatId) -> Result<Option<Found>> {
    let found = conn
        .prepare_cached(
            "SELECT type, status, updated_at, last_message_id, customer_id, number FROM chat
             WHERE business_id = ?1 AND chat_id = ?2",
        )?
        .query_row((business.get(), id.get()), |row| {
            Ok((
                standing(row)?,
                rows::checked(row, 4, "customer_id", PublicId::new)?,
                rows::number(row, 5)?,
            ))
        })
        .optional()?;
    let Some((standing, customer, number)) = found else {
        return Ok(None);
    };
    let newest = places::newest(conn, number)?;
    Ok(Some(Found {
        standing: lagging::now(standing, newest.as_ref()),
        customer,
        next_place: number.next(newest.as_ref())?,
    }))
}

fn standing(row: &Row<'_>) -> rusqlite::Result<Standing> {
    Ok(Standing {
        kind: rows::named(row, 0, "type")?,
        status: rows::named(row, 1, "status")?,
        updated_at: rows::time(row, 2, "updated_at")?,
        last_message: rows::optional(row, 3, "last_message_id", |id| MessageId::new(id).ok())?,
    })
}

/// Tells a chat's row of a message that it does not know, and of what that left the chat as. One that was removed meanwhile
/// is told nothing.
pub(super) fn tell(
    conn: &Connection,
    business: BusinessId,
    id: ChatId,
    status: ChatStatus,
    at: Timestamp,
    message: MessageId,
) -> Result<()> {
    conn.prepare_cached(
        "UPDATE chat SET status = ?3, updated_at = ?4, last_message_id = ?5
         WHERE business_id = ?1 AND chat_id = ?2 AND coalesce(last_message_id, 0) < ?5",
    )?
    .execute((
        business.get(),
        id.get(),
        status.as_str(),
        at.as_millis(),
        message.get(),
    ))?;
    Ok(())
}

/// Writes it into the chat's row, and so where lists have it.
pub(super) fn keep(conn: &Connection, business: BusinessId, id: ChatId, standing: Standing) -> Result<()> {
    conn.prepare_cached(
        "UPDATE chat SET status = ?3, updated_at = ?4, last_message_id = ?5 WHERE business_id = ?1 AND chat_id = ?2",
    )?
    .execute((
        business.get(),
        id.get(),
        standing.status.as_str(),
        standing.updated_at.as_millis(),
        standing.last_message.map(MessageId::get),
    ))?;
    Ok(())
}
