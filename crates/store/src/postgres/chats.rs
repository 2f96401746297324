//! Chats: started, changed and read.

use std::sync::Arc;

use deadpool_postgres::GenericClient;
use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::rules::{self, ChatState, Event, NotificationType};
use prilavok_domain::{
    BusinessId, CampaignId, Chat, ChatId, Context, ContextType, Customer, MessageId, Name, Order, OrderId,
    PublicId, Timestamp,
};
use tokio_postgres::Row;

use super::registry::{self, must_be_business, must_exist};
use super::statements::statements;
use super::work::Work;
use super::{idempotency, rows};
use crate::{
    Applied, ChatChange, Conflict, Entity, Idempotency, Refusal, Result, StartChat, Started, StoreError,
    Subject,
};

/// The columns of [`read`], with the customer's name joined in.
macro_rules! chat {
    () => {
        "c.business_id, c.chat_id, c.type, c.status, c.context_type, c.context_id, c.customer_id, u.name, \
         c.order_id, c.campaign_id, c.created_at, c.updated_at, c.last_message_id, u.erased_at"
    };
}
pub(super) use chat;

/// How many columns [`chat!`] has.
pub(super) const COLUMNS: usize = 14;

statements! {
    ONE = concat!("SELECT ", chat!(), " FROM chat c JOIN customer u ON u.customer_id = c.customer_id
        WHERE c.business_id = $1 AND c.chat_id = $2");
    /// Whoever else changes the chat waits until this has ended.
    LOCK = "SELECT chat_id FROM chat WHERE business_id = $1 AND chat_id = $2 FOR UPDATE";
    /// In the order of ids, so that nobody waits for who waits for them.
    LOCK_ALL = "SELECT chat_id FROM chat WHERE business_id = $1 AND chat_id = ANY ($2) ORDER BY chat_id FOR UPDATE";
    /// What a chat is about does not change while it is started.
    HOLD_ORDER = "SELECT order_id FROM purchase WHERE business_id = $1 AND order_id = $2 FOR SHARE";
    HOLD_RETURN = "SELECT return_id FROM purchase_return WHERE business_id = $1 AND return_id = $2 FOR SHARE";
    OF_CUSTOMER = "SELECT chat_id FROM chat
        WHERE business_id = $1 AND customer_id = $2 AND type = 'CHAT' AND context_type = 'DIRECT'";
    OF_CONTEXT = "SELECT chat_id FROM chat WHERE business_id = $1 AND context_type = $2 AND context_id = $3
        AND type = 'CHAT' AND context_type <> 'DIRECT'";
    IN_ARBITRATION = "SELECT EXISTS (SELECT 1 FROM chat WHERE business_id = $1 AND context_type = $2 AND context_id = $3
        AND type = 'ARBITRAGE' AND status <> 'FINISHED')";
    INSERT = "INSERT INTO chat (business_id, chat_id, type, status, context_type, context_id, customer_id, order_id,
            campaign_id, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)";
    SET_STATUS = "UPDATE chat SET status = $3 WHERE business_id = $1 AND chat_id = $2";
}

