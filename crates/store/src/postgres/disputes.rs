//! disputes

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

pub(super) async fn waiting(
    source: &impl Source,
    after: Option<DisputeCursor>,
    limit: usize,
) -> Result<Page<Chat>> {
    super::not_yet()
}

pub(super) async fn verdict(
    source: &impl Source,
    business: BusinessId,
    dispute: ChatId,
) -> Result<Option<Verdict>> {
    super::not_yet()
}

pub(super) async fn act(
    write: &Write,
    business: BusinessId,
    by: CredentialId,
    act: &Act,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<AuditLine>> {
    super::not_yet()
}

pub(super) async fn audit(
    source: &impl Source,
    dispute: Option<(BusinessId, ChatId)>,
    before: Option<i64>,
    limit: usize,
) -> Result<Page<AuditLine>> {
    super::not_yet()
}
