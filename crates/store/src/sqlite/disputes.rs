//! The desk: disputes that wait, verdicts, and what the marketplace's people did by hand.

use prilavok_domain::event::DisabledBy;
use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::{
    AuditLine, BusinessId, Chat, ChatId, ChatType, CredentialId, CredentialKind, DecidedFor, MessageText,
    Timestamp, Verdict,
};
use rusqlite::{Connection, OptionalExtension, Row};

use super::registry::must_exist;
use super::write::Write;
use super::{chats, credentials, deliveries, idempotency, messages, registry, rows, subscriptions};
use crate::desk::support;
use crate::{
    Act, Applied, ChatChange, DisputeCursor, Entity, Idempotency, NewCredential, NewMessage, Page, Refusal,
    Registration, Result, StoreError, Switch,
};

/// Unfinished disputes of all businesses, the one that has waited longest first.
pub(super) fn waiting(conn: &Connection, after: Option<DisputeCursor>, limit: usize) -> Result<Page<Chat>> {
    let after = after.map_or((0, 0, 0), |after| {
        (after.updated_at.as_millis(), after.business.get(), after.id.get())
    });
    let columns = rows::CHAT;
    // The order of the join is fixed: the customers of a page are looked up, not the disputes of each customer.
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {columns} FROM chat c INDEXED BY dispute_waiting CROSS JOIN customer u USING (customer_id)
         WHERE c.type = 'ARBITRAGE' AND c.status <> 'FINISHED'
             AND (c.updated_at, c.business_id, c.chat_id) > (?1, ?2, ?3)
         ORDER BY c.updated_at, c.business_id, c.chat_id LIMIT ?4"
    ))?;
    let found = statement.query_map((after.0, after.1, after.2, limit + 1), rows::chat)?;
    Ok(Page::beginning(found.collect::<rusqlite::Result<_>>()?, limit))
}

/// How a dispute was settled.
pub(super) fn verdict(conn: &Connection, business: BusinessId, dispute: ChatId) -> Result<Option<Verdict>> {
    let read = |row: &Row<'_>| {
        Ok(Verdict {
            decided_for: rows::named::<DecidedFor>(row, 0, "decided_for")?,
            text: rows::checked(row, 1, "text", MessageText::new)?,
            at: rows::time(row, 2, "at")?,
            by: CredentialId(row.get(3)?),
        })
    };
    Ok(conn
        .prepare_cached(
            "SELECT decided_for, text, at, token_id FROM verdict WHERE business_id = ?1 AND chat_id = ?2",
        )?
        .query_row((business.get(), dispute.get()), read)
        .optional()?)
}

/// Does something and writes it into the audit trail.
pub(super) fn act(
    write: &mut Write<'_>,
    business: BusinessId,
    act: &Act,
    by: CredentialId,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<AuditLine>> {
    if let Some(id) = idempotency::earlier(write.conn, business, once, now)? {
        let value = line(write.conn, id)?;
        return Ok(Applied {
            value,
            replayed: true,
        });
    }
    let (chat, about) = done(write, business, act, by, now)?;
    let id = write.next_id(IdFor::File, now);
    let line = AuditLine {
        id,
        at: now,
        by,
        deed: act.deed(),
        business,
        chat,
        about,
    };
    write
        .conn
        .prepare_cached(
            "INSERT INTO audit (audit_id, at, token_id, deed, business_id, chat_id, about)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            id,
            now.as_millis(),
            by.0,
            line.deed.as_str(),
            business.get(),
            chat.map(ChatId::get),
            &line.about,
        ))?;
    idempotency::remember(write.conn, business, once, id, now)?;
    Ok(Applied {
        value: line,
        replayed: false,
    })
}

