//! Rows read as domain types. A column that holds what Prilavok never writes is a broken store.

use std::str::FromStr;
use std::sync::Arc;

use prilavok_domain::{
    Attachment, Business, BusinessId, Campaign, CampaignId, Chat, ChatId, Context, ContextType, CredentialId,
    CredentialName, Customer, Event, FileName, Message, MessageId, Name, Order, OrderId, PublicId, Return,
    ReturnId, Timestamp,
};
use rusqlite::Row;
use rusqlite::types::{FromSql, Type, ValueRef};

use super::fault::BadColumn;
use super::head::Head;
use super::places::ChatNumber;
use crate::{Credential, StoredFile, credentials};

/// The columns of [`chat`], with the customer's name joined in.
pub(super) const CHAT: &str = "c.business_id, c.chat_id, c.type, c.status, c.context_type, c.context_id, \
    c.customer_id, u.name, c.order_id, c.campaign_id, c.created_at, c.updated_at, c.last_message_id, \
    u.erased_at, c.number";

/// The columns of [`customer`].
pub(super) const CUSTOMER: &str = "customer_id, name, erased_at";

/// The columns of [`message`].
pub(super) const MESSAGE: &str = "message_id, head, text";
/// Which of them is the text.
pub(super) const MESSAGE_TEXT: usize = 2;

/// The columns of [`file`].
pub(super) const FILE: &str = "file_id, object, name, size, media_type, removed_at";

/// The columns of [`credential`].
pub(super) const CREDENTIAL: &str =
    "business_id, credential_id, kind, name, scopes, campaigns, created_at, expires_at, revoked_at";

pub(super) fn bad(at: usize, column: &'static str, found: &dyn std::fmt::Display) -> rusqlite::Error {
    let found = found.to_string();
    rusqlite::Error::FromSqlConversionFailure(at, Type::Null, Box::new(BadColumn { column, found }))
}

pub(crate) fn id<I: TryFrom<i64>>(row: &Row<'_>, at: usize, column: &'static str) -> rusqlite::Result<I> {
    let value: i64 = row.get(at)?;
    I::try_from(value).map_err(|_| bad(at, column, &value))
}

pub(super) fn optional<T, V: FromSql>(
    row: &Row<'_>,
    at: usize,
    column: &'static str,
    read: impl FnOnce(V) -> Option<T>,
) -> rusqlite::Result<Option<T>> {
    let value: Option<V> = row.get(at)?;
    value
        .map(|value| read(value).ok_or_else(|| bad(at, column, &"an impossible value")))
        .transpose()
}

pub(crate) fn named<N: FromStr>(row: &Row<'_>, at: usize, column: &'static str) -> rusqlite::Result<N> {
    let text = text(row.get_ref(at)?, at, column)?;
    text.parse().map_err(|_| bad(at, column, &text))
}

pub(super) fn named_or_null<N: FromStr>(
    row: &Row<'_>,
    at: usize,
    column: &'static str,
) -> rusqlite::Result<Option<N>> {
    match row.get_ref(at)? {
        ValueRef::Null => Ok(None),
        _ => named(row, at, column).map(Some),
    }
}

/// A text as it lies in the row. The standard library checks texts of many bytes for a character slowly.
fn text<'row>(value: ValueRef<'row>, at: usize, column: &'static str) -> rusqlite::Result<&'row str> {
    let bytes = value.as_bytes().ok();
    let text = bytes.and_then(|bytes| simdutf8::basic::from_utf8(bytes).ok());
    text.ok_or_else(|| bad(at, column, &"no text"))
}

pub(super) fn checked<'row, T, E>(
    row: &'row Row<'_>,
    at: usize,
    column: &'static str,
    check: impl FnOnce(&'row str) -> Result<T, E>,
) -> rusqlite::Result<T> {
    check(text(row.get_ref(at)?, at, column)?)
        .map_err(|_| bad(at, column, &"a text that is too long or empty"))
}

pub(crate) fn time(row: &Row<'_>, at: usize, column: &'static str) -> rusqlite::Result<Timestamp> {
    let millis: i64 = row.get(at)?;
    Timestamp::from_millis(millis).ok_or_else(|| bad(at, column, &millis))
}

pub(super) fn business(row: &Row<'_>) -> rusqlite::Result<Business> {
    Ok(Business {
        id: id(row, 0, "business_id")?,
        name: checked(row, 1, "name", Name::new)?,
        state: named(row, 2, "state")?,
    })
}

pub(super) fn campaign(row: &Row<'_>) -> rusqlite::Result<Campaign> {
    Ok(Campaign {
        business: id(row, 0, "business_id")?,
        id: id(row, 1, "campaign_id")?,
        domain: checked(row, 2, "domain", Name::new)?,
        placement: named(row, 3, "placement")?,
        state: named(row, 4, "state")?,
    })
}

