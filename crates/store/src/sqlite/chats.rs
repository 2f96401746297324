//! Chats: started, changed, read and listed.

use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::rules::{self, ChatState, NotificationType};
use prilavok_domain::{BusinessId, Chat, ChatId, Context, Customer, OrderId, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use super::readers::View;
use super::registry;
use super::write::Write;
use super::{events, idempotency, rows};
use crate::chats::{Around, context_id};
use crate::error::must_exist;
use crate::{
    Applied, ChatChange, Entity, Idempotency, Refusal, Result, StartChat, Started, StoreError, Subject,
};

pub(super) fn start(
    write: &mut Write<'_>,
    business: BusinessId,
    start: &StartChat,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Started>> {
    let conn = write.conn;
    if let Some(id) = idempotency::earlier(conn, business, once, now)? {
        let chat = by_number(conn, business, id)?;
        return Ok(Applied::before(Started { chat, created: false }));
    }
    let (context, subject, customer) = start.resolve(business, around(conn, business, start)?)?;
    let there = of_context(conn, business, &context, &customer)?;
    let created = there.is_none();
    let id = match there {
        Some(id) => id,
        None => {
            let state = rules::may_start_chat(start.initiator, subject).map_err(Refusal::Rule)?;
            let id = insert(write, business, context, &customer, state, now)?;
            events::note(write, business, NotificationType::ChatCreated, id, None, now)?;
            id
        }
    };
    idempotency::remember(conn, business, once, id.get(), now)?;
    let chat = by_number(conn, business, id.get())?;
    Ok(Applied::now(Started { chat, created }))
}

/// What is registered around it.
fn around(conn: &Connection, business: BusinessId, start: &StartChat) -> Result<Around> {
    let mut around = Around {
        business: registry::business(conn, business)?.is_some(),
        ..Around::default()
    };
    if let Some(named) = &start.customer {
        around.named = registry::customer(conn, named)?;
    }
    let order = match start.subject {
        Subject::Direct => None,
        Subject::Order(id) => Some(id),
        Subject::Return(id) => {
            around.returned = registry::returned(conn, business, id)?;
            around.returned.as_ref().map(|it| it.order)
        }
    };
    if let Some(id) = order {
        around.order = registry::order(conn, business, id)?;
    }
    if let Some(order) = &around.order {
        around.customer = registry::customer(conn, &order.customer)?;
        let campaign = registry::campaign(conn, business, order.campaign)?;
        around.placement = campaign.map(|campaign| campaign.placement);
    }
    Ok(around)
}

/// The ordinary chat of a context, if it has begun.
fn of_context(
    conn: &Connection,
    business: BusinessId,
    context: &Context,
    customer: &Customer,
) -> Result<Option<ChatId>> {
    let found: Option<i64> = match context {
        Context::Direct => conn
            .prepare_cached(
                "SELECT chat_id FROM chat WHERE business_id = ?1 AND customer_id = ?2
                     AND type = 'CHAT' AND context_type = 'DIRECT'",
            )?
            .query_row((business.get(), customer.public_id.as_str()), |row| row.get(0))
            .optional()?,
        Context::Order { .. } | Context::Return { .. } => conn
            .prepare_cached(
                "SELECT chat_id FROM chat WHERE business_id = ?1 AND context_type = ?2 AND context_id = ?3
                     AND type = 'CHAT' AND context_type <> 'DIRECT'",
            )?
            .query_row(
                (business.get(), context.kind().as_str(), context_id(context)),
                |row| row.get(0),
            )
            .optional()?,
    };
    Ok(found.and_then(|id| ChatId::new(id).ok()))
}

fn insert(
    write: &mut Write<'_>,
    business: BusinessId,
    context: Context,
    customer: &Customer,
    state: ChatState,
    now: Timestamp,
) -> Result<ChatId> {
    let id = write.next_id(IdFor::Chat, now);
    write
        .conn
        .prepare_cached(
            "INSERT INTO chat (business_id, chat_id, type, status, context_type, context_id, customer_id,
                 order_id, campaign_id, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)",
        )?
        .execute((
            business.get(),
            id,
            state.kind.as_str(),
            state.status.as_str(),
            context.kind().as_str(),
            context_id(&context),
            customer.public_id.as_str(),
            context.order().map(OrderId::get),
            context.campaign().map(prilavok_domain::CampaignId::get),
            now.as_millis(),
        ))?;
    ChatId::new(id).map_err(|error| StoreError::Failed(Box::new(error)))
}

pub(super) fn start_arbitration(
    write: &mut Write<'_>,
    business: BusinessId,
    beside: ChatId,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Chat>> {
    let conn = write.conn;
    if let Some(id) = idempotency::earlier(conn, business, once, now)? {
        return Ok(Applied::before(by_number(conn, business, id)?));
    }
    let chat = existing(conn, business, beside)?;
    let unfinished: bool = conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM chat WHERE business_id = ?1 AND context_type = ?2 AND context_id = ?3
                 AND type = 'ARBITRAGE' AND status <> 'FINISHED')",
        )?
        .query_row((business.get(), chat.context.kind().as_str(), context_id(&chat.context)), |row| row.get(0))?;
    let state =
        rules::may_start_arbitration(chat.kind, chat.context.kind(), unfinished).map_err(Refusal::Rule)?;
    let id = insert(write, business, chat.context, &chat.customer, state, now)?;
    events::note(
        write,
        business,
        NotificationType::ChatArbitrageStarted,
        id,
        None,
        now,
    )?;
    idempotency::remember(conn, business, once, id.get(), now)?;
    Ok(Applied::now(existing(conn, business, id)?))
}

