//! Subscriptions to notifications.

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

pub(super) async fn create(
    write: &Write,
    new: &NewSubscription,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Subscription>> {
    super::not_yet()
}

pub(super) async fn list(source: &impl Source, business: BusinessId) -> Result<Vec<Subscription>> {
    super::not_yet()
}

pub(super) async fn one(
    source: &impl Source,
    business: BusinessId,
    id: SubscriptionId,
) -> Result<Option<Subscription>> {
    super::not_yet()
}

pub(super) async fn change(
    write: &Write,
    business: BusinessId,
    id: SubscriptionId,
    change: &SubscriptionChange,
) -> Result<Subscription> {
    super::not_yet()
}

pub(super) async fn switch(
    write: &Write,
    business: BusinessId,
    id: SubscriptionId,
    switch: Switch,
) -> Result<Subscription> {
    super::not_yet()
}

pub(super) async fn delete(write: &Write, business: BusinessId, id: SubscriptionId) -> Result<()> {
    super::not_yet()
}

pub(super) async fn enabled(db: &Db) -> Result<Vec<Subscription>> {
    super::not_yet()
}
