//! chats

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

pub(super) async fn start(
    write: &Write,
    business: BusinessId,
    start: &StartChat,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Started>> {
    super::not_yet()
}

pub(super) async fn one(source: &impl Source, business: BusinessId, id: ChatId) -> Result<Option<Chat>> {
    super::not_yet()
}

pub(super) async fn change(
    write: &Write,
    business: BusinessId,
    chat: ChatId,
    change: ChatChange,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Chat>> {
    super::not_yet()
}

pub(super) async fn start_arbitration(
    write: &Write,
    business: BusinessId,
    chat: ChatId,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Chat>> {
    super::not_yet()
}
