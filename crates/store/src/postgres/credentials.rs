//! credentials

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

pub(super) async fn create(
    write: &Write,
    new: &NewCredential,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Credential>> {
    super::not_yet()
}

pub(super) async fn list(
    source: &impl Source,
    business: BusinessId,
    kind: CredentialKind,
) -> Result<Vec<Credential>> {
    super::not_yet()
}

pub(super) async fn one(
    source: &impl Source,
    business: BusinessId,
    kind: CredentialKind,
    id: CredentialId,
) -> Result<Option<Credential>> {
    super::not_yet()
}

pub(super) async fn change(
    write: &Write,
    business: BusinessId,
    kind: CredentialKind,
    id: CredentialId,
    change: &CredentialChange,
) -> Result<Credential> {
    super::not_yet()
}

pub(super) async fn revoke(
    write: &Write,
    business: BusinessId,
    kind: CredentialKind,
    id: CredentialId,
    now: Timestamp,
) -> Result<Credential> {
    super::not_yet()
}

pub(super) async fn by_hash(
    source: &impl Source,
    kind: CredentialKind,
    hash: SecretHash,
) -> Result<Option<Credential>> {
    super::not_yet()
}

pub(super) async fn create_operator_token(
    write: &Write,
    hash: SecretHash,
    now: Timestamp,
) -> Result<OperatorToken> {
    super::not_yet()
}

pub(super) async fn operator_tokens(source: &impl Source) -> Result<Vec<OperatorToken>> {
    super::not_yet()
}

pub(super) async fn revoke_operator_token(write: &Write, id: CredentialId) -> Result<bool> {
    super::not_yet()
}

pub(super) async fn operator_token(source: &impl Source, hash: SecretHash) -> Result<Option<OperatorToken>> {
    super::not_yet()
}