pub(super) async fn start(
    work: &mut Work<'_>,
    business: BusinessId,
    start: &StartChat,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Started>> {
    if let Some(id) = idempotency::earlier(&work.tx, business, once, now).await? {
        if let Some(chat) = number(&work.tx, business, id).await? {
            return Ok(Applied {
                value: Started { chat, created: false },
                replayed: true,
            });
        }
        // It was removed meanwhile, and is started anew.
        idempotency::forget(&work.tx, business, once).await?;
    }
    let (context, subject, customer) = resolve(&work.tx, business, start).await?;
    let there = of_context(&work.tx, business, &context, &customer).await?;
    let created = there.is_none();
    let id = match there {
        Some(id) => id,
        None => {
            rules::may_be_kept_about(&customer).map_err(Refusal::Rule)?;
            let state = rules::may_start_chat(start.initiator, subject).map_err(Refusal::Rule)?;
            let id = insert(work, business, context, &customer, state, now).await?;
            work.note(business, NotificationType::ChatCreated, id, None, now);
            id
        }
    };
    idempotency::remember(&work.tx, business, once, id.get(), now).await?;
    let chat = by_number(&work.tx, business, id.get()).await?;
    Ok(Applied {
        value: Started { chat, created },
        replayed: false,
    })
}

/// Finds what the chat is to be about, and its customer.
async fn resolve(
    conn: &impl GenericClient,
    business: BusinessId,
    start: &StartChat,
) -> Result<(Context, rules::Subject, Customer)> {
    must_be_business(conn, business).await?;
    let named = match &start.customer {
        Some(id) => Some(must_be_customer(conn, id).await?),
        None => None,
    };
    match start.subject {
        Subject::Order(id) => {
            let (order, customer) = of_order(conn, business, id, named.as_ref()).await?;
            let context = Context::Order {
                order: id,
                campaign: order.campaign,
            };
            Ok((context, rules::Subject::Order, customer))
        }
        Subject::Return(id) => {
            rows::query_opt(conn, HOLD_RETURN, &[&business.get(), &id.get()]).await?;
            let returned = must_exist(registry::returned(conn, business, id).await?, || {
                Entity::Return(id)
            })?;
            let (order, customer) = of_order(conn, business, returned.order, named.as_ref()).await?;
            let campaign = registry::campaign(conn, business, order.campaign).await?;
            let placement = must_exist(campaign, || Entity::Campaign(order.campaign))?.placement;
            let context = Context::Return {
                returned: id,
                order: order.id,
                campaign: order.campaign,
            };
            let subject = rules::Subject::Return {
                placement,
                test: order.test,
            };
            Ok((context, subject, customer))
        }
        Subject::Direct => {
            let customer = named.ok_or(StoreError::Refused(Refusal::Rule(
                rules::RuleViolation::DirectByPartner,
            )))?;
            Ok((Context::Direct, rules::Subject::Direct, customer))
        }
    }
}

async fn must_be_customer(conn: &impl GenericClient, id: &PublicId) -> Result<Customer> {
    must_exist(registry::held_customer(conn, id).await?, || {
        Entity::Customer(id.clone())
    })
}

/// An order and its customer, who must be the one that was named.
async fn of_order(
    conn: &impl GenericClient,
    business: BusinessId,
    id: OrderId,
    named: Option<&Customer>,
) -> Result<(Order, Customer)> {
    rows::query_opt(conn, HOLD_ORDER, &[&business.get(), &id.get()]).await?;
    let order = must_exist(registry::order(conn, business, id).await?, || Entity::Order(id))?;
    let customer = must_be_customer(conn, &order.customer).await?;
    if named.is_some_and(|named| named.public_id != customer.public_id) {
        return Err(Refusal::Conflict(Conflict::OtherCustomer).into());
    }
    Ok((order, customer))
}

/// The ordinary chat of a context, if it has begun.
async fn of_context(
    conn: &impl GenericClient,
    business: BusinessId,
    context: &Context,
    customer: &Customer,
) -> Result<Option<ChatId>> {
    let found = match context {
        Context::Direct => {
            let values: &rows::Values<'_> = &[&business.get(), &customer.public_id.as_str()];
            rows::query_opt(conn, OF_CUSTOMER, values).await?
        }
        Context::Order { .. } | Context::Return { .. } => {
            let values: &rows::Values<'_> =
                &[&business.get(), &context.kind().as_str(), &context_id(context)];
            rows::query_opt(conn, OF_CONTEXT, values).await?
        }
    };
    found.map(|row| rows::id(&row, 0, "chat_id")).transpose()
}

fn context_id(context: &Context) -> i64 {
    match context {
        Context::Order { order, .. } => order.get(),
        Context::Return { returned, .. } => returned.get(),
        Context::Direct => 0,
    }
}

async fn insert(
    work: &Work<'_>,
    business: BusinessId,
    context: Context,
    customer: &Customer,
    state: ChatState,
    now: Timestamp,
) -> Result<ChatId> {
    let id = work.next_id(IdFor::Chat, now);
    rows::execute(
        &work.tx,
        INSERT,
        &[
            &business.get(),
            &id,
            &state.kind.as_str(),
            &state.status.as_str(),
            &context.kind().as_str(),
            &context_id(&context),
            &customer.public_id.as_str(),
            &context.order().map(OrderId::get),
            &context.campaign().map(CampaignId::get),
            &now.as_millis(),
        ],
    )
    .await?;
    ChatId::new(id).map_err(|error| StoreError::Failed(Box::new(error)))
}

pub(super) async fn start_arbitration(
    work: &mut Work<'_>,
    business: BusinessId,
    beside: ChatId,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Chat>> {
    if let Some(id) = idempotency::earlier(&work.tx, business, once, now).await? {
        return Ok(Applied {
            value: by_number(&work.tx, business, id).await?,
            replayed: true,
        });
    }
    let chat = locked(&work.tx, business, beside).await?;
    let customer = must_be_customer(&work.tx, &chat.customer.public_id).await?;
    rules::may_be_kept_about(&customer).map_err(Refusal::Rule)?;
    let values: &rows::Values<'_> = &[
        &business.get(),
        &chat.context.kind().as_str(),
        &context_id(&chat.context),
    ];
    let unfinished: bool = rows::get(&rows::query_one(&work.tx, IN_ARBITRATION, values).await?, 0)?;
    let state =
        rules::may_start_arbitration(chat.kind, chat.context.kind(), unfinished).map_err(Refusal::Rule)?;
    let id = insert(work, business, chat.context, &chat.customer, state, now).await?;
    work.note(business, NotificationType::ChatArbitrageStarted, id, None, now);
    idempotency::remember(&work.tx, business, once, id.get(), now).await?;
    Ok(Applied {
        value: existing(&work.tx, business, id).await?,
        replayed: false,
    })
}

pub(super) async fn change(
    work: &mut Work<'_>,
    business: BusinessId,
    id: ChatId,
    change: ChatChange,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Chat>> {
    if let Some(id) = idempotency::earlier(&work.tx, business, once, now).await? {
        return Ok(Applied {
            value: by_number(&work.tx, business, id).await?,
            replayed: true,
        });
    }
    let chat = locked(&work.tx, business, id).await?;
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
    let values: &rows::Values<'_> = &[&business.get(), &id.get(), &state.status.as_str()];
    rows::execute(&work.tx, SET_STATUS, values).await?;
    if let Some(kind) = state.notification(event) {
        work.note(business, kind, id, None, now);
    }
    idempotency::remember(&work.tx, business, once, id.get(), now).await?;
    Ok(Applied {
        value: Chat {
            status: state.status,
            ..chat
        },
        replayed: false,
    })
}

pub(super) async fn one(conn: &impl GenericClient, business: BusinessId, id: ChatId) -> Result<Option<Chat>> {
    number(conn, business, id.get()).await
}

async fn number(conn: &impl GenericClient, business: BusinessId, id: i64) -> Result<Option<Chat>> {
    let found = rows::query_opt(conn, ONE, &[&business.get(), &id]).await?;
    found.as_ref().map(read).transpose()
}

/// A chat that an id of our own names. It may have been removed since.
async fn by_number(conn: &impl GenericClient, business: BusinessId, id: i64) -> Result<Chat> {
    let id = ChatId::new(id).map_err(|error| StoreError::Failed(Box::new(error)))?;
    existing(conn, business, id).await
}

pub(super) async fn existing(conn: &impl GenericClient, business: BusinessId, id: ChatId) -> Result<Chat> {
    must_exist(one(conn, business, id).await?, || Entity::Chat(id))
}

/// Keeps others from changing these chats until the transaction ends. Before anything is written: the head of the business,
/// which a message locks, comes after all chats.
pub(super) async fn lock(
    conn: &impl GenericClient,
    business: BusinessId,
    chats: &[Option<ChatId>],
) -> Result<()> {
    let ids: Vec<i64> = chats.iter().flatten().map(|id| id.get()).collect();
    rows::query(conn, LOCK_ALL, &[&business.get(), &ids])
        .await
        .map(drop)
}

/// A chat that nobody else changes until the transaction ends.
pub(super) async fn locked(conn: &impl GenericClient, business: BusinessId, id: ChatId) -> Result<Chat> {
    rows::query_opt(conn, LOCK, &[&business.get(), &id.get()]).await?;
    existing(conn, business, id).await
}

/// A row of the columns of [`chat!`].
pub(super) fn read(row: &Row) -> Result<Chat> {
    Ok(Chat {
        business: rows::id(row, 0, "business_id")?,
        id: rows::id(row, 1, "chat_id")?,
        kind: rows::named(row, 2, "type")?,
        status: rows::named(row, 3, "status")?,
        context: context(row)?,
        customer: Arc::new(Customer {
            public_id: rows::checked(row, 6, "customer_id", PublicId::new)?,
            name: rows::checked(row, 7, "name", Name::new)?,
            erased_at: rows::optional(row, 13, "erased_at", Timestamp::from_millis)?,
        }),
        created_at: rows::time(row, 10, "created_at")?,
        updated_at: rows::time(row, 11, "updated_at")?,
        last_message: rows::optional(row, 12, "last_message_id", |id| MessageId::new(id).ok())?,
    })
}

fn context(row: &Row) -> Result<Context> {
    Ok(match rows::named(row, 4, "context_type")? {
        ContextType::Order => Context::Order {
            order: rows::id(row, 5, "context_id")?,
            campaign: rows::id(row, 9, "campaign_id")?,
        },
        ContextType::Return => Context::Return {
            returned: rows::id(row, 5, "context_id")?,
            order: rows::id(row, 8, "order_id")?,
            campaign: rows::id(row, 9, "campaign_id")?,
        },
        ContextType::Direct => Context::Direct,
    })
}

/// A page of at most `limit` chats, of which one more was asked for.
pub(super) fn page(found: &[Row], limit: usize) -> Result<crate::Page<Chat>> {
    Ok(crate::Page {
        items: found.iter().take(limit).map(read).collect::<Result<_>>()?,
        more: found.len() > limit,
    })
}