pub(super) fn customer(row: &Row<'_>) -> rusqlite::Result<Customer> {
    Ok(Customer {
        public_id: checked(row, 0, "customer_id", PublicId::new)?,
        name: checked(row, 1, "name", Name::new)?,
        erased_at: optional(row, 2, "erased_at", Timestamp::from_millis)?,
    })
}

pub(super) fn order(row: &Row<'_>) -> rusqlite::Result<Order> {
    Ok(Order {
        business: id(row, 0, "business_id")?,
        id: id(row, 1, "order_id")?,
        campaign: id(row, 2, "campaign_id")?,
        customer: checked(row, 3, "customer_id", PublicId::new)?,
        test: row.get(4)?,
    })
}

pub(super) fn returned(row: &Row<'_>) -> rusqlite::Result<Return> {
    Ok(Return {
        business: id(row, 0, "business_id")?,
        id: id(row, 1, "return_id")?,
        order: id(row, 2, "order_id")?,
    })
}

pub(super) fn chat(row: &Row<'_>) -> rusqlite::Result<Chat> {
    Ok(Chat {
        business: id::<BusinessId>(row, 0, "business_id")?,
        id: id::<ChatId>(row, 1, "chat_id")?,
        kind: named(row, 2, "type")?,
        status: named(row, 3, "status")?,
        context: context(row)?,
        customer: Arc::new(Customer {
            public_id: checked(row, 6, "customer_id", PublicId::new)?,
            name: checked(row, 7, "name", Name::new)?,
            erased_at: optional(row, 13, "erased_at", Timestamp::from_millis)?,
        }),
        created_at: time(row, 10, "created_at")?,
        updated_at: time(row, 11, "updated_at")?,
        last_message: optional(row, 12, "last_message_id", |id| MessageId::new(id).ok())?,
    })
}

fn context(row: &Row<'_>) -> rusqlite::Result<Context> {
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

/// The number of a chat.
pub(super) fn number(row: &Row<'_>, at: usize) -> rusqlite::Result<ChatNumber> {
    let number = row.get(at)?;
    ChatNumber::new(number).ok_or_else(|| bad(at, "number", &number))
}

/// A chat with its number.
pub(super) fn numbered_chat(row: &Row<'_>) -> rusqlite::Result<(Chat, ChatNumber)> {
    Ok((chat(row)?, number(row, 14)?))
}

/// A message without its text and its files, and how many it has of these.
pub(super) fn message(row: &Row<'_>) -> rusqlite::Result<(Message, u8)> {
    let head = Head::read(row, 1)?;
    let message = Message {
        id: id(row, 0, "message_id")?,
        created_at: head.created_at,
        sender: head.sender,
        text: None,
        files: Vec::new(),
    };
    Ok((message, head.files))
}

/// A file as its readers see it, and where its bytes lie, or lay.
pub(super) fn file(row: &Row<'_>) -> rusqlite::Result<(Attachment, StoredFile)> {
    let file = StoredFile {
        object: row.get(1)?,
        name: FileName::from_client(row.get_ref(2)?.as_str().map_err(|_| bad(2, "name", &"no text"))?),
        size: row.get(3)?,
        media_type: row.get(4)?,
    };
    let removed_at = optional(row, 5, "removed_at", Timestamp::from_millis)?;
    let attachment = Attachment {
        removed_at,
        ..file.attachment(id(row, 0, "file_id")?)
    };
    Ok((attachment, file))
}

pub(super) fn credential(row: &Row<'_>) -> rusqlite::Result<Credential> {
    Ok(Credential {
        business: id(row, 0, "business_id")?,
        id: CredentialId(row.get(1)?),
        kind: named(row, 2, "kind")?,
        name: checked(row, 3, "name", CredentialName::new)?,
        scopes: checked(row, 4, "scopes", credentials::read_scopes)?,
        campaigns: checked(row, 5, "campaigns", credentials::read_campaigns)?,
        created_at: time(row, 6, "created_at")?,
        expires_at: optional(row, 7, "expires_at", Timestamp::from_millis)?,
        revoked_at: optional(row, 8, "revoked_at", Timestamp::from_millis)?,
    })
}

/// An event whose six columns begin at `at`.
pub(super) fn event(row: &Row<'_>, at: usize) -> rusqlite::Result<Event> {
    Ok(Event {
        business: id(row, at, "business_id")?,
        id: id(row, at + 1, "event_id")?,
        kind: named(row, at + 2, "type")?,
        chat: id(row, at + 3, "chat_id")?,
        message: optional(row, at + 4, "message_id", |id| MessageId::new(id).ok())?,
        at: time(row, at + 5, "at")?,
    })
}
