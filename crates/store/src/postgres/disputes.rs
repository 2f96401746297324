//! The desk: disputes that wait, verdicts, and what the marketplace's people did by hand.

use prilavok_domain::event::DisabledBy;
use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::{
    AuditLine, BusinessId, Chat, ChatId, ChatType, CredentialId, CredentialKind, MessageText, Timestamp,
    Verdict,
};
use tokio_postgres::Row;

use super::db::{Source, Value};
use super::rows::{self, chat_columns};
use super::statements::statements;
use super::transaction::{Write, kept};
use super::{chats, credentials, deliveries, idempotency, messages, registry, subscriptions};
use crate::error::must_exist;
use crate::{
    Act, Applied, ChatChange, DisputeCursor, Entity, Idempotency, NewCredential, NewMessage, Page, Refusal,
    Registration, Result, StoreError, Switch,
};

/// Lines of the audit trail.
macro_rules! lines {
    ($rest:literal) => {
        concat!(
            "SELECT audit_id, at, token_id, deed, business_id, chat_id, about FROM audit WHERE ",
            $rest
        )
    };
}

statements! {
    WAITING = concat!("SELECT ", chat_columns!(), " FROM (SELECT * FROM chat \
            WHERE type = 'ARBITRAGE' AND status <> 'FINISHED' AND (updated_at, business_id, chat_id) > ($1, $2, $3) \
            ORDER BY updated_at, business_id, chat_id LIMIT $4) c JOIN customer u USING (customer_id) \
        ORDER BY c.updated_at, c.business_id, c.chat_id"),
        across: "the desk looks after the disputes of all businesses";
    VERDICT = "SELECT decided_for, text, at, token_id FROM verdict WHERE business_id = $1 AND chat_id = $2";
    DECIDE = "INSERT INTO verdict (business_id, chat_id, decided_for, text, at, token_id) VALUES ($1, $2, $3, $4, $5, $6)";
    WRITE_LINE = "INSERT INTO audit (audit_id, at, token_id, deed, business_id, chat_id, about) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    LINE = lines!("business_id = $1 AND audit_id = $2");
    LINES = lines!("audit_id < $1 ORDER BY audit_id DESC LIMIT $2"),
        across: "the trail is shown of all that was done";
    LINES_OF_DISPUTE = lines!("business_id = $1 AND chat_id = $2 AND audit_id < $3 ORDER BY audit_id DESC LIMIT $4");
}

