//! Moves a whole store from SQLite to PostgreSQL, and its files from one file store to another.
//!
//! Rows go over in the order of their primary keys, so many in one transaction: the last key that is there says where
//! to go on after an interruption. A database into which a move began is marked with the store that it comes from until
//! all of it is there and proved, and no server starts on it. At the end both sides are read whole and compared.

mod source;
mod target;
#[cfg(test)]
mod tests;
mod value;

use std::path::Path;

use sha2::{Digest, Sha256};
use tokio_postgres::Client;

use crate::files::{FileError, FileStore};
use crate::postgres::{self, PgOptions};
use crate::sqlite::OpenError;
use source::{Source, Table};
use value::Value;

/// The tables, each after those that its rows point to. What `meta` says is moved by itself.
const TABLES: &[&str] = &[
    "business",
    "campaign",
    "customer",
    "erasure",
    "purchase",
    "purchase_return",
    "credential",
    "operator_token",
    "session",
    "chat",
    "taken",
    "message",
    "message_file",
    "idempotency",
    "limit_usage",
    "event",
    "subscription",
    "again",
    "attempt",
    "seen",
    "saved_reply",
    "verdict",
    "audit",
];

/// Rows in one transaction.
const ROWS_AT_ONCE: usize = 5_000;

/// Why a store was not moved, or not wholly.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The SQLite file cannot be opened.
    #[error(transparent)]
    Source(#[from] OpenError),
    /// The SQLite file cannot be read.
    #[error("the SQLite file cannot be read: {0}")]
    Read(#[from] rusqlite::Error),
    /// The database cannot be opened.
    #[error(transparent)]
    Target(#[from] postgres::OpenError),
    /// The database does not take it.
    #[error("the PostgreSQL database failed: {0}")]
    Write(#[from] tokio_postgres::Error),
    /// A value cannot be moved.
    #[error("a value cannot be moved: {0}")]
    Value(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is something in the database already.
    #[error("the database has data of its own already: name an empty one")]
    NotEmpty,
    /// A move of another store into this database was begun.
    #[error(
        "a move of another store into this database was begun: finish that one, or name an empty database"
    )]
    AnotherMove,
    /// The two sides are not the same.
    #[error("{table} differs: {from} rows here, {to} rows there{}; nothing may write into either while a store is moved", if from == to { ", with other contents" } else { "" })]
    Differs {
        /// Which table.
        table: &'static str,
        /// Its rows in SQLite.
        from: u64,
        /// Its rows in PostgreSQL.
        to: u64,
    },
    /// A file cannot be moved.
    #[error("the file {object} cannot be moved: {source}")]
    File {
        /// The object's name.
        object: String,
        /// Why.
        source: FileError,
    },
    /// A file is not what it was.
    #[error("the file {0} is another one there: remove it there and move again")]
    FileDiffers(String),
}

/// Is told how a move gets on.
pub trait Progress: Send + Sync {
    /// Something begins that has so many steps, of which some may be done already.
    fn begin(&self, what: &str, done: u64, all: u64);
    /// So many more steps are done.
    fn step(&self, steps: u64);
}

/// What was moved, and proved to be the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Each table with its number of rows.
    pub rows: Vec<(&'static str, u64)>,
    /// Files that are in the new file store.
    pub files: u64,
}

/// Moves the store in the SQLite file `from` into the database `to`, and the files that its messages name from one
/// file store to the other. Nothing may write into either meanwhile. Done again after an interruption, it goes on.
pub async fn move_store(
    from: &Path,
    to: &PgOptions,
    files: (&FileStore, &FileStore),
    progress: &dyn Progress,
) -> Result<Moved, MoveError> {
    let source = Source::open(from)?;
    let mut client = postgres::connect_to_move(to).await?;
    mark(&client, &source).await?;
    let tables = TABLES
        .iter()
        .map(|name| source.table(name))
        .collect::<Result<Vec<_>, _>>()?;
    for table in &tables {
        move_rows(&source, &mut client, table, progress).await?;
    }
    let files = move_files(&source, files, progress).await?;
    let mut rows = Vec::new();
    for table in &tables {
        rows.push((table.name, prove(&source, &client, table, progress).await?));
    }
    target::finish(&mut client, &source).await?;
    Ok(Moved { rows, files })
}

/// Begins a move, or goes on with the one that was begun from this very store.
async fn mark(client: &Client, source: &Source) -> Result<(), MoveError> {
    let Some(Value::Bytes(secret)) = source.meta("secret")? else {
        return Err(MoveError::Value("the store has no secret".into()));
    };
    // The secret is the store's own: its hash tells one store from another.
    let mark = Sha256::digest(&secret);
    match postgres::move_begun(client).await? {
        Some(begun) if begun == mark.as_slice() => Ok(()),
        Some(_) => Err(MoveError::AnotherMove),
        None if target::is_empty(client).await? => Ok(postgres::begin_move(client, &mark).await?),
        None => Err(MoveError::NotEmpty),
    }
}

/// Moves the rows of a table that are not there yet.
async fn move_rows(
    source: &Source,
    client: &mut Client,
    table: &Table,
    progress: &dyn Progress,
) -> Result<(), MoveError> {
    let types = target::types(client, table).await?;
    let mut last = target::last_key(client, table).await?;
    progress.begin(
        table.name,
        target::count(client, table).await?,
        source.count(table)?,
    );
    loop {
        let rows = source.rows(table, last.as_deref(), ROWS_AT_ONCE)?;
        let Some(newest) = rows.last() else { return Ok(()) };
        last = Some(table.key_of(newest));
        let transaction = client.transaction().await?;
        target::copy(&transaction, table, &types, &rows).await?;
        transaction.commit().await?;
        progress.step(rows.len() as u64);
    }
}

/// Compares what both sides have of a table; answers how many rows.
async fn prove(
    source: &Source,
    client: &Client,
    table: &Table,
    progress: &dyn Progress,
) -> Result<u64, MoveError> {
    progress.begin(&format!("{}, proof", table.name), 0, 2 * source.count(table)?);
    let from = source.sum(table, || progress.step(1))?;
    let to = target::sum(client, table, || progress.step(1)).await?;
    if from != to {
        return Err(MoveError::Differs {
            table: table.name,
            from: from.rows,
            to: to.rows,
        });
    }
    Ok(from.rows)
}

/// Moves the files that messages name and that are not there yet, and compares them; answers how many there are.
async fn move_files(
    source: &Source,
    (from, to): (&FileStore, &FileStore),
    progress: &dyn Progress,
) -> Result<u64, MoveError> {
    let table = source.table("message_file")?;
    progress.begin("files", 0, source.count(&table)?);
    let place = |column: &str| {
        let found = table.columns.iter().position(|name| name == column);
        found.ok_or_else(|| MoveError::Value(format!("files have no {column}").into()))
    };
    let (object, removed_at) = (place("object")?, place("removed_at")?);
    let (mut last, mut moved) = (None, 0);
    loop {
        let rows = source.rows(&table, last.as_deref(), ROWS_AT_ONCE)?;
        let Some(newest) = rows.last() else {
            return Ok(moved);
        };
        last = Some(table.key_of(newest));
        for row in &rows {
            // The bytes of a file that was removed are not there any more.
            if let (Value::Text(object), Value::Null) = (&row[object], &row[removed_at]) {
                move_file(from, to, object).await?;
                moved += 1;
            }
            progress.step(1);
        }
    }
}

async fn move_file(from: &FileStore, to: &FileStore, object: &str) -> Result<(), MoveError> {
    let failed = |source| MoveError::File {
        object: object.to_owned(),
        source,
    };
    let (here, there) = match to.digest(object).await {
        Err(FileError::NotFound) => (from.copy_to(to, object).await, to.digest(object).await),
        there => (from.digest(object).await, there),
    };
    if here.map_err(failed)? == there.map_err(failed)? {
        Ok(())
    } else {
        Err(MoveError::FileDiffers(object.to_owned()))
    }
}
