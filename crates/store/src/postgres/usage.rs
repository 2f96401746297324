//! Hourly counts.

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

pub(super) async fn load(source: &impl Source, hour: Timestamp) -> Result<Vec<Usage>> {
    super::not_yet()
}

pub(super) async fn save(write: &Write, usage: &[Usage], forget_before: Option<Timestamp>) -> Result<()> {
    super::not_yet()
}