/// Unfinished disputes of all businesses, the one that has waited longest first.
pub(super) async fn waiting(
    source: &impl Source,
    after: Option<DisputeCursor>,
    limit: usize,
) -> Result<Page<Chat>> {
    let (updated_at, business, id) = after.map_or((0, 0, 0), |after| {
        (after.updated_at.as_millis(), after.business.get(), after.id.get())
    });
    let values: &[Value<'_>] = &[&updated_at, &business, &id, &rows::count(limit + 1)];
    Ok(Page::of(source.all(WAITING, values, rows::chat).await?, limit))
}

/// How a dispute was settled.
pub(super) async fn verdict(
    source: &impl Source,
    business: BusinessId,
    dispute: ChatId,
) -> Result<Option<Verdict>> {
    let read = |row: &Row| {
        Ok(Verdict {
            decided_for: rows::named(row, 0, "decided_for")?,
            text: rows::checked(row, 1, "text", MessageText::new)?,
            at: rows::time(row, 2, "at")?,
            by: CredentialId(rows::get(row, 3)?),
        })
    };
    source
        .first(VERDICT, &[&business.get(), &dispute.get()], read)
        .await
}

/// Does something and writes it into the audit trail.
pub(super) async fn act(
    write: &Write,
    business: BusinessId,
    by: CredentialId,
    act: &Act,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<AuditLine>> {
    let (earlier, _) = idempotency::ask(write, business, once, now, &[]).await?;
    if let Some(id) = earlier {
        return Ok(Applied::before(line(write, business, id).await?));
    }
    let (chat, about) = done(write, business, act, by, now).await?;
    let line = AuditLine {
        id: write.next_id(IdFor::File, now),
        at: now,
        by,
        deed: act.deed(),
        business,
        chat,
        about,
    };
    write.put(
        WRITE_LINE,
        kept![
            line.id,
            now.as_millis(),
            by.0,
            line.deed.as_str(),
            business.get(),
            chat.map(ChatId::get),
            line.about.clone(),
        ],
    );
    idempotency::remember(write, business, once, line.id, now);
    Ok(Applied::now(line))
}

/// Does it; answers the dispute that it was done to, and to what or how.
async fn done(
    write: &Write,
    business: BusinessId,
    act: &Act,
    by: CredentialId,
    now: Timestamp,
) -> Result<(Option<ChatId>, String)> {
    match act {
        Act::Write {
            dispute,
            text,
            wait_for,
            beside,
        } => {
            let named: Vec<_> = [Some(*dispute), *beside].into_iter().flatten().collect();
            let locked = chats::lock(write, business, &named).await?;
            must_be_dispute(&locked[0])?;
            let told = NewMessage::support(text, *wait_for);
            messages::append(write, business, *dispute, &told, None, now).await?;
            if let Some(chat) = locked.get(1) {
                if chat.kind != ChatType::Chat || chat.context != locked[0].context {
                    return Err(Refusal::NotFound(Entity::Chat(chat.id)).into());
                }
                let told = NewMessage::support(text, None);
                messages::append(write, business, chat.id, &told, None, now).await?;
            }
            let about = wait_for.map_or_else(String::new, |wait_for| wait_for.to_string());
            Ok((Some(*dispute), about))
        }
        Act::Settle {
            dispute,
            decided_for,
            text,
        } => {
            must_be_dispute(&chats::lock_one(write, business, *dispute).await?)?;
            let told = NewMessage::support(text, None);
            messages::append(write, business, *dispute, &told, None, now).await?;
            chats::change(write, business, *dispute, ChatChange::Finish, None, now).await?;
            write.put(
                DECIDE,
                kept![
                    business.get(),
                    dispute.get(),
                    decided_for.as_str(),
                    text.as_str().to_owned(),
                    now.as_millis(),
                    by.0,
                ],
            );
            Ok((Some(*dispute), decided_for.to_string()))
        }
        Act::SetState(state) => {
            chats::lock_business(write, business).await?;
            let there = registry::business(write, business).await?;
            let mut changed = must_exist(there, || Entity::Business(business))?;
            changed.state = *state;
            registry::register(write, &[Registration::Business(changed)]).await?;
            Ok((None, state.to_string()))
        }
        Act::CreateKey(new) => {
            let new = NewCredential {
                business,
                ..new.clone()
            };
            let key = credentials::create(write, &new, None, now).await?.value;
            Ok((None, key.name.as_str().to_owned()))
        }
        Act::RevokeKey(id) => {
            let key = credentials::revoke(write, business, CredentialKind::ApiKey, *id, now).await?;
            Ok((None, key.name.as_str().to_owned()))
        }
        Act::Enable(id) => {
            let switched = subscriptions::switch(write, business, *id, Switch::On).await?;
            Ok((None, switched.name.as_str().to_owned()))
        }
        Act::Disable(id) => {
            let off = Switch::Off(DisabledBy::Hand);
            let switched = subscriptions::switch(write, business, *id, off).await?;
            Ok((None, switched.name.as_str().to_owned()))
        }
        Act::SendAgain(id, events) => {
            let mut queued = 0;
            for again in events {
                queued += deliveries::send_again(write, business, *id, *again, now).await?;
            }
            let there = subscriptions::one(write, business, *id).await?;
            let name = must_exist(there, || Entity::Subscription(*id))?.name;
            Ok((None, format!("{}: {queued}", name.as_str())))
        }
    }
}

fn must_be_dispute(chat: &Chat) -> Result<()> {
    match chat.kind {
        ChatType::Arbitrage => Ok(()),
        ChatType::Chat => Err(Refusal::NotFound(Entity::Chat(chat.id)).into()),
    }
}

fn read_line(row: &Row) -> Result<AuditLine> {
    Ok(AuditLine {
        id: rows::get(row, 0)?,
        at: rows::time(row, 1, "at")?,
        by: CredentialId(rows::get(row, 2)?),
        deed: rows::named(row, 3, "deed")?,
        business: rows::id(row, 4, "business_id")?,
        chat: rows::optional(row, 5, "chat_id", |id: i64| ChatId::new(id).ok())?,
        about: rows::get(row, 6)?,
    })
}

async fn line(source: &impl Source, business: BusinessId, id: i64) -> Result<AuditLine> {
    let found = source.first(LINE, &[&business.get(), &id], read_line).await?;
    found.ok_or_else(|| StoreError::Failed(format!("line {id} of the audit trail is gone").into()))
}

/// The audit trail, of one dispute or of all that was done, newest first.
pub(super) async fn audit(
    source: &impl Source,
    dispute: Option<(BusinessId, ChatId)>,
    before: Option<i64>,
    limit: usize,
) -> Result<Page<AuditLine>> {
    let (before, wanted) = (before.unwrap_or(i64::MAX), rows::count(limit + 1));
    let lines = match dispute {
        Some((business, chat)) => {
            let values: &[Value<'_>] = &[&business.get(), &chat.get(), &before, &wanted];
            source.all(LINES_OF_DISPUTE, values, read_line).await?
        }
        None => source.all(LINES, &[&before, &wanted], read_line).await?,
    };
    Ok(Page::of(lines, limit))
}
