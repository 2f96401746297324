//! Which node delivers to which subscription: each is leased to one node at a time.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use deadpool_postgres::GenericClient;
use parking_lot::Mutex;
use prilavok_domain::{BusinessId, SubscriptionId};

use super::nodes::Node;
use super::statements::statements;
use super::subscriptions::LeaseTo;
use super::{rows, subscriptions};
use crate::{Result, Subscription};

statements! {
    RENEW = "UPDATE subscription SET leased_until = clock_timestamp() + make_interval(secs => $2)
        WHERE owner = $1 AND disabled IS NULL AND leased_until > clock_timestamp()
            AND (business_id, subscription_id) NOT IN (SELECT * FROM unnest($3::bigint[], $4::bigint[]))
        RETURNING business_id, subscription_id";
    ENABLED = "SELECT count(*) FROM subscription WHERE disabled IS NULL";
    /// Whoever is looking at a free one at the same moment takes another.
    TAKE = "UPDATE subscription s SET owner = $1, leased_until = clock_timestamp() + make_interval(secs => $2)
        FROM (SELECT business_id, subscription_id FROM subscription
              WHERE disabled IS NULL AND (owner IS NULL OR leased_until <= clock_timestamp())
              ORDER BY business_id, subscription_id LIMIT $3 FOR UPDATE SKIP LOCKED) free
        WHERE s.business_id = free.business_id AND s.subscription_id = free.subscription_id
        RETURNING s.business_id, s.subscription_id";
    RELEASE = "UPDATE subscription SET owner = NULL, leased_until = NULL WHERE owner = $1";
}

type Key = (BusinessId, SubscriptionId);

/// What this node holds.
#[derive(Default)]
pub(super) struct Leases {
    held: Mutex<HashSet<Key>>,
    /// More than a fair share: not delivered to any more, and left to run out. So who delivers at the moment has the time to
    /// settle what it did.
    /// Each until its lease is over.
    leaving: Mutex<HashMap<Key, Instant>>,
    /// Counts changes of what is held.
    changes: AtomicU64,
}

impl Leases {
    /// How often what is held has changed since this node joined.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    pub(super) fn count_changes_from_here(&self) {
        self.changes.store(0, Ordering::Relaxed);
    }

    /// Renews what is held, leaves what is too much, takes what is free, up to a fair share. Nodes that come later get
    /// theirs when the others leave what is more than their share.
    pub(super) async fn share(&self, conn: &impl GenericClient, node: &Node) -> Result<()> {
        let lease = lease(node);
        let (businesses, ids): (Vec<_>, Vec<_>) = {
            let mut leaving = self.leaving.lock();
            leaving.retain(|_, until| Instant::now() < *until);
            leaving
                .keys()
                .map(|(business, id)| (business.get(), id.get()))
                .unzip()
        };
        let renewed = rows::query(conn, RENEW, &[&lease.owner, &lease.seconds, &businesses, &ids]).await?;
        let mut held = keys(&renewed)?;
        let enabled: u64 = rows::unsigned(&rows::query_one(conn, ENABLED, &[]).await?, 0, "count")?;
        let fair = usize::try_from(enabled.div_ceil(node.live().into())).unwrap_or(usize::MAX);
        let mut leaving = HashSet::new();
        if held.len() > fair {
            let mut all: Vec<_> = held.iter().copied().collect();
            all.sort_unstable();
            leaving.extend(all.split_off(fair));
            held.retain(|key| !leaving.contains(key));
        } else if held.len() < fair {
            let wanted = rows::limit(fair - held.len());
            let taken = rows::query(conn, TAKE, &[&lease.owner, &lease.seconds, &wanted]).await?;
            held.extend(keys(&taken)?);
        }
        let over = Instant::now() + node.times().length;
        self.now_held(held, leaving.into_iter().map(|key| (key, over)));
        Ok(())
    }

    fn now_held(&self, now: HashSet<Key>, newly_leaving: impl Iterator<Item = (Key, Instant)>) {
        let mut leaving = self.leaving.lock();
        // Taken again by this node, after all.
        leaving.retain(|key, _| !now.contains(key));
        leaving.extend(newly_leaving);
        let mut held = self.held.lock();
        if *held != now {
            *held = now;
            self.changes.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Those that this node delivers to.
    pub(super) async fn enabled(&self, conn: &impl GenericClient, node: &Node) -> Result<Vec<Subscription>> {
        let mut held = subscriptions::held(conn, node.instance()).await?;
        let leaving = self.leaving.lock();
        held.retain(|it| !leaving.contains_key(&(it.business, it.id)));
        Ok(held)
    }

    /// Leaves all to the others: this node stops.
    pub(super) async fn release(&self, conn: &impl GenericClient, node: &Node) -> Result<()> {
        rows::execute(conn, RELEASE, &[&node.instance()]).await.map(drop)
    }
}

/// A lease of a subscription to this node, from now on.
pub(super) fn lease(node: &Node) -> LeaseTo {
    LeaseTo {
        owner: node.instance(),
        seconds: node.times().seconds(),
    }
}

fn keys(found: &[tokio_postgres::Row]) -> Result<HashSet<Key>> {
    let keys = found.iter().map(|row| {
        Ok((
            rows::id(row, 0, "business_id")?,
            rows::id(row, 1, "subscription_id")?,
        ))
    });
    keys.collect()
}
