//! followed

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

pub(super) async fn marks(db: &Db) -> Result<Marks> {
    super::not_yet()
}

pub(super) async fn chats_by_id(
    source: &impl Source,
    after: Option<(BusinessId, ChatId)>,
    limit: usize,
) -> Result<Vec<Chat>> {
    super::not_yet()
}

pub(super) async fn renamed_customers(
    source: &impl Source,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, PublicId)>> {
    super::not_yet()
}
