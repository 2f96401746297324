//! of_customer

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

pub(super) async fn chats(
    source: &impl Source,
    business: BusinessId,
    of: &CustomerChats,
    after: Option<ChatId>,
    limit: usize,
) -> Result<Page<Chat>> {
    super::not_yet()
}

pub(super) async fn chat_of_file(
    source: &impl Source,
    business: BusinessId,
    id: FileId,
) -> Result<Option<ChatId>> {
    super::not_yet()
}

pub(super) async fn events(
    source: &impl Source,
    business: BusinessId,
    of: &CustomerChats,
    after: i64,
    limit: usize,
) -> Result<CustomerEvents> {
    super::not_yet()
}
