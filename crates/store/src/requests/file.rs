//! Opening the log's file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::{Result, StoreError};

/// "PRLR": tells our files from other SQLite files.
const APPLICATION_ID: i32 = 0x5052_4C52;
/// What the schema is; another one makes the file begin anew.
const VERSION: i32 = 1;
const BUSY_TIMEOUT: Duration = Duration::from_secs(3);
/// Pages of the write-ahead log before it is copied into the file, the only time that the disk is waited for. Four
/// times SQLite's own number: fewer flushes beside the store's.
const CHECKPOINT_PAGES: i64 = 4_000;

const SCHEMA: &str = "
    -- Without headers and bodies, so that looking for entries reads little.
    CREATE TABLE request (
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        took_us INTEGER NOT NULL,
        request_id TEXT NOT NULL,
        method TEXT NOT NULL,
        target TEXT NOT NULL,
        operation TEXT,
        business_id INTEGER,
        caller_kind TEXT,
        caller_id INTEGER,
        caller_name TEXT,
        status INTEGER NOT NULL,
        rule TEXT
    ) STRICT;
    CREATE INDEX request_by_business ON request (business_id);
    CREATE INDEX request_by_id ON request (request_id);
    CREATE TABLE exchange (
        place INTEGER PRIMARY KEY,
        request_headers TEXT NOT NULL,
        request_body TEXT,
        request_cut INTEGER NOT NULL,
        request_bytes INTEGER,
        answer_headers TEXT NOT NULL,
        answer_body TEXT,
        answer_cut INTEGER NOT NULL,
        answer_bytes INTEGER
    ) STRICT;";

/// The connection that writes.
pub(super) fn writer(path: &Path) -> Result<Connection> {
    if let Some(folder) = path.parent() {
        crate::sqlite::private_folder(folder).map_err(|error| StoreError::Failed(Box::new(error)))?;
    }
    match begin(path) {
        Ok(Some(conn)) => return Ok(conn),
        Ok(None) => {
            tracing::warn!(path = %path.display(), "the request log is of another version: it begins anew");
        }
        Err(error) if is_unreadable(&error) => {
            tracing::warn!(path = %path.display(), %error, "the request log cannot be read: it begins anew");
        }
        Err(error) => return Err(error.into()),
    }
    remove(path)?;
    match begin(path)? {
        Some(conn) => Ok(conn),
        None => Err(StoreError::Unavailable(format!(
            "{} is written by another process",
            path.display()
        ))),
    }
}

/// `None`: it is of another version, or of another program.
fn begin(path: &Path) -> rusqlite::Result<Option<Connection>> {
    let conn = Connection::open(path)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    let is_empty: bool = conn.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?;
    if !is_empty && !is_ours(&conn)? {
        return Ok(None);
    }
    conn.pragma_update(None, "journal_mode", "WAL")?;
    // A commit does not wait for the disk: what a crash of the machine takes away is not missed.
    conn.pragma_update(None, "synchronous", "NORMAL")?;
    conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    if is_empty {
        let transaction = conn.unchecked_transaction()?;
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()?;
    }
    Ok(Some(conn))
}

fn is_ours(conn: &Connection) -> rusqlite::Result<bool> {
    let number = |pragma| conn.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    Ok(number("application_id")? == APPLICATION_ID && number("user_version")? == VERSION)
}

fn is_unreadable(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

fn remove(path: &Path) -> Result<()> {
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

/// A connection that reads; `None` where there is no log of this version.
pub(super) fn reader(path: &Path) -> Result<Option<Connection>> {
    if !path.is_file() {
        return Ok(None);
    }
    // Reading a write-ahead log that nobody has open writes its index beside it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(is_ours(&conn)?.then_some(conn))
}
