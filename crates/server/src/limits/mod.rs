//! The parallel and the hourly limits: counted in memory, kept by the store a second behind.
//!
//! [`settings`] says how much is allowed, [`hourly`] counts calls in windows aligned to the clock
//! hour, [`parallel`] counts calls under way.

pub mod hourly;
pub mod parallel;
pub mod settings;

use prilavok_domain::{BusinessId, Timestamp};
use prilavok_store::Usage;
use prilavok_wire::Operation;

pub use hourly::Window;
pub use parallel::{Bucket, Slot};
pub use settings::{Limit, LimitSettings};

use hourly::HourlyCounts;
use parallel::ParallelCounts;

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
    hourly: HourlyCounts,
    parallel: ParallelCounts,
}

impl Limiter {
    /// Starts from what was counted before, as kept by the store.
    #[must_use]
    pub fn new(settings: LimitSettings, kept: &[Usage]) -> Self {
        Self {
            settings,
            hourly: HourlyCounts::new(kept),
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
    pub fn take(
        &self,
        operation: Operation,
        business: BusinessId,
        now: Timestamp,
    ) -> Result<(), LimitRefusal> {
        let limit = self.settings.hourly(operation, business);
        if self.hourly.take(operation, business, now, limit) {
            Ok(())
        } else {
            Err(LimitRefusal::Hourly {
                limit: limit.as_number(),
            })
        }
    }

    /// Gives back a call taken at `taken_at`, if its hour is not over.
    pub fn give_back(&self, operation: Operation, business: BusinessId, taken_at: Timestamp) {
        self.hourly.give_back(operation, business, taken_at);
    }

    /// Counts a call that was refused before the hourly limit was asked; it never refuses.
    pub fn charge(&self, operation: Operation, business: BusinessId, now: Timestamp) {
        // At the limit there is nothing left to take, and that is all there is to it.
        let _ = self.take(operation, business, now);
    }

    /// What the headers say; for a caller that is not known, an unused window of the usual limit.
    #[must_use]
    pub fn window(&self, operation: Operation, business: Option<BusinessId>, now: Timestamp) -> Window {
        match business {
            Some(business) => {
                let limit = self.settings.hourly(operation, business);
                self.hourly.window(operation, business, now, limit)
            }
            None => Window::unused(self.settings.usual_hourly(operation), now),
        }
    }

    /// The calls that a business may make of an operation in an hour.
    #[must_use]
    pub fn hourly(&self, operation: Operation, business: BusinessId) -> Limit {
        self.settings.hourly(operation, business)
    }

    /// The counts that changed since they were last drained.
    #[must_use]
    pub fn drain_changed(&self) -> Vec<Usage> {
        self.hourly.drain_changed()
    }

    /// Marks `usage` as changed again: it could not be kept.
    pub fn mark_changed(&self, usage: &[Usage]) {
        self.hourly.mark_changed(usage);
    }
}
