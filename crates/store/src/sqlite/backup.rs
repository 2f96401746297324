//! Backup while the store is in use.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::{Result, StoreError};

/// Pages copied before the writer is let in again: 4 MiB.
const PAGES_AT_ONCE: i32 = 1024;
const PAUSE: Duration = Duration::from_millis(1);

/// Copies the store to a new file. The file has its name only once it is complete: what an interrupted
/// copy leaves behind ends in `.partial`, and is nobody's backup.
pub(super) fn backup(from: &Connection, to: &Path, progress: impl Fn(u64, u64)) -> Result<()> {
    if to.exists() {
        return Err(StoreError::Failed(
            format!("{} exists already: choose another file", to.display()).into(),
        ));
    }
    let mut partial = to.as_os_str().to_owned();
    partial.push(".partial");
    let partial = Path::new(&partial);
    let made = fresh(partial)
        .and_then(|()| copy(from, partial, progress))
        .and_then(|()| name(partial, to).map_err(failed));
    if made.is_err() {
        // It may not even have been begun.
        let _ = fs::remove_file(partial);
    }
    made
}

/// Makes an empty file that only its owner reads, in place of what an earlier copy left behind.
fn fresh(partial: &Path) -> Result<()> {
    match fs::remove_file(partial) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut new = OpenOptions::new();
    new.write(true).create_new(true).mode(0o600);
    new.open(partial).map(drop).map_err(failed)
}

/// Gives a complete copy its name, for good.
fn name(partial: &Path, to: &Path) -> std::io::Result<()> {
    fs::rename(partial, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn copy(from: &Connection, to: &Path, progress: impl Fn(u64, u64)) -> Result<()> {
    // One read transaction: the copy is the state of the moment at which the backup began, and
    // goes on undisturbed by what is written meanwhile.
    let snapshot = from.unchecked_transaction()?;
    snapshot.query_row("SELECT count(*) FROM meta", [], |row| row.get::<_, i64>(0))?;
    let mut copy = Connection::open(to)?;
    {
        let backup = Backup::new(&snapshot, &mut copy)?;
        loop {
            let step = backup.step(PAGES_AT_ONCE)?;
            let at = backup.progress();
            let pages = u64::try_from(at.pagecount).unwrap_or(0);
            progress(
                pages.saturating_sub(u64::try_from(at.remaining).unwrap_or(0)),
                pages,
            );
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => std::thread::sleep(PAUSE),
            }
        }
    }
    // A plain file, complete in itself: no write-ahead log beside it.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    copy.close().map_err(|(_, error)| error)?;
    File::open(to).and_then(|file| file.sync_all()).map_err(failed)
}

fn failed(error: std::io::Error) -> StoreError {
    StoreError::Failed(Box::new(error))
}
