//! Messages of a chat from the newest back, as somebody reads who has just opened it.

use prilavok_domain::{BusinessId, ChatId, Message, MessageId};
use rusqlite::Connection;

use super::{messages, rows};
use crate::{Page, Result};

/// A page of the messages before `before`, the newest first; `None`: of all.
pub(super) fn page(
    conn: &Connection,
    business: BusinessId,
    chat: ChatId,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Page<Message>> {
    let transaction = conn.unchecked_transaction()?;
    let columns = rows::MESSAGE;
    let before = before.map_or(i64::MAX, MessageId::get);
    let mut statement = transaction.prepare_cached(&format!(
        "SELECT {columns} FROM message WHERE business_id = ?1 AND chat_id = ?2 AND message_id < ?3
         ORDER BY message_id DESC LIMIT ?4"
    ))?;
    let found = statement.query((business.get(), chat.get(), before, limit + 1))?;
    messages::page_of(&transaction, business, chat, found, limit)
}
