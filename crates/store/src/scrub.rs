//! Clearing what SQLite leaves behind in the unused part of a page.
//!
//! `secure_delete` writes zeros over what is deleted, where it lies. But rows move between pages as a table grows, and
//! then the page that they came from keeps their bytes in its unused part until it is used again. Nothing reads it, yet
//! it is in the file: there, somebody who was erased could still be found.

use rusqlite::{Connection, OptionalExtension};

/// Pages looked at in one step.
const LOOKED_AT: u32 = 2_000;
/// Pages cleared in one transaction, at the most.
const CLEARED: usize = 200;
/// A file with as many pages has pages of other kinds whose first byte may be that of a page with rows: 128 GiB.
const TOO_MANY: u32 = 1 << 25;
/// The header of the file, which the first page begins with.
const FILE_HEADER: usize = 100;

/// What a step found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The page that was looked at first.
    pub(crate) first: u32,
    /// Pages that have something in their unused part.
    pub(crate) unclean: Vec<u32>,
    /// The page to go on at; `None` at the end of the file.
    pub(crate) next: Option<u32>,
}

/// Looks at pages from `first` on.
pub(crate) fn look(conn: &Connection, first: u32) -> rusqlite::Result<Found> {
    let pages: u32 = conn.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let mut found = Found {
        first,
        unclean: Vec::new(),
        next: None,
    };
    if pages >= TOO_MANY {
        tracing::warn!("the database is too large for its pages to be cleared of what was erased");
        return Ok(found);
    }
    let is_possible = conn
        .prepare_cached("SELECT 1 FROM pragma_module_list WHERE name = 'sqlite_dbpage'")?
        .exists([])?;
    if !is_possible {
        tracing::warn!("pages cannot be cleared of what was erased: built without SQLITE_ENABLE_DBPAGE_VTAB");
        return Ok(found);
    }
    let mut page = conn.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
    for number in first..=pages {
        if number - first == LOOKED_AT || found.unclean.len() == CLEARED {
            found.next = Some(number);
            break;
        }
        let is_clean = |row: &rusqlite::Row<'_>| {
            let data = row.get_ref(0)?.as_blob()?;
            Ok(unused(data, number).is_none_or(|(from, to)| data[from..to].iter().all(|byte| *byte == 0)))
        };
        if !page.query_row([number], is_clean).optional()?.unwrap_or(true) {
            found.unclean.push(number);
        }
    }
    Ok(found)
}

/// Clears pages, in the transaction of the caller.
pub(crate) fn clear(conn: &Connection, unclean: &[u32]) -> rusqlite::Result<()> {
    let mut page = conn.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
    let mut write = conn.prepare_cached("UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1")?;
    for number in unclean {
        let data: Option<Vec<u8>> = page.query_row([number], |row| row.get(0)).optional()?;
        // What was such a page a moment ago may be another one now.
        if let Some(mut data) = data
            && let Some((from, to)) = unused(&data, *number)
        {
            data[from..to].fill(0);
            write.execute((number, data))?;
        }
    }
    Ok(())
}

/// Clears a whole file, step by step; for files that only this connection writes.
pub(crate) fn clear_file(conn: &mut Connection) -> rusqlite::Result<()> {
    let mut next = Some(1);
    while let Some(first) = next {
        let transaction = conn.transaction()?;
        let found = look(&transaction, first)?;
        clear(&transaction, &found.unclean)?;
        transaction.commit()?;
        next = found.next;
    }
    Ok(())
}

/// The part of a page with rows that is between the list of its rows and the rows themselves; `None` for other pages.
/// <https://sqlite.org/fileformat2.html#b_tree_pages>
fn unused(data: &[u8], number: u32) -> Option<(usize, usize)> {
    let header = if number == 1 { FILE_HEADER } else { 0 };
    let length = match data.get(header)? {
        2 | 5 => 12,
        10 | 13 => 8,
        _ => return None,
    };
    let two = |at: usize| {
        Some(usize::from(u16::from_be_bytes([
            *data.get(at)?,
            *data.get(at + 1)?,
        ])))
    };
    let from = header + length + 2 * two(header + 3)?;
    let to = match two(header + 5)? {
        0 => 65_536,
        to => to,
    };
    (from <= to && to <= data.len()).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_unused_part_of_pages_with_rows_is_cleared() {
        let page = |kind: u8, rows: u8, content: u16| {
            let mut page = vec![0; 512];
            page[0] = kind;
            page[4] = rows;
            page[5..7].copy_from_slice(&content.to_be_bytes());
            page
        };
        for (data, number, expected) in [
            (page(13, 2, 400), 2, Some((12, 400))),
            (page(10, 0, 512), 2, Some((8, 512))),
            (page(5, 3, 300), 9, Some((18, 300))),
            (page(2, 3, 300), 9, Some((18, 300))),
            (page(0, 3, 300), 9, None),
            (page(1, 3, 300), 9, None),
            (page(13, 3, 600), 9, None),
            (page(13, 250, 300), 9, None),
            (page(13, 0, 0), 9, None),
            (vec![13], 9, None),
            (Vec::new(), 9, None),
        ] {
            assert_eq!(unused(&data, number), expected, "{:?}", &data.first());
        }
    }

    #[test]
    fn a_cleared_file_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut conn = Connection::open(folder.path().join("a")).expect("a file");
        conn.execute_batch("CREATE TABLE a (x INTEGER, y TEXT, PRIMARY KEY (x, y)) WITHOUT ROWID")
            .expect("a table");
        for number in 0..5_000 {
            let row = (
                number * 7_919 % 101,
                format!("row {number} {}", "x".repeat(number % 300)),
            );
            conn.execute("INSERT INTO a VALUES (?1, ?2)", row).expect("a row");
        }
        let sum = |conn: &Connection| -> (i64, i64) {
            conn.query_row("SELECT sum(x), sum(length(y)) FROM a", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .expect("a sum")
        };
        let before = sum(&conn);
        assert!(
            !look(&conn, 1).expect("a look").unclean.is_empty(),
            "nothing to clear"
        );
        clear_file(&mut conn).expect("cleared");
        assert_eq!(look(&conn, 1).expect("a look").unclean, [] as [u32; 0]);
        assert_eq!(sum(&conn), before);
        let whole: String = conn
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .expect("a check");
        assert_eq!(whole, "ok");
    }
}
