//! What is kept no longer: chats and files whose time is over, people who are to be erased.

use std::pin::pin;
use std::sync::Arc;

use futures_util::TryStreamExt;
use prilavok_domain::Timestamp;
use prilavok_store::requests::RequestLog;
use prilavok_store::{Result, StoreError, Taken};

use super::{MINUTE_MS, Scheduled};

/// Customers erased in one run.
const CUSTOMERS: usize = 100;
/// Chats looked for in the request log at a time.
const CHATS: usize = 1_000;

impl Scheduled {
    pub(super) async fn forget_chats(&self, now: Timestamp, keep_ms: i64) -> Result<u64> {
        let before = now.plus_millis(-keep_ms);
        let mut done = 0;
        let mut businesses = pin!(self.businesses());
        while let Some(business) = businesses.try_next().await? {
            while self
                .took(self.store.forget_chats(business, before, now).await?, &mut done)
                .await
            {}
        }
        Ok(done)
    }

    pub(super) async fn forget_files(&self, now: Timestamp, keep_ms: i64) -> Result<u64> {
        let before = now.plus_millis(-keep_ms);
        let mut done = 0;
        let mut businesses = pin!(self.businesses());
        while let Some(business) = businesses.try_next().await? {
            while self
                .took(self.store.forget_files(business, before, now).await?, &mut done)
                .await
            {}
        }
        Ok(done)
    }

    pub(super) async fn erase_customers(&self, now: Timestamp) -> Result<u64> {
        let mut done = 0;
        for customer in self.store.erasures_under_way(CUSTOMERS).await? {
            while self
                .took(self.store.erase_some(&customer, now).await?, &mut done)
                .await
            {}
        }
        while self.store.clear_traces().await? {}
        Ok(done)
    }

    /// Removes the bytes that a step left without a name; answers whether there is another step to take.
    async fn took(&self, step: Taken, done: &mut u64) -> bool {
        for object in &step.objects {
            if let Err(error) = self.files.remove(object).await {
                // The sweep finds it: no message names it.
                tracing::warn!(object, %error, "a file could not be removed: it is tried again later");
            }
        }
        *done += step.count;
        step.more
    }

    /// Looks through the request log for chats that something was taken away from. What was asked just before that may
    /// be on its way into the log still: it is given a minute.
    pub(super) async fn forget_in_requests(&self, log: &Arc<RequestLog>, now: Timestamp) -> Result<u64> {
        let newest = self.store.marks().await?.taken;
        let mut done = 0;
        loop {
            let of_step = Arc::clone(log);
            // A store that is behind its log is an older copy that was put in its place.
            let after = blocking(move || of_step.taken()).await?.min(newest);
            let mut taken = self.store.taken_from(after, CHATS).await?;
            let settled = now.plus_millis(-MINUTE_MS);
            let young = taken.iter().position(|from| from.at > settled);
            taken.truncate(young.unwrap_or(taken.len()));
            let Some(last) = taken.last().map(|last| last.place) else {
                return Ok(done);
            };
            done += taken.len() as u64;
            let mut after = 0;
            let taken = Arc::new(taken);
            loop {
                let (of_step, from) = (Arc::clone(log), Arc::clone(&taken));
                match blocking(move || of_step.forget_chats(&from, after)).await? {
                    Some(looked) => after = looked,
                    None => break,
                }
            }
            let of_step = Arc::clone(log);
            blocking(move || of_step.keep_taken(last)).await?;
        }
    }
}

/// Does what waits for the disk on a thread of its own.
pub(super) async fn blocking<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| StoreError::Failed(Box::new(error)))?
}
