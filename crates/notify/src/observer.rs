//! What happens here, told to whoever measures.

use std::time::Duration;

use prilavok_domain::event::Outcome;

/// Told of each try to deliver; it must be quick.
pub trait Observer: Send + Sync + 'static {
    /// A try ended so, after so long; whether it was a repetition of one that failed.
    fn tried(&self, outcome: Outcome, took: Duration, again: bool);
}
