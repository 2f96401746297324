//! Hourly counts.

use prilavok_domain::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::rows;
use crate::{Claim, Granted, Result, Usage};

pub(super) fn load(conn: &Connection, hour: Timestamp) -> Result<Vec<Usage>> {
    let mut statement =
        conn.prepare_cached("SELECT business_id, operation, hour, used FROM limit_usage WHERE hour >= ?1")?;
    let usage = statement.query_map([hour.as_millis()], |row| {
        Ok(Usage {
            business: rows::id(row, 0, "business_id")?,
            operation: row.get(1)?,
            hour: rows::time(row, 2, "hour")?,
            used: row.get(3)?,
        })
    })?;
    Ok(usage.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn save(conn: &Connection, usage: &[Usage], forget_before: Option<Timestamp>) -> Result<()> {
    let mut put = conn.prepare_cached(
        "INSERT INTO limit_usage (business_id, operation, hour, used) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET hour = excluded.hour, used = excluded.used",
    )?;
    for one in usage {
        put.execute((one.business.get(), &one.operation, one.hour.as_millis(), one.used))?;
    }
    if let Some(before) = forget_before {
        conn.prepare_cached("DELETE FROM limit_usage WHERE hour < ?1")?
            .execute([before.as_millis()])?;
    }
    Ok(())
}

pub(super) fn claim(conn: &Connection, claims: &[Claim]) -> Result<Vec<Granted>> {
    let mut kept =
        conn.prepare_cached("SELECT hour, used FROM limit_usage WHERE business_id = ?1 AND operation = ?2")?;
    let mut granted = Vec::with_capacity(claims.len());
    for claim in claims {
        let found = kept
            .query_row((claim.business.get(), &claim.operation), |row| {
                Ok((rows::time(row, 0, "hour")?, row.get(1)?))
            })
            .optional()?;
        let (window, used) = found.unwrap_or((claim.hour, 0));
        let one = claim.on(window, used);
        save(
            conn,
            &[Usage {
                business: claim.business,
                operation: claim.operation.clone(),
                hour: one.hour,
                used: one.used,
            }],
            None,
        )?;
        granted.push(one);
    }
    Ok(granted)
}
