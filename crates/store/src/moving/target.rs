//! The PostgreSQL database that is moved to.

use std::pin::pin;

use futures_util::TryStreamExt;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Transaction};

use super::MoveError;
use super::source::{Source, Table};
use super::value::{Adding, Sum, Value};
use crate::postgres;

/// The types of a table's columns here.
pub(super) async fn types(client: &Client, table: &Table) -> Result<Vec<Type>, MoveError> {
    let statement = client
        .prepare(&format!("SELECT {} FROM {}", table.columns(), table.name))
        .await?;
    Ok(statement
        .columns()
        .iter()
        .map(|column| column.type_().clone())
        .collect())
}

/// The key of the last row that is here already.
pub(super) async fn last_key(client: &Client, table: &Table) -> Result<Option<Vec<Value>>, MoveError> {
    let key = table.key_columns();
    let backwards = key.replace(',', " DESC,");
    let sql = format!(
        "SELECT {key} FROM {} ORDER BY {backwards} DESC LIMIT 1",
        table.name
    );
    let Some(row) = client.query_opt(&sql, &[]).await? else {
        return Ok(None);
    };
    let values = (0..table.key.len()).map(|at| row.try_get(at));
    Ok(Some(values.collect::<Result<_, _>>()?))
}

pub(super) async fn count(client: &Client, table: &Table) -> Result<u64, MoveError> {
    let sql = format!("SELECT count(*) FROM {}", table.name);
    let rows: i64 = client.query_one(&sql, &[]).await?.try_get(0)?;
    Ok(rows.unsigned_abs())
}

/// Writes rows.
pub(super) async fn copy(
    transaction: &Transaction<'_>,
    table: &Table,
    types: &[Type],
    rows: &[Vec<Value>],
) -> Result<(), MoveError> {
    let sql = format!("COPY {} ({}) FROM STDIN BINARY", table.name, table.columns());
    let mut writer = pin!(BinaryCopyInWriter::new(transaction.copy_in(&sql).await?, types));
    for row in rows {
        writer
            .as_mut()
            .write_raw(row.iter().map(|value| value as &dyn ToSql))
            .await?;
    }
    writer.finish().await?;
    Ok(())
}

/// Whether nothing was ever registered here, and nobody was let in.
pub(super) async fn is_empty(client: &Client) -> Result<bool, MoveError> {
    let sql = "SELECT NOT EXISTS (SELECT FROM business) AND NOT EXISTS (SELECT FROM customer)
        AND NOT EXISTS (SELECT FROM operator_token)";
    Ok(client.query_one(sql, &[]).await?.try_get(0)?)
}

/// Takes over what the store knows about itself, and takes the mark away: it is complete.
pub(super) async fn finish(client: &mut Client, source: &Source) -> Result<(), MoveError> {
    let transaction = client.transaction().await?;
    let keep = "INSERT INTO meta (name, number, bytes) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET number = excluded.number, bytes = excluded.bytes";
    for name in [
        "secret",
        "access_version",
        "subscriptions_version",
        "forgotten_event",
        "forgotten_taken",
    ] {
        let (number, bytes) = match source.meta(name)? {
            Some(Value::Number(number)) => (Some(number), None),
            Some(Value::Bytes(bytes)) => (None, Some(bytes)),
            _ => continue,
        };
        transaction.execute(keep, &[&name, &number, &bytes]).await?;
    }
    // The embedded store's node has number zero: whoever has it here begins above its ids.
    if let Some(Value::Number(last)) = source.meta("last_id")? {
        let above = "INSERT INTO node (node_id, instance, beat_at, last_id) VALUES (0, 0, '-infinity', $1)
            ON CONFLICT (node_id) DO UPDATE SET last_id = greatest(node.last_id, excluded.last_id)";
        transaction.execute(above, &[&last]).await?;
    }
    let heads = "INSERT INTO business_head (business_id, last_event_id)
        SELECT business_id, greatest(
            (SELECT max(event_id) FROM event e WHERE e.business_id = b.business_id),
            (SELECT number FROM meta WHERE name = 'forgotten_event'), 0)
        FROM business b ON CONFLICT (business_id) DO NOTHING";
    transaction.execute(heads, &[]).await?;
    transaction.execute(postgres::END_MOVE, &[]).await?;
    transaction.commit().await?;
    // New statistics, or the first queries are planned as on empty tables.
    Ok(client.batch_execute("ANALYZE").await?)
}

/// What all rows add up to; `step` is told of each.
pub(super) async fn sum(client: &Client, table: &Table, mut step: impl FnMut()) -> Result<Sum, MoveError> {
    let (columns, key, name) = (table.columns(), table.key_columns(), table.name);
    let sql = format!("SELECT {columns} FROM {name} ORDER BY {key}");
    let nothing: [&dyn ToSql; 0] = [];
    let mut found = pin!(client.query_raw(&sql, nothing).await?);
    let mut adding = Adding::default();
    while let Some(row) = found.try_next().await? {
        let values = (0..table.columns.len()).map(|at| row.try_get(at));
        adding.row(&values.collect::<Result<Vec<Value>, _>>()?);
        step();
    }
    Ok(adding.sum())
}
