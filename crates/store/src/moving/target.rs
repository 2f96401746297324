//! The PostgreSQL database that is moved to.

use std::pin::pin;

use futures_util::TryStreamExt;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Transaction};

use super::MoveError;
use super::source::Table;
use super::value::{Adding, Sum, Value};

/// The types of a table's columns here.
pub(super) async fn types(client: &Client, table: &Table) -> Result<Vec<Type>, MoveError> {
    let statement = client.prepare(&format!("SELECT {} FROM {}", table.columns(), table.name)).await?;
    Ok(statement.columns().iter().map(|column| column.type_().clone()).collect())
}

/// The key of the last row that is here already.
pub(super) async fn last_key(client: &Client, table: &Table) -> Result<Option<Vec<Value>>, MoveError> {
    let key = table.key_columns();
    let backwards = key.replace(',', " DESC,");
    let sql = format!("SELECT {key} FROM {} ORDER BY {backwards} DESC LIMIT 1", table.name);
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
        writer.as_mut().write_raw(row.iter().map(|value| value as &dyn ToSql)).await?;
    }
    writer.finish().await?;
    Ok(())
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
