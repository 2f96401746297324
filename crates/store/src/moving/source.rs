//! The SQLite file that is moved from.

use std::path::Path;

use rusqlite::{Connection, params_from_iter};

use prilavok_domain::IdSequence;

use super::MoveError;
use super::value::{Adding, Sum, Value};
use crate::sqlite;

/// The view of messages, which lie in no table of that name.
const MESSAGES: &str = "message";

/// Columns of which only this file needs to know.
const OF_THIS_FILE: &[(&str, &str)] = &[
    ("chat", "number"),
    ("event", "before_id"),
    ("event", "leaves"),
    (MESSAGES, "place"),
];

/// A table, as SQLite has it.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// All columns that are moved, in an order that stays.
    pub(super) columns: Vec<String>,
    /// The places of the primary key's columns among them.
    pub(super) key: Vec<usize>,
}

impl Table {
    pub(super) fn columns(&self) -> String {
        self.columns.join(", ")
    }

    pub(super) fn key_columns(&self) -> String {
        let names: Vec<_> = self.key.iter().map(|at| self.columns[*at].as_str()).collect();
        names.join(", ")
    }

    pub(super) fn key_of(&self, row: &[Value]) -> Vec<Value> {
        self.key.iter().map(|at| row[*at].clone()).collect()
    }
}

/// One state of the whole file: what is written meanwhile is not seen.
pub(super) struct Source(Connection);

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self, MoveError> {
        // Brings an older file up to date, and refuses what is none.
        drop(sqlite::SqliteStore::open(path, IdSequence::clocked(0, 0))?);
        let conn = Connection::open_with_flags(
            path,
            rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        conn.pragma_update(None, "query_only", true)?;
        conn.execute_batch("BEGIN")?;
        Ok(Self(conn))
    }

    /// What a table is like, but for columns of which only this file needs to know.
    pub(super) fn table(&self, name: &'static str) -> rusqlite::Result<Table> {
        let mut statement = self
            .0
            .prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid")?;
        let found = statement.query_map([name], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, usize>(1)?))
        })?;
        let mut found = found.collect::<rusqlite::Result<Vec<_>>>()?;
        found.retain(|(column, _)| !OF_THIS_FILE.contains(&(name, column)));
        let mut key: Vec<_> = (0..found.len()).collect();
        if name == MESSAGES {
            // A view, which has no key of its own: its first columns are.
            key.truncate(3);
        } else {
            key.retain(|at| found[*at].1 > 0);
            key.sort_by_key(|at| found[*at].1);
        }
        Ok(Table {
            name,
            key,
            columns: found.into_iter().map(|(name, _)| name).collect(),
        })
    }

    pub(super) fn count(&self, table: &Table) -> rusqlite::Result<u64> {
        let sql = format!("SELECT count(*) FROM {}", table.name);
        self.0.query_row(&sql, [], |row| row.get(0))
    }

    /// The next `limit` rows behind a key, in the order of keys.
    pub(super) fn rows(
        &self,
        table: &Table,
        after: Option<&[Value]>,
        limit: usize,
    ) -> Result<Vec<Vec<Value>>, MoveError> {
        let (columns, key, name) = (table.columns(), table.key_columns(), table.name);
        let places: Vec<_> = (1..=table.key.len()).map(|at| format!("?{at}")).collect();
        let places = places.join(", ");
        let behind = match (after, name) {
            (None, _) => String::new(),
            // The chat is found by what is said of it alone.
            (Some(_), MESSAGES) => {
                format!("WHERE (business_id, chat_id) >= (?1, ?2) AND ({key}) > ({places})")
            }
            (Some(_), _) => format!("WHERE ({key}) > ({places})"),
        };
        let order = order(table);
        let mut statement = self.0.prepare_cached(&format!(
            "{} SELECT {columns} FROM {name} {behind} ORDER BY {order} LIMIT {limit}",
            as_they_are(name)
        ))?;
        let mut found = statement.query(params_from_iter(after.unwrap_or_default()))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            rows.push(read(row, table.columns.len())?);
        }
        Ok(rows)
    }

    /// What all rows add up to; `step` is told of each.
    pub(super) fn sum(&self, table: &Table, mut step: impl FnMut()) -> Result<Sum, MoveError> {
        let (columns, order, name) = (table.columns(), order(table), table.name);
        let mut statement = self.0.prepare(&format!(
            "{} SELECT {columns} FROM {name} ORDER BY {order}",
            as_they_are(name)
        ))?;
        let mut found = statement.query([])?;
        let mut adding = Adding::default();
        while let Some(row) = found.next()? {
            adding.row(&read(row, table.columns.len())?);
            step();
        }
        Ok(adding.sum())
    }

    /// What the store knows about itself.
    pub(super) fn meta(&self, name: &str) -> Result<Option<Value>, MoveError> {
        let mut statement = self.0.prepare("SELECT value FROM meta WHERE name = ?1")?;
        let mut found = statement.query([name])?;
        match found.next()? {
            Some(row) => Ok(Some(read(row, 1)?.remove(0))),
            None => Ok(None),
        }
    }
}

/// The order of keys, by what a table lies in the order of.
fn order(table: &Table) -> String {
    match table.name {
        MESSAGES => "business_id, chat_id, place".to_owned(),
        _ => table.key_columns(),
    }
}

/// What stands before a query of a table whose rows do not say all. In the other store every chat's row does.
fn as_they_are(table: &str) -> String {
    match table {
        "chat" => format!("WITH chat AS ({})", sqlite::lagging::all_now()),
        _ => String::new(),
    }
}

fn read(row: &rusqlite::Row<'_>, columns: usize) -> Result<Vec<Value>, MoveError> {
    let values = (0..columns).map(|at| Value::try_from(row.get_ref(at)?).map_err(MoveError::Value));
    values.collect()
}
