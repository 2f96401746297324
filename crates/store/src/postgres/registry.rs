//! Businesses, campaigns, customers, orders and returns: put and read.

use deadpool_postgres::GenericClient;
use prilavok_domain::{
    Business, BusinessId, Campaign, CampaignId, Customer, Name, Order, OrderId, PublicId, Return, ReturnId,
    Timestamp, rules,
};
use tokio_postgres::Row;

use super::meta::Version;
use super::statements::statements;
use super::work::Work;
use super::{erasure, rows};
use crate::{Conflict, Entity, Put, Refusal, Registration, Result};

statements! {
    BUSINESS = "SELECT business_id, name, state FROM business WHERE business_id = $1";
    BUSINESSES = "SELECT business_id, name, state FROM business WHERE business_id > $1 ORDER BY business_id LIMIT $2";
    PUT_BUSINESS = "INSERT INTO business (business_id, name, state) VALUES ($1, $2, $3)
        ON CONFLICT (business_id) DO UPDATE SET name = excluded.name, state = excluded.state";
    PUT_HEAD = "INSERT INTO business_head (business_id, last_event_id) VALUES ($1, 0) ON CONFLICT (business_id) DO NOTHING";
    CAMPAIGN = "SELECT business_id, campaign_id, domain, placement, state FROM campaign
        WHERE business_id = $1 AND campaign_id = $2";
    CAMPAIGNS = "SELECT business_id, campaign_id, domain, placement, state FROM campaign
        WHERE business_id = $1 AND campaign_id > $2 ORDER BY campaign_id LIMIT $3";
    PUT_CAMPAIGN = "INSERT INTO campaign (business_id, campaign_id, domain, placement, state)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (business_id, campaign_id)
        DO UPDATE SET domain = excluded.domain, placement = excluded.placement, state = excluded.state";
    CUSTOMER = "SELECT customer_id, name, erased_at FROM customer WHERE customer_id = $1";
    /// Whoever erases them waits until this has ended.
    HOLD_CUSTOMER = "SELECT customer_id, name, erased_at FROM customer WHERE customer_id = $1 FOR SHARE";
    CUSTOMERS = "SELECT customer_id, name, erased_at FROM customer WHERE customer_id > $1 ORDER BY customer_id LIMIT $2";
    NEW_CUSTOMER = "INSERT INTO customer (customer_id, name) VALUES ($1, $2)";
    /// Names change one after the other, so that their places are committed in order.
    RENAMING = "SELECT pg_advisory_xact_lock(5787213827046133840)";
    RENAME = "UPDATE customer SET name = $2, erased_at = $3,
            renamed = (SELECT coalesce(max(renamed), 0) + 1 FROM customer WHERE renamed IS NOT NULL)
        WHERE customer_id = $1";
    ORDER = "SELECT business_id, order_id, campaign_id, customer_id, test FROM purchase
        WHERE business_id = $1 AND order_id = $2";
    ORDERS = "SELECT business_id, order_id, campaign_id, customer_id, test FROM purchase
        WHERE business_id = $1 AND order_id > $2 ORDER BY order_id LIMIT $3";
    PUT_ORDER = "INSERT INTO purchase (business_id, order_id, campaign_id, customer_id, test)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (business_id, order_id)
        DO UPDATE SET campaign_id = excluded.campaign_id, customer_id = excluded.customer_id, test = excluded.test";
    /// Whoever starts a chat about it waits until this has ended.
    LOCK_ORDER = "SELECT order_id FROM purchase WHERE business_id = $1 AND order_id = $2 FOR UPDATE";
    ORDER_HAS_CHATS = "SELECT EXISTS (SELECT 1 FROM chat WHERE business_id = $1 AND order_id = $2)";
    RETURN = "SELECT business_id, return_id, order_id FROM purchase_return WHERE business_id = $1 AND return_id = $2";
    RETURNS = "SELECT business_id, return_id, order_id FROM purchase_return
        WHERE business_id = $1 AND return_id > $2 ORDER BY return_id LIMIT $3";
    PUT_RETURN = "INSERT INTO purchase_return (business_id, return_id, order_id) VALUES ($1, $2, $3)
        ON CONFLICT (business_id, return_id) DO UPDATE SET order_id = excluded.order_id";
    LOCK_RETURN = "SELECT return_id FROM purchase_return WHERE business_id = $1 AND return_id = $2 FOR UPDATE";
    RETURN_HAS_CHATS = "SELECT EXISTS (SELECT 1 FROM chat
        WHERE business_id = $1 AND context_type = 'RETURN' AND context_id = $2)";
}

