//! Files beside the store that are no durable data: what a crash of the machine takes away from them is not missed, or
//! made again, and one that cannot be read is begun anew.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::{Result, StoreError};

const BUSY_TIMEOUT: Duration = Duration::from_secs(3);
/// Pages of the write-ahead log before it is copied into the file, the only time that the disk is waited for. Four
/// times SQLite's own number: fewer flushes beside the store's.
const CHECKPOINT_PAGES: i64 = 4_000;

/// One of these files.
pub(crate) struct Kind {
    /// What a log line calls it.
    pub(crate) name: &'static str,
    /// Tells our files from other SQLite files, and one kind from another.
    pub(crate) application_id: i32,
    /// What the schema is; another one makes the file begin anew.
    pub(crate) version: i32,
    /// The tables of an empty one.
    pub(crate) schema: &'static str,
}

impl Kind {
    /// The connection that writes: makes the file if there is none of this kind and version.
    pub(crate) fn writer(&self, path: &Path) -> Result<Connection> {
        if let Some(folder) = path.parent() {
            crate::sqlite::private_folder(folder).map_err(|error| StoreError::Failed(Box::new(error)))?;
        }
        match self.begin(path) {
            Ok(Some(conn)) => return Ok(conn),
            Ok(None) => {
                tracing::warn!(path = %path.display(), "{} is of another version: it begins anew", self.name);
            }
            Err(error) if is_unreadable(&error) => {
                tracing::warn!(path = %path.display(), %error, "{} cannot be read: it begins anew", self.name);
            }
            Err(error) => return Err(error.into()),
        }
        remove(path)?;
        match self.begin(path)? {
            Some(conn) => Ok(conn),
            None => Err(StoreError::Unavailable(format!(
                "{} is written by another process",
                path.display()
            ))),
        }
    }

    /// `None`: it is of another version, or of another program.
    fn begin(&self, path: &Path) -> rusqlite::Result<Option<Connection>> {
        let conn = Connection::open(path)?;
        conn.busy_timeout(BUSY_TIMEOUT)?;
        let is_empty: bool =
            conn.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?;
        if !is_empty && !self.is_of(&conn)? {
            return Ok(None);
        }
        conn.pragma_update(None, "journal_mode", "WAL")?;
        // A commit does not wait for the disk.
        conn.pragma_update(None, "synchronous", "NORMAL")?;
        conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        // What was removed is not left in the file.
        conn.pragma_update(None, "secure_delete", true)?;
        if is_empty {
            let transaction = conn.unchecked_transaction()?;
            transaction.execute_batch(self.schema)?;
            transaction.pragma_update(None, "application_id", self.application_id)?;
            transaction.pragma_update(None, "user_version", self.version)?;
            transaction.commit()?;
        }
        Ok(Some(conn))
    }

    fn is_of(&self, conn: &Connection) -> rusqlite::Result<bool> {
        let number = |pragma| conn.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
        Ok(number("application_id")? == self.application_id && number("user_version")? == self.version)
    }

    /// A connection that reads; `None` where there is no file of this version.
    pub(crate) fn reader(&self, path: &Path) -> rusqlite::Result<Option<Connection>> {
        if !path.is_file() {
            return Ok(None);
        }
        // Reading a write-ahead log that nobody has open writes its index beside it.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags)?;
        conn.busy_timeout(BUSY_TIMEOUT)?;
        conn.pragma_update(None, "query_only", true)?;
        Ok(self.is_of(&conn)?.then_some(conn))
    }
}

/// Writes the write-ahead log back into the file and leaves nothing in it, unless somebody reads in it; answers whether
/// that was so.
pub(crate) fn clear_log(conn: &Connection) -> rusqlite::Result<bool> {
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        Ok(row.get::<_, i64>(0)? == 0)
    })
}

/// Whether the file itself is damaged.
pub(crate) fn is_unreadable(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

/// Removes a file with its write-ahead log.
pub(crate) fn remove(path: &Path) -> Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(PathBuf::from(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::Failed(Box::new(error)));
            }
            _ => {}
        }
    }
    Ok(())
}
