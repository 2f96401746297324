//! Chats that wait for longer than they should, found by one business at a time; and which files are named.

use deadpool_postgres::GenericClient;
use prilavok_domain::{BusinessId, Chat, ChatId, ChatStatus, ChatType, MessageText, Sender, Timestamp};
use tokio_postgres::Row;

use super::statements::statements;
use super::work::Work;
use super::{chats, messages, rows};
use crate::{ChatChange, NewMessage, Result};

/// A branch for each range of `chat_by_kind` that is looked at, each read no further than the page.
macro_rules! older {
    ($columns:literal, $status:literal, $context:literal) => {
        concat!(
            "(SELECT ",
            $columns,
            " FROM chat WHERE business_id = $1 AND type = 'CHAT' AND status = '",
            $status,
            "' AND context_type = '",
            $context,
            "' AND updated_at < $2 ORDER BY updated_at LIMIT $3)"
        )
    };
}

macro_rules! older_in_any_context {
    ($columns:literal, $status:literal) => {
        concat!(
            older!($columns, $status, "ORDER"),
            " UNION ALL ",
            older!($columns, $status, "RETURN"),
            " UNION ALL ",
            older!($columns, $status, "DIRECT")
        )
    };
}

statements! {
    IDLE = concat!("SELECT chat_id FROM (",
        older_in_any_context!("chat_id, updated_at", "NEW"), " UNION ALL ",
        older_in_any_context!("chat_id, updated_at", "WAITING_FOR_CUSTOMER"), " UNION ALL ",
        older_in_any_context!("chat_id, updated_at", "WAITING_FOR_PARTNER"), " UNION ALL ",
        older_in_any_context!("chat_id, updated_at", "WAITING_FOR_ARBITER"), " UNION ALL ",
        older_in_any_context!("chat_id, updated_at", "WAITING_FOR_MARKET"),
        ") idle ORDER BY updated_at LIMIT $3");
    /// A reminder is the market's own message, so a chat is not found again until the customer writes.
    UNANSWERED = "SELECT c.chat_id FROM chat c
        JOIN message m ON m.business_id = c.business_id AND m.chat_id = c.chat_id AND m.message_id = c.last_message_id
        JOIN customer u ON u.customer_id = c.customer_id
        WHERE c.business_id = $1 AND c.type = 'CHAT' AND c.status = 'WAITING_FOR_PARTNER'
            AND c.context_type IN ('ORDER', 'RETURN', 'DIRECT') AND c.updated_at < $2 AND m.sender <> 'MARKET'
            AND u.erased_at IS NULL
        ORDER BY c.updated_at LIMIT $3";
    NAMED_FILES = "SELECT EXISTS (SELECT 1 FROM message_file WHERE object = one.name AND removed_at IS NULL)
        FROM unnest($1::text[]) WITH ORDINALITY AS one (name, place) ORDER BY one.place";
}

/// Unfinished ordinary chats of a business whose last message is older than `before`, at most `limit`.
pub(super) async fn idle(
    conn: &impl GenericClient,
    business: BusinessId,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<ChatId>> {
    let values: &rows::Values<'_> = &[&business.get(), &before.as_millis(), &rows::limit(limit)];
    ids(&rows::query(conn, IDLE, values).await?)
}

/// Chats of a business in which the partner has owed the customer an answer since before `before`.
pub(super) async fn unanswered(
    conn: &impl GenericClient,
    business: BusinessId,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<ChatId>> {
    let values: &rows::Values<'_> = &[&business.get(), &before.as_millis(), &rows::limit(limit)];
    ids(&rows::query(conn, UNANSWERED, values).await?)
}

pub(super) fn ids(found: &[Row]) -> Result<Vec<ChatId>> {
    found.iter().map(|row| rows::id(row, 0, "chat_id")).collect()
}

/// Which of these objects a message names.
pub(super) async fn named_files(conn: &impl GenericClient, objects: &[String]) -> Result<Vec<bool>> {
    let found = rows::query(conn, NAMED_FILES, &[&objects]).await?;
    found.iter().map(|row| rows::get(row, 0)).collect()
}

/// Finishes a chat if it is idle still; answers whether it did.
pub(super) async fn finish_idle(
    work: &mut Work<'_>,
    business: BusinessId,
    id: ChatId,
    before: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let chat = chats::locked(&work.tx, business, id).await?;
    let idle = chat.kind == ChatType::Chat && chat.status != ChatStatus::Finished && chat.updated_at < before;
    if idle {
        chats::change(work, business, id, ChatChange::Finish, None, now).await?;
    }
    Ok(idle)
}

/// Writes the market's reminder if the partner owes an answer still; answers whether it did.
pub(super) async fn remind(
    work: &mut Work<'_>,
    business: BusinessId,
    id: ChatId,
    before: Timestamp,
    text: &MessageText,
    now: Timestamp,
) -> Result<bool> {
    let chat = chats::locked(&work.tx, business, id).await?;
    let owed = is_waiting(&chat, before) && !is_last_from_market(work, &chat).await?;
    if owed {
        let new = NewMessage {
            sender: Sender::Market,
            text: Some(text.clone()),
            files: Vec::new(),
            wait_for: None,
        };
        let appended = messages::append(&work.tx, work.node, business, id, &new, None, now).await?;
        work.happened(business, appended.event);
    }
    Ok(owed)
}

fn is_waiting(chat: &Chat, before: Timestamp) -> bool {
    chat.kind == ChatType::Chat
        && chat.status == ChatStatus::WaitingForPartner
        && chat.updated_at < before
        && chat.customer.erased_at.is_none()
}

/// Whether the market wrote last; also where nobody has written anything.
async fn is_last_from_market(work: &Work<'_>, chat: &Chat) -> Result<bool> {
    let Some(last) = chat.last_message else {
        return Ok(true);
    };
    let last = messages::one(&work.tx, chat.business, chat.id, last).await?;
    Ok(last.is_none_or(|last| last.sender == Sender::Market))
}