/// Puts all of `items` in order, or none.
pub(super) async fn register(work: &mut Work<'_>, items: &[Registration]) -> Result<Vec<Put>> {
    let mut puts = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let put = match item {
            Registration::Business(business) => put_business(work, business).await,
            Registration::Campaign(campaign) => put_campaign(work, campaign).await,
            Registration::Customer(customer) => put_customer(work, customer).await,
            Registration::Order(order) => put_order(work, order).await,
            Registration::Return(returned) => put_return(work, returned).await,
        };
        puts.push(put.map_err(|error| error.at_item(index))?);
    }
    let access_changed = items.iter().zip(&puts).any(|(item, put)| {
        *put != Put::Unchanged && matches!(item, Registration::Business(_) | Registration::Campaign(_))
    });
    if access_changed {
        work.raise(Version::Access);
    }
    Ok(puts)
}

async fn put_business(work: &Work<'_>, wanted: &Business) -> Result<Put> {
    let put = Put::of(business(&work.tx, wanted.id).await?.as_ref(), wanted);
    if put != Put::Unchanged {
        let (id, name, state) = (wanted.id.get(), wanted.name.as_str(), wanted.state.as_str());
        rows::execute(&work.tx, PUT_BUSINESS, &[&id, &name, &state]).await?;
        rows::execute(&work.tx, PUT_HEAD, &[&id]).await?;
    }
    Ok(put)
}

async fn put_campaign(work: &Work<'_>, wanted: &Campaign) -> Result<Put> {
    must_be_business(&work.tx, wanted.business).await?;
    let there = campaign(&work.tx, wanted.business, wanted.id).await?;
    let put = Put::of(there.as_ref(), wanted);
    if put != Put::Unchanged {
        rows::execute(
            &work.tx,
            PUT_CAMPAIGN,
            &[
                &wanted.business.get(),
                &wanted.id.get(),
                &wanted.domain.as_str(),
                &wanted.placement.as_str(),
                &wanted.state.as_str(),
            ],
        )
        .await?;
    }
    Ok(put)
}

async fn put_customer(work: &Work<'_>, wanted: &Customer) -> Result<Put> {
    let tx = &work.tx;
    let put = Put::of(customer(tx, &wanted.public_id).await?.as_ref(), wanted);
    match put {
        Put::Unchanged => {}
        Put::Created => {
            let values: &rows::Values<'_> = &[&wanted.public_id.as_str(), &wanted.name.as_str()];
            rows::execute(tx, NEW_CUSTOMER, values).await?;
        }
        Put::Changed => {
            lock_names(tx).await?;
            // What they write from now on must not be erased with the rest.
            if erasure::is_under_way(tx, &wanted.public_id).await? {
                return Err(Refusal::Conflict(Conflict::ErasureUnderWay).into());
            }
            rename(tx, wanted).await?;
        }
    }
    Ok(put)
}

/// Whoever else changes a name, or erases somebody, waits until the transaction ends.
pub(super) async fn lock_names(conn: &impl GenericClient) -> Result<()> {
    rows::query_one(conn, RENAMING, &[]).await.map(drop)
}

/// Changes what is kept of a customer who is there, under the lock, and tells those who keep names elsewhere.
pub(super) async fn rename(conn: &impl GenericClient, to: &Customer) -> Result<()> {
    let erased_at = to.erased_at.map(Timestamp::as_millis);
    let values: &rows::Values<'_> = &[&to.public_id.as_str(), &to.name.as_str(), &erased_at];
    rows::execute(conn, RENAME, values).await.map(drop)
}

