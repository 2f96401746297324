//! Hourly counts.

use prilavok_domain::Timestamp;
use rusqlite::Connection;

use super::rows;
use crate::{Result, Usage};

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

pub(super) fn save(conn: &Connection, usage: &[Usage], forget_before: Timestamp) -> Result<()> {
    let mut put = conn.prepare_cached(
        "INSERT OR REPLACE INTO limit_usage (business_id, operation, hour, used) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for one in usage {
        put.execute((one.business.get(), &one.operation, one.hour.as_millis(), one.used))?;
    }
    conn.prepare_cached("DELETE FROM limit_usage WHERE hour < ?1")?
        .execute([forget_before.as_millis()])?;
    Ok(())
}
