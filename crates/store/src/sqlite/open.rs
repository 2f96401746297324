//! Opening a file: pragmas, recognition, migrations.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use super::log;

/// "PRIL": tells our files from other SQLite files.
const APPLICATION_ID: i32 = 0x5052_494C;

/// The schema, one step for each version; the number of steps is the version that we know. A step
/// that has shipped never changes.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_notifications.sql"),
    include_str!("migrations/0003_delivery_log.sql"),
    include_str!("migrations/0004_counter.sql"),
    include_str!("migrations/0005_chat_of_customer.sql"),
    include_str!("migrations/0006_search.sql"),
    include_str!("migrations/0007_disputes.sql"),
    include_str!("migrations/0008_personal_data.sql"),
    include_str!("migrations/0009_sessions.sql"),
    include_str!("migrations/0010_listed.sql"),
    include_str!("migrations/0011_lagging.sql"),
    include_str!("migrations/0012_recent.sql"),
    include_str!("migrations/0013_places.sql"),
];

/// How long a statement waits for another process that holds the file.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(3);

const STATEMENT_CACHE: usize = 128;

/// Pages that a connection keeps, in KiB. A reader's are worth nothing after the next commit, and few enough of them stay in the
/// processor's own memory: a page of messages is read faster than with four times as many. The writer's stay.
const READER_CACHE_KIB: i64 = 4 * 1024;
const WRITER_CACHE_KIB: i64 = 32 * 1024;

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
    /// Its write-ahead log is cut short.
    #[error(transparent)]
    CutLog(#[from] log::CutLog),
    /// SQLite refuses it.
    #[error("cannot open {}: {source}{}", path.display(), advice(source))]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
}

/// What an operator can do about an error whose text does not say it.
fn advice(error: &rusqlite::Error) -> &'static str {
    use ErrorCode::{CannotOpen, DatabaseCorrupt, NotADatabase, ReadOnly, SystemIoFailure};
    match error.sqlite_error_code() {
        Some(ReadOnly | CannotOpen) => ": it or its folder may not be written",
        Some(SystemIoFailure) => ": is the disk full, or broken?",
        Some(DatabaseCorrupt | NotADatabase) => ": the file is damaged, restore a backup",
        _ => "",
    }
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
    log::must_be_whole(path)?;
    let mut conn = Connection::open(path).map_err(at)?;
    conn.busy_timeout(BUSY_TIMEOUT).map_err(at)?;
    recognise(&conn, path)?;
    // Before the first change, which is to the journal: what is refused stays as it is.
    known_version(&conn, path)?;
    conn.pragma_update(None, "journal_mode", "WAL").map_err(at)?;
    // FULL: a commit is on the disk before it is answered. Foreign keys: checked on every write.
    conn.pragma_update(None, "synchronous", "FULL").map_err(at)?;
    conn.pragma_update(None, "foreign_keys", true).map_err(at)?;
    // What was removed or written over is not left in the file.
    conn.pragma_update(None, "secure_delete", true).map_err(at)?;
    keep_prepared(&conn, WRITER_CACHE_KIB).map_err(at)?;
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
    keep_prepared(&conn, READER_CACHE_KIB)?;
    Ok(conn)
}

/// A connection that copies the write-ahead log into the file, and does nothing else.
pub(super) fn write_back(path: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(path, flags)?;
    // FULL: the log is on the disk before the file is touched, and the file before the log begins anew.
    conn.pragma_update(None, "synchronous", "FULL")?;
    Ok(conn)
}

