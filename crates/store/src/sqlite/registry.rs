//! Businesses, campaigns, customers, orders and returns: put and read.

use prilavok_domain::{
    Business, BusinessId, Campaign, CampaignId, Customer, Order, OrderId, PublicId, Return, ReturnId,
    Timestamp, rules,
};
use rusqlite::{Connection, OptionalExtension};

use super::write::Write;
use super::{erasure, meta, rows};
use crate::{Conflict, Entity, Put, Refusal, Registration, Result};

/// Puts all of `items` in order, or none.
pub(super) fn register(write: &mut Write<'_>, items: &[Registration]) -> Result<Vec<Put>> {
    let conn = write.conn;
    let mut puts = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let put = match item {
            Registration::Business(business) => put_business(conn, business),
            Registration::Campaign(campaign) => put_campaign(conn, campaign),
            Registration::Customer(customer) => put_customer(write, customer),
            Registration::Order(order) => put_order(conn, order),
            Registration::Return(returned) => put_return(conn, returned),
        };
        puts.push(put.map_err(|error| error.at_item(index))?);
    }
    let access_changed = items.iter().zip(&puts).any(|(item, put)| {
        *put != Put::Unchanged && matches!(item, Registration::Business(_) | Registration::Campaign(_))
    });
    if access_changed {
        meta::access_changed(conn)?;
    }
    Ok(puts)
}

fn put_business(conn: &Connection, wanted: &Business) -> Result<Put> {
    let put = Put::of(business(conn, wanted.id)?.as_ref(), wanted);
    if put != Put::Unchanged {
        conn.prepare_cached(
            "INSERT INTO business (business_id, name, state) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET name = excluded.name, state = excluded.state",
        )?
        .execute((wanted.id.get(), wanted.name.as_str(), wanted.state.as_str()))?;
    }
    Ok(put)
}

fn put_campaign(conn: &Connection, wanted: &Campaign) -> Result<Put> {
    must_exist(business(conn, wanted.business)?, || {
        Entity::Business(wanted.business)
    })?;
    let put = Put::of(campaign(conn, wanted.business, wanted.id)?.as_ref(), wanted);
    if put != Put::Unchanged {
        conn.prepare_cached(
            "INSERT INTO campaign (business_id, campaign_id, domain, placement, state) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET domain = excluded.domain, placement = excluded.placement,
                 state = excluded.state",
        )?
        .execute((
            wanted.business.get(),
            wanted.id.get(),
            wanted.domain.as_str(),
            wanted.placement.as_str(),
            wanted.state.as_str(),
        ))?;
    }
    Ok(put)
}

fn put_customer(write: &mut Write<'_>, wanted: &Customer) -> Result<Put> {
    let there = customer(write.conn, &wanted.public_id)?;
    let put = Put::of(there.as_ref(), wanted);
    match put {
        Put::Unchanged => {}
        Put::Created => {
            write
                .conn
                .prepare_cached("INSERT INTO customer (customer_id, name) VALUES (?1, ?2)")?
                .execute((wanted.public_id.as_str(), wanted.name.as_str()))?;
        }
        Put::Changed => {
            // What they write from now on must not be erased with the rest.
            if erasure::is_under_way(write.conn, &wanted.public_id)? {
                return Err(Refusal::Conflict(Conflict::ErasureUnderWay).into());
            }
            rename(write, wanted)?;
        }
    }
    Ok(put)
}

/// Changes what is kept of a customer who is there, and tells those who keep names elsewhere.
pub(super) fn rename(write: &mut Write<'_>, to: &Customer) -> Result<()> {
    write
        .conn
        .prepare_cached(
            "UPDATE customer SET name = ?2, erased_at = ?3,
                 renamed = (SELECT coalesce(max(renamed), 0) + 1 FROM customer WHERE renamed > 0)
             WHERE customer_id = ?1",
        )?
        .execute((
            to.public_id.as_str(),
            to.name.as_str(),
            to.erased_at.map(Timestamp::as_millis),
        ))?;
    write.changes_customer(&to.public_id);
    Ok(())
}

fn put_order(conn: &Connection, wanted: &Order) -> Result<Put> {
    must_exist(business(conn, wanted.business)?, || {
        Entity::Business(wanted.business)
    })?;
    must_exist(campaign(conn, wanted.business, wanted.campaign)?, || {
        Entity::Campaign(wanted.campaign)
    })?;
    let buyer = must_exist(customer(conn, &wanted.customer)?, || {
        Entity::Customer(wanted.customer.clone())
    })?;
    let there = order(conn, wanted.business, wanted.id)?;
    let put = Put::of(there.as_ref(), wanted);
    let moves = there
        .as_ref()
        .is_some_and(|it| it.campaign != wanted.campaign || it.customer != wanted.customer);
    if moves && has_chats(conn, "order_id = ?2", wanted.business, wanted.id.get())? {
        return Err(Refusal::Conflict(Conflict::OrderHasChats).into());
    }
    if there.is_none_or(|it| it.customer != wanted.customer) {
        rules::may_be_kept_about(&buyer).map_err(Refusal::Rule)?;
    }
    if put != Put::Unchanged {
        conn.prepare_cached(
            "INSERT INTO purchase (business_id, order_id, campaign_id, customer_id, test)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET campaign_id = excluded.campaign_id, customer_id = excluded.customer_id,
                 test = excluded.test",
        )?
        .execute((
            wanted.business.get(),
            wanted.id.get(),
            wanted.campaign.get(),
            wanted.customer.as_str(),
            wanted.test,
        ))?;
    }
    Ok(put)
}

