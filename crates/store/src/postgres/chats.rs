//! Chats: started, changed and read.

use std::sync::Arc;

use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::rules::{self, ChatState, NotificationType};
use prilavok_domain::{
    BusinessId, CampaignId, Chat, ChatId, Context, ContextType, Customer, OrderId, PublicId, Timestamp,
};
use tokio_postgres::Row;

use super::db::Source;
use super::rows::{self, chat_columns};
use super::statements::statements;
use super::transaction::{Question, Write, kept};
use super::{idempotency, registry};
use crate::chats::{Around, context_id};
use crate::error::must_exist;
use crate::{
    Applied, ChatChange, Entity, Idempotency, Refusal, Result, StartChat, Started, StoreError, Subject,
};

statements! {
    ONE = concat!("SELECT ", chat_columns!(), " FROM chat c JOIN customer u USING (customer_id) \
        WHERE c.business_id = $1 AND c.chat_id = $2");
    /// Locks the chats for whoever changes them, in the order of their ids.
    LOCK = concat!("SELECT ", chat_columns!(), " FROM chat c JOIN customer u USING (customer_id) \
        WHERE c.business_id = $1 AND c.chat_id = ANY ($2) ORDER BY c.chat_id FOR NO KEY UPDATE OF c");
    INSERT = "INSERT INTO chat (business_id, chat_id, type, status, context_type, context_id, customer_id, order_id, \
            campaign_id, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)";
    SET_STATUS = "UPDATE chat SET status = $3 WHERE business_id = $1 AND chat_id = $2";
    /// Keeps a return with its order until the chat about it is there.
    HOLD_RETURN = "SELECT 1 FROM purchase_return WHERE business_id = $1 AND return_id = $2 FOR SHARE";
    /// Keeps an order with its customer and store until the chat about it is there.
    HOLD_ORDER = "SELECT 1 FROM purchase WHERE business_id = $1 AND order_id = coalesce($2, \
        (SELECT r.order_id FROM purchase_return r WHERE r.business_id = $1 AND r.return_id = $3)) FOR SHARE";
    /// What is registered around a chat to be started: by order ($2) or return ($3), for the customer $4.
    AROUND = "SELECT n.customer_id, n.name, r.business_id, r.return_id, r.order_id, \
            o.business_id, o.order_id, o.campaign_id, o.customer_id, o.test, u.customer_id, u.name, p.placement \
        FROM business b LEFT JOIN customer n ON n.customer_id = $4 \
        LEFT JOIN purchase_return r ON r.business_id = b.business_id AND r.return_id = $3 \
        LEFT JOIN purchase o ON o.business_id = b.business_id AND o.order_id = coalesce($2, r.order_id) \
        LEFT JOIN customer u ON u.customer_id = o.customer_id \
        LEFT JOIN campaign p ON p.business_id = o.business_id AND p.campaign_id = o.campaign_id \
        WHERE b.business_id = $1";
    OF_CONTEXT = concat!("SELECT ", chat_columns!(), " FROM chat c JOIN customer u USING (customer_id) \
        WHERE c.business_id = $1 AND c.context_type = $2 AND c.context_id = $3 AND c.type = 'CHAT' \
            AND c.context_type <> 'DIRECT'");
    OF_CUSTOMER = concat!("SELECT ", chat_columns!(), " FROM chat c JOIN customer u USING (customer_id) \
        WHERE c.business_id = $1 AND c.customer_id = $2 AND c.type = 'CHAT' AND c.context_type = 'DIRECT'");
    /// Whether there is an unfinished dispute about what a chat is about.
    DISPUTED = "SELECT EXISTS (SELECT 1 FROM chat d WHERE d.business_id = c.business_id AND d.context_type = c.context_type \
            AND d.context_id = c.context_id AND d.type = 'ARBITRAGE' AND d.status <> 'FINISHED') \
        FROM chat c WHERE c.business_id = $1 AND c.chat_id = $2";
}

