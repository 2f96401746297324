//! Whether the file that is open is still the one that its path names. A database that was removed,
//! replaced or emptied under a running server goes on taking writes that nobody will find again.

use std::fs::{Metadata, metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::{Result, StoreError};

/// The smallest page that SQLite knows: no database is smaller.
const SMALLEST: u64 = 512;

/// A file as it was when it was opened.
///
/// It is looked at and never opened here: closing it again would drop the locks that SQLite holds on it
/// in this process.
pub(super) struct Presence {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
}

impl Presence {
    pub(super) fn of(path: &Path) -> std::io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            identity: identity(&metadata(path)?),
        })
    }

    pub(super) fn prove(&self) -> Result<()> {
        let problem = match metadata(&self.path) {
            Ok(found) if identity(&found) != self.identity => "another file is in its place".to_owned(),
            Ok(found) if found.len() < SMALLEST => "it was emptied".to_owned(),
            Ok(_) => return Ok(()),
            Err(error) => error.to_string(),
        };
        let path = self.path.display();
        Err(StoreError::Unavailable(format!("the database {path}: {problem}")))
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}
