//! What waits to be delivered, and what became of each try.

use deadpool_postgres::{GenericClient, Transaction};
use prilavok_domain::event::DisabledBy;
use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::{BusinessId, Event, SubscriptionId, Timestamp};

use super::meta::Version;
use super::statements::statements;
use super::work::Work;
use super::{attempts, events, rows, subscriptions};
use crate::notifications::{Again, Delivery, LOOKED_AT, Settled, Try, Waiting};
use crate::{Conflict, Entity, Refusal, Result};

statements! {
    SETTLED = "SELECT settled_event_id FROM subscription WHERE business_id = $1 AND subscription_id = $2";
    ASKED_AGAIN = "SELECT e.business_id, e.event_id, e.type, e.chat_id, e.message_id, e.at, a.again_id
        FROM again a JOIN event e ON e.business_id = a.business_id AND e.event_id = a.event_id
        WHERE a.business_id = $1 AND a.subscription_id = $2 ORDER BY a.again_id LIMIT $3";
    /// Nothing is settled by a node which another one has taken the subscription over from.
    HELD_BY_ANOTHER = "SELECT owner IS DISTINCT FROM $3 AND leased_until > clock_timestamp() FROM subscription
        WHERE business_id = $1 AND subscription_id = $2 FOR UPDATE";
    SENT_AGAIN = "DELETE FROM again WHERE business_id = $1 AND subscription_id = $2 AND again_id = ANY ($3)";
    SKIP = "UPDATE subscription SET settled_event_id = $3
        WHERE business_id = $1 AND subscription_id = $2 AND settled_event_id < $3";
    WENT_WELL = "UPDATE subscription SET failing_since = NULL, next_try_at = NULL
        WHERE business_id = $1 AND subscription_id = $2 AND failing_since IS NOT NULL";
    TRY_AGAIN = "UPDATE subscription SET failing_since = coalesce(failing_since, $3), next_try_at = $4
        WHERE business_id = $1 AND subscription_id = $2 AND disabled IS NULL";
    EVENT = concat!("SELECT ", events::event!(), " FROM event WHERE business_id = $1 AND event_id = $2");
    EVENTS_BETWEEN = concat!("SELECT ", events::event!(), " FROM event
        WHERE business_id = $1 AND at >= $2 AND at < $3 ORDER BY event_id");
    QUEUE = "INSERT INTO again (business_id, subscription_id, again_id, event_id)
        SELECT $1, $2, * FROM unnest($3::bigint[], $4::bigint[])";
}

/// What was asked for again first, then events in their turn.
pub(super) async fn waiting(
    conn: &impl GenericClient,
    business: BusinessId,
    id: SubscriptionId,
    seen: i64,
    limit: usize,
) -> Result<Waiting> {
    let subscription = subscriptions::existing(conn, business, id).await?;
    if subscription.disabled.is_some() {
        return Ok(Waiting::nothing(seen));
    }
    let again = asked_again(conn, business, id, limit).await?;
    if !again.is_empty() {
        return Ok(Waiting::again(again, seen));
    }
    let settled = rows::query_opt(conn, SETTLED, &[&business.get(), &id.get()]).await?;
    let settled: i64 = settled.map_or(Ok(0), |row| rows::get(&row, 0))?;
    let seen = seen.max(settled);
    let events = events::after(conn, Some(business), seen, LOOKED_AT).await?;
    Ok(Waiting::in_turn(events, subscription.types, seen, limit))
}

async fn asked_again(
    conn: &impl GenericClient,
    business: BusinessId,
    id: SubscriptionId,
    limit: usize,
) -> Result<Vec<Delivery>> {
    let found = rows::query(
        conn,
        ASKED_AGAIN,
        &[&business.get(), &id.get(), &rows::limit(limit)],
    )
    .await?;
    let deliveries = found.iter().map(|row| {
        Ok(Delivery {
            event: rows::event(row, 0)?,
            again: rows::get(row, 6)?,
        })
    });
    deliveries.collect()
}

/// Whether another node looks after the subscription by now. It is locked until the transaction ends.
async fn held_by_another(
    tx: &Transaction<'_>,
    business: BusinessId,
    id: SubscriptionId,
    owner: i64,
) -> Result<bool> {
    let found = rows::query_opt(tx, HELD_BY_ANOTHER, &[&business.get(), &id.get(), &owner]).await?;
    let held: Option<Option<bool>> = found.map(|row| rows::get(&row, 0)).transpose()?;
    Ok(held.flatten().unwrap_or(false))
}

/// Logs tries in order and does what follows from each, unless another node has taken the subscription over.
pub(super) async fn settle(
    work: &mut Work<'_>,
    business: BusinessId,
    id: SubscriptionId,
    tries: &[Try],
) -> Result<()> {
    let key = (business.get(), id.get());
    let ids: Vec<_> = tries
        .iter()
        .map(|one| work.next_id(IdFor::File, one.attempt.at))
        .collect();
    let tx = &work.tx;
    if held_by_another(tx, business, id, work.node.instance()).await? {
        return Ok(());
    }
    attempts::log(tx, business, id, tries, &ids).await?;
    let over = || tries.iter().filter(|one| is_over(one.settled));
    let again: Vec<_> = over().filter_map(|one| one.delivery.again).collect();
    if !again.is_empty() {
        rows::execute(tx, SENT_AGAIN, &[&key.0, &key.1, &again]).await?;
    }
    let in_turn = over().filter(|one| one.delivery.again.is_none());
    if let Some(last) = in_turn.map(|one| one.delivery.event.id.get()).max() {
        rows::execute(tx, SKIP, &[&key.0, &key.1, &last]).await?;
    }
    if over().next().is_some() {
        rows::execute(tx, WENT_WELL, &[&key.0, &key.1]).await?;
    }
    match tries.last().map(|last| (last.settled, last.attempt.at)) {
        None | Some((Settled::Delivered | Settled::Refused, _)) => {}
        Some((Settled::TryAgain(next), at)) => {
            let times = (at.as_millis(), next.as_millis());
            rows::execute(tx, TRY_AGAIN, &[&key.0, &key.1, &times.0, &times.1]).await?;
        }
        Some((Settled::GivenUp, _)) => {
            let there = subscriptions::one(tx, business, id).await?;
            if there.is_some_and(|it| it.disabled.is_none()) {
                subscriptions::disable(tx, business, id, DisabledBy::Failures).await?;
                work.raise(Version::Subscriptions);
            }
        }
    }
    Ok(())
}

/// Whether nothing more is to be done about a delivery.
const fn is_over(settled: Settled) -> bool {
    matches!(settled, Settled::Delivered | Settled::Refused)
}

/// Settles every event up to `seen`, unless another node has taken the subscription over.
pub(super) async fn skip(
    work: &mut Work<'_>,
    business: BusinessId,
    id: SubscriptionId,
    seen: i64,
) -> Result<()> {
    if !held_by_another(&work.tx, business, id, work.node.instance()).await? {
        rows::execute(&work.tx, SKIP, &[&business.get(), &id.get(), &seen]).await?;
    }
    Ok(())
}

/// Puts events into the queue of what is sent again; answers how many.
pub(super) async fn send_again(
    work: &mut Work<'_>,
    business: BusinessId,
    id: SubscriptionId,
    again: Again,
    now: Timestamp,
) -> Result<u64> {
    let tx = &work.tx;
    let subscription = subscriptions::locked(tx, business, id).await?;
    if subscription.disabled.is_some() {
        return Err(Refusal::Conflict(Conflict::SubscriptionDisabled).into());
    }
    let found = match again {
        Again::Event(event) => rows::query(tx, EVENT, &[&business.get(), &event.get()]).await?,
        Again::Between(from, until) => {
            let times = (from.as_millis(), until.as_millis());
            rows::query(tx, EVENTS_BETWEEN, &[&business.get(), &times.0, &times.1]).await?
        }
    };
    if let (Again::Event(event), true) = (again, found.is_empty()) {
        return Err(Refusal::NotFound(Entity::Event(event)).into());
    }
    let found: Vec<Event> = found
        .iter()
        .map(|row| rows::event(row, 0))
        .collect::<Result<_>>()?;
    let wanted = found
        .iter()
        .filter(|event| subscription.types.contains(event.kind));
    let (places, events): (Vec<_>, Vec<_>) = wanted
        .map(|event| (work.next_id(IdFor::File, now), event.id.get()))
        .unzip();
    let queued = rows::execute(tx, QUEUE, &[&business.get(), &id.get(), &places, &events]).await?;
    // Whichever node delivers to it looks.
    work.raise(Version::Subscriptions);
    Ok(queued)
}
