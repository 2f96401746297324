//! Subscriptions to notifications.

use deadpool_postgres::{GenericClient, Transaction};
use prilavok_domain::event::DisabledBy;
use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::{BusinessId, SubscriptionId, Timestamp};
use tokio_postgres::Row;

use super::meta::Version;
use super::statements::statements;
use super::work::Work;
use super::{events, idempotency, leases, registry, rows};
use crate::notifications::{
    NewSubscription, Subscription, SubscriptionChange, SubscriptionName, Switch, read_types, types_text,
};
use crate::{Applied, Conflict, Entity, Idempotency, Refusal, Result, StoreError};

macro_rules! columns {
    () => {
        "business_id, subscription_id, name, url, types, disabled, secret_generation, previous_secret_until, \
         created_at, failing_since, next_try_at"
    };
}

statements! {
    ONE = concat!("SELECT ", columns!(), " FROM subscription WHERE business_id = $1 AND subscription_id = $2");
    ONE_LOCKED = concat!("SELECT ", columns!(), " FROM subscription WHERE business_id = $1 AND subscription_id = $2
        FOR UPDATE");
    LIST = concat!("SELECT ", columns!(), " FROM subscription WHERE business_id = $1 ORDER BY subscription_id");
    /// Of all businesses: what a node looks after.
    HELD = concat!("SELECT ", columns!(), " FROM subscription WHERE disabled IS NULL AND owner = $1
        AND leased_until > clock_timestamp()");
    GIVEN_UP = "SELECT count(*) FROM subscription WHERE disabled = 'FAILURES'";
    CREATE = "INSERT INTO subscription (business_id, subscription_id, name, url, types, disabled, secret_generation,
            created_at, settled_event_id)
        VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8)";
    NAME_TAKEN = "SELECT EXISTS (SELECT 1 FROM subscription WHERE business_id = $1 AND name = $2
        AND subscription_id IS DISTINCT FROM $3)";
    /// A new URL begins anew: nobody knows yet whether it fails.
    CHANGE = "UPDATE subscription SET name = $3, types = $5,
            failing_since = CASE url WHEN $4 THEN failing_since END,
            next_try_at = CASE url WHEN $4 THEN next_try_at END, url = $4
        WHERE business_id = $1 AND subscription_id = $2";
    /// Who switches it on looks after it, until nodes share anew.
    ENABLE = "UPDATE subscription SET disabled = NULL, failing_since = NULL, next_try_at = NULL,
            settled_event_id = greatest(settled_event_id, $3), owner = $4,
            leased_until = clock_timestamp() + make_interval(secs => $5)
        WHERE business_id = $1 AND subscription_id = $2 AND disabled IS NOT NULL";
    DISABLE = "UPDATE subscription SET disabled = $3, next_try_at = NULL, owner = NULL, leased_until = NULL
        WHERE business_id = $1 AND subscription_id = $2 AND disabled IS NULL";
    NEW_SECRET = "UPDATE subscription SET secret_generation = secret_generation + 1, previous_secret_until = $3
        WHERE business_id = $1 AND subscription_id = $2";
    CANCEL_AGAIN = "DELETE FROM again WHERE business_id = $1 AND subscription_id = $2";
    DELETE = "DELETE FROM subscription WHERE business_id = $1 AND subscription_id = $2";
    /// What is gone cannot be answered again: the request that made it may come anew.
    FORGET_REQUEST = "DELETE FROM idempotency WHERE business_id = $1 AND result = $2";
}

/// Which node a subscription is leased to, and for how long, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct LeaseTo {
    pub(super) owner: i64,
    pub(super) seconds: f64,
}

fn subscription(row: &Row) -> Result<Subscription> {
    let types: &str = rows::get(row, 4)?;
    Ok(Subscription {
        business: rows::id(row, 0, "business_id")?,
        id: rows::id(row, 1, "subscription_id")?,
        name: rows::checked(row, 2, "name", SubscriptionName::new)?,
        url: rows::get(row, 3)?,
        types: read_types(types),
        disabled: rows::optional(row, 5, "disabled", |why: &str| why.parse().ok())?,
        secret_generation: rows::unsigned(row, 6, "secret_generation")?,
        previous_secret_until: rows::optional(row, 7, "previous_secret_until", Timestamp::from_millis)?,
        created_at: rows::time(row, 8, "created_at")?,
        failing_since: rows::optional(row, 9, "failing_since", Timestamp::from_millis)?,
        next_try_at: rows::optional(row, 10, "next_try_at", Timestamp::from_millis)?,
    })
}

