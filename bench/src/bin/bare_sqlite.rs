//! What SQLite does by itself with random chats of the seeded store.
//!
//! The bar of writes: `row` puts messages' rows into it (write-ahead log, `synchronous=FULL`), so many in each commit, `whole`
//! all that a message is in the store: its row, and the event that notifications and streams are told. `page` reads so many
//! messages of a chat, from the first.
//! Arguments: the file, `row`, `whole` or `page`, the messages in a commit or page, the seconds. Prints messages or pages a second.

use std::path::Path;
use std::time::{Duration, Instant};

use prilavok_bench::seed::{self, LONG_CHATS};
use rusqlite::Connection;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Later than anything in the seeded store.
const NOW_MS: i64 = 1_800_000_000_000;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, what, at_once, seconds] = arguments.as_slice() else {
        anyhow::bail!("usage: bare_sqlite FILE row|whole|page MESSAGES_AT_ONCE SECONDS");
    };
    let (at_once, seconds): (u32, f64) = (at_once.parse()?, seconds.parse()?);
    let time = Duration::from_secs_f64(seconds);
    let conn = Connection::open(file)?;
    conn.set_prepared_statement_cache_capacity(16);
    let rate = match what.as_str() {
        "page" => pages(&conn, &Path::new(file).with_file_name(LONG_CHATS), at_once, time)?,
        _ => messages(&conn, what == "whole", at_once, time)?,
    };
    println!("{rate}");
    Ok(())
}

fn pages(conn: &Connection, chats: &Path, of_page: u32, time: Duration) -> anyhow::Result<f64> {
    // As much as a reader of the store keeps.
    conn.pragma_update(None, "cache_size", -16 * 1024)?;
    let text = std::fs::read_to_string(chats)?;
    let mut number = conn.prepare("SELECT number FROM chat WHERE business_id = ?1 AND chat_id = ?2")?;
    let chats: Vec<i64> = text
        .lines()
        .map(|line| {
            let [business, _, chat] = seed::parts(line)?;
            let (business, chat): (i64, i64) = (business.parse()?, chat.parse()?);
            Ok(number.query_row((business, chat), |row| row.get(0))?)
        })
        .collect::<anyhow::Result<_>>()?;
    let mut page = conn.prepare(
        "SELECT message_id, head, text FROM message_row
         WHERE place BETWEEN ?1 << 24 AND ?1 << 24 | 16777215 ORDER BY place LIMIT ?2",
    )?;
    // Held, as the store holds one between two commits.
    conn.execute_batch("BEGIN")?;
    let (begun, mut read) = (Instant::now(), 0_u32);
    let mut texts = Vec::new();
    for chat in chats.iter().cycle() {
        texts.clear();
        let mut rows = page.query((chat, of_page))?;
        while let Some(row) = rows.next()? {
            let [id, head]: [i64; 2] = [row.get(0)?, row.get(1)?];
            std::hint::black_box((id, head));
            texts.extend_from_slice(row.get_ref(2)?.as_bytes()?);
        }
        std::hint::black_box(&texts);
        read += 1;
        if begun.elapsed() >= time {
            break;
        }
    }
    Ok(f64::from(read) / begun.elapsed().as_secs_f64())
}

fn messages(conn: &Connection, is_whole: bool, in_commit: u32, time: Duration) -> anyhow::Result<f64> {
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    let mut chats = conn.prepare("SELECT business_id, chat_id, number FROM chat")?;
    let chats: Vec<(i64, i64, i64)> = chats
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    let last: i64 = conn.query_row("SELECT value FROM meta WHERE name = 'last_id'", [], |row| {
        row.get(0)
    })?;
    let mut random = fastrand::Rng::new();
    let text = seed::TEXTS[0];
    let (mut id, mut rows) = (last, 0_u32);
    let begun = Instant::now();
    while begun.elapsed() < time {
        conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for _ in 0..in_commit {
            let (business, chat, number) = chats[random.usize(..chats.len())];
            id += 1;
            conn.prepare_cached(
                "INSERT INTO message_row (place, message_id, head, text)
                 SELECT coalesce(max(place), ?1 << 24) + 1, ?2, ?3, ?4 FROM message_row
                 WHERE place BETWEEN ?1 << 24 AND ?1 << 24 | 16777215",
            )?
            .execute((number, id, NOW_MS << 11 | 1 << 8, text))?;
            if is_whole {
                conn.prepare_cached(
                    "INSERT INTO event VALUES (?1, ?2, 'CHAT_MESSAGE_SENT', ?3, ?2, ?4,
                         (SELECT newest_event_id FROM recent WHERE business_id = ?1), 'WAITING_FOR_CUSTOMER')",
                )?
                .execute((business, id, chat, NOW_MS))?;
                conn.prepare_cached(
                    "INSERT INTO recent VALUES (?1, ?2, 1)
                     ON CONFLICT DO UPDATE SET newest_event_id = ?2, events = events + 1",
                )?
                .execute((business, id))?;
            }
        }
        conn.prepare_cached("COMMIT")?.execute([])?;
        rows += in_commit;
    }
    let took = begun.elapsed().as_secs_f64();
    conn.execute("UPDATE meta SET value = ?1 WHERE name = 'last_id'", [id])?;
    // Recent events tell the store which rows it has to bring up to their messages: these would be too many.
    conn.execute("DELETE FROM recent", [])?;
    Ok(f64::from(rows) / took)
}
