//! What the store knows about itself.

use rusqlite::{Connection, OptionalExtension};

use crate::Result;

/// Tells every process on this file that businesses, campaigns, credentials or tokens changed.
pub(super) fn access_changed(conn: &Connection) -> Result<()> {
    conn.prepare_cached("UPDATE meta SET value = value + 1 WHERE name = 'access_version'")?
        .execute([])?;
    Ok(())
}

pub(super) fn access_version(conn: &Connection) -> Result<u64> {
    let mut statement = conn.prepare_cached("SELECT value FROM meta WHERE name = 'access_version'")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

pub(super) fn secret(conn: &Connection) -> Result<[u8; 32]> {
    let mut statement = conn.prepare_cached("SELECT value FROM meta WHERE name = 'secret'")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Notes that no event up to this one can be told any more for certain.
pub(super) fn forgotten_event(conn: &Connection, event: i64) -> Result<()> {
    raise(conn, "forgotten_event", event)
}

/// Notes that what was taken away from chats up to this place cannot be told any more.
pub(super) fn forgotten_taken(conn: &Connection, place: i64) -> Result<()> {
    raise(conn, "forgotten_taken", place)
}

fn raise(conn: &Connection, name: &str, to: i64) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO meta (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
    )?
    .execute((name, to))?;
    Ok(())
}

/// Writes something, which an empty transaction would not: whether the disk takes it is the question.
pub(super) fn prove(conn: &Connection) -> Result<u64> {
    let mut statement = conn.prepare_cached(
        "INSERT INTO meta (name, value) VALUES ('proof', 1)
         ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
    )?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// What was written last to prove that writes work.
pub(super) fn proof(conn: &Connection) -> Result<u64> {
    let mut statement = conn.prepare_cached("SELECT value FROM meta WHERE name = 'proof'")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// The page that is to be looked at next for traces of what was erased; `None` where there are none to look for.
pub(super) fn traces(conn: &Connection) -> Result<Option<u32>> {
    Ok(conn
        .prepare_cached("SELECT value FROM meta WHERE name = 'traces'")?
        .query_row([], |row| row.get(0))
        .optional()?)
}

pub(super) fn set_traces(conn: &Connection, next: Option<u32>) -> Result<()> {
    match next {
        Some(page) => conn
            .prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES ('traces', ?1)")?
            .execute([page])?,
        None => conn
            .prepare_cached("DELETE FROM meta WHERE name = 'traces'")?
            .execute([])?,
    };
    Ok(())
}
