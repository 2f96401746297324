//! What waits to be delivered, and what became of each try.

#![allow(unused)]

use super::db::{Db, Source};
use super::statements::statements;
use super::transaction::Write;
use crate::files::FileStore;
use crate::*;
use prilavok_domain::*;

statements! {
    NONE = "SELECT 1", across: "a place holder";
}

pub(super) async fn given_up(source: &impl Source) -> Result<u64> {
    super::not_yet()
}

pub(super) async fn waiting(
    db: &Db,
    business: BusinessId,
    id: SubscriptionId,
    seen: i64,
    limit: usize,
) -> Result<Waiting> {
    super::not_yet()
}

pub(super) async fn settle(
    write: &Write,
    business: BusinessId,
    id: SubscriptionId,
    tries: &[Try],
) -> Result<()> {
    super::not_yet()
}

pub(super) async fn skip(write: &Write, business: BusinessId, id: SubscriptionId, seen: i64) -> Result<()> {
    super::not_yet()
}

pub(super) async fn send_again(
    write: &Write,
    business: BusinessId,
    id: SubscriptionId,
    again: Again,
    now: Timestamp,
) -> Result<u64> {
    super::not_yet()
}