async fn put_order(work: &Work<'_>, wanted: &Order) -> Result<Put> {
    let tx = &work.tx;
    must_be_business(tx, wanted.business).await?;
    must_exist(campaign(tx, wanted.business, wanted.campaign).await?, || {
        Entity::Campaign(wanted.campaign)
    })?;
    let buyer = must_exist(held_customer(tx, &wanted.customer).await?, || {
        Entity::Customer(wanted.customer.clone())
    })?;
    let key = (wanted.business.get(), wanted.id.get());
    rows::query_opt(tx, LOCK_ORDER, &[&key.0, &key.1]).await?;
    let there = order(tx, wanted.business, wanted.id).await?;
    let put = Put::of(there.as_ref(), wanted);
    let moves = there
        .as_ref()
        .is_some_and(|it| it.campaign != wanted.campaign || it.customer != wanted.customer);
    if moves && is_true(tx, ORDER_HAS_CHATS, key).await? {
        return Err(Refusal::Conflict(Conflict::OrderHasChats).into());
    }
    if there.is_none_or(|it| it.customer != wanted.customer) {
        rules::may_be_kept_about(&buyer).map_err(Refusal::Rule)?;
    }
    if put != Put::Unchanged {
        let (campaign, customer) = (wanted.campaign.get(), wanted.customer.as_str());
        rows::execute(
            tx,
            PUT_ORDER,
            &[&key.0, &key.1, &campaign, &customer, &wanted.test],
        )
        .await?;
    }
    Ok(put)
}

async fn put_return(work: &Work<'_>, wanted: &Return) -> Result<Put> {
    let tx = &work.tx;
    must_be_business(tx, wanted.business).await?;
    must_exist(order(tx, wanted.business, wanted.order).await?, || {
        Entity::Order(wanted.order)
    })?;
    let key = (wanted.business.get(), wanted.id.get());
    rows::query_opt(tx, LOCK_RETURN, &[&key.0, &key.1]).await?;
    let put = Put::of(returned(tx, wanted.business, wanted.id).await?.as_ref(), wanted);
    if put == Put::Changed && is_true(tx, RETURN_HAS_CHATS, key).await? {
        return Err(Refusal::Conflict(Conflict::ReturnHasChats).into());
    }
    if put != Put::Unchanged {
        rows::execute(tx, PUT_RETURN, &[&key.0, &key.1, &wanted.order.get()]).await?;
    }
    Ok(put)
}

async fn is_true(conn: &impl GenericClient, sql: &str, key: (i64, i64)) -> Result<bool> {
    rows::get(&rows::query_one(conn, sql, &[&key.0, &key.1]).await?, 0)
}

pub(super) use crate::registry::must_exist;

/// Refuses where there is no such business.
pub(super) async fn must_be_business(conn: &impl GenericClient, id: BusinessId) -> Result<()> {
    must_exist(business(conn, id).await?, || Entity::Business(id)).map(drop)
}

fn read_business(row: &Row) -> Result<Business> {
    Ok(Business {
        id: rows::id(row, 0, "business_id")?,
        name: rows::checked(row, 1, "name", Name::new)?,
        state: rows::named(row, 2, "state")?,
    })
}

pub(super) async fn business(conn: &impl GenericClient, id: BusinessId) -> Result<Option<Business>> {
    let found = rows::query_opt(conn, BUSINESS, &[&id.get()]).await?;
    found.as_ref().map(read_business).transpose()
}

pub(super) async fn businesses(
    conn: &impl GenericClient,
    after: Option<BusinessId>,
    limit: usize,
) -> Result<Vec<Business>> {
    let after = after.map_or(0, BusinessId::get);
    let found = rows::query(conn, BUSINESSES, &[&after, &rows::limit(limit)]).await?;
    found.iter().map(read_business).collect()
}

fn read_campaign(row: &Row) -> Result<Campaign> {
    Ok(Campaign {
        business: rows::id(row, 0, "business_id")?,
        id: rows::id(row, 1, "campaign_id")?,
        domain: rows::checked(row, 2, "domain", Name::new)?,
        placement: rows::named(row, 3, "placement")?,
        state: rows::named(row, 4, "state")?,
    })
}

