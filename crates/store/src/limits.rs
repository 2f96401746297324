//! Hourly counts, kept so that they survive a restart.

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
