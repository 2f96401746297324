//! counter

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

pub(super) async fn seen(
    source: &impl Source,
    business: BusinessId,
    chats: &[ChatId],
) -> Result<Vec<Option<MessageId>>> {
    super::not_yet()
}

pub(super) async fn mark_seen(
    write: &Write,
    business: BusinessId,
    chat: ChatId,
    message: MessageId,
) -> Result<()> {
    super::not_yet()
}

pub(super) async fn replies(source: &impl Source, business: BusinessId) -> Result<Vec<SavedReply>> {
    super::not_yet()
}

pub(super) async fn add_reply(
    write: &Write,
    business: BusinessId,
    content: &ReplyContent,
    now: Timestamp,
) -> Result<SavedReply> {
    super::not_yet()
}

pub(super) async fn change_reply(
    write: &Write,
    business: BusinessId,
    id: SavedReplyId,
    content: &ReplyContent,
) -> Result<()> {
    super::not_yet()
}

pub(super) async fn delete_reply(write: &Write, business: BusinessId, id: SavedReplyId) -> Result<()> {
    super::not_yet()
}
