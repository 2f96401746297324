//! The delivery log: a line for each try.

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

pub(super) async fn page(
    source: &impl Source,
    business: BusinessId,
    filter: &AttemptFilter,
    before: Option<i64>,
    limit: usize,
) -> Result<Page<LoggedAttempt>> {
    super::not_yet()
}

pub(super) async fn one(
    source: &impl Source,
    business: BusinessId,
    id: i64,
) -> Result<Option<LoggedAttempt>> {
    super::not_yet()
}

pub(super) async fn forget(write: &Write, business: BusinessId, before: ForgetBefore) -> Result<u64> {
    super::not_yet()
}
