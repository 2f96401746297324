//! The parallel and the hourly limits. One node counts in memory, and the store keeps its counts a second behind; nodes
//! that serve side by side count the hour together, in the store.
//!
//! [`settings`] says how much is allowed, [`hourly`] counts calls in windows aligned to the clock
//! hour, `shared` does so for many nodes, [`parallel`] counts calls under way.

pub mod hourly;
pub mod parallel;
pub mod settings;
mod share;
#[cfg(test)]
mod share_tests;
mod shared;

use std::sync::Arc;

use prilavok_domain::{BusinessId, Timestamp};
use prilavok_store::{Store, StoreError, Usage};
use prilavok_wire::Operation;

pub use hourly::Window;
pub use parallel::{Bucket, Slot};
pub use settings::{Limit, LimitSettings};

use hourly::HourlyCounts;
use parallel::ParallelCounts;
use shared::SharedCounts;

/// Which limit refused a call, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitRefusal {
    /// As many calls are under way as may be.
    Parallel {
        /// How many that is.
        limit: u32,
    },
    /// As many calls were made this hour as may be.
    Hourly {
        /// How many that is.
        limit: u32,
    },
}

/// Counts calls and refuses the ones too many.
pub struct Limiter {
    settings: LimitSettings,
    hourly: Hourly,
    parallel: ParallelCounts,
}

/// Who counts the calls of an hour.
enum Hourly {
    /// This process alone.
    Own(Box<HourlyCounts>),
    /// All nodes together.
    Shared(SharedCounts),
}

impl Limiter {
    /// Starts from what was counted before, as kept by the store.
    #[must_use]
    pub fn new(settings: LimitSettings, kept: &[Usage]) -> Self {
        Self::over(settings, Hourly::Own(Box::new(HourlyCounts::new(kept))))
    }

    /// Counts together with the other nodes of a store.
    #[must_use]
    pub fn shared(settings: LimitSettings, store: Arc<dyn Store>) -> Self {
        Self::over(settings, Hourly::Shared(SharedCounts::new(store)))
    }

    fn over(settings: LimitSettings, hourly: Hourly) -> Self {
        Self {
            settings,
            hourly,
            parallel: ParallelCounts::default(),
        }
    }

    /// Takes a place among the calls under way; it is given back when the slot is dropped.
    pub fn enter(&self, bucket: Bucket) -> Result<Slot, LimitRefusal> {
        let limit = self.settings.parallel(bucket.business());
        self.parallel.enter(bucket, limit).ok_or(LimitRefusal::Parallel {
            limit: limit.as_number(),
        })
    }

    /// Takes one call of the hour.
    pub async fn take(
        &self,
        operation: Operation,
        business: BusinessId,
        now: Timestamp,
    ) -> Result<(), LimitRefusal> {
        let limit = self.settings.hourly(operation, business);
        let taken = match &self.hourly {
            Hourly::Own(counts) => counts.take(operation, business, now, limit),
            Hourly::Shared(counts) => counts.take((business, operation), now, limit).await,
        };
        if taken {
            Ok(())
        } else {
            Err(LimitRefusal::Hourly {
                limit: limit.as_number(),
            })
        }
    }

    /// Gives back a call taken at `taken_at`, if its hour is not over.
    pub fn give_back(&self, operation: Operation, business: BusinessId, taken_at: Timestamp) {
        match &self.hourly {
            Hourly::Own(counts) => counts.give_back(operation, business, taken_at),
            Hourly::Shared(counts) => counts.give_back((business, operation), taken_at),
        }
    }

    /// Counts a call that was refused before the hourly limit was asked; it never refuses.
    pub fn charge(&self, operation: Operation, business: BusinessId, now: Timestamp) {
        match &self.hourly {
            Hourly::Own(counts) => {
                let limit = self.settings.hourly(operation, business);
                // At the limit there is nothing left to take, and that is all there is to it.
                counts.take(operation, business, now, limit);
            }
            Hourly::Shared(counts) => counts.charge((business, operation), now),
        }
    }

    /// What the headers say; for a caller that is not known, an unused window of the usual limit.
    #[must_use]
    pub fn window(&self, operation: Operation, business: Option<BusinessId>, now: Timestamp) -> Window {
        match business {
            Some(business) => {
                let limit = self.settings.hourly(operation, business);
                match &self.hourly {
                    Hourly::Own(counts) => counts.window(operation, business, now, limit),
                    Hourly::Shared(counts) => counts.window((business, operation), now, limit),
                }
            }
            None => Window::unused(self.settings.usual_hourly(operation), now),
        }
    }

    /// The calls that a business may make of an operation in an hour.
    #[must_use]
    pub fn hourly(&self, operation: Operation, business: BusinessId) -> Limit {
        self.settings.hourly(operation, business)
    }

    /// To be called once a second: the counts that the store is to be told of now, which is in steps of a fiftieth of a limit, or
    /// within half a minute. None where nodes count together.
    #[must_use]
    pub fn drain_round(&self) -> Vec<Usage> {
        match &self.hourly {
            Hourly::Own(counts) => counts.drain_round(),
            Hourly::Shared(_) => Vec::new(),
        }
    }

    /// All counts that the store does not know of; none where nodes count together.
    #[must_use]
    pub fn drain(&self) -> Vec<Usage> {
        match &self.hourly {
            Hourly::Own(counts) => counts.drain(),
            Hourly::Shared(_) => Vec::new(),
        }
    }

    /// Marks `usage` as changed again: it could not be kept.
    pub fn mark_changed(&self, usage: &[Usage]) {
        if let Hourly::Own(counts) = &self.hourly {
            counts.mark_changed(usage);
        }
    }

    /// To be called once a second: tells the other nodes what they have to know. Does nothing where there are none.
    pub async fn tell(&self, now: Timestamp) -> Result<(), StoreError> {
        match &self.hourly {
            Hourly::Own(_) => Ok(()),
            Hourly::Shared(counts) => counts.tick(now, &self.settings).await,
        }
    }

    /// Gives back what other nodes need as soon as they tell. Ends where there are none.
    pub async fn listen(&self) {
        if let Hourly::Shared(counts) = &self.hourly {
            counts.listen(&self.settings).await;
        }
    }

    /// Leaves to the other nodes what this one does not need any more. Does nothing where there are none.
    pub async fn leave(&self) -> Result<(), StoreError> {
        match &self.hourly {
            Hourly::Own(_) => Ok(()),
            Hourly::Shared(counts) => counts.leave(&self.settings).await,
        }
    }
}
