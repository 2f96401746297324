//! Events: read by those who tell of them. A write notes them, see [`super::transaction`].

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

pub(super) async fn after(
    db: &Db,
    business: Option<BusinessId>,
    after: i64,
    limit: usize,
) -> Result<Vec<Event>> {
    super::not_yet()
}

pub(super) async fn newest(db: &Db, business: Option<BusinessId>) -> Result<i64> {
    super::not_yet()
}

pub(super) async fn settled_mark(db: &Db) -> Result<i64> {
    super::not_yet()
}