fn put_return(conn: &Connection, wanted: &Return) -> Result<Put> {
    must_exist(business(conn, wanted.business)?, || {
        Entity::Business(wanted.business)
    })?;
    must_exist(order(conn, wanted.business, wanted.order)?, || {
        Entity::Order(wanted.order)
    })?;
    let there = returned(conn, wanted.business, wanted.id)?;
    let put = Put::of(there.as_ref(), wanted);
    let of_return = "context_type = 'RETURN' AND context_id = ?2";
    if put == Put::Changed && has_chats(conn, of_return, wanted.business, wanted.id.get())? {
        return Err(Refusal::Conflict(Conflict::ReturnHasChats).into());
    }
    if put != Put::Unchanged {
        conn.prepare_cached(
            "INSERT INTO purchase_return (business_id, return_id, order_id) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET order_id = excluded.order_id",
        )?
        .execute((wanted.business.get(), wanted.id.get(), wanted.order.get()))?;
    }
    Ok(put)
}

pub(super) use crate::registry::must_exist;

fn has_chats(conn: &Connection, which: &'static str, business: BusinessId, id: i64) -> Result<bool> {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM chat WHERE business_id = ?1 AND {which})");
    Ok(conn
        .prepare_cached(&sql)?
        .query_row((business.get(), id), |row| row.get(0))?)
}

pub(super) fn business(conn: &Connection, id: BusinessId) -> Result<Option<Business>> {
    Ok(conn
        .prepare_cached("SELECT business_id, name, state FROM business WHERE business_id = ?1")?
        .query_row([id.get()], rows::business)
        .optional()?)
}

pub(super) fn businesses(
    conn: &Connection,
    after: Option<BusinessId>,
    limit: usize,
) -> Result<Vec<Business>> {
    let mut statement = conn.prepare_cached(
        "SELECT business_id, name, state FROM business WHERE business_id > ?1 ORDER BY business_id LIMIT ?2",
    )?;
    let found = statement.query_map((after.map_or(0, BusinessId::get), limit), rows::business)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn campaign(conn: &Connection, business: BusinessId, id: CampaignId) -> Result<Option<Campaign>> {
    Ok(conn
        .prepare_cached(
            "SELECT business_id, campaign_id, domain, placement, state FROM campaign
             WHERE business_id = ?1 AND campaign_id = ?2",
        )?
        .query_row((business.get(), id.get()), rows::campaign)
        .optional()?)
}

pub(super) fn campaigns(
    conn: &Connection,
    business: BusinessId,
    after: Option<CampaignId>,
    limit: usize,
) -> Result<Vec<Campaign>> {
    let mut statement = conn.prepare_cached(
        "SELECT business_id, campaign_id, domain, placement, state FROM campaign
         WHERE business_id = ?1 AND campaign_id > ?2 ORDER BY campaign_id LIMIT ?3",
    )?;
    let found = statement.query_map(
        (business.get(), after.map_or(0, CampaignId::get), limit),
        rows::campaign,
    )?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn customer(conn: &Connection, id: &PublicId) -> Result<Option<Customer>> {
    Ok(conn
        .prepare_cached(&format!(
            "SELECT {} FROM customer WHERE customer_id = ?1",
            rows::CUSTOMER
        ))?
        .query_row([id.as_str()], rows::customer)
        .optional()?)
}

pub(super) fn customers(conn: &Connection, after: Option<&PublicId>, limit: usize) -> Result<Vec<Customer>> {
    let columns = rows::CUSTOMER;
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {columns} FROM customer WHERE customer_id > ?1 ORDER BY customer_id LIMIT ?2"
    ))?;
    let found = statement.query_map((after.map_or("", PublicId::as_str), limit), rows::customer)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn order(conn: &Connection, business: BusinessId, id: OrderId) -> Result<Option<Order>> {
    Ok(conn
        .prepare_cached(
            "SELECT business_id, order_id, campaign_id, customer_id, test FROM purchase
             WHERE business_id = ?1 AND order_id = ?2",
        )?
        .query_row((business.get(), id.get()), rows::order)
        .optional()?)
}

pub(super) fn orders(
    conn: &Connection,
    business: BusinessId,
    after: Option<OrderId>,
    limit: usize,
) -> Result<Vec<Order>> {
    let mut statement = conn.prepare_cached(
        "SELECT business_id, order_id, campaign_id, customer_id, test FROM purchase
         WHERE business_id = ?1 AND order_id > ?2 ORDER BY order_id LIMIT ?3",
    )?;
    let found = statement.query_map(
        (business.get(), after.map_or(0, OrderId::get), limit),
        rows::order,
    )?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn returned(conn: &Connection, business: BusinessId, id: ReturnId) -> Result<Option<Return>> {
    Ok(conn
        .prepare_cached(
            "SELECT business_id, return_id, order_id FROM purchase_return
             WHERE business_id = ?1 AND return_id = ?2",
        )?
        .query_row((business.get(), id.get()), rows::returned)
        .optional()?)
}

pub(super) fn returns(
    conn: &Connection,
    business: BusinessId,
    after: Option<ReturnId>,
    limit: usize,
) -> Result<Vec<Return>> {
    let mut statement = conn.prepare_cached(
        "SELECT business_id, return_id, order_id FROM purchase_return
         WHERE business_id = ?1 AND return_id > ?2 ORDER BY return_id LIMIT ?3",
    )?;
    let found = statement.query_map(
        (business.get(), after.map_or(0, ReturnId::get), limit),
        rows::returned,
    )?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
