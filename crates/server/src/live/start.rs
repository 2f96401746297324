//! Where a stream begins: after the event that the client saw last, or now.

use prilavok_domain::{BusinessId, Timestamp};
use prilavok_store::{Store, StoreError};
use prilavok_wire::live::Gap;

/// How long events are kept at least, and so how long a client may stay away without a gap.
const KEPT_MS: i64 = 24 * 3_600_000;

/// Where a stream begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The stream shows events after this one.
    pub after: i64,
    /// What the client missed for good, if it did.
    pub gap: Option<Gap>,
}

impl Start {
    /// Finds it for a client that saw the event `last` last; `None`: that asks for no earlier events.
    ///
    /// The stream must have its place in the hub before, or what happens in between is told to nobody.
    pub async fn find(
        store: &dyn Store,
        business: Option<BusinessId>,
        last: Option<i64>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let newest = store.newest_event(business).await?;
        let Some(last) = last else {
            return Ok(Self {
                after: newest,
                gap: None,
            });
        };
        // Zero stands before the first event: nothing can be missing before what is kept.
        if last == 0 || resumable(store, business, last, newest, now).await? {
            return Ok(Self {
                after: last,
                gap: None,
            });
        }
        // Never before what the client saw, and never behind what is yet to come: an id from a store that was put back
        // to an older copy may lie in the future.
        let after = last.min(newest);
        let first = store.events(business, after, 1).await?.pop();
        let gap = Gap {
            last_event: last,
            first,
        };
        Ok(Self {
            after,
            gap: Some(gap),
        })
    }
}

/// Whether every event after `last` is kept. Being there is not enough: an event may be kept for longer than those
/// after it, while a subscription waits for it.
async fn resumable(
    store: &dyn Store,
    business: Option<BusinessId>,
    last: i64,
    newest: i64,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let kept = store.events(business, last - 1, 1).await?.pop();
    let kept = kept.filter(|event| event.id.get() == last);
    Ok(kept.is_some_and(|event| last == newest || event.at >= now.plus_millis(-KEPT_MS)))
}
