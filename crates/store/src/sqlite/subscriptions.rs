//! Subscriptions to notifications.

use prilavok_domain::event::DisabledBy;
use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::{BusinessId, SubscriptionId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};

use super::registry::{self, must_exist};
use super::write::Write;
use super::{events, idempotency, rows};
use crate::notifications::{
    NewSubscription, Subscription, SubscriptionChange, SubscriptionName, Switch, read_types, types_text,
};
use crate::{Applied, Conflict, Entity, Idempotency, Refusal, Result, StoreError};

const COLUMNS: &str = "business_id, subscription_id, name, url, types, disabled, secret_generation, \
    previous_secret_until, created_at, failing_since, next_try_at";

fn subscription(row: &Row<'_>) -> rusqlite::Result<Subscription> {
    let types: String = row.get(4)?;
    Ok(Subscription {
        business: rows::id(row, 0, "business_id")?,
        id: rows::id(row, 1, "subscription_id")?,
        name: rows::checked(row, 2, "name", SubscriptionName::new)?,
        url: row.get(3)?,
        types: read_types(&types),
        disabled: rows::optional(row, 5, "disabled", |why: String| why.parse().ok())?,
        secret_generation: row.get(6)?,
        previous_secret_until: rows::optional(row, 7, "previous_secret_until", Timestamp::from_millis)?,
        created_at: rows::time(row, 8, "created_at")?,
        failing_since: rows::optional(row, 9, "failing_since", Timestamp::from_millis)?,
        next_try_at: rows::optional(row, 10, "next_try_at", Timestamp::from_millis)?,
    })
}

/// Tells every process on this file that subscriptions changed.
pub(super) fn changed(conn: &Connection) -> Result<()> {
    conn.prepare_cached("UPDATE meta SET value = value + 1 WHERE name = 'subscriptions_version'")?
        .execute([])?;
    Ok(())
}

pub(super) fn version(conn: &Connection) -> Result<u64> {
    let mut statement = conn.prepare_cached("SELECT value FROM meta WHERE name = 'subscriptions_version'")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

pub(super) fn create(
    write: &mut Write<'_>,
    new: &NewSubscription,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Subscription>> {
    let conn = write.conn;
    if let Some(id) = idempotency::earlier(conn, new.business, once, now)? {
        let id = SubscriptionId::new(id).map_err(|error| StoreError::Failed(Box::new(error)))?;
        return Ok(Applied {
            value: existing(conn, new.business, id)?,
            replayed: true,
        });
    }
    must_exist(registry::business(conn, new.business)?, || {
        Entity::Business(new.business)
    })?;
    name_must_be_free(conn, new.business, &new.name, None)?;
    let id = write.next_id(IdFor::File, now);
    let newest = events::newest(conn, Some(new.business))?;
    conn.prepare_cached(
        "INSERT INTO subscription (business_id, subscription_id, name, url, types, disabled, secret_generation,
             created_at, settled_event_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?8, 1, ?6, ?7)",
    )?
    .execute((
        new.business.get(),
        id,
        new.name.as_str(),
        &new.url,
        types_text(new.types),
        now.as_millis(),
        newest,
        DisabledBy::Hand.as_str(),
    ))?;
    changed(conn)?;
    idempotency::remember(conn, new.business, once, id, now)?;
    let id = SubscriptionId::new(id).map_err(|error| StoreError::Failed(Box::new(error)))?;
    Ok(Applied {
        value: existing(conn, new.business, id)?,
        replayed: false,
    })
}

pub(super) fn list(conn: &Connection, business: BusinessId) -> Result<Vec<Subscription>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM subscription WHERE business_id = ?1 ORDER BY subscription_id"
    ))?;
    let found = statement.query_map([business.get()], subscription)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Of all businesses: what the deliverer looks after.
pub(super) fn enabled(conn: &Connection) -> Result<Vec<Subscription>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM subscription WHERE disabled IS NULL"
    ))?;
    let found = statement.query_map([], subscription)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn one(
    conn: &Connection,
    business: BusinessId,
    id: SubscriptionId,
) -> Result<Option<Subscription>> {
    Ok(conn
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM subscription WHERE business_id = ?1 AND subscription_id = ?2"
        ))?
        .query_row((business.get(), id.get()), subscription)
        .optional()?)
}

