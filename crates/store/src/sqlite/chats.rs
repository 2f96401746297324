//! Chats: started, changed, read and listed.

use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::rules::{self, ChatState, Event, NotificationType};
use prilavok_domain::{BusinessId, Chat, ChatId, Context, Customer, OrderId, Placement, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use super::events::{self, Happened};
use super::places::{self, ChatNumber};
use super::readers::View;
use super::registry::{self, must_exist};
use super::standing::{self, Standing};
use super::write::Write;
use super::{idempotency, lagging, rows};
use crate::{
    Applied, ChatChange, Conflict, Entity, Idempotency, Refusal, Result, StartChat, Started, StoreError,
    Subject,
};

pub(super) fn start(
    write: &mut Write<'_>,
    business: BusinessId,
    start: &StartChat,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Started>> {
    let conn = write.conn;
    // A chat that was removed meanwhile is started anew.
    let earlier = idempotency::earlier(conn, business, once, now)?;
    let earlier = earlier.map(|id| number(conn, business, id)).transpose()?;
    if let Some(chat) = earlier.flatten() {
        return Ok(Applied {
            value: Started { chat, created: false },
            replayed: true,
        });
    }
    let (context, subject, customer) = resolve(conn, business, start)?;
    let there = of_context(conn, business, &context, &customer)?;
    let created = there.is_none();
    let id = match there {
        Some(id) => id,
        None => {
            rules::may_be_kept_about(&customer).map_err(Refusal::Rule)?;
            let state = rules::may_start_chat(start.initiator, subject).map_err(Refusal::Rule)?;
            let id = insert(write, business, context, &customer, state, now)?;
            let happened = Happened::to(id, NotificationType::ChatCreated, now);
            events::note(write, business, &happened)?;
            id
        }
    };
    idempotency::remember(conn, business, once, id.get(), now)?;
    let chat = by_number(conn, business, id.get())?;
    Ok(Applied {
        value: Started { chat, created },
        replayed: false,
    })
}

/// Finds what the chat is to be about, and its customer.
fn resolve(
    conn: &Connection,
    business: BusinessId,
    start: &StartChat,
) -> Result<(Context, rules::Subject, Customer)> {
    must_exist(registry::business(conn, business)?, || Entity::Business(business))?;
    let named = match &start.customer {
        Some(id) => Some(must_exist(registry::customer(conn, id)?, || {
            Entity::Customer(id.clone())
        })?),
        None => None,
    };
    let of_order = |id: OrderId| -> Result<_> {
        let order = must_exist(registry::order(conn, business, id)?, || Entity::Order(id))?;
        let customer = must_exist(registry::customer(conn, &order.customer)?, || {
            Entity::Customer(order.customer.clone())
        })?;
        if named
            .as_ref()
            .is_some_and(|named| named.public_id != customer.public_id)
        {
            return Err(Refusal::Conflict(Conflict::OtherCustomer).into());
        }
        Ok((order, customer))
    };
    match start.subject {
        Subject::Order(id) => {
            let (order, customer) = of_order(id)?;
            Ok((
                Context::Order {
                    order: id,
                    campaign: order.campaign,
                },
                rules::Subject::Order,
                customer,
            ))
        }
        Subject::Return(id) => {
            let returned = must_exist(registry::returned(conn, business, id)?, || Entity::Return(id))?;
            let (order, customer) = of_order(returned.order)?;
            let placement = placement(conn, business, &order)?;
            let context = Context::Return {
                returned: id,
                order: order.id,
                campaign: order.campaign,
            };
            Ok((
                context,
                rules::Subject::Return {
                    placement,
                    test: order.test,
                },
                customer,
            ))
        }
        Subject::Direct => {
            let customer = named.ok_or(StoreError::Refused(Refusal::Rule(
                rules::RuleViolation::DirectByPartner,
            )))?;
            Ok((Context::Direct, rules::Subject::Direct, customer))
        }
    }
}

fn placement(conn: &Connection, business: BusinessId, order: &prilavok_domain::Order) -> Result<Placement> {
    let campaign = must_exist(registry::campaign(conn, business, order.campaign)?, || {
        Entity::Campaign(order.campaign)
    })?;
    Ok(campaign.placement)
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

fn context_id(context: &Context) -> i64 {
    match context {
        Context::Order { order, .. } => order.get(),
        Context::Return { returned, .. } => returned.get(),
        Context::Direct => 0,
    }
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
    let number = places::next_number(write.conn)?;
    write
        .conn
        .prepare_cached(
            "INSERT INTO chat (business_id, chat_id, type, status, context_type, context_id, customer_id,
                 order_id, campaign_id, created_at, updated_at, number)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11)",
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
            number.get(),
        ))?;
    let id = ChatId::new(id).map_err(|error| StoreError::Failed(Box::new(error)))?;
    write.changes(business, id);
    Ok(id)
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
        return Ok(Applied {
            value: by_number(conn, business, id)?,
            replayed: true,
        });
    }
    let chat = existing(conn, business, beside)?;
    rules::may_be_kept_about(&chat.customer).map_err(Refusal::Rule)?;
    let unfinished: bool = conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM chat WHERE business_id = ?1 AND context_type = ?2 AND context_id = ?3
                 AND type = 'ARBITRAGE' AND status <> 'FINISHED')",
        )?
        .query_row((business.get(), chat.context.kind().as_str(), context_id(&chat.context)), |row| row.get(0))?;
    let state =
        rules::may_start_arbitration(chat.kind, chat.context.kind(), unfinished).map_err(Refusal::Rule)?;
    let id = insert(write, business, chat.context, &chat.customer, state, now)?;
    let happened = Happened::to(id, NotificationType::ChatArbitrageStarted, now);
    events::note(write, business, &happened)?;
    idempotency::remember(conn, business, once, id.get(), now)?;
    Ok(Applied {
        value: existing(conn, business, id)?,
        replayed: false,
    })
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
        return Ok(Applied {
            value: by_number(conn, business, id)?,
            replayed: true,
        });
    }
    let chat = existing(conn, business, id)?;
    let event = match change {
        ChatChange::Escalate => Event::Escalated,
        ChatChange::Finish => Event::Finished,
    };
    let state = ChatState {
        kind: chat.kind,
        status: chat.status,
    }
    .apply(event)
    .map_err(Refusal::Rule)?;
    let chat = Chat {
        status: state.status,
        ..chat
    };
    standing::keep(conn, business, id, Standing::of(&chat))?;
    write.changes(business, id);
    if let Some(kind) = state.notification(event) {
        events::note(write, business, &Happened::to(id, kind, now))?;
    }
    idempotency::remember(conn, business, once, id.get(), now)?;
    Ok(Applied {
        value: chat,
        replayed: false,
    })
}

