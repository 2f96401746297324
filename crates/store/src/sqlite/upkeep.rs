//! Backup while the store is in use, and the check of everything that must be true.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode};

use crate::{CheckReport, Result, StoreError};

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

/// What must hold of any store, each a query for rows that break it.
const RULES: &[(&str, &str)] = &[
    (
        "there is no such type or status",
        "SELECT business_id, chat_id FROM chat WHERE type NOT IN ('CHAT', 'ARBITRAGE')
             OR status NOT IN ('NEW', 'WAITING_FOR_CUSTOMER', 'WAITING_FOR_PARTNER', 'WAITING_FOR_ARBITER',
                               'WAITING_FOR_MARKET', 'FINISHED')",
    ),
    (
        "the last message is not the newest one",
        "SELECT c.business_id, c.chat_id FROM chat c WHERE c.last_message_id IS NOT
             (SELECT max(m.message_id) FROM message m
              WHERE m.business_id = c.business_id AND m.chat_id = c.chat_id)",
    ),
    (
        "updated_at is not the time of the last message",
        "SELECT c.business_id, c.chat_id FROM chat c
         LEFT JOIN message m ON m.business_id = c.business_id AND m.chat_id = c.chat_id
             AND m.message_id = c.last_message_id
         WHERE c.updated_at <> coalesce(m.created_at, c.created_at)",
    ),
    (
        "the status contradicts the last message",
        "SELECT c.business_id, c.chat_id FROM chat c
         JOIN message m ON m.business_id = c.business_id AND m.chat_id = c.chat_id
             AND m.message_id = c.last_message_id
         WHERE CASE
             WHEN c.status = 'FINISHED' THEN 0
             WHEN c.type = 'ARBITRAGE' AND m.sender IN ('CUSTOMER', 'PARTNER')
                 THEN c.status <> 'WAITING_FOR_ARBITER'
             WHEN m.sender = 'CUSTOMER' THEN c.status NOT IN ('WAITING_FOR_PARTNER', 'WAITING_FOR_MARKET')
             WHEN m.sender = 'PARTNER' THEN c.status NOT IN ('WAITING_FOR_CUSTOMER', 'WAITING_FOR_MARKET')
             ELSE 0 END",
    ),
    (
        "a message has neither text nor files",
        "SELECT business_id, chat_id FROM message WHERE text IS NULL AND files = 0",
    ),
    (
        "a message counts other files than it has",
        "SELECT m.business_id, m.chat_id FROM message m WHERE m.files <>
             (SELECT count(*) FROM message_file f WHERE f.business_id = m.business_id
              AND f.chat_id = m.chat_id AND f.message_id = m.message_id)",
    ),
    (
        "two chats have a message with the same id",
        "SELECT min(business_id), min(chat_id) FROM message GROUP BY message_id HAVING count(*) > 1",
    ),
];

/// Problems of one sort that are listed one by one; more are only counted.
const LISTED: usize = 20;

/// Checks the file and the rules; answers the objects of all files as well, for the caller to find.
pub(super) fn check(conn: &Connection) -> Result<(CheckReport, Vec<(String, u64)>)> {
    let mut report = CheckReport::default();
    let transaction = conn.unchecked_transaction()?;
    let mut integrity = transaction.prepare("PRAGMA integrity_check")?;
    for line in integrity.query_map([], |row| row.get::<_, String>(0))? {
        match line {
            Ok(line) if line == "ok" => {}
            Ok(lines) => {
                let lines = lines.lines().map(|line| format!("SQLite: {line}"));
                report.problems.extend(lines);
            }
            // Where the damage is such that SQLite cannot go on looking.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                report.problems.push(format!("SQLite: {error}"));
                break;
            }
            Err(error) => return Err(error.into()),
        }
    }
    if !report.problems.is_empty() {
        // Queries over damaged pages fail, and with them what is known already would be lost.
        report
            .problems
            .push("chats were not looked at: the database is damaged".to_owned());
        return Ok((report, Vec::new()));
    }
    let mut dangling = transaction.prepare("PRAGMA foreign_key_check")?;
    for table in dangling
        .query_map([], |row| row.get::<_, String>(0))?
        .take(LISTED)
    {
        report
            .problems
            .push(format!("a row of {} names a row that is not there", table?));
    }
    for (rule, query) in RULES {
        let mut broken = transaction.prepare(query)?;
        let found = broken
            .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        for (business, chat) in found.iter().take(LISTED) {
            report
                .problems
                .push(format!("business {business}, chat {chat}: {rule}"));
        }
        if found.len() > LISTED {
            report
                .problems
                .push(format!("{} more: {rule}", found.len() - LISTED));
        }
    }
    let count =
        |table: &str| transaction.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
    report.chats = count("chat")?;
    report.messages = count("message")?;
    report.files = count("message_file")?;
    let mut files = transaction.prepare("SELECT object, size FROM message_file")?;
    let objects = files
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok((report, objects))
}
