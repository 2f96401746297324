//! Rows read as domain types. A column that holds what Prilavok never writes is a broken store.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use prilavok_domain::{
    Business, BusinessId, Campaign, CampaignId, Chat, ChatId, Context, ContextType, CredentialId,
    CredentialName, Customer, Event, FileId, FileName, MessageId, Name, Order, OrderId, PublicId, Return,
    ReturnId, Timestamp,
};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::columns::{self, BadColumn};
use crate::{Credential, Result, StoreError, StoredFile};

/// The columns of [`chat`], with the customer's name joined in.
macro_rules! chat_columns {
    () => {
        "c.business_id, c.chat_id, c.type, c.status, c.context_type, c.context_id, c.customer_id, u.name, \
         c.order_id, c.campaign_id, c.created_at, c.updated_at, c.last_message_id"
    };
}
pub(super) use chat_columns;

/// The columns of [`event`].
macro_rules! event_columns {
    () => {
        "business_id, event_id, type, chat_id, message_id, at"
    };
}
pub(super) use event_columns;

pub(super) fn bad(column: &'static str, found: &dyn Display) -> StoreError {
    let found = found.to_string();
    StoreError::Failed(Box::new(BadColumn { column, found }))
}

pub(super) fn get<'row, T: FromSql<'row>>(row: &'row Row, at: usize) -> Result<T> {
    Ok(row.try_get(at)?)
}

pub(super) fn id<I: TryFrom<i64>>(row: &Row, at: usize, column: &'static str) -> Result<I> {
    let value: i64 = get(row, at)?;
    I::try_from(value).map_err(|_| bad(column, &value))
}

/// A number that is never negative.
pub(super) fn number<N: TryFrom<i64>>(row: &Row, at: usize, column: &'static str) -> Result<N> {
    id(row, at, column)
}

pub(super) fn optional<'row, T, V: FromSql<'row>>(
    row: &'row Row,
    at: usize,
    column: &'static str,
    read: impl FnOnce(V) -> Option<T>,
) -> Result<Option<T>> {
    let value: Option<V> = get(row, at)?;
    value
        .map(|value| read(value).ok_or_else(|| bad(column, &"an impossible value")))
        .transpose()
}

pub(super) fn named<N: FromStr>(row: &Row, at: usize, column: &'static str) -> Result<N> {
    let text: &str = get(row, at)?;
    text.parse().map_err(|_| bad(column, &text))
}

pub(super) fn checked<T, E>(
    row: &Row,
    at: usize,
    column: &'static str,
    check: impl FnOnce(String) -> std::result::Result<T, E>,
) -> Result<T> {
    let text: String = get(row, at)?;
    check(text).map_err(|_| bad(column, &"a text that is too long or empty"))
}

pub(super) fn time(row: &Row, at: usize, column: &'static str) -> Result<Timestamp> {
    let millis: i64 = get(row, at)?;
    Timestamp::from_millis(millis).ok_or_else(|| bad(column, &millis))
}

/// A number of rows as a value.
pub(super) fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

pub(super) fn business(row: &Row) -> Result<Business> {
    Ok(Business {
        id: id(row, 0, "business_id")?,
        name: checked(row, 1, "name", Name::new)?,
        state: named(row, 2, "state")?,
    })
}

pub(super) fn campaign(row: &Row) -> Result<Campaign> {
    Ok(Campaign {
        business: id(row, 0, "business_id")?,
        id: id(row, 1, "campaign_id")?,
        domain: checked(row, 2, "domain", Name::new)?,
        placement: named(row, 3, "placement")?,
        state: named(row, 4, "state")?,
    })
}

pub(super) fn customer(row: &Row) -> Result<Customer> {
    customer_at(row, 0)
}

/// A customer whose two columns begin at `at`.
pub(super) fn customer_at(row: &Row, at: usize) -> Result<Customer> {
    Ok(Customer {
        public_id: checked(row, at, "customer_id", PublicId::new)?,
        name: checked(row, at + 1, "name", Name::new)?,
    })
}

