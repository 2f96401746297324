//! What an SQLite error means to those who asked.

use rusqlite::ErrorCode;

use crate::StoreError;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use ErrorCode::{
            CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, FileLockingProtocolFailed, OutOfMemory,
            ReadOnly, SystemIoFailure,
        };
        match error.sqlite_error_code() {
            Some(
                DatabaseBusy
                | DatabaseLocked
                | DiskFull
                | ReadOnly
                | SystemIoFailure
                | CannotOpen
                | OutOfMemory
                | FileLockingProtocolFailed,
            ) => Self::Unavailable(error.to_string()),
            _ => Self::Failed(Box::new(error)),
        }
    }
}

/// A row holds what no version of Prilavok writes.
#[derive(Debug, thiserror::Error)]
#[error("the column {column} holds {found}")]
pub(super) struct BadColumn {
    pub(super) column: &'static str,
    pub(super) found: String,
}