pub(super) async fn create(
    work: &mut Work<'_>,
    new: &NewSubscription,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Subscription>> {
    if let Some(id) = idempotency::earlier(&work.tx, new.business, once, now).await? {
        return Ok(Applied {
            value: existing(&work.tx, new.business, subscription_id(id)?).await?,
            replayed: true,
        });
    }
    if registry::business(&work.tx, new.business).await?.is_none() {
        return Err(Refusal::NotFound(Entity::Business(new.business)).into());
    }
    name_must_be_free(&work.tx, new.business, &new.name, None).await?;
    let newest = events::newest(&work.tx, Some(new.business)).await?;
    let id = work.next_id(IdFor::File, now);
    rows::execute(
        &work.tx,
        CREATE,
        &[
            &new.business.get(),
            &id,
            &new.name.as_str(),
            &new.url,
            &types_text(new.types),
            &DisabledBy::Hand.as_str(),
            &now.as_millis(),
            &newest,
        ],
    )
    .await?;
    idempotency::remember(&work.tx, new.business, once, id, now).await?;
    work.raise(Version::Subscriptions);
    Ok(Applied {
        value: existing(&work.tx, new.business, subscription_id(id)?).await?,
        replayed: false,
    })
}

fn subscription_id(id: i64) -> Result<SubscriptionId> {
    SubscriptionId::new(id).map_err(|error| StoreError::Failed(Box::new(error)))
}

pub(super) async fn list(conn: &impl GenericClient, business: BusinessId) -> Result<Vec<Subscription>> {
    let found = rows::query(conn, LIST, &[&business.get()]).await?;
    found.iter().map(subscription).collect()
}

/// Those that a node looks after.
pub(super) async fn held(conn: &impl GenericClient, owner: i64) -> Result<Vec<Subscription>> {
    let found = rows::query(conn, HELD, &[&owner]).await?;
    found.iter().map(subscription).collect()
}

pub(super) async fn one(
    conn: &impl GenericClient,
    business: BusinessId,
    id: SubscriptionId,
) -> Result<Option<Subscription>> {
    let found = rows::query_opt(conn, ONE, &[&business.get(), &id.get()]).await?;
    found.as_ref().map(subscription).transpose()
}

pub(super) async fn existing(
    conn: &impl GenericClient,
    business: BusinessId,
    id: SubscriptionId,
) -> Result<Subscription> {
    must_be_there(one(conn, business, id).await?, id)
}

/// As [`existing`]; nobody else changes it until the transaction ends.
pub(super) async fn locked(
    tx: &Transaction<'_>,
    business: BusinessId,
    id: SubscriptionId,
) -> Result<Subscription> {
    let found = rows::query_opt(tx, ONE_LOCKED, &[&business.get(), &id.get()]).await?;
    must_be_there(found.as_ref().map(subscription).transpose()?, id)
}

fn must_be_there(found: Option<Subscription>, id: SubscriptionId) -> Result<Subscription> {
    found.ok_or_else(|| Refusal::NotFound(Entity::Subscription(id)).into())
}

pub(super) async fn change(
    work: &mut Work<'_>,
    business: BusinessId,
    id: SubscriptionId,
    change: &SubscriptionChange,
) -> Result<Subscription> {
    let tx = &work.tx;
    let there = locked(tx, business, id).await?;
    let name = change.name.as_ref().unwrap_or(&there.name);
    name_must_be_free(tx, business, name, Some(id)).await?;
    rows::execute(
        tx,
        CHANGE,
        &[
            &business.get(),
            &id.get(),
            &name.as_str(),
            change.url.as_ref().unwrap_or(&there.url),
            &types_text(change.types.unwrap_or(there.types)),
        ],
    )
    .await?;
    let changed = existing(tx, business, id).await?;
    work.raise(Version::Subscriptions);
    Ok(changed)
}

pub(super) async fn switch(
    work: &mut Work<'_>,
    business: BusinessId,
    id: SubscriptionId,
    switch: Switch,
) -> Result<Subscription> {
    let tx = &work.tx;
    locked(tx, business, id).await?;
    let key = (business.get(), id.get());
    match switch {
        Switch::On => {
            let newest = events::newest(tx, Some(business)).await?;
            let lease = leases::lease(work.node);
            rows::execute(
                tx,
                ENABLE,
                &[&key.0, &key.1, &newest, &lease.owner, &lease.seconds],
            )
            .await?;
        }
        Switch::Off(why) => disable(tx, business, id, why).await?,
        Switch::NewSecret { previous_until } => {
            rows::execute(tx, NEW_SECRET, &[&key.0, &key.1, &previous_until.as_millis()]).await?;
        }
    }
    let switched = existing(tx, business, id).await?;
    work.raise(Version::Subscriptions);
    Ok(switched)
}

/// Switches it off and cancels what waited for it; nobody looks after it from then on.
pub(super) async fn disable(
    tx: &Transaction<'_>,
    business: BusinessId,
    id: SubscriptionId,
    why: DisabledBy,
) -> Result<()> {
    rows::execute(tx, DISABLE, &[&business.get(), &id.get(), &why.as_str()]).await?;
    rows::execute(tx, CANCEL_AGAIN, &[&business.get(), &id.get()])
        .await
        .map(drop)
}

pub(super) async fn delete(work: &mut Work<'_>, business: BusinessId, id: SubscriptionId) -> Result<()> {
    locked(&work.tx, business, id).await?;
    for sql in [CANCEL_AGAIN, DELETE, FORGET_REQUEST] {
        rows::execute(&work.tx, sql, &[&business.get(), &id.get()]).await?;
    }
    work.raise(Version::Subscriptions);
    Ok(())
}

/// Subscriptions of all businesses that were disabled because deliveries failed.
pub(super) async fn given_up(conn: &impl GenericClient) -> Result<u64> {
    rows::unsigned(&rows::query_one(conn, GIVEN_UP, &[]).await?, 0, "count")
}

async fn name_must_be_free(
    conn: &impl GenericClient,
    business: BusinessId,
    name: &SubscriptionName,
    except: Option<SubscriptionId>,
) -> Result<()> {
    let except = except.map(SubscriptionId::get);
    let taken = rows::query_one(conn, NAME_TAKEN, &[&business.get(), &name.as_str(), &except]).await?;
    if rows::get(&taken, 0)? {
        return Err(Refusal::Conflict(Conflict::NameTaken).into());
    }
    Ok(())
}
