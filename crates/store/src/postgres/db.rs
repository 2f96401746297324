//! The connections: to the server that writes, and to one that only reads where there is one.

use std::future::Future;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::fault::{self, Fault};
use super::listen::News;
use super::nodes::Node;
use super::statements::Sql;
use crate::observer::Observed;
use crate::{Result, StoreError};

/// A value of a statement.
pub(super) type Value<'a> = &'a (dyn ToSql + Sync);

/// Requests that may wait for each connection before more are refused.
const WAITING_FOR_EACH: usize = 32;

/// What answers questions: the database as it is, or as a transaction sees it.
pub(super) trait Source: Sync {
    /// The rows that a statement answers.
    fn ask(&self, sql: Sql, values: &[Value<'_>]) -> impl Future<Output = Result<Vec<Row>>> + Send;

    /// The rows, each read.
    fn all<T: Send>(
        &self,
        sql: Sql,
        values: &[Value<'_>],
        read: fn(&Row) -> Result<T>,
    ) -> impl Future<Output = Result<Vec<T>>> + Send {
        async move { self.ask(sql, values).await?.iter().map(read).collect() }
    }

    /// The first row, read, if there is one.
    fn first<T: Send>(
        &self,
        sql: Sql,
        values: &[Value<'_>],
        read: fn(&Row) -> Result<T>,
    ) -> impl Future<Output = Result<Option<T>>> + Send {
        async move { self.ask(sql, values).await?.first().map(read).transpose() }
    }
}

/// The database, and what this process keeps beside it.
pub(super) struct Db {
    pool: Pool,
    replica: Option<Pool>,
    /// How long the server may take for a statement.
    limit: Duration,
    /// Writes under way or waiting.
    pub(super) writes: AtomicUsize,
    pub(super) node: Node,
    pub(super) news: News,
    pub(super) observed: Observed,
}

impl Db {
    pub(super) fn new(pool: Pool, replica: Option<Pool>, limit: Duration, node: Node, news: News) -> Self {
        Self {
            pool,
            replica,
            limit,
            writes: AtomicUsize::new(0),
            node,
            news,
            observed: Observed::default(),
        }
    }

    /// A connection to the server that writes.
    pub(super) async fn connection(&self) -> Result<Object> {
        let status = self.pool.status();
        if status.waiting >= status.max_size * WAITING_FOR_EACH {
            return Err(StoreError::Busy);
        }
        Ok(self.pool.get().await?)
    }

    /// A connection to the server for what may be a moment behind, and is long.
    pub(super) async fn behind(&self) -> Result<Object> {
        match &self.replica {
            Some(replica) => Ok(replica.get().await?),
            None => self.connection().await,
        }
    }

    /// Writes that may be under way when a request asks for one more.
    pub(super) fn most_writes(&self) -> usize {
        self.pool.status().max_size * WAITING_FOR_EACH
    }

    /// Waits for answers of the server, which gives up by itself after its own limit: who is silent for longer is gone.
    pub(super) async fn answered<T>(&self, answers: impl Future<Output = T>) -> Result<T> {
        let patience = self.limit + Duration::from_secs(2);
        tokio::time::timeout(patience, answers).await.map_err(|_| {
            StoreError::Unavailable(format!(
                "PostgreSQL did not answer within {} s",
                patience.as_secs()
            ))
        })
    }

    pub(super) fn close(&self) {
        self.pool.close();
        if let Some(replica) = &self.replica {
            replica.close();
        }
    }

    /// A read on a connection from the pool; answers whether the connection was lost with it.
    async fn ask_once(
        &self,
        sql: Sql,
        values: &[Value<'_>],
    ) -> std::result::Result<Vec<Row>, (Fault, StoreError)> {
        let conn = self.connection().await.map_err(|error| (Fault::Final, error))?;
        let answer = self
            .answered(async {
                let statement = conn.prepare_cached(sql.text).await?;
                conn.query(&statement, values).await
            })
            .await;
        match answer {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => {
                let fault = Fault::of(&error);
                if fault == Fault::Lost {
                    drop(Object::take(conn));
                }
                Err((fault, fault::of_statement(sql, error)))
            }
            Err(silent) => {
                drop(Object::take(conn));
                Err((Fault::Final, silent))
            }
        }
    }
}

impl Source for Db {
    async fn ask(&self, sql: Sql, values: &[Value<'_>]) -> Result<Vec<Row>> {
        self.observed
            .reading(async {
                match self.ask_once(sql, values).await {
                    // A connection that waited in the pool may have been lost there: others may be good.
                    Err((Fault::Lost, _)) => self.ask_once(sql, values).await.map_err(|(_, error)| error),
                    other => other.map_err(|(_, error)| error),
                }
            })
            .await
    }
}
