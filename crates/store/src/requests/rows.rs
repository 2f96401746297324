//! The log's rows: adding, finding, forgetting.

use std::collections::HashSet;

use prilavok_domain::{BusinessId, CredentialId, Timestamp};
use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension, Row};

use super::{Caller, Exchange, Line, LoggedBody, LoggedMessage, LoggedRequest, Place, RequestFilter};
use crate::sqlite::rows::{id, named, time};
use crate::{Page, Result, TakenFrom};

/// Entries forgotten in one transaction.
const FORGOTTEN_AT_ONCE: usize = 1_000;
/// Entries that go at a time when room is needed, and how often in one transaction.
const CROWDED_OUT: usize = 200;
const ROUNDS: usize = 50;
/// Entries looked through in one transaction.
const LOOKED_AT: usize = 1_000;
/// Answers below this are no refusals.
const FIRST_ERROR: u16 = 400;

const COLUMNS: &str = "place, at, took_us, request_id, method, target, operation, business_id, caller_kind, \
    caller_id, caller_name, status, rule";

pub(super) fn insert(conn: &Connection, request: &LoggedRequest, exchange: &Exchange) -> Result<()> {
    let caller = request.caller.as_ref();
    conn.prepare_cached(
        "INSERT INTO request (at, took_us, request_id, method, target, operation, business_id, caller_kind,
             caller_id, caller_name, status, rule)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute((
        request.at.as_millis(),
        request.took_us,
        &request.request_id,
        &request.method,
        &request.target,
        &request.operation,
        request.business.map(BusinessId::get),
        caller.map(|caller| caller.kind.as_str()),
        caller.map(|caller| caller.id.0),
        caller.map(|caller| &caller.name),
        request.status,
        &request.rule,
    ))?;
    let place = conn.last_insert_rowid();
    let (asked, answered) = (&exchange.request, &exchange.answer);
    conn.prepare_cached(
        "INSERT INTO exchange (place, request_headers, request_body, request_cut, request_bytes, answer_headers,
             answer_body, answer_cut, answer_bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute((
        place,
        lines(&asked.headers),
        &asked.body.text,
        asked.body.cut,
        asked.body.bytes,
        lines(&answered.headers),
        &answered.body.text,
        answered.body.cut,
        answered.body.bytes,
    ))?;
    Ok(())
}

/// Headers as HTTP writes them; no value has a line's end in it.
fn lines(headers: &[(String, String)]) -> String {
    let mut text = String::new();
    for (name, value) in headers {
        text.extend([name, ": ", value, "\n"]);
    }
    text
}

fn headers(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('\n').filter_map(|line| line.split_once(": "));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Newest first, before a place.
pub(super) fn newest(
    conn: &Connection,
    filter: &RequestFilter,
    before: Option<Place>,
    limit: usize,
) -> Result<Page<Line>> {
    let before = before.unwrap_or(Place::MAX);
    let lines = find(conn, filter, "place < ?1", before, "DESC", limit + 1)?;
    Ok(Page::beginning(lines, limit))
}

/// Oldest first, behind a place.
pub(super) fn after(
    conn: &Connection,
    filter: &RequestFilter,
    after: Place,
    limit: usize,
) -> Result<Vec<Line>> {
    find(conn, filter, "place > ?1", after, "ASC", limit)
}

fn find(
    conn: &Connection,
    filter: &RequestFilter,
    side: &str,
    place: Place,
    order: &str,
    limit: usize,
) -> Result<Vec<Line>> {
    let (from, until) = (
        filter.from.map_or(i64::MIN, Timestamp::as_millis),
        filter.until.map_or(i64::MAX, Timestamp::as_millis),
    );
    let (mut least, most) = filter
        .status
        .as_ref()
        .map_or((0, u16::MAX), |range| (*range.start(), *range.end()));
    if filter.refused {
        least = least.max(FIRST_ERROR);
    }
    let business = filter.business.map(BusinessId::get);
    let mut wanted = format!("{side} AND at >= ?2 AND at < ?3 AND status BETWEEN ?4 AND ?5");
    let mut values: Vec<&dyn ToSql> = vec![&place, &from, &until, &least, &most, &limit];
    let equal: [(&str, Option<&dyn ToSql>); 3] = [
        ("business_id", business.as_ref().map(|it| it as &dyn ToSql)),
        ("operation", filter.operation.as_ref().map(|it| it as &dyn ToSql)),
        (
            "request_id",
            filter.request_id.as_ref().map(|it| it as &dyn ToSql),
        ),
    ];
    for (column, value) in equal {
        if let Some(value) = value {
            values.push(value);
            wanted += &format!(" AND {column} = ?{}", values.len());
        }
    }
    let mut statement = conn.prepare(&format!(
        "SELECT {COLUMNS} FROM request WHERE {wanted} ORDER BY place {order} LIMIT ?6"
    ))?;
    let found = statement.query_map(values.as_slice(), line)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn line(row: &Row<'_>) -> rusqlite::Result<Line> {
    let has_caller = row.get::<_, Option<i64>>(9)?.is_some();
    let caller = match has_caller {
        false => None,
        true => Some(Caller {
            kind: named(row, 8, "caller_kind")?,
            id: CredentialId(row.get(9)?),
            name: row.get(10)?,
        }),
    };
    let business = match row.get::<_, Option<i64>>(7)? {
        None => None,
        Some(_) => Some(id(row, 7, "business_id")?),
    };
    let request = LoggedRequest {
        at: time(row, 1, "at")?,
        took_us: row.get(2)?,
        request_id: row.get(3)?,
        method: row.get(4)?,
        target: row.get(5)?,
        operation: row.get(6)?,
        business,
        caller,
        status: row.get(11)?,
        rule: row.get(12)?,
    };
    Ok((row.get(0)?, request))
}

pub(super) fn exchange(conn: &Connection, place: Place) -> Result<Option<Exchange>> {
    let message = |row: &Row<'_>, first: usize| {
        Ok::<_, rusqlite::Error>(LoggedMessage {
            headers: headers(&row.get::<_, String>(first)?),
            body: LoggedBody {
                text: row.get(first + 1)?,
                cut: row.get(first + 2)?,
                bytes: row.get(first + 3)?,
            },
        })
    };
    Ok(conn
        .query_row(
            "SELECT request_headers, request_body, request_cut, request_bytes, answer_headers, answer_body,
                 answer_cut, answer_bytes FROM exchange WHERE place = ?1",
            [place],
            |row| {
                Ok(Exchange {
                    request: message(row, 0)?,
                    answer: message(row, 4)?,
                })
            },
        )
        .optional()?)
}

/// Forgets the oldest entries, as far as they came before `before`.
pub(super) fn forget(conn: &Connection, before: Timestamp) -> Result<u64> {
    let last: Option<Place> = conn
        .prepare_cached(
            "SELECT max(place) FROM (SELECT place, at FROM request ORDER BY place LIMIT ?2) WHERE at < ?1",
        )?
        .query_row((before.as_millis(), FORGOTTEN_AT_ONCE), |row| row.get(0))?;
    last.map_or(Ok(0), |last| remove_to(conn, last))
}

/// Lets the oldest entries go until no more than `max_bytes` of the file are used, within bounds.
pub(super) fn make_room(conn: &Connection, max_bytes: u64) -> Result<()> {
    for _ in 0..ROUNDS {
        if used_bytes(conn)? <= max_bytes {
            break;
        }
        let last: Option<Place> = conn
            .prepare_cached("SELECT max(place) FROM (SELECT place FROM request ORDER BY place LIMIT ?1)")?
            .query_row([CROWDED_OUT], |row| row.get(0))?;
        match last {
            None => break,
            Some(last) => _ = remove_to(conn, last)?,
        }
    }
    Ok(())
}

fn used_bytes(conn: &Connection) -> Result<u64> {
    let number = |pragma| conn.pragma_query_value(None, pragma, |row| row.get::<_, u64>(0));
    let pages = number("page_count")?.saturating_sub(number("freelist_count")?);
    Ok(pages.saturating_mul(number("page_size")?))
}

fn remove_to(conn: &Connection, last: Place) -> Result<u64> {
    conn.prepare_cached("DELETE FROM exchange WHERE place <= ?1")?
        .execute([last])?;
    let removed = conn
        .prepare_cached("DELETE FROM request WHERE place <= ?1")?
        .execute([last])?;
    Ok(removed as u64)
}

pub(super) fn taken(conn: &Connection) -> Result<i64> {
    Ok(conn.query_row("SELECT taken FROM progress", [], |row| row.get(0))?)
}

pub(super) fn keep_taken(conn: &Connection, place: i64) -> Result<()> {
    conn.execute("UPDATE progress SET taken = ?1", [place])?;
    Ok(())
}

/// Removes entries behind a place that name one of these chats; answers the last place that was looked at.
pub(super) fn forget_chats(conn: &Connection, from: &[TakenFrom], after: Place) -> Result<Option<Place>> {
    let chats: HashSet<_> = from
        .iter()
        .map(|from| (from.business.get(), from.chat.get()))
        .collect();
    let mut statement = conn.prepare_cached(
        "SELECT place, business_id, target, request_body, answer_body
         FROM request JOIN exchange USING (place) WHERE place > ?1 ORDER BY place LIMIT ?2",
    )?;
    let mut entries = statement.query((after, LOOKED_AT))?;
    let (mut last, mut naming) = (None, Vec::new());
    while let Some(row) = entries.next()? {
        last = Some(row.get(0)?);
        let Some(business) = row.get::<_, Option<i64>>(1)? else {
            continue;
        };
        for column in 2..=4 {
            let text = row
                .get_ref(column)?
                .as_str_or_null()
                .ok()
                .flatten()
                .unwrap_or_default();
            if numbers(text).any(|number| chats.contains(&(business, number))) {
                naming.push(row.get::<_, Place>(0)?);
                break;
            }
        }
    }
    for table in ["exchange", "request"] {
        let mut remove = conn.prepare_cached(&format!("DELETE FROM {table} WHERE place = ?1"))?;
        for place in &naming {
            remove.execute([place])?;
        }
    }
    Ok(last)
}

/// The whole numbers in a text.
fn numbers(text: &str) -> impl Iterator<Item = i64> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
}
