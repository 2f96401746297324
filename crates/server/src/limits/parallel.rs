//! Calls under way, counted per business or campaign.

use std::sync::Arc;

use foldhash::HashMap;
use parking_lot::Mutex;
use prilavok_domain::{BusinessId, CampaignId};

use super::settings::Limit;

/// What calls under way are counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// A business.
    Business(BusinessId),
    /// A campaign of a business.
    Campaign(BusinessId, CampaignId),
}

impl Bucket {
    /// The business behind it.
    #[must_use]
    pub const fn business(self) -> BusinessId {
        match self {
            Self::Business(business) | Self::Campaign(business, _) => business,
        }
    }
}

type Counts = Mutex<HashMap<Bucket, u32>>;

/// Calls under way. Buckets without any take no memory.
#[derive(Default)]
pub(super) struct ParallelCounts(Arc<Counts>);

/// A place among the calls under way, given back when dropped.
pub struct Slot {
    counts: Arc<Counts>,
    bucket: Bucket,
}

impl ParallelCounts {
    pub(super) fn enter(&self, bucket: Bucket, limit: Limit) -> Option<Slot> {
        let mut counts = self.0.lock();
        let under_way = counts.entry(bucket).or_insert(0);
        if limit.allows_after(u64::from(*under_way)) {
            *under_way += 1;
            return Some(Slot {
                counts: Arc::clone(&self.0),
                bucket,
            });
        }
        if *under_way == 0 {
            counts.remove(&bucket);
        }
        None
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        if let Some(under_way) = counts.get_mut(&self.bucket) {
            *under_way -= 1;
            if *under_way == 0 {
                counts.remove(&self.bucket);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_call_of_a_business_waits_for_none_of_another() {
        let counts = ParallelCounts::default();
        let business = |id| Bucket::Business(BusinessId::new(id).expect("id"));
        let mut slots: Vec<_> = (0..4)
            .map(|_| counts.enter(business(1), Limit::At(4)).expect("free"))
            .collect();
        assert!(counts.enter(business(1), Limit::At(4)).is_none());
        assert!(counts.enter(business(2), Limit::At(4)).is_some());
        assert!(counts.enter(business(1), Limit::Unlimited).is_some());
        slots.pop();
        assert!(counts.enter(business(1), Limit::At(4)).is_some());
        slots.clear();
        assert!(counts.0.lock().is_empty(), "no call under way takes no memory");
        assert!(counts.enter(business(3), Limit::At(0)).is_none());
        assert!(counts.0.lock().is_empty());
    }
}
