//! Chats whose rows do not know of their newest messages yet.
//!
//! A message that only says whose turn it is leaves its chat's row alone, and with it every index of lists: what it changes
//! about the chat follows from the message itself. Whoever reads a chat looks at its newest message too ([`now`]). Rows are
//! brought up to their messages together, once enough events of their business came. Until then those events, the recent
//! ones (see `recent`), tell which chats may be elsewhere than the indexes have them: they are few, and are asked for first,
//! in the same transaction.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use prilavok_domain::rules::waits_after;
use prilavok_domain::{BusinessId, Chat, ChatId, ChatType, Sender};
use rusqlite::Connection;

use super::head::CREATED_AT;
use super::places::{ChatNumber, NEWEST_PLACE, Newest};
use super::standing::{self, Standing};
use super::{head, places, recent};
use crate::Result;

/// So many events of a business are waited for before rows are brought up to their messages: each then costs a small part
/// of that, and a list has few chats to look at by themselves.
const EVENTS: usize = 32;

/// Whether a message of `sender` leaves its chat's row as it is. Disputes are few, and the desk reads them in order: their
/// rows always know all.
pub(super) fn leaves_the_row(kind: ChatType, sender: Sender) -> bool {
    kind == ChatType::Chat && waits_after(kind, sender).is_some()
}

/// A chat as its newest message leaves it, from what its row says.
pub(super) fn chat_now(conn: &Connection, (chat, number): (Chat, ChatNumber)) -> Result<Chat> {
    let standing = Standing::of(&chat);
    let newest = match standing.kind {
        ChatType::Chat => places::newest(conn, number)?,
        ChatType::Arbitrage => None,
    };
    Ok(now(standing, newest.as_ref()).put_into(chat))
}

/// How a chat's newest message leaves it standing, from what its row says.
pub(super) fn now(standing: Standing, newest: Option<&Newest>) -> Standing {
    match newest {
        Some(newest) if standing.kind == ChatType::Chat && Some(newest.id) > standing.last_message => {
            Standing {
                status: waits_after(standing.kind, newest.sender).unwrap_or(standing.status),
                updated_at: newest.created_at,
                last_message: Some(newest.id),
                ..standing
            }
        }
        _ => standing,
    }
}

/// All chats as their newest messages leave them, for whoever reads the whole store: what stands for the table `chat`, with
/// its columns.
pub(crate) fn all_now() -> String {
    let mut status = format!("CASE {}", head::SENDER);
    for sender in Sender::ALL {
        if let Some(left) = waits_after(ChatType::Chat, *sender) {
            // Writing into a text does not fail.
            let _ = write!(status, " WHEN {} THEN '{left}'", head::code(*sender));
        }
    }
    format!(
        "SELECT c.business_id, c.chat_id, c.type, {status} ELSE c.status END AS status, c.context_type, c.context_id,
             c.customer_id, c.order_id, c.campaign_id, c.created_at, coalesce({CREATED_AT}, c.updated_at) AS updated_at,
             coalesce(n.message_id, c.last_message_id) AS last_message_id
         FROM main.chat c LEFT JOIN main.message_row n ON c.type = 'CHAT' AND n.message_id > coalesce(c.last_message_id, 0)
             AND n.place = {NEWEST_PLACE}"
    )
}

/// The chats of a business that may be elsewhere than the indexes have them.
pub(super) fn elsewhere(conn: &Connection, business: BusinessId) -> Result<BTreeSet<ChatId>> {
    let events = recent::all(conn, business)?;
    Ok(events.into_iter().map(|event| event.chat).collect())
}

/// Brings the rows of a business up to their messages once it has so many recent events that it is worth it.
pub(super) fn catch_up_when_due(conn: &Connection, business: BusinessId, recent: usize) -> Result<()> {
    match recent < EVENTS {
        true => Ok(()),
        false => catch_up(conn, business),
    }
}

/// Brings the rows of a business up to their messages, and puts its recent events where the others are: before any are
/// forgotten, too, since they tell what lags behind.
pub(super) fn catch_up(conn: &Connection, business: BusinessId) -> Result<()> {
    let events = recent::all(conn, business)?;
    if events.is_empty() {
        return Ok(());
    }
    let mut told = BTreeSet::new();
    // The newest comes first: what older ones say of the same chat is no longer so.
    for event in &events {
        if let (Some(status), Some(message)) = (event.leaves, event.message)
            && told.insert(event.chat)
        {
            standing::tell(conn, business, event.chat, status, event.at, message)?;
        }
    }
    recent::put_away(conn, business, &events)
}