pub(super) fn existing(conn: &Connection, business: BusinessId, id: SubscriptionId) -> Result<Subscription> {
    must_exist(one(conn, business, id)?, || Entity::Subscription(id))
}

pub(super) fn change(
    conn: &Connection,
    business: BusinessId,
    id: SubscriptionId,
    change: &SubscriptionChange,
) -> Result<Subscription> {
    let there = existing(conn, business, id)?;
    let name = change.name.as_ref().unwrap_or(&there.name);
    name_must_be_free(conn, business, name, Some(id))?;
    // A new URL begins anew: nobody knows yet whether it fails.
    conn.prepare_cached(
        "UPDATE subscription SET name = ?3, types = ?5,
             failing_since = CASE url WHEN ?4 THEN failing_since END,
             next_try_at = CASE url WHEN ?4 THEN next_try_at END, url = ?4
         WHERE business_id = ?1 AND subscription_id = ?2",
    )?
    .execute((
        business.get(),
        id.get(),
        name.as_str(),
        change.url.as_ref().unwrap_or(&there.url),
        types_text(change.types.unwrap_or(there.types)),
    ))?;
    changed(conn)?;
    existing(conn, business, id)
}

pub(super) fn switch(
    conn: &Connection,
    business: BusinessId,
    id: SubscriptionId,
    switch: Switch,
) -> Result<Subscription> {
    existing(conn, business, id)?;
    let key = (business.get(), id.get());
    match switch {
        Switch::On => {
            let newest = events::newest(conn, Some(business))?;
            conn.prepare_cached(
                "UPDATE subscription SET disabled = NULL, failing_since = NULL, next_try_at = NULL,
                     settled_event_id = max(settled_event_id, ?3)
                 WHERE business_id = ?1 AND subscription_id = ?2 AND disabled IS NOT NULL",
            )?
            .execute((key.0, key.1, newest))?;
        }
        Switch::Off(why) => {
            conn.prepare_cached(
                "UPDATE subscription SET disabled = ?3, next_try_at = NULL
                 WHERE business_id = ?1 AND subscription_id = ?2 AND disabled IS NULL",
            )?
            .execute((key.0, key.1, why.as_str()))?;
            conn.prepare_cached("DELETE FROM again WHERE business_id = ?1 AND subscription_id = ?2")?
                .execute(key)?;
        }
        Switch::NewSecret { previous_until } => {
            conn.prepare_cached(
                "UPDATE subscription SET secret_generation = secret_generation + 1, previous_secret_until = ?3
                 WHERE business_id = ?1 AND subscription_id = ?2",
            )?
            .execute((key.0, key.1, previous_until.as_millis()))?;
        }
    }
    changed(conn)?;
    existing(conn, business, id)
}

pub(super) fn delete(conn: &Connection, business: BusinessId, id: SubscriptionId) -> Result<()> {
    existing(conn, business, id)?;
    let key = (business.get(), id.get());
    conn.prepare_cached("DELETE FROM again WHERE business_id = ?1 AND subscription_id = ?2")?
        .execute(key)?;
    conn.prepare_cached("DELETE FROM subscription WHERE business_id = ?1 AND subscription_id = ?2")?
        .execute(key)?;
    // What is gone cannot be answered again: the request that made it may come anew.
    conn.prepare_cached("DELETE FROM idempotency WHERE business_id = ?1 AND result = ?2")?
        .execute(key)?;
    changed(conn)
}

fn name_must_be_free(
    conn: &Connection,
    business: BusinessId,
    name: &SubscriptionName,
    except: Option<SubscriptionId>,
) -> Result<()> {
    let taken: bool = conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM subscription WHERE business_id = ?1 AND name = ?2
                 AND subscription_id IS NOT ?3)",
        )?
        .query_row(
            (business.get(), name.as_str(), except.map(SubscriptionId::get)),
            |row| row.get(0),
        )?;
    if taken {
        Err(Refusal::Conflict(Conflict::NameTaken).into())
    } else {
        Ok(())
    }
}
