//! Chats that wait for longer than they should.

use std::pin::pin;

use futures_util::TryStreamExt;
use futures_util::future::try_join_all;
use prilavok_domain::{BusinessId, MessageText, Timestamp};
use prilavok_store::Result;

use super::Scheduled;

/// Chats changed side by side: they share a commit.
const TOGETHER: usize = 100;

impl Scheduled {
    pub(super) async fn finish_idle(&self, now: Timestamp, after_ms: i64) -> Result<u64> {
        let before = now.plus_millis(-after_ms);
        let mut done = 0;
        let mut businesses = pin!(self.businesses());
        while let Some(business) = businesses.try_next().await? {
            done += self.finish_idle_of(business, before, now).await?;
        }
        Ok(done)
    }

    async fn finish_idle_of(&self, business: BusinessId, before: Timestamp, now: Timestamp) -> Result<u64> {
        let mut done = 0;
        loop {
            let idle = self.store.idle_chats(business, before, TOGETHER).await?;
            let finishing = idle
                .into_iter()
                .map(|chat| self.store.finish_idle(business, chat, before, now));
            let finished = count(try_join_all(finishing).await?);
            done += finished;
            if finished == 0 {
                return Ok(done);
            }
        }
    }

    pub(super) async fn remind(&self, now: Timestamp, after_ms: i64, text: &MessageText) -> Result<u64> {
        let before = now.plus_millis(-after_ms);
        let mut done = 0;
        let mut businesses = pin!(self.businesses());
        while let Some(business) = businesses.try_next().await? {
            done += self.remind_one(business, before, text, now).await?;
        }
        Ok(done)
    }

    async fn remind_one(
        &self,
        business: BusinessId,
        before: Timestamp,
        text: &MessageText,
        now: Timestamp,
    ) -> Result<u64> {
        let mut done = 0;
        loop {
            let owed = self.store.unanswered_chats(business, before, TOGETHER).await?;
            let reminding = owed
                .into_iter()
                .map(|chat| self.store.remind(business, chat, before, text.clone(), now));
            let reminded = count(try_join_all(reminding).await?);
            done += reminded;
            if reminded == 0 {
                return Ok(done);
            }
        }
    }
}

fn count(done: Vec<bool>) -> u64 {
    done.into_iter().filter(|done| *done).count() as u64
}
