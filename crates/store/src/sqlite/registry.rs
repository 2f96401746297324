//! Businesses, campaigns, customers, orders and returns: put and read.

use prilavok_domain::{
    Business, BusinessId, Campaign, CampaignId, Customer, Order, OrderId, PublicId, Return, ReturnId,
};
use rusqlite::{Connection, OptionalExtension};

use super::write::Write;
use super::{meta, rows};
use crate::registry::{self, Registered};
use crate::{Put, Registration, Result};

/// Puts all of `items` in order, or none.
pub(super) fn register(write: &mut Write<'_>, items: &[Registration]) -> Result<Vec<Put>> {
    let mut puts = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let put = registry::put(write.conn, item).map_err(registry::at_item(index))?;
        if put != Put::Unchanged {
            keep(write, item)?;
        }
        if let (Put::Changed, Registration::Customer(customer)) = (put, item) {
            write.changes_customer(&customer.public_id);
        }
        puts.push(put);
    }
    if registry::access_changes(items, &puts) {
        meta::access_changed(write.conn)?;
    }
    Ok(puts)
}

impl Registered for Connection {
    fn business(&self, id: BusinessId) -> Result<Option<Business>> {
        business(self, id)
    }

    fn campaign(&self, business: BusinessId, id: CampaignId) -> Result<Option<Campaign>> {
        campaign(self, business, id)
    }

    fn customer(&self, id: &PublicId) -> Result<Option<Customer>> {
        customer(self, id)
    }

    fn order(&self, business: BusinessId, id: OrderId) -> Result<Option<Order>> {
        order(self, business, id)
    }

    fn returned(&self, business: BusinessId, id: ReturnId) -> Result<Option<Return>> {
        returned(self, business, id)
    }

    fn order_has_chats(&self, business: BusinessId, id: OrderId) -> Result<bool> {
        has_chats(self, "order_id = ?2", business, id.get())
    }

    fn return_has_chats(&self, business: BusinessId, id: ReturnId) -> Result<bool> {
        has_chats(
            self,
            "context_type = 'RETURN' AND context_id = ?2",
            business,
            id.get(),
        )
    }
}

/// Writes what is new or differs.
fn keep(write: &Write<'_>, item: &Registration) -> Result<()> {
    let conn = write.conn;
    match item {
        Registration::Business(it) => conn
            .prepare_cached(
                "INSERT INTO business (business_id, name, state) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET name = excluded.name, state = excluded.state",
            )?
            .execute((it.id.get(), it.name.as_str(), it.state.as_str()))?,
        Registration::Campaign(it) => conn
            .prepare_cached(
                "INSERT INTO campaign (business_id, campaign_id, domain, placement, state) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET domain = excluded.domain, placement = excluded.placement,
                     state = excluded.state",
            )?
            .execute((
                it.business.get(),
                it.id.get(),
                it.domain.as_str(),
                it.placement.as_str(),
                it.state.as_str(),
            ))?,
        Registration::Customer(it) => conn
            .prepare_cached(
                "INSERT INTO customer (customer_id, name) VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET name = excluded.name,
                     renamed = (SELECT coalesce(max(renamed), 0) + 1 FROM customer WHERE renamed > 0)",
            )?
            .execute((it.public_id.as_str(), it.name.as_str()))?,
        Registration::Order(it) => conn
            .prepare_cached(
                "INSERT INTO purchase (business_id, order_id, campaign_id, customer_id, test)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET campaign_id = excluded.campaign_id, customer_id = excluded.customer_id,
                     test = excluded.test",
            )?
            .execute((
                it.business.get(),
                it.id.get(),
                it.campaign.get(),
                it.customer.as_str(),
                it.test,
            ))?,
        Registration::Return(it) => conn
            .prepare_cached(
                "INSERT INTO purchase_return (business_id, return_id, order_id) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO UPDATE SET order_id = excluded.order_id",
            )?
            .execute((it.business.get(), it.id.get(), it.order.get()))?,
    };
    Ok(())
}

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
        .prepare_cached("SELECT customer_id, name FROM customer WHERE customer_id = ?1")?
        .query_row([id.as_str()], rows::customer)
        .optional()?)
}

pub(super) fn customers(conn: &Connection, after: Option<&PublicId>, limit: usize) -> Result<Vec<Customer>> {
    let mut statement = conn.prepare_cached(
        "SELECT customer_id, name FROM customer WHERE customer_id > ?1 ORDER BY customer_id LIMIT ?2",
    )?;
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