pub(super) fn order(row: &Row) -> Result<Order> {
    order_at(row, 0)
}

/// An order whose five columns begin at `at`.
pub(super) fn order_at(row: &Row, at: usize) -> Result<Order> {
    Ok(Order {
        business: id(row, at, "business_id")?,
        id: id(row, at + 1, "order_id")?,
        campaign: id(row, at + 2, "campaign_id")?,
        customer: checked(row, at + 3, "customer_id", PublicId::new)?,
        test: get(row, at + 4)?,
    })
}

pub(super) fn returned(row: &Row) -> Result<Return> {
    returned_at(row, 0)
}

/// A return whose three columns begin at `at`.
pub(super) fn returned_at(row: &Row, at: usize) -> Result<Return> {
    Ok(Return {
        business: id(row, at, "business_id")?,
        id: id(row, at + 1, "return_id")?,
        order: id(row, at + 2, "order_id")?,
    })
}

pub(super) fn chat(row: &Row) -> Result<Chat> {
    Ok(Chat {
        business: id::<BusinessId>(row, 0, "business_id")?,
        id: id::<ChatId>(row, 1, "chat_id")?,
        kind: named(row, 2, "type")?,
        status: named(row, 3, "status")?,
        context: context(row)?,
        customer: Arc::new(customer_at(row, 6)?),
        created_at: time(row, 10, "created_at")?,
        updated_at: time(row, 11, "updated_at")?,
        last_message: optional(row, 12, "last_message_id", |id: i64| MessageId::new(id).ok())?,
    })
}

fn context(row: &Row) -> Result<Context> {
    Ok(match named(row, 4, "context_type")? {
        ContextType::Order => Context::Order {
            order: id::<OrderId>(row, 5, "context_id")?,
            campaign: id::<CampaignId>(row, 9, "campaign_id")?,
        },
        ContextType::Return => Context::Return {
            returned: id::<ReturnId>(row, 5, "context_id")?,
            order: id::<OrderId>(row, 8, "order_id")?,
            campaign: id::<CampaignId>(row, 9, "campaign_id")?,
        },
        ContextType::Direct => Context::Direct,
    })
}

pub(super) fn file(row: &Row) -> Result<(FileId, StoredFile)> {
    let file = StoredFile {
        object: get(row, 1)?,
        name: FileName::from_client(get(row, 2)?),
        size: number(row, 3, "size")?,
        media_type: get(row, 4)?,
    };
    Ok((id(row, 0, "file_id")?, file))
}

pub(super) fn credential(row: &Row) -> Result<Credential> {
    Ok(Credential {
        business: id(row, 0, "business_id")?,
        id: CredentialId(get(row, 1)?),
        kind: named(row, 2, "kind")?,
        name: checked(row, 3, "name", CredentialName::new)?,
        scopes: checked(row, 4, "scopes", |text| columns::scopes(&text).ok_or(()))?,
        campaigns: checked(row, 5, "campaigns", |text| columns::campaigns(&text).ok_or(()))?,
        created_at: time(row, 6, "created_at")?,
        expires_at: optional(row, 7, "expires_at", Timestamp::from_millis)?,
        revoked_at: optional(row, 8, "revoked_at", Timestamp::from_millis)?,
    })
}

/// An event whose six columns begin the row.
pub(super) fn event(row: &Row) -> Result<Event> {
    event_at(row, 0)
}

/// An event whose six columns begin at `at`.
pub(super) fn event_at(row: &Row, at: usize) -> Result<Event> {
    Ok(Event {
        business: id(row, at, "business_id")?,
        id: id(row, at + 1, "event_id")?,
        kind: named(row, at + 2, "type")?,
        chat: id(row, at + 3, "chat_id")?,
        message: optional(row, at + 4, "message_id", |id: i64| MessageId::new(id).ok())?,
        at: time(row, at + 5, "at")?,
    })
}
