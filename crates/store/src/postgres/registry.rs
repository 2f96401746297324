//! registry

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

pub(super) async fn register(write: &Write, items: &[Registration]) -> Result<Vec<Put>> {
    super::not_yet()
}

pub(super) async fn business(source: &impl Source, id: BusinessId) -> Result<Option<Business>> {
    super::not_yet()
}

pub(super) async fn businesses(
    source: &impl Source,
    after: Option<BusinessId>,
    limit: usize,
) -> Result<Vec<Business>> {
    super::not_yet()
}

pub(super) async fn campaign(
    source: &impl Source,
    business: BusinessId,
    id: CampaignId,
) -> Result<Option<Campaign>> {
    super::not_yet()
}

pub(super) async fn campaigns(
    source: &impl Source,
    business: BusinessId,
    after: Option<CampaignId>,
    limit: usize,
) -> Result<Vec<Campaign>> {
    super::not_yet()
}

pub(super) async fn customer(source: &impl Source, id: &PublicId) -> Result<Option<Customer>> {
    super::not_yet()
}

pub(super) async fn customers(
    source: &impl Source,
    after: Option<&PublicId>,
    limit: usize,
) -> Result<Vec<Customer>> {
    super::not_yet()
}

pub(super) async fn order(source: &impl Source, business: BusinessId, id: OrderId) -> Result<Option<Order>> {
    super::not_yet()
}

pub(super) async fn orders(
    source: &impl Source,
    business: BusinessId,
    after: Option<OrderId>,
    limit: usize,
) -> Result<Vec<Order>> {
    super::not_yet()
}

pub(super) async fn returned(
    source: &impl Source,
    business: BusinessId,
    id: ReturnId,
) -> Result<Option<Return>> {
    super::not_yet()
}

pub(super) async fn returns(
    source: &impl Source,
    business: BusinessId,
    after: Option<ReturnId>,
    limit: usize,
) -> Result<Vec<Return>> {
    super::not_yet()
}
