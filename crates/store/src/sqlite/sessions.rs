//! Who is signed in to the pages.

use prilavok_domain::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::rows;
use crate::sessions::MAX_SESSIONS;
use crate::{Result, SecretHash, Session};

pub(super) fn begin(conn: &Connection, session: Session, over: Timestamp) -> Result<()> {
    conn.prepare_cached("DELETE FROM session WHERE used_at < ?1")?
        .execute([over.as_millis()])?;
    conn.prepare_cached(
        "DELETE FROM session WHERE session_hash IN (SELECT session_hash FROM session WHERE secret_hash = ?1
         ORDER BY used_at DESC LIMIT -1 OFFSET ?2)",
    )?
    .execute((session.secret.0, MAX_SESSIONS - 1))?;
    conn.prepare_cached("INSERT INTO session (session_hash, secret_hash, used_at) VALUES (?1, ?2, ?3)")?
        .execute((session.id.0, session.secret.0, session.used_at.as_millis()))?;
    Ok(())
}

pub(super) fn one(conn: &Connection, id: SecretHash) -> Result<Option<Session>> {
    let mut statement =
        conn.prepare_cached("SELECT secret_hash, used_at FROM session WHERE session_hash = ?1")?;
    let found = statement.query_row([id.0], |row| {
        Ok(Session {
            id,
            secret: SecretHash(row.get(0)?),
            used_at: rows::time(row, 1, "used_at")?,
        })
    });
    Ok(found.optional()?)
}

pub(super) fn used(conn: &Connection, id: SecretHash, now: Timestamp) -> Result<()> {
    conn.prepare_cached("UPDATE session SET used_at = ?2 WHERE session_hash = ?1")?
        .execute((id.0, now.as_millis()))?;
    Ok(())
}

pub(super) fn end(conn: &Connection, id: SecretHash) -> Result<()> {
    conn.prepare_cached("DELETE FROM session WHERE session_hash = ?1")?
        .execute([id.0])?;
    Ok(())
}