pub(super) async fn start(
    write: &Write,
    business: BusinessId,
    start: &StartChat,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Started>> {
    let tenant = business.get();
    let (order, returned) = match start.subject {
        Subject::Order(id) => (Some(id.get()), None),
        Subject::Return(id) => (None, Some(id.get())),
        Subject::Direct => (None, None),
    };
    let named = start.customer.as_ref().map(PublicId::as_str);
    let kind = if returned.is_some() {
        ContextType::Return
    } else {
        ContextType::Order
    };
    let (kind, context) = (kind.as_str(), order.or(returned));
    let there: Question<'_> = match start.subject {
        Subject::Direct => (OF_CUSTOMER, &[&tenant, &named]),
        Subject::Order(_) | Subject::Return(_) => (OF_CONTEXT, &[&tenant, &kind, &context]),
    };
    let questions: &[Question<'_>] = &[
        (HOLD_RETURN, &[&tenant, &returned]),
        (HOLD_ORDER, &[&tenant, &order, &returned]),
        (AROUND, &[&tenant, &order, &returned, &named]),
        there,
    ];
    let (earlier, answers) = idempotency::ask(write, business, once, now, questions).await?;
    if let Some(id) = earlier {
        let chat = by_number(write, business, id).await?;
        return Ok(Applied::before(Started { chat, created: false }));
    }
    let [_, _, around, there] = answers.as_slice() else {
        return Err(StoreError::Failed("an answer is missing".into()));
    };
    let around = around.first().map(read_around).transpose()?.unwrap_or_default();
    let (context, subject, customer) = start.resolve(business, around)?;
    let started = match there.first().map(rows::chat).transpose()? {
        Some(chat) => Started { chat, created: false },
        None => {
            let state = rules::may_start_chat(start.initiator, subject).map_err(Refusal::Rule)?;
            let chat = insert(write, business, context, Arc::new(customer), state, now)?;
            write.note(business, NotificationType::ChatCreated, chat.id, None, now);
            Started { chat, created: true }
        }
    };
    idempotency::remember(write, business, once, started.chat.id.get(), now);
    Ok(Applied::now(started))
}

fn read_around(row: &Row) -> Result<Around> {
    let there = |at: usize| rows::get::<Option<i64>>(row, at).map(|id| id.is_some());
    let customer_at = |at: usize| match rows::get::<Option<&str>>(row, at)? {
        Some(_) => rows::customer_at(row, at).map(Some),
        None => Ok(None),
    };
    Ok(Around {
        business: true,
        named: customer_at(0)?,
        returned: there(2)?.then(|| rows::returned_at(row, 2)).transpose()?,
        order: there(5)?.then(|| rows::order_at(row, 5)).transpose()?,
        customer: customer_at(10)?,
        placement: rows::optional(row, 12, "placement", |text: &str| text.parse().ok())?,
    })
}

fn insert(
    write: &Write,
    business: BusinessId,
    context: Context,
    customer: Arc<Customer>,
    state: ChatState,
    now: Timestamp,
) -> Result<Chat> {
    let id = write.next_id(IdFor::Chat, now);
    write.put(
        INSERT,
        kept![
            business.get(),
            id,
            state.kind.as_str(),
            state.status.as_str(),
            context.kind().as_str(),
            context_id(&context),
            customer.public_id.as_str().to_owned(),
            context.order().map(OrderId::get),
            context.campaign().map(CampaignId::get),
            now.as_millis(),
        ],
    );
    Ok(Chat {
        business,
        id: ChatId::new(id).map_err(|error| StoreError::Failed(Box::new(error)))?,
        context,
        customer,
        kind: state.kind,
        status: state.status,
        created_at: now,
        updated_at: now,
        last_message: None,
    })
}

