//! Hourly counts.

use prilavok_domain::{BusinessId, Timestamp};
use rusqlite::Connection;

use crate::{Result, StoreError, Usage};

pub(super) fn load(conn: &Connection, hour: Timestamp) -> Result<Vec<Usage>> {
    let mut statement =
        conn.prepare_cached("SELECT business_id, operation, used FROM limit_usage WHERE hour = ?1")?;
    let mut rows = statement.query([hour.as_millis()])?;
    let mut usage = Vec::new();
    while let Some(row) = rows.next()? {
        let business = BusinessId::new(row.get(0)?).map_err(|error| StoreError::Failed(Box::new(error)))?;
        usage.push(Usage {
            business,
            operation: row.get(1)?,
            hour,
            used: row.get(2)?,
        });
    }
    Ok(usage)
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
