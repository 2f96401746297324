//! Idempotency keys, looked up and kept in the transaction of the write that they belong to.

use prilavok_domain::{BusinessId, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use crate::idempotency::{Idempotency, REMEMBERED_MS};
use crate::{Conflict, Refusal, Result};

/// The id that the operation answered when it ran under this key, if it did within 24 hours.
pub(super) fn earlier(
    conn: &Connection,
    business: BusinessId,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Option<i64>> {
    let Some(once) = once else { return Ok(None) };
    let found: Option<([u8; 32], i64)> = conn
        .prepare_cached(
            "SELECT fingerprint, result FROM idempotency
             WHERE business_id = ?1 AND surface = ?2 AND key = ?3 AND created_at > ?4",
        )?
        .query_row(
            (
                business.get(),
                once.surface.as_str(),
                &once.key,
                now.plus_millis(-REMEMBERED_MS).as_millis(),
            ),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    match found {
        None => Ok(None),
        Some((fingerprint, result)) if fingerprint == once.fingerprint => Ok(Some(result)),
        Some(_) => Err(Refusal::Conflict(Conflict::IdempotencyKeyReused).into()),
    }
}

/// Keeps what the operation answered.
pub(super) fn remember(
    conn: &Connection,
    business: BusinessId,
    once: Option<&Idempotency>,
    result: i64,
    now: Timestamp,
) -> Result<()> {
    if let Some(once) = once {
        // A key that is still there is older than 24 hours: it begins anew.
        conn.prepare_cached(
            "INSERT OR REPLACE INTO idempotency (business_id, surface, key, fingerprint, result, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            business.get(),
            once.surface.as_str(),
            &once.key,
            once.fingerprint,
            result,
            now.as_millis(),
        ))?;
    }
    Ok(())
}

/// Forgets keys older than 24 hours.
pub(super) fn forget(conn: &Connection, now: Timestamp) -> Result<u64> {
    let forgotten = conn
        .prepare_cached("DELETE FROM idempotency WHERE created_at <= ?1")?
        .execute([now.plus_millis(-REMEMBERED_MS).as_millis()])?;
    Ok(forgotten as u64)
}