pub(super) async fn campaign(
    conn: &impl GenericClient,
    business: BusinessId,
    id: CampaignId,
) -> Result<Option<Campaign>> {
    let found = rows::query_opt(conn, CAMPAIGN, &[&business.get(), &id.get()]).await?;
    found.as_ref().map(read_campaign).transpose()
}

pub(super) async fn campaigns(
    conn: &impl GenericClient,
    business: BusinessId,
    after: Option<CampaignId>,
    limit: usize,
) -> Result<Vec<Campaign>> {
    let after = after.map_or(0, CampaignId::get);
    let found = rows::query(conn, CAMPAIGNS, &[&business.get(), &after, &rows::limit(limit)]).await?;
    found.iter().map(read_campaign).collect()
}

fn read_customer(row: &Row) -> Result<Customer> {
    Ok(Customer {
        public_id: rows::checked(row, 0, "customer_id", PublicId::new)?,
        name: rows::checked(row, 1, "name", Name::new)?,
        erased_at: rows::optional(row, 2, "erased_at", Timestamp::from_millis)?,
    })
}

/// A customer whom nobody erases or renames until the transaction ends.
pub(super) async fn held_customer(conn: &impl GenericClient, id: &PublicId) -> Result<Option<Customer>> {
    let found = rows::query_opt(conn, HOLD_CUSTOMER, &[&id.as_str()]).await?;
    found.as_ref().map(read_customer).transpose()
}

pub(super) async fn customer(conn: &impl GenericClient, id: &PublicId) -> Result<Option<Customer>> {
    let found = rows::query_opt(conn, CUSTOMER, &[&id.as_str()]).await?;
    found.as_ref().map(read_customer).transpose()
}

pub(super) async fn customers(
    conn: &impl GenericClient,
    after: Option<&PublicId>,
    limit: usize,
) -> Result<Vec<Customer>> {
    let after = after.map_or("", PublicId::as_str);
    let found = rows::query(conn, CUSTOMERS, &[&after, &rows::limit(limit)]).await?;
    found.iter().map(read_customer).collect()
}

pub(super) fn read_order(row: &Row) -> Result<Order> {
    Ok(Order {
        business: rows::id(row, 0, "business_id")?,
        id: rows::id(row, 1, "order_id")?,
        campaign: rows::id(row, 2, "campaign_id")?,
        customer: rows::checked(row, 3, "customer_id", PublicId::new)?,
        test: rows::get(row, 4)?,
    })
}

pub(super) async fn order(
    conn: &impl GenericClient,
    business: BusinessId,
    id: OrderId,
) -> Result<Option<Order>> {
    let found = rows::query_opt(conn, ORDER, &[&business.get(), &id.get()]).await?;
    found.as_ref().map(read_order).transpose()
}

pub(super) async fn orders(
    conn: &impl GenericClient,
    business: BusinessId,
    after: Option<OrderId>,
    limit: usize,
) -> Result<Vec<Order>> {
    let after = after.map_or(0, OrderId::get);
    let found = rows::query(conn, ORDERS, &[&business.get(), &after, &rows::limit(limit)]).await?;
    found.iter().map(read_order).collect()
}

pub(super) fn read_return(row: &Row) -> Result<Return> {
    Ok(Return {
        business: rows::id(row, 0, "business_id")?,
        id: rows::id(row, 1, "return_id")?,
        order: rows::id(row, 2, "order_id")?,
    })
}

pub(super) async fn returned(
    conn: &impl GenericClient,
    business: BusinessId,
    id: ReturnId,
) -> Result<Option<Return>> {
    let found = rows::query_opt(conn, RETURN, &[&business.get(), &id.get()]).await?;
    found.as_ref().map(read_return).transpose()
}

pub(super) async fn returns(
    conn: &impl GenericClient,
    business: BusinessId,
    after: Option<ReturnId>,
    limit: usize,
) -> Result<Vec<Return>> {
    let after = after.map_or(0, ReturnId::get);
    let found = rows::query(conn, RETURNS, &[&business.get(), &after, &rows::limit(limit)]).await?;
    found.iter().map(read_return).collect()
}
