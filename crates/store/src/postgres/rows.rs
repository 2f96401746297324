//! Rows read as domain types, and statements run. A column that holds what Prilavok never writes is a broken store.

use std::str::FromStr;

use deadpool_postgres::GenericClient;
use prilavok_domain::{Event, MessageId, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql};

use crate::{Result, StoreError};

/// The values of a statement's parameters.
pub(super) type Values<'a> = [&'a (dyn ToSql + Sync)];

/// Runs a statement that is prepared once on each connection.
pub(super) async fn query(conn: &impl GenericClient, sql: &str, values: &Values<'_>) -> Result<Vec<Row>> {
    let statement = conn.prepare_cached(sql).await?;
    Ok(conn.query(&statement, values).await?)
}

/// As [`query`], for statements that give one row.
pub(super) async fn query_one(conn: &impl GenericClient, sql: &str, values: &Values<'_>) -> Result<Row> {
    let statement = conn.prepare_cached(sql).await?;
    Ok(conn.query_one(&statement, values).await?)
}

/// As [`query`], for statements that give at most one row.
pub(super) async fn query_opt(
    conn: &impl GenericClient,
    sql: &str,
    values: &Values<'_>,
) -> Result<Option<Row>> {
    let statement = conn.prepare_cached(sql).await?;
    Ok(conn.query_opt(&statement, values).await?)
}

/// As [`query`]; answers how many rows it touched.
pub(super) async fn execute(conn: &impl GenericClient, sql: &str, values: &Values<'_>) -> Result<u64> {
    let statement = conn.prepare_cached(sql).await?;
    Ok(conn.execute(&statement, values).await?)
}

/// A row holds what no version of Prilavok writes.
#[derive(Debug, thiserror::Error)]
#[error("the column {column} holds {found}")]
struct BadColumn {
    column: &'static str,
    found: String,
}

fn bad(column: &'static str, found: &dyn std::fmt::Display) -> StoreError {
    let found = found.to_string();
    StoreError::Failed(Box::new(BadColumn { column, found }))
}

/// A page's length as the database takes it.
pub(super) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(super) fn get<'row, T: FromSql<'row>>(row: &'row Row, at: usize) -> Result<T> {
    Ok(row.try_get(at)?)
}

pub(super) fn id<I: TryFrom<i64>>(row: &Row, at: usize, column: &'static str) -> Result<I> {
    let value: i64 = get(row, at)?;
    I::try_from(value).map_err(|_| bad(column, &value))
}

/// A number that is never negative.
pub(super) fn unsigned<N: TryFrom<i64>>(row: &Row, at: usize, column: &'static str) -> Result<N> {
    id(row, at, column)
}

pub(super) fn optional<'row, T, V: FromSql<'row>>(
    row: &'row Row,
    at: usize,
    column: &'static str,
    read: impl FnOnce(V) -> Option<T>,
) -> Result<Option<T>> {
    let value: Option<V> = get(row, at)?;
    value
        .map(|value| read(value).ok_or_else(|| bad(column, &"an impossible value")))
        .transpose()
}

pub(super) fn named<N: FromStr>(row: &Row, at: usize, column: &'static str) -> Result<N> {
    let text: &str = get(row, at)?;
    text.parse().map_err(|_| bad(column, &text))
}

pub(super) fn checked<T, E>(
    row: &Row,
    at: usize,
    column: &'static str,
    check: impl FnOnce(String) -> std::result::Result<T, E>,
) -> Result<T> {
    let text: String = get(row, at)?;
    check(text).map_err(|_| bad(column, &"a text that is too long or empty"))
}

pub(super) fn time(row: &Row, at: usize, column: &'static str) -> Result<Timestamp> {
    let millis: i64 = get(row, at)?;
    Timestamp::from_millis(millis).ok_or_else(|| bad(column, &millis))
}

/// A hash or a secret.
pub(super) fn bytes<const N: usize>(row: &Row, at: usize, column: &'static str) -> Result<[u8; N]> {
    let bytes: &[u8] = get(row, at)?;
    bytes
        .try_into()
        .map_err(|_| bad(column, &"bytes of another length"))
}

/// An event whose six columns begin at `at`.
pub(super) fn event(row: &Row, at: usize) -> Result<Event> {
    Ok(Event {
        business: id(row, at, "business_id")?,
        id: id(row, at + 1, "event_id")?,
        kind: named(row, at + 2, "type")?,
        chat: id(row, at + 3, "chat_id")?,
        message: optional(row, at + 4, "message_id", |id| MessageId::new(id).ok())?,
        at: time(row, at + 5, "at")?,
    })
}
