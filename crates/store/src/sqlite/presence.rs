//! Whether the files that are open are still the ones that their paths name. A database or a log that was removed,
//! replaced or emptied under a running server goes on taking writes that nobody will find again: looked at after each
//! commit, so that none of them is acknowledged.

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
            let identity = look(&path)?.identity;
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
        let problem = match look(&self.path) {
            Ok(found) if found.identity != self.identity => "another file is in its place".to_owned(),
            Ok(found) if found.size < SMALLEST && !self.may_be_empty => "it was emptied".to_owned(),
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

/// What a path names.
struct Found {
    /// Device and inode.
    identity: (u64, u64),
    size: u64,
}

/// Asks for no times: a file whose time of change was asked for gets a new one with its next write, and that is one more
/// write to the disk for each commit, a third of the time of one.
#[cfg(target_os = "linux")]
fn look(path: &Path) -> std::io::Result<Found> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, statx};

    let found = statx(CWD, path, AtFlags::empty(), StatxFlags::INO | StatxFlags::SIZE)?;
    let device = u64::from(found.stx_dev_major) << 32 | u64::from(found.stx_dev_minor);
    Ok(Found {
        identity: (device, found.stx_ino),
        size: found.stx_size,
    })
}

#[cfg(not(target_os = "linux"))]
fn look(path: &Path) -> std::io::Result<Found> {
    use std::os::unix::fs::MetadataExt;

    let found = std::fs::metadata(path)?;
    Ok(Found {
        identity: (found.dev(), found.ino()),
        size: found.len(),
    })
}
