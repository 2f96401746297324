//! The bar of writes: a program that puts messages into SQLite (write-ahead log, `synchronous=FULL`) and does nothing
//! else, so many in each commit, into random chats of the seeded store. `row` writes the message's row alone, `whole` all
//! that a message is in the store: its row, and the event that notifications and streams are told.
//! Arguments: the file, `row` or `whole`, the messages in a commit, the seconds. Prints messages a second.

use std::time::{Duration, Instant};

use rusqlite::Connection;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Later than anything in the seeded store.
const NOW_MS: i64 = 1_800_000_000_000;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, what, in_commit, seconds] = arguments.as_slice() else {
        anyhow::bail!("usage: bare_sqlite FILE row|whole MESSAGES_IN_A_COMMIT SECONDS");
    };
    let (in_commit, time): (u32, f64) = (in_commit.parse()?, seconds.parse()?);
    let conn = Connection::open(file)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.set_prepared_statement_cache_capacity(16);
    let mut chats = conn.prepare("SELECT business_id, chat_id FROM chat")?;
    let chats: Vec<(i64, i64)> = chats
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let last: i64 = conn.query_row("SELECT value FROM meta WHERE name = 'last_id'", [], |row| {
        row.get(0)
    })?;
    let mut random = fastrand::Rng::new();
    let text = prilavok_bench::seed::TEXTS[0];
    let (mut id, mut rows) = (last, 0_u32);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs_f64(time) {
        conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for _ in 0..in_commit {
            let (business, chat) = chats[random.usize(..chats.len())];
            id += 1;
            conn.prepare_cached(
                "INSERT INTO message (business_id, chat_id, message_id, created_at, sender, text, files)
                 VALUES (?1, ?2, ?3, ?4, 'PARTNER', ?5, 0)",
            )?
            .execute((business, chat, id, NOW_MS, text))?;
            if what == "whole" {
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
    println!("{}", f64::from(rows) / took);
    Ok(())
}
