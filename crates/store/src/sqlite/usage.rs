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