pub(super) async fn start_arbitration(
    write: &Write,
    business: BusinessId,
    beside: ChatId,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Chat>> {
    let (tenant, number) = (business.get(), beside.get());
    let numbers = vec![number];
    let questions: &[Question<'_>] = &[(LOCK, &[&tenant, &numbers]), (DISPUTED, &[&tenant, &number])];
    let (earlier, answers) = idempotency::ask(write, business, once, now, questions).await?;
    if let Some(id) = earlier {
        return Ok(Applied::before(by_number(write, business, id).await?));
    }
    let [chat, disputed] = answers.as_slice() else {
        return Err(StoreError::Failed("an answer is missing".into()));
    };
    let chat = chat.first().map(rows::chat).transpose()?;
    let chat = must_exist(chat, || Entity::Chat(beside))?;
    let unfinished = disputed.first().map(|row| rows::get(row, 0)).transpose()?;
    let state = rules::may_start_arbitration(chat.kind, chat.context.kind(), unfinished.unwrap_or(false))
        .map_err(Refusal::Rule)?;
    let dispute = insert(write, business, chat.context, chat.customer, state, now)?;
    write.note(
        business,
        NotificationType::ChatArbitrageStarted,
        dispute.id,
        None,
        now,
    );
    idempotency::remember(write, business, once, dispute.id.get(), now);
    Ok(Applied::now(dispute))
}

pub(super) async fn change(
    write: &Write,
    business: BusinessId,
    id: ChatId,
    change: ChatChange,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Chat>> {
    let (tenant, numbers) = (business.get(), vec![id.get()]);
    let questions: &[Question<'_>] = &[(LOCK, &[&tenant, &numbers])];
    let (earlier, answers) = idempotency::ask(write, business, once, now, questions).await?;
    if let Some(id) = earlier {
        return Ok(Applied::before(by_number(write, business, id).await?));
    }
    let chat = answers.first().and_then(|rows| rows.first()).map(rows::chat);
    let chat = must_exist(chat.transpose()?, || Entity::Chat(id))?;
    let event = change.event();
    let state = ChatState {
        kind: chat.kind,
        status: chat.status,
    }
    .apply(event)
    .map_err(Refusal::Rule)?;
    write.put(SET_STATUS, kept![tenant, id.get(), state.status.as_str()]);
    if let Some(kind) = state.notification(event) {
        write.note(business, kind, id, None, now);
    }
    idempotency::remember(write, business, once, id.get(), now);
    Ok(Applied::now(Chat {
        status: state.status,
        ..chat
    }))
}

pub(super) async fn one(source: &impl Source, business: BusinessId, id: ChatId) -> Result<Option<Chat>> {
    source.first(ONE, &[&business.get(), &id.get()], rows::chat).await
}

/// A chat that an id of our own names.
async fn by_number(source: &impl Source, business: BusinessId, id: i64) -> Result<Chat> {
    let found = source.first(ONE, &[&business.get(), &id], rows::chat).await?;
    found.ok_or_else(|| StoreError::Failed(format!("chat {id} of business {business} is gone").into()))
}

/// Locks chats that are to be changed, all of which must exist, in the order of their ids; answers them as they were named.
pub(super) async fn lock(write: &Write, business: BusinessId, ids: &[ChatId]) -> Result<Vec<Chat>> {
    let numbers: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    let found = write.all(LOCK, &[&business.get(), &numbers], rows::chat).await?;
    ids.iter()
        .map(|id| {
            must_exist(found.iter().find(|chat| chat.id == *id).cloned(), || {
                Entity::Chat(*id)
            })
        })
        .collect()
}

/// The chat, which must exist, locked for whoever changes it.
pub(super) async fn lock_one(write: &Write, business: BusinessId, id: ChatId) -> Result<Chat> {
    let mut found = lock(write, business, &[id]).await?;
    must_exist(found.pop(), || Entity::Chat(id))
}

/// The business must exist; it stays as it is until the commit, and so does what is counted in it.
pub(super) async fn lock_business(write: &Write, business: BusinessId) -> Result<()> {
    let found = write.ask(registry::LOCK_BUSINESS, &[&business.get()]).await?;
    must_exist(found.first().map(|_| ()), || Entity::Business(business))
}
