//! The desk: disputes that wait, verdicts, and what the marketplace's people did by hand.

use deadpool_postgres::GenericClient;
use prilavok_domain::event::DisabledBy;
use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::{
    AuditLine, BusinessId, Chat, ChatId, ChatType, CredentialId, CredentialKind, DecidedFor, MessageText,
    Timestamp, Verdict,
};
use tokio_postgres::Row;

use super::chats::{self, chat};
use super::registry::{self, must_exist};
use super::statements::statements;
use super::work::Work;
use super::{credentials, deliveries, idempotency, messages, rows, subscriptions};
use crate::desk::support;
use crate::{
    Act, Applied, ChatChange, DisputeCursor, Entity, Idempotency, NewCredential, NewMessage, Page, Refusal,
    Registration, Result, StoreError, Switch,
};

/// The columns of [`read_line`].
macro_rules! line {
    () => {
        "audit_id, at, token_id, deed, business_id, chat_id, about"
    };
}

statements! {
    WAITING = concat!("SELECT ", chat!(), " FROM chat c JOIN customer u ON u.customer_id = c.customer_id
        WHERE c.type = 'ARBITRAGE' AND c.status <> 'FINISHED' AND (c.updated_at, c.business_id, c.chat_id) > ($1, $2, $3)
        ORDER BY c.updated_at, c.business_id, c.chat_id LIMIT $4");
    VERDICT = "SELECT decided_for, text, at, token_id FROM verdict WHERE business_id = $1 AND chat_id = $2";
    DECIDE = "INSERT INTO verdict (business_id, chat_id, decided_for, text, at, token_id) VALUES ($1, $2, $3, $4, $5, $6)";
    WRITE = "INSERT INTO audit (audit_id, at, token_id, deed, business_id, chat_id, about)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    LINE = concat!("SELECT ", line!(), " FROM audit WHERE business_id = $1 AND audit_id = $2");
    OF_DISPUTE = concat!("SELECT ", line!(), " FROM audit
        WHERE business_id = $1 AND chat_id = $2 AND audit_id < $3 ORDER BY audit_id DESC LIMIT $4");
    TRAIL = concat!("SELECT ", line!(), " FROM audit WHERE audit_id < $1 ORDER BY audit_id DESC LIMIT $2");
}

/// Unfinished disputes of all businesses, the one that has waited longest first.
pub(super) async fn waiting(
    conn: &impl GenericClient,
    after: Option<DisputeCursor>,
    limit: usize,
) -> Result<Page<Chat>> {
    let after = after.map_or((0, 0, 0), |after| {
        (after.updated_at.as_millis(), after.business.get(), after.id.get())
    });
    let values: &rows::Values<'_> = &[&after.0, &after.1, &after.2, &rows::limit(limit + 1)];
    chats::page(&rows::query(conn, WAITING, values).await?, limit)
}

/// How a dispute was settled.
pub(super) async fn verdict(
    conn: &impl GenericClient,
    business: BusinessId,
    dispute: ChatId,
) -> Result<Option<Verdict>> {
    let found = rows::query_opt(conn, VERDICT, &[&business.get(), &dispute.get()]).await?;
    let Some(row) = found else { return Ok(None) };
    Ok(Some(Verdict {
        decided_for: rows::named::<DecidedFor>(&row, 0, "decided_for")?,
        text: rows::checked(&row, 1, "text", MessageText::new)?,
        at: rows::time(&row, 2, "at")?,
        by: CredentialId(rows::get(&row, 3)?),
    }))
}

/// Does something and writes it into the audit trail.
pub(super) async fn act(
    work: &mut Work<'_>,
    business: BusinessId,
    act: &Act,
    by: CredentialId,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<AuditLine>> {
    if let Some(id) = idempotency::earlier(&work.tx, business, once, now).await? {
        return Ok(Applied {
            value: line(&work.tx, business, id).await?,
            replayed: true,
        });
    }
    let (chat, about) = done(work, business, act, by, now).await?;
    let id = work.next_id(IdFor::File, now);
    let line = AuditLine {
        id,
        at: now,
        by,
        deed: act.deed(),
        business,
        chat,
        about,
    };
    rows::execute(
        &work.tx,
        WRITE,
        &[
            &id,
            &now.as_millis(),
            &by.0,
            &line.deed.as_str(),
            &business.get(),
            &chat.map(ChatId::get),
            &line.about,
        ],
    )
    .await?;
    idempotency::remember(&work.tx, business, once, id, now).await?;
    Ok(Applied {
        value: line,
        replayed: false,
    })
}

/// Does it; answers the dispute that it was done to, and to what or how.
async fn done(
    work: &mut Work<'_>,
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
            chats::lock(&work.tx, business, &[Some(*dispute), *beside]).await?;
            let told = existing(&work.tx, business, *dispute).await?;
            if let Some(beside) = beside {
                let chat = chats::existing(&work.tx, business, *beside).await?;
                if chat.kind != ChatType::Chat || chat.context != told.context {
                    return Err(Refusal::NotFound(Entity::Chat(*beside)).into());
                }
            }
            let new = NewMessage {
                wait_for: *wait_for,
                ..support(text)
            };
            append(work, business, *dispute, &new, now).await?;
            if let Some(beside) = beside {
                append(work, business, *beside, &support(text), now).await?;
            }
            let about = wait_for.map_or_else(String::new, |wait_for| wait_for.to_string());
            Ok((Some(*dispute), about))
        }
        Act::Settle {
            dispute,
            decided_for,
            text,
        } => {
            existing(&work.tx, business, *dispute).await?;
            append(work, business, *dispute, &support(text), now).await?;
            chats::change(work, business, *dispute, ChatChange::Finish, None, now).await?;
            rows::execute(
                &work.tx,
                DECIDE,
                &[
                    &business.get(),
                    &dispute.get(),
                    &decided_for.as_str(),
                    &text.as_str(),
                    &now.as_millis(),
                    &by.0,
                ],
            )
            .await?;
            Ok((Some(*dispute), decided_for.to_string()))
        }
        Act::SetState(state) => {
            let there = registry::business(&work.tx, business).await?;
            let mut changed = must_exist(there, || Entity::Business(business))?;
            changed.state = *state;
            registry::register(work, &[Registration::Business(changed)]).await?;
            Ok((None, state.to_string()))
        }
        Act::CreateKey(new) => {
            let new = NewCredential {
                business,
                ..new.clone()
            };
            let key = credentials::create(work, &new, None, now).await?.value;
            Ok((None, key.name.as_str().to_owned()))
        }
        Act::RevokeKey(id) => {
            let key = credentials::revoke(work, business, CredentialKind::ApiKey, *id, now).await?;
            Ok((None, key.name.as_str().to_owned()))
        }
        Act::Enable(id) => switch(work, business, *id, Switch::On).await,
        Act::Disable(id) => switch(work, business, *id, Switch::Off(DisabledBy::Hand)).await,
        Act::SendAgain(id, events) => {
            let mut queued = 0;
            for again in events {
                queued += deliveries::send_again(work, business, *id, *again, now).await?;
            }
            let name = subscriptions::existing(&work.tx, business, *id).await?.name;
            Ok((None, format!("{}: {queued}", name.as_str())))
        }
    }
}

async fn append(
    work: &mut Work<'_>,
    business: BusinessId,
    chat: ChatId,
    new: &NewMessage,
    now: Timestamp,
) -> Result<()> {
    let appended = messages::append(&work.tx, work.node, business, chat, new, None, now).await?;
    work.happened(business, appended.event);
    Ok(())
}

async fn switch(
    work: &mut Work<'_>,
    business: BusinessId,
    id: prilavok_domain::SubscriptionId,
    switch: Switch,
) -> Result<(Option<ChatId>, String)> {
    let switched = subscriptions::switch(work, business, id, switch).await?;
    Ok((None, switched.name.as_str().to_owned()))
}

/// A chat that is a dispute, and that nobody else changes until the transaction ends.
async fn existing(conn: &impl GenericClient, business: BusinessId, id: ChatId) -> Result<Chat> {
    let chat = chats::locked(conn, business, id).await?;
    match chat.kind {
        ChatType::Arbitrage => Ok(chat),
        ChatType::Chat => Err(Refusal::NotFound(Entity::Chat(id)).into()),
    }
}

fn read_line(row: &Row) -> Result<AuditLine> {
    Ok(AuditLine {
        id: rows::get(row, 0)?,
        at: rows::time(row, 1, "at")?,
        by: CredentialId(rows::get(row, 2)?),
        deed: rows::named(row, 3, "deed")?,
        business: rows::id(row, 4, "business_id")?,
        chat: rows::optional(row, 5, "chat_id", |id| ChatId::new(id).ok())?,
        about: rows::get(row, 6)?,
    })
}

async fn line(conn: &impl GenericClient, business: BusinessId, id: i64) -> Result<AuditLine> {
    let found = rows::query_opt(conn, LINE, &[&business.get(), &id]).await?;
    let found = found.as_ref().map(read_line).transpose()?;
    found.ok_or_else(|| StoreError::Failed(format!("line {id} of the audit trail is gone").into()))
}

/// The audit trail, of one dispute or of all that was done, newest first.
pub(super) async fn audit(
    conn: &impl GenericClient,
    dispute: Option<(BusinessId, ChatId)>,
    before: Option<i64>,
    limit: usize,
) -> Result<Page<AuditLine>> {
    let (before, wanted) = (before.unwrap_or(i64::MAX), rows::limit(limit + 1));
    let found = match dispute {
        Some((business, chat)) => {
            rows::query(
                conn,
                OF_DISPUTE,
                &[&business.get(), &chat.get(), &before, &wanted],
            )
            .await?
        }
        None => rows::query(conn, TRAIL, &[&before, &wanted]).await?,
    };
    Ok(Page {
        items: found.iter().take(limit).map(read_line).collect::<Result<_>>()?,
        more: found.len() > limit,
    })
}