/// Does it; answers the dispute that it was done to, and to what or how.
fn done(
    write: &mut Write<'_>,
    business: BusinessId,
    act: &Act,
    by: CredentialId,
    now: Timestamp,
) -> Result<(Option<ChatId>, String)> {
    let conn = write.conn;
    match act {
        Act::Write {
            dispute,
            text,
            wait_for,
            beside,
        } => {
            let told = existing(conn, business, *dispute)?;
            let new = NewMessage {
                wait_for: *wait_for,
                ..support(text)
            };
            messages::append(write, business, *dispute, &new, None, now)?;
            if let Some(beside) = beside {
                let chat = chats::existing(conn, business, *beside)?;
                if chat.kind != ChatType::Chat || chat.context != told.context {
                    return Err(Refusal::NotFound(Entity::Chat(*beside)).into());
                }
                messages::append(write, business, *beside, &support(text), None, now)?;
            }
            let about = wait_for.map_or_else(String::new, |wait_for| wait_for.to_string());
            Ok((Some(*dispute), about))
        }
        Act::Settle {
            dispute,
            decided_for,
            text,
        } => {
            existing(conn, business, *dispute)?;
            messages::append(write, business, *dispute, &support(text), None, now)?;
            chats::change(write, business, *dispute, ChatChange::Finish, None, now)?;
            conn.prepare_cached(
                "INSERT INTO verdict (business_id, chat_id, decided_for, text, at, token_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                business.get(),
                dispute.get(),
                decided_for.as_str(),
                text.as_str(),
                now.as_millis(),
                by.0,
            ))?;
            Ok((Some(*dispute), decided_for.to_string()))
        }
        Act::SetState(state) => {
            let mut changed = must_exist(registry::business(conn, business)?, || Entity::Business(business))?;
            changed.state = *state;
            registry::register(write, &[Registration::Business(changed)])?;
            Ok((None, state.to_string()))
        }
        Act::CreateKey(new) => {
            let new = NewCredential {
                business,
                ..new.clone()
            };
            let key = credentials::create(write, &new, None, now)?.value;
            Ok((None, key.name.as_str().to_owned()))
        }
        Act::RevokeKey(id) => {
            let key = credentials::revoke(conn, business, CredentialKind::ApiKey, *id, now)?;
            Ok((None, key.name.as_str().to_owned()))
        }
        Act::Enable(id) => {
            let switched = subscriptions::switch(conn, business, *id, Switch::On)?;
            Ok((None, switched.name.as_str().to_owned()))
        }
        Act::Disable(id) => {
            let switched = subscriptions::switch(conn, business, *id, Switch::Off(DisabledBy::Hand))?;
            Ok((None, switched.name.as_str().to_owned()))
        }
        Act::SendAgain(id, events) => {
            let mut queued = 0;
            for again in events {
                queued += deliveries::send_again(write, business, *id, *again, now)?;
            }
            let name = subscriptions::existing(conn, business, *id)?.name;
            Ok((None, format!("{}: {queued}", name.as_str())))
        }
    }
}

/// A chat that is a dispute.
fn existing(conn: &Connection, business: BusinessId, id: ChatId) -> Result<Chat> {
    let chat = chats::existing(conn, business, id)?;
    match chat.kind {
        ChatType::Arbitrage => Ok(chat),
        ChatType::Chat => Err(Refusal::NotFound(Entity::Chat(id)).into()),
    }
}

const COLUMNS: &str = "audit_id, at, token_id, deed, business_id, chat_id, about";

fn read_line(row: &Row<'_>) -> rusqlite::Result<AuditLine> {
    Ok(AuditLine {
        id: row.get(0)?,
        at: rows::time(row, 1, "at")?,
        by: CredentialId(row.get(2)?),
        deed: rows::named(row, 3, "deed")?,
        business: rows::id(row, 4, "business_id")?,
        chat: rows::optional(row, 5, "chat_id", |id| ChatId::new(id).ok())?,
        about: row.get(6)?,
    })
}

fn line(conn: &Connection, id: i64) -> Result<AuditLine> {
    let found = conn
        .prepare_cached(&format!("SELECT {COLUMNS} FROM audit WHERE audit_id = ?1"))?
        .query_row([id], read_line)
        .optional()?;
    found.ok_or_else(|| StoreError::Failed(format!("line {id} of the audit trail is gone").into()))
}

/// The audit trail, of one dispute or of all that was done, newest first.
pub(super) fn audit(
    conn: &Connection,
    dispute: Option<(BusinessId, ChatId)>,
    before: Option<i64>,
    limit: usize,
) -> Result<Page<AuditLine>> {
    let before = before.unwrap_or(i64::MAX);
    let lines = match dispute {
        Some((business, chat)) => conn
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM audit INDEXED BY audit_of_dispute
                 WHERE business_id = ?1 AND chat_id = ?2 AND audit_id < ?3 ORDER BY audit_id DESC LIMIT ?4"
            ))?
            .query_map((business.get(), chat.get(), before, limit + 1), read_line)?
            .collect::<rusqlite::Result<_>>()?,
        None => conn
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM audit WHERE audit_id < ?1 ORDER BY audit_id DESC LIMIT ?2"
            ))?
            .query_map((before, limit + 1), read_line)?
            .collect::<rusqlite::Result<_>>()?,
    };
    Ok(Page::beginning(lines, limit))
}
