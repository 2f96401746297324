//! Chats that wait for longer than they should.

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

pub(super) async fn idle(
    source: &impl Source,
    business: BusinessId,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<ChatId>> {
    super::not_yet()
}

pub(super) async fn finish_idle(
    write: &Write,
    business: BusinessId,
    chat: ChatId,
    before: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    super::not_yet()
}

pub(super) async fn unanswered(
    source: &impl Source,
    business: BusinessId,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<ChatId>> {
    super::not_yet()
}

pub(super) async fn remind(
    write: &Write,
    business: BusinessId,
    chat: ChatId,
    before: Timestamp,
    text: &MessageText,
    now: Timestamp,
) -> Result<bool> {
    super::not_yet()
}
