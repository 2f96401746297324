//! Hourly counts, kept so that they survive a restart.

use std::sync::Arc;

use prilavok_domain::{BusinessId, Timestamp};

/// What one business used of one operation in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The business.
    pub business: BusinessId,
    /// The operation's name.
    pub operation: String,
    /// When the window began.
    pub hour: Timestamp,
    /// Calls that counted.
    pub used: u64,
}

const HOUR_MS: i64 = 3_600_000;

/// Whether the window that began at `window` goes on in the hour `hour`. A clock that steps back an hour stays in the
/// window it was in, so that nobody gets an hour's calls twice; one that was wrong by more must not hold a window open for
/// as long.
#[must_use]
pub fn is_open(window: Timestamp, hour: Timestamp) -> bool {
    window >= hour && window <= hour.plus_millis(HOUR_MS)
}

/// What a node takes of an hour's calls before they are made, or gives back of them. All nodes count in one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The business.
    pub business: BusinessId,
    /// The operation's name.
    pub operation: String,
    /// The hour of the node's clock; for what is given back the window that it was taken of.
    pub hour: Timestamp,
    /// Calls an hour of all nodes together; `None` where they are only counted.
    pub limit: Option<u32>,
    /// How many.
    pub calls: Calls,
}

/// How many calls a [`Claim`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// One of `parts` parts of what is left, but `least` and `most` at the least and most; never more than is left.
    Take {
        /// At least so many, if they are left.
        least: u32,
        /// At most so many.
        most: u32,
        /// Into how many parts what is left is divided; not zero.
        parts: u32,
    },
    /// So many that were taken and not made. Nothing happens where their window is over.
    GiveBack(u32),
}

/// What became of a [`Claim`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted {
    /// When the window began that counts.
    pub hour: Timestamp,
    /// What all nodes have taken of it by now.
    pub used: u64,
    /// Calls that the node may make; zero for what was given back.
    pub calls: u32,
}

/// A limit of one business.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LimitOf {
    /// The business.
    pub business: BusinessId,
    /// The operation's name.
    pub operation: String,
}

/// What other nodes need calls of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scarce {
    /// Hardly anything is left of these limits.
    These(Arc<[LimitOf]>),
    /// Something was told and not heard: any limit may be scarce.
    Any,
}

impl Claim {
    /// What becomes of it where `used` are taken in the window `window`.
    #[must_use]
    pub fn on(&self, window: Timestamp, used: u64) -> Granted {
        let after = |hour, used, calls| Granted { hour, used, calls };
        match self.calls {
            Calls::GiveBack(calls) if window == self.hour => {
                after(window, used.saturating_sub(calls.into()), 0)
            }
            Calls::GiveBack(_) => after(window, used, 0),
            Calls::Take { least, most, parts } => {
                let (hour, used) = match is_open(window, self.hour) {
                    true => (window, used),
                    false => (self.hour, 0),
                };
                let left = self
                    .limit
                    .map_or(u64::MAX, |limit| u64::from(limit).saturating_sub(used));
                let part = left / u64::from(parts.max(1));
                let calls = part.max(least.into()).min(most.into()).min(left);
                let calls = u32::try_from(calls).unwrap_or(u32::MAX);
                after(hour, used.saturating_add(calls.into()), calls)
            }
        }
    }
}
