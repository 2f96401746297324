//! messages

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

pub(super) async fn append(
    write: &Write,
    business: BusinessId,
    chat: ChatId,
    new: &NewMessage,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Message>> {
    super::not_yet()
}

pub(super) async fn one(
    source: &impl Source,
    business: BusinessId,
    chat: ChatId,
    id: MessageId,
) -> Result<Option<Message>> {
    super::not_yet()
}

pub(super) async fn page(
    source: &impl Source,
    business: BusinessId,
    chat: ChatId,
    range: MessageRange,
    limit: usize,
) -> Result<Page<Message>> {
    super::not_yet()
}

pub(super) async fn before(
    source: &impl Source,
    business: BusinessId,
    chat: ChatId,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Page<Message>> {
    super::not_yet()
}

pub(super) async fn file(
    source: &impl Source,
    business: BusinessId,
    id: FileId,
) -> Result<Option<(Attachment, StoredFile)>> {
    super::not_yet()
}

pub(super) async fn latest(
    source: &impl Source,
    business: BusinessId,
    chat: ChatId,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Page<Message>> {
    super::not_yet()
}

pub(super) async fn named_files(source: &impl Source, objects: &[String]) -> Result<Vec<bool>> {
    super::not_yet()
}
