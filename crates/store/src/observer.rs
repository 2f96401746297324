//! How long the store takes, told to whoever measures.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Told of each read and each commit, on the thread that made it: it must be quick.
pub trait Observer: Send + Sync + 'static {
    /// A read of one row or one page.
    fn read(&self, took: Duration);
    /// A commit of so many writes in one transaction, their own work included.
    fn commit(&self, took: Duration, writes: usize);
}

/// The place for an observer, filled at most once.
#[derive(Clone, Default)]
pub(crate) struct Observed(Arc<OnceLock<Arc<dyn Observer>>>);

impl Observed {
    pub(crate) fn by(&self, observer: Arc<dyn Observer>) {
        // The first observer stays: there is one set of metrics in a server.
        let _ = self.0.set(observer);
    }

    pub(crate) fn read<T>(&self, work: impl FnOnce() -> T) -> T {
        let Some(observer) = self.0.get() else {
            return work();
        };
        let started = Instant::now();
        let result = work();
        observer.read(started.elapsed());
        result
    }

    /// A read took so long.
    pub(crate) fn read_took(&self, took: Duration) {
        if let Some(observer) = self.0.get() {
            observer.read(took);
        }
    }

    /// A write was committed by itself, after so long.
    pub(crate) fn commit_took(&self, took: Duration) {
        if let Some(observer) = self.0.get() {
            observer.commit(took, 1);
        }
    }

    pub(crate) fn commit<T>(&self, writes: usize, work: impl FnOnce() -> T) -> T {
        let Some(observer) = self.0.get() else {
            return work();
        };
        let started = Instant::now();
        let result = work();
        observer.commit(started.elapsed(), writes);
        result
    }
}
