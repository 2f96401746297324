//! chat_list

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
    filter: &ChatFilter,
    after: Option<ChatCursor>,
    limit: usize,
) -> Result<Page<Chat>> {
    super::not_yet()
}
