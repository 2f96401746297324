//! What has expired, and what nobody needs.

use std::pin::pin;
use std::sync::Arc;

use futures_util::TryStreamExt;
use prilavok_domain::Timestamp;
use prilavok_store::requests::RequestLog;
use prilavok_store::{ForgetBefore, Result, StoreError};

use super::personal_data::blocking;
use super::{HOUR_MS, Scheduled};

/// A file that no message names may still be on its way into one; after so long it is not.
const ORPHAN_AFTER_MS: i64 = 24 * HOUR_MS;
/// What was taken away from chats is told for so long; who has not heard of it by then begins anew.
const TAKEN_MS: i64 = 30 * 24 * HOUR_MS;
/// Files asked for at a time.
const FILES: usize = 500;

/// Removes the calls that came before the time to keep them.
pub(super) async fn forget_requests(log: &Arc<RequestLog>, now: Timestamp, keep_ms: i64) -> Result<u64> {
    let before = now.plus_millis(-keep_ms);
    let mut done = 0;
    loop {
        let of_step = Arc::clone(log);
        let forgotten = blocking(move || of_step.forget(before)).await?;
        done += forgotten;
        if forgotten == 0 {
            return Ok(done);
        }
    }
}

impl Scheduled {
    pub(super) async fn forget_notifications(&self, now: Timestamp, keep_ms: i64) -> Result<u64> {
        let before = ForgetBefore {
            attempts: now.plus_millis(-keep_ms),
            events: now.plus_millis(-keep_ms),
        };
        let mut done = 0;
        let mut businesses = pin!(self.businesses());
        while let Some(business) = businesses.try_next().await? {
            loop {
                let forgotten = self.store.forget_notifications(business, before).await?;
                done += forgotten;
                if forgotten == 0 {
                    break;
                }
            }
        }
        loop {
            let forgotten = self.store.forget_taken(now.plus_millis(-TAKEN_MS)).await?;
            done += forgotten;
            if forgotten == 0 {
                return Ok(done);
            }
        }
    }

    pub(super) async fn sweep_files(&self, now: Timestamp) -> Result<u64> {
        let before = now.plus_millis(-ORPHAN_AFTER_MS);
        let failed = |error| StoreError::Failed(Box::new(error));
        let mut done = self.files.sweep_unfinished(before).await.map_err(failed)?;
        let mut old = pin!(self.files.older_than(before).try_chunks(FILES));
        while let Some(objects) = old.try_next().await.map_err(|error| failed(error.1))? {
            let named = self.store.named_files(objects.clone()).await?;
            let orphans = objects.iter().zip(named).filter(|(_, named)| !named);
            for (object, _) in orphans {
                self.files.remove(object).await.map_err(failed)?;
                done += 1;
            }
        }
        Ok(done)
    }
}
