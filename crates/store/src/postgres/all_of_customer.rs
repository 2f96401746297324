//! All that is kept of a customer, in all businesses.
//!
//! Each index begins with the business, so every business is asked; that is as quick as there are businesses, and done
//! for one customer now and then.

use deadpool_postgres::GenericClient;
use prilavok_domain::{BusinessId, Chat, ChatId, Order, OrderId, PublicId, Return, ReturnId};

use super::chats::{self, chat};
use super::statements::statements;
use super::{registry, rows};
use crate::Result;

statements! {
    CHAT_IDS = "SELECT c.business_id, c.chat_id FROM business b
        JOIN chat c ON c.business_id = b.business_id AND c.customer_id = $1
        WHERE b.business_id >= $2 AND (b.business_id, c.chat_id) > ($2, $3)
        ORDER BY b.business_id, c.chat_id LIMIT $4";
    COUNT = "SELECT count(*) FROM business b JOIN chat c ON c.business_id = b.business_id AND c.customer_id = $1";
    CHATS = concat!("SELECT ", chat!(), " FROM business b
        JOIN chat c ON c.business_id = b.business_id AND c.customer_id = $1
        JOIN customer u ON u.customer_id = c.customer_id
        WHERE b.business_id >= $2 AND (b.business_id, c.chat_id) > ($2, $3)
        ORDER BY b.business_id, c.chat_id LIMIT $4");
    ORDERS = "SELECT p.business_id, p.order_id, p.campaign_id, p.customer_id, p.test FROM business b
        JOIN purchase p ON p.business_id = b.business_id AND p.customer_id = $1
        WHERE b.business_id >= $2 AND (b.business_id, p.order_id) > ($2, $3)
        ORDER BY b.business_id, p.order_id LIMIT $4";
    RETURNS = "SELECT r.business_id, r.return_id, r.order_id FROM business b
        JOIN purchase p ON p.business_id = b.business_id AND p.customer_id = $1
        JOIN purchase_return r ON r.business_id = p.business_id AND r.order_id = p.order_id
        WHERE b.business_id >= $2 AND (b.business_id, p.order_id, r.return_id) > ($2, $3, $4)
        ORDER BY b.business_id, p.order_id, r.return_id LIMIT $5";
}

/// The chats of a customer behind a place.
pub(super) async fn chat_ids(
    conn: &impl GenericClient,
    customer: &PublicId,
    (business, chat): (i64, i64),
    limit: usize,
) -> Result<Vec<(BusinessId, ChatId)>> {
    let values: &rows::Values<'_> = &[&customer.as_str(), &business, &chat, &rows::limit(limit)];
    let found = rows::query(conn, CHAT_IDS, values).await?;
    let ids = found
        .iter()
        .map(|row| Ok((rows::id(row, 0, "business_id")?, rows::id(row, 1, "chat_id")?)));
    ids.collect()
}

/// How many chats of a customer there are.
pub(super) async fn count_chats(conn: &impl GenericClient, customer: &PublicId) -> Result<u64> {
    let row = rows::query_one(conn, COUNT, &[&customer.as_str()]).await?;
    rows::unsigned(&row, 0, "count")
}

pub(super) async fn chats(
    conn: &impl GenericClient,
    customer: &PublicId,
    after: Option<(BusinessId, ChatId)>,
    limit: usize,
) -> Result<Vec<Chat>> {
    let (business, chat) = after.map_or((0, 0), |(business, chat)| (business.get(), chat.get()));
    let values: &rows::Values<'_> = &[&customer.as_str(), &business, &chat, &rows::limit(limit)];
    let found = rows::query(conn, CHATS, values).await?;
    found.iter().map(chats::read).collect()
}

pub(super) async fn orders(
    conn: &impl GenericClient,
    customer: &PublicId,
    after: Option<(BusinessId, OrderId)>,
    limit: usize,
) -> Result<Vec<Order>> {
    let (business, order) = after.map_or((0, 0), |(business, order)| (business.get(), order.get()));
    let values: &rows::Values<'_> = &[&customer.as_str(), &business, &order, &rows::limit(limit)];
    let found = rows::query(conn, ORDERS, values).await?;
    found.iter().map(registry::read_order).collect()
}

pub(super) async fn returns(
    conn: &impl GenericClient,
    customer: &PublicId,
    after: Option<(BusinessId, OrderId, ReturnId)>,
    limit: usize,
) -> Result<Vec<Return>> {
    let (business, order, returned) = after.map_or((0, 0, 0), |(business, order, returned)| {
        (business.get(), order.get(), returned.get())
    });
    let values: &rows::Values<'_> = &[
        &customer.as_str(),
        &business,
        &order,
        &returned,
        &rows::limit(limit),
    ];
    let found = rows::query(conn, RETURNS, values).await?;
    found.iter().map(registry::read_return).collect()
}
