//! Opening a file: pragmas, recognition, migrations.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

/// "PRIL": tells our files from other SQLite files.
const APPLICATION_ID: i32 = 0x5052_494C;

/// The schema, one step for each version; the number of steps is the version that we know. A step
/// that has shipped never changes.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_notifications.sql"),
    include_str!("migrations/0003_delivery_log.sql"),
];

/// How long a statement waits for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(3);

const STATEMENT_CACHE: usize = 128;

/// Why a file could not be opened as a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made.
    #[error("cannot make the data folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It belongs to another program.
    #[error("{} is an SQLite file of another program: choose another data folder", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer Prilavok wrote it.
    #[error(
        "{} was written by a newer version of Prilavok (schema {found}, this one knows up to {known}): \
         start that version, or restore a backup made before the upgrade", path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema's version in the file.
        found: usize,
        /// The newest version that this program knows.
        known: usize,
    },
    /// SQLite refuses it.
    #[error("cannot open {}: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
}

/// The connection that writes: makes the file if there is none, and brings it up to date.
pub(super) fn writer(path: &Path) -> Result<Connection, OpenError> {
    if let Some(folder) = path.parent() {
        private_folder(folder).map_err(|source| OpenError::Folder {
            path: folder.to_owned(),
            source,
        })?;
    }
    let at = |source| OpenError::Sqlite {
        path: path.to_owned(),
        source,
    };
    let mut conn = Connection::open(path).map_err(at)?;
    conn.busy_timeout(BUSY_TIMEOUT).map_err(at)?;
    recognise(&conn, path)?;
    // Before the first change, which is to the journal: what is refused stays as it is.
    known_version(&conn, path)?;
    conn.pragma_update(None, "journal_mode", "WAL").map_err(at)?;
    // FULL: a commit is on the disk before it is answered. Foreign keys: checked on every write.
    conn.pragma_update(None, "synchronous", "FULL").map_err(at)?;
    conn.pragma_update(None, "foreign_keys", true).map_err(at)?;
    conn.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    migrate(&mut conn, path)?;
    Ok(conn)
}

/// Makes a folder that no other user of the machine can look into, if there is none: the database holds
/// what people wrote to each other, and the secret that file links are signed with.
pub fn private_folder(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// A connection that only reads.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    Ok(conn)
}

fn recognise(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    let at = |source| OpenError::Sqlite {
        path: path.to_owned(),
        source,
    };
    let id: i32 = conn
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(at)?;
    let tables: i64 = conn
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(at)?;
    if id == APPLICATION_ID || (id == 0 && tables == 0) {
        Ok(())
    } else {
        Err(OpenError::Foreign {
            path: path.to_owned(),
        })
    }
}

fn migrate(conn: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let at = |source| OpenError::Sqlite {
        path: path.to_owned(),
        source,
    };
    if known_version(conn, path)? == MIGRATIONS.len() {
        return Ok(());
    }
    // Under the write lock: of several processes that start at once, one migrates.
    let transaction = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(at)?;
    let found = known_version(&transaction, path)?;
    apply(&transaction, found).map_err(at)?;
    transaction.commit().map_err(at)
}

fn apply(transaction: &Transaction<'_>, from: usize) -> rusqlite::Result<()> {
    for step in &MIGRATIONS[from..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(
        None,
        "user_version",
        i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX),
    )
}

/// The schema's version, which must be one that we know.
fn known_version(conn: &Connection, path: &Path) -> Result<usize, OpenError> {
    let version = conn.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    let version = version.map_err(|source| OpenError::Sqlite {
        path: path.to_owned(),
        source,
    })?;
    let found = usize::try_from(version).unwrap_or(usize::MAX);
    if found > MIGRATIONS.len() {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known: MIGRATIONS.len(),
        });
    }
    Ok(found)
}
