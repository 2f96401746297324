//! The list of tables against the schema. What a move does is in `tests/moving.rs`.

use prilavok_domain::IdSequence;
use rusqlite::Connection;

use super::TABLES;
use crate::sqlite::{FILE_NAME, SqliteStore};

fn strings(conn: &Connection, sql: &str, of: &[&str]) -> Vec<String> {
    let mut statement = conn.prepare(sql).expect("a statement");
    let found = statement.query_map(rusqlite::params_from_iter(of), |row| row.get(0));
    let found = found.expect("rows").collect::<rusqlite::Result<_>>();
    found.expect("names")
}

#[test]
fn every_table_is_moved_after_those_that_it_points_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE_NAME);
    drop(SqliteStore::open(&path, IdSequence::clocked(0, 0)).expect("a store"));
    let conn = Connection::open(&path).expect("a file");
    // Where this file finds events and messages says nothing that these do not.
    let there = strings(
        &conn,
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%'
             AND name NOT IN ('meta', 'recent', 'event_of_business', 'message_row') ORDER BY name",
        &[],
    );
    let mut moved = TABLES.to_vec();
    moved.sort_unstable();
    assert_eq!(moved, there);
    for (place, table) in TABLES.iter().enumerate() {
        for of in strings(
            &conn,
            "SELECT \"table\" FROM pragma_foreign_key_list(?1)",
            &[table],
        ) {
            assert!(TABLES[..place].contains(&&*of), "{table} points to {of}");
        }
    }
}