/// What every connection keeps from one statement to the next.
fn keep_prepared(conn: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    conn.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // Plans depend on the statement alone. Otherwise SQLite plans many a statement anew each time that a value is
    // bound, because the value might suit a partial index.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.pragma_update(None, "cache_size", -cache_kib)
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
    if found > 0 {
        tracing::info!(
            from = found,
            to = MIGRATIONS.len(),
            "the database is brought up to date, before anything is served"
        );
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn in_a_folder(test: impl FnOnce(&Path)) {
        let folder = tempfile::tempdir().expect("a folder");
        test(&folder.path().join("prilavok.sqlite"));
    }

    fn number(conn: &Connection, pragma: &str) -> i64 {
        conn.pragma_query_value(None, pragma, |row| row.get(0))
            .expect(pragma)
    }

    /// A business with an order, a chat and a message, as the first version wrote them.
    const OF_THE_FIRST_VERSION: &str = "
        INSERT INTO business VALUES (1, 'Лавка', 'ACTIVE');
        INSERT INTO campaign VALUES (1, 10, 'shop.example', 'FBS', 'AVAILABLE');
        INSERT INTO customer VALUES ('anna', 'Анна');
        INSERT INTO purchase VALUES (1, 100, 10, 'anna', 0);
        INSERT INTO chat VALUES (1, 5, 'CHAT', 'WAITING_FOR_PARTNER', 'ORDER', 100, 'anna', 100, 10, 1000, 2000, 7);
        INSERT INTO message VALUES (1, 5, 7, 2000, 'CUSTOMER', 'hello', 1);
        INSERT INTO message_file VALUES (1, 8, 5, 7, '1/a', 'a.txt', 3, 'text/plain');
        UPDATE meta SET value = 8 WHERE name = 'last_id';
        UPDATE meta SET value = 42 WHERE name = 'access_version';";

    /// Every row of the tables that the first version had, as text.
    fn rows_of_the_first_version(conn: &Connection) -> Vec<String> {
        let mut rows = Vec::new();
        for (table, columns) in [
            ("business", "business_id, name, state"),
            ("campaign", "business_id, campaign_id, domain, placement, state"),
            ("customer", "customer_id, name"),
            (
                "purchase",
                "business_id, order_id, campaign_id, customer_id, test",
            ),
            (
                "chat",
                "business_id, chat_id, type, status, context_type, context_id, customer_id, order_id,
                 campaign_id, created_at, updated_at, last_message_id",
            ),
            (
                "message",
                "business_id, chat_id, message_id, created_at, sender, text, files",
            ),
            (
                "message_file",
                "business_id, file_id, chat_id, message_id, object, name, size, media_type",
            ),
        ] {
            let columns = columns.replace(", ", " || '|' || ");
            let mut all = conn
                .prepare(&format!("SELECT {columns} FROM {table}"))
                .expect(table);
            let all = all.query_map([], |row| row.get::<_, String>(0)).expect(table);
            rows.extend(all.map(|row| row.expect(table)));
        }
        let mut meta = conn
            .prepare(
                "SELECT name || '|' || hex(value) FROM meta
                 WHERE name IN ('last_id', 'access_version', 'secret') ORDER BY name",
            )
            .expect("meta");
        let meta = meta.query_map([], |row| row.get(0)).expect("meta");
        rows.extend(meta.map(|row| row.expect("meta")));
        rows
    }

    fn schema(conn: &Connection) -> Vec<(String, Option<String>)> {
        let mut all = conn
            .prepare("SELECT type || ' ' || name, sql FROM sqlite_schema ORDER BY 1")
            .expect("a schema");
        let all = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        all.expect("a schema").map(|row| row.expect("a schema")).collect()
    }

    #[test]
    fn a_commit_is_flushed_and_foreign_keys_are_checked() {
        in_a_folder(|path| {
            // Of a file that was just made, and of one that was there.
            for _ in 0..2 {
                let conn = writer(path).expect("a file");
                assert_eq!(number(&conn, "synchronous"), 2, "FULL");
                let mode: String = conn
                    .pragma_query_value(None, "journal_mode", |row| row.get(0))
                    .expect("a mode");
                assert_eq!(mode, "wal");
                let orphan = "INSERT INTO campaign VALUES (99, 1, 'x', 'FBS', 'AVAILABLE')";
                let refused = conn.execute(orphan, []).expect_err("a campaign of no business");
                let message = refused.to_string();
                assert!(message.contains("FOREIGN KEY"), "{message}");
            }
        });
    }

    #[test]
    fn a_reader_cannot_write() {
        in_a_folder(|path| {
            writer(path).expect("a file");
            let conn = reader(path).expect("a file");
            let refused = conn.execute("INSERT INTO customer (customer_id, name) VALUES ('x', 'x')", []);
            let message = refused.expect_err("refused").to_string();
            assert!(message.contains("readonly"), "{message}");
        });
    }

    #[test]
    fn every_older_version_becomes_the_newest_with_its_data() {
        let newest = MIGRATIONS.len();
        let mut fresh = Vec::new();
        in_a_folder(|path| fresh = schema(&writer(path).expect("a file")));
        for version in 1..newest {
            in_a_folder(|path| {
                let conn = Connection::open(path).expect("a file");
                conn.execute_batch(MIGRATIONS[0]).expect("the first version");
                conn.execute_batch(OF_THE_FIRST_VERSION).expect("its data");
                for step in &MIGRATIONS[1..version] {
                    conn.execute_batch(step).expect("a step");
                }
                conn.pragma_update(None, "application_id", APPLICATION_ID)
                    .expect("our mark");
                conn.pragma_update(None, "user_version", version.to_string())
                    .expect("a version");
                let before = rows_of_the_first_version(&conn);
                assert_eq!(before.len(), 7 + 3);
                drop(conn);
                let conn = writer(path).expect("a file that is brought up to date");
                assert_eq!(
                    number(&conn, "user_version"),
                    i64::try_from(newest).expect("small")
                );
                assert_eq!(rows_of_the_first_version(&conn), before, "from version {version}");
                assert_eq!(schema(&conn), fresh, "from version {version}");
                let mut dangling = conn.prepare("PRAGMA foreign_key_check").expect("a check");
                assert!(!dangling.exists([]).expect("a check"), "from version {version}");
            });
        }
    }

    #[test]
    fn rows_that_lagged_behind_know_their_messages_before_events_are_found_in_another_way() {
        in_a_folder(|path| {
            let conn = Connection::open(path).expect("a file");
            for (number, step) in MIGRATIONS[..11].iter().enumerate() {
                conn.execute_batch(step).expect("a step");
                if number == 0 {
                    conn.execute_batch(OF_THE_FIRST_VERSION).expect("its data");
                }
            }
            // Chat 5 has a message that its row does not know; chat 6 has none.
            conn.execute_batch(
                "INSERT INTO purchase VALUES (1, 101, 10, 'anna', 0);
                 INSERT INTO chat VALUES (1, 6, 'CHAT', 'NEW', 'ORDER', 101, 'anna', 101, 10, 900, 900, NULL);
                 INSERT INTO message VALUES (1, 5, 20, 3000, 'PARTNER', 'well', 0);
                 INSERT INTO event VALUES (1, 9, 'CHAT_MESSAGE_SENT', 5, 7, 2000), (1, 10, 'CHAT_CREATED', 6, NULL, 900),
                     (1, 21, 'CHAT_MESSAGE_SENT', 5, 20, 3000);
                 UPDATE business SET listed_event_id = 9;",
            )
            .expect("chats");
            conn.pragma_update(None, "application_id", APPLICATION_ID)
                .expect("our mark");
            conn.pragma_update(None, "user_version", 11).expect("a version");
            drop(conn);
            let conn = writer(path).expect("a file that is brought up to date");
            let rows = |sql: &str| {
                let mut found = conn.prepare(sql).expect(sql);
                let found = found.query_map([], |row| row.get(0)).expect(sql);
                found.collect::<rusqlite::Result<Vec<String>>>().expect(sql)
            };
            assert_eq!(
                rows(
                    "SELECT chat_id || status || updated_at || coalesce(last_message_id, '') FROM chat ORDER BY chat_id"
                ),
                ["5WAITING_FOR_CUSTOMER300020", "6NEW900"]
            );
            assert_eq!(
                rows("SELECT CAST(event_id AS TEXT) FROM event_of_business ORDER BY event_id"),
                ["9", "10", "21"]
            );
        });
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_at_its_version() {
        in_a_folder(|path| {
            let conn = Connection::open(path).expect("a file");
            conn.execute_batch(MIGRATIONS[0]).expect("the first version");
            // In the way of the second step.
            conn.execute_batch("CREATE TABLE event (x)").expect("a table");
            conn.pragma_update(None, "application_id", APPLICATION_ID)
                .expect("our mark");
            conn.pragma_update(None, "user_version", 1).expect("a version");
            let before = schema(&conn);
            drop(conn);
            let refused = writer(path).expect_err("refused").to_string();
            assert!(refused.contains("event"), "{refused}");
            let conn = Connection::open(path).expect("a file");
            assert_eq!(number(&conn, "user_version"), 1);
            assert_eq!(schema(&conn), before);
        });
    }
}