pub(super) fn change(
    write: &mut Write<'_>,
    business: BusinessId,
    id: ChatId,
    change: ChatChange,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Chat>> {
    let conn = write.conn;
    if let Some(id) = idempotency::earlier(conn, business, once, now)? {
        return Ok(Applied::before(by_number(conn, business, id)?));
    }
    let chat = existing(conn, business, id)?;
    let event = change.event();
    let state = ChatState {
        kind: chat.kind,
        status: chat.status,
    }
    .apply(event)
    .map_err(Refusal::Rule)?;
    conn.prepare_cached("UPDATE chat SET status = ?3 WHERE business_id = ?1 AND chat_id = ?2")?
        .execute((business.get(), id.get(), state.status.as_str()))?;
    write.changes(id);
    if let Some(kind) = state.notification(event) {
        events::note(write, business, kind, id, None, now)?;
    }
    idempotency::remember(conn, business, once, id.get(), now)?;
    Ok(Applied::now(Chat {
        status: state.status,
        ..chat
    }))
}

/// A chat as it is in a view, read only where it is not known.
pub(super) fn seen(view: &View<'_>, business: BusinessId, id: ChatId) -> Result<Option<Chat>> {
    match view.known.chat(business, id) {
        Some(chat) => Ok(Some(chat)),
        None => unknown(view, business, id),
    }
}

/// A chat that is not known, from the store: known from then on.
pub(super) fn unknown(view: &View<'_>, business: BusinessId, id: ChatId) -> Result<Option<Chat>> {
    let found = one(view.conn, business, id)?;
    if let Some(chat) = &found {
        view.known.keep(view.moment, chat);
    }
    Ok(found)
}

pub(super) fn one(conn: &Connection, business: BusinessId, id: ChatId) -> Result<Option<Chat>> {
    number(conn, business, id.get())
}

fn number(conn: &Connection, business: BusinessId, id: i64) -> Result<Option<Chat>> {
    let columns = rows::CHAT;
    Ok(conn
        .prepare_cached(&format!(
            "SELECT {columns} FROM chat c JOIN customer u USING (customer_id)
             WHERE c.business_id = ?1 AND c.chat_id = ?2"
        ))?
        .query_row((business.get(), id), rows::chat)
        .optional()?)
}

/// A chat that an id of our own names.
fn by_number(conn: &Connection, business: BusinessId, id: i64) -> Result<Chat> {
    let found = number(conn, business, id)?;
    found.ok_or_else(|| StoreError::Failed(format!("chat {id} of business {business} is gone").into()))
}

pub(super) fn existing(conn: &Connection, business: BusinessId, id: ChatId) -> Result<Chat> {
    must_exist(one(conn, business, id)?, || Entity::Chat(id))
}
