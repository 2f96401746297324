//! Whether the files that are open are still the ones that their paths name. A database or a log that was removed,
//! replaced or emptied under a running server goes on taking writes that nobody will find again: looked at after each
//! commit, so that none of them is acknowledged.

use std::fs::{Metadata, metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::log;

/// The smallest page that SQLite knows: no database is smaller.
const SMALLEST: u64 = 512;

/// A database and its log as they were when they were opened.
///
/// They are looked at and never opened here: closing them again would drop the locks that SQLite holds on them in
/// this process.
pub(crate) struct Presence([Known; 2]);

struct Known {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
    /// Of the log: a transaction that changes nothing leaves it empty.
    may_be_empty: bool,
}

impl Presence {
    pub(crate) fn of(database: &Path) -> std::io::Result<Self> {
        let known = |path: PathBuf, may_be_empty| {
            let identity = identity(&metadata(&path)?);
            std::io::Result::Ok(Known {
                path,
                identity,
                may_be_empty,
            })
        };
        Ok(Self([
            known(database.to_owned(), false)?,
            known(log::beside(database, log::ENDING), true)?,
        ]))
    }

    pub(crate) fn prove(&self) -> Result<(), Gone> {
        self.0.iter().try_for_each(Known::prove)
    }
}

impl Known {
    fn prove(&self) -> Result<(), Gone> {
        let problem = match metadata(&self.path) {
            Ok(found) if identity(&found) != self.identity => "another file is in its place".to_owned(),
            Ok(found) if found.len() < SMALLEST && !self.may_be_empty => "it was emptied".to_owned(),
            Ok(_) => return Ok(()),
            Err(error) => error.to_string(),
        };
        Err(Gone(format!("{}: {problem}", self.path.display())))
    }
}

/// A file is not there any more, or not the one that is open.
#[derive(Debug, thiserror::Error)]
#[error("the database is not what it was: {0}")]
pub(crate) struct Gone(String);

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}
