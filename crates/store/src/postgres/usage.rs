//! Hourly counts, shared by all nodes.

use deadpool_postgres::GenericClient;
use prilavok_domain::Timestamp;

use super::rows;
use super::statements::statements;
use crate::{Calls, Claim, Granted, Result, StoreError, Usage};

statements! {
    LOAD = "SELECT business_id, operation, hour, used FROM limit_usage WHERE hour >= $1";
    SAVE = "INSERT INTO limit_usage (business_id, operation, hour, used)
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[])
            AS one (business_id, operation, hour, used) ORDER BY business_id, operation
        ON CONFLICT (business_id, operation) DO UPDATE SET hour = excluded.hour, used = excluded.used";
    FORGET = "DELETE FROM limit_usage WHERE hour < $1";
    /// [`Claim::on`], by the database: `grant_calls` is its arithmetic. Rows are locked in one order, so that claims of
    /// two nodes do not wait for each other.
    CLAIM = "INSERT INTO limit_usage AS kept (business_id, operation, hour, used, granted)
        SELECT business_id, operation, granted.* FROM
            unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
                AS one (business_id, operation, hour, most_used, least, most, parts),
            grant_calls(hour, 0, hour, most_used, least, most, parts) AS granted
            ORDER BY business_id, operation
        ON CONFLICT (business_id, operation) DO UPDATE SET (hour, used, granted) = (
            SELECT granted.* FROM
                unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
                    AS one (business_id, operation, hour, most_used, least, most, parts),
                grant_calls(kept.hour, kept.used, one.hour, most_used, least, most, parts) AS granted
            WHERE one.business_id = kept.business_id AND one.operation = kept.operation)
        RETURNING business_id, operation, hour, used, granted";
}

pub(super) async fn load(conn: &impl GenericClient, hour: Timestamp) -> Result<Vec<Usage>> {
    let found = rows::query(conn, LOAD, &[&hour.as_millis()]).await?;
    let usage = found.iter().map(|row| {
        Ok(Usage {
            business: rows::id(row, 0, "business_id")?,
            operation: rows::get(row, 1)?,
            hour: rows::time(row, 2, "hour")?,
            used: rows::unsigned(row, 3, "used")?,
        })
    });
    usage.collect()
}

pub(super) async fn save(
    conn: &impl GenericClient,
    usage: &[Usage],
    forget_before: Option<Timestamp>,
) -> Result<()> {
    if !usage.is_empty() {
        let businesses: Vec<_> = usage.iter().map(|one| one.business.get()).collect();
        let operations: Vec<_> = usage.iter().map(|one| one.operation.as_str()).collect();
        let hours: Vec<_> = usage.iter().map(|one| one.hour.as_millis()).collect();
        let used: Vec<_> = usage.iter().map(|one| signed(one.used)).collect();
        rows::execute(conn, SAVE, &[&businesses, &operations, &hours, &used]).await?;
    }
    if let Some(before) = forget_before {
        rows::execute(conn, FORGET, &[&before.as_millis()]).await?;
    }
    Ok(())
}

pub(super) async fn claim(conn: &impl GenericClient, claims: &[Claim]) -> Result<Vec<Granted>> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let businesses: Vec<_> = claims.iter().map(|one| one.business.get()).collect();
    let operations: Vec<_> = claims.iter().map(|one| one.operation.as_str()).collect();
    let hours: Vec<_> = claims.iter().map(|one| one.hour.as_millis()).collect();
    let limits: Vec<_> = claims
        .iter()
        .map(|one| one.limit.map_or(i64::MAX, i64::from))
        .collect();
    let (mut least, mut most, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    for claim in claims {
        // What is given back is taken a negative number of times.
        let (at_least, at_most, of) = match claim.calls {
            Calls::Take { least, most, parts } => {
                (i64::from(least), i64::from(most), i64::from(parts.max(1)))
            }
            Calls::GiveBack(calls) => (-i64::from(calls), -i64::from(calls), 1),
        };
        least.push(at_least);
        most.push(at_most);
        parts.push(of);
    }
    let found = rows::query(
        conn,
        CLAIM,
        &[&businesses, &operations, &hours, &limits, &least, &most, &parts],
    )
    .await?;
    let mut granted = vec![None; claims.len()];
    for row in &found {
        let (business, operation): (i64, &str) = (rows::get(row, 0)?, rows::get(row, 1)?);
        let of = claims
            .iter()
            .position(|one| one.business.get() == business && one.operation == operation);
        if let Some(of) = of {
            granted[of] = Some(Granted {
                hour: rows::time(row, 2, "hour")?,
                used: rows::unsigned(row, 3, "used")?,
                calls: u32::try_from(rows::get::<i64>(row, 4)?).unwrap_or_default(),
            });
        }
    }
    let all: Option<Vec<_>> = granted.into_iter().collect();
    all.ok_or_else(|| StoreError::Failed("a claim was not answered".into()))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