/// How a chat is read: as it is [`now`], or [`in_place`] where its row does not lag behind.
pub(super) type Read = fn(&Connection, BusinessId, ChatId) -> Result<Option<(Chat, ChatNumber)>>;

/// A chat as it is in a view, read only where it is not known; known from then on.
pub(super) fn seen(view: &View<'_>, business: BusinessId, id: ChatId, read: Read) -> Result<Option<Chat>> {
    match view.known.chat(business, id) {
        Some(chat) => Ok(Some(chat)),
        None => Ok(unknown(view, business, id, read)?.map(|(chat, _)| chat)),
    }
}

/// A chat that is not known, with its number, from the store: known from then on.
pub(super) fn unknown(
    view: &View<'_>,
    business: BusinessId,
    id: ChatId,
    read: Read,
) -> Result<Option<(Chat, ChatNumber)>> {
    let found = read(view.conn, business, id)?;
    if let Some(chat) = &found {
        view.known.keep(view.moment, chat);
    }
    Ok(found)
}

pub(super) fn one(conn: &Connection, business: BusinessId, id: ChatId) -> Result<Option<Chat>> {
    number(conn, business, id.get())
}

fn number(conn: &Connection, business: BusinessId, id: i64) -> Result<Option<Chat>> {
    Ok(numbered(conn, business, id)?.map(|(chat, _)| chat))
}

/// A chat as it is now, with its number.
pub(super) fn now(conn: &Connection, business: BusinessId, id: ChatId) -> Result<Option<(Chat, ChatNumber)>> {
    numbered(conn, business, id.get())
}

fn numbered(conn: &Connection, business: BusinessId, id: i64) -> Result<Option<(Chat, ChatNumber)>> {
    let found = row(conn, business, id)?;
    found
        .map(|(chat, number)| Ok((lagging::chat_now(conn, (chat, number))?, number)))
        .transpose()
}

/// What a chat's row says, which is how the chat is if the row does not lag behind.
pub(super) fn in_place(
    conn: &Connection,
    business: BusinessId,
    id: ChatId,
) -> Result<Option<(Chat, ChatNumber)>> {
    row(conn, business, id.get())
}

fn row(conn: &Connection, business: BusinessId, id: i64) -> Result<Option<(Chat, ChatNumber)>> {
    let columns = rows::CHAT;
    Ok(conn
        .prepare_cached(&format!(
            "SELECT {columns} FROM chat c JOIN customer u USING (customer_id)
             WHERE c.business_id = ?1 AND c.chat_id = ?2"
        ))?
        .query_row((business.get(), id), rows::numbered_chat)
        .optional()?)
}

/// A chat that an id of our own names. It may have been removed since.
fn by_number(conn: &Connection, business: BusinessId, id: i64) -> Result<Chat> {
    let id = ChatId::new(id).map_err(|error| StoreError::Failed(Box::new(error)))?;
    existing(conn, business, id)
}

pub(super) fn existing(conn: &Connection, business: BusinessId, id: ChatId) -> Result<Chat> {
    must_exist(one(conn, business, id)?, || Entity::Chat(id))
}
