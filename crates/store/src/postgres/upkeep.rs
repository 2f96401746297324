//! What keeps the store in order.

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

pub(super) async fn server_secret(db: &Db) -> Result<[u8; 32]> {
    super::not_yet()
}

pub(super) async fn ready(db: &Db) -> Result<()> {
    super::not_yet()
}

pub(super) fn backup() -> Result<()> {
    super::not_yet()
}
