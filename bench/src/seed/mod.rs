//! A store of a given size, written fast and the same every time: its schema by the store's own code, its rows in
//! the order of their keys by bulk SQL.

mod rows;

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use prilavok_domain::IdSequence;
use prilavok_store::Store;
use prilavok_store::sqlite::{FILE_NAME, SqliteStore};
use rusqlite::Connection;

pub use rows::{BIG_BUSINESS, TEXTS, api_key};

/// What load generators read: a line with business, key and chat for each request, in random order.
pub const CHATS: &str = "chats.txt";
/// The same of chats with more than a page of messages.
pub const LONG_CHATS: &str = "long-chats.txt";

/// What a line of these says: business, key and chat.
pub fn parts(line: &str) -> anyhow::Result<[&str; 3]> {
    let parts: Vec<_> = line.split(' ').collect();
    parts
        .try_into()
        .map_err(|_| anyhow::anyhow!("a line without business, key and chat"))
}

/// How large a store is to be.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Businesses with the same number of chats each.
    pub businesses: i64,
    /// Chats of each.
    pub chats_of_each: i64,
}

impl Size {
    /// A million chats with ten million messages, and a tenth of that again in one large business.
    pub const LARGE: Self = Self {
        businesses: 10_000,
        chats_of_each: 100,
    };
    /// The same a hundred times smaller.
    pub const SMALL: Self = Self {
        businesses: 100,
        chats_of_each: 100,
    };

    /// Messages of the `nth` chat of a business: most conversations are short.
    #[must_use]
    pub const fn messages_of(self, nth: i64) -> i64 {
        if is_long(nth) { 55 } else { 5 }
    }

    /// Chats in all.
    #[must_use]
    pub const fn chats(self) -> i64 {
        self.businesses * self.chats_of_each
    }
}

/// Makes a store in `folder`, unless one of this seed is there already, about as large as it was made: what is measured
/// writes, and a store is slower with each run's messages.
pub fn make(folder: &Path, size: Size) -> anyhow::Result<()> {
    let done = folder.join("seeded");
    let file = folder.join(FILE_NAME);
    let wanted = format!("{size:?}, every chat asked for, of seed {}", rows::SEED);
    if as_made(&done, &file, &wanted).unwrap_or(false) {
        return Ok(());
    }
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    tokio::runtime::Builder::new_current_thread()
        .build()?
        .block_on(async {
            let store = SqliteStore::open(&file, IdSequence::clocked(0, 0))?;
            store.close().await;
            anyhow::Ok(())
        })?;
    let conn = Connection::open(&file)?;
    // What is cut off half-way is made anew.
    conn.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;")?;
    let bar = ProgressBar::new(size.chats().unsigned_abs());
    bar.set_style(ProgressStyle::with_template(
        "  seeding {bar:40} {human_pos}/{human_len} chats, {eta} left",
    )?);
    rows::write(&conn, size, &bar)?;
    bar.finish_and_clear();
    conn.execute_batch("PRAGMA journal_mode = WAL;")?;
    drop(conn);
    std::fs::write(folder.join(CHATS), requests(size, |_| true))?;
    std::fs::write(folder.join(LONG_CHATS), requests(size, is_long))?;
    let length = std::fs::metadata(&file)?.len();
    std::fs::write(done, format!("{wanted}\n{length}"))?;
    Ok(())
}

/// Whether `done` says that `file` was made as wanted, and it has grown by a quarter since then at the most.
fn as_made(done: &Path, file: &Path, wanted: &str) -> Option<bool> {
    let done = std::fs::read_to_string(done).ok()?;
    let (what, length) = done.split_once('\n')?;
    let length: u64 = length.parse().ok()?;
    let now = std::fs::metadata(file).ok()?.len();
    Some(what == wanted && now <= length + length / 4)
}

/// The line of a load generator for the first chat of the large business, and that chat's id.
#[must_use]
pub fn big_chat(size: Size) -> (String, i64) {
    let business = BIG_BUSINESS(size);
    let chat = rows::chat_id(size, business, 0);
    (format!("{business} {} {chat}\n", api_key(business)), chat)
}

/// Whether the `nth` chat of a business has more than a page of messages.
const fn is_long(nth: i64) -> bool {
    nth % 10 == 5
}

/// All chats that pass `wanted` and can be written into, each once, in random order: a load generator begins again only
/// when it has asked for all of them.
fn requests(size: Size, wanted: impl Fn(i64) -> bool) -> String {
    let mut text = String::new();
    let mut chats: Vec<_> = (1..=size.businesses)
        .flat_map(|business| (0..size.chats_of_each).map(move |nth| (business, nth)))
        .filter(|(_, nth)| wanted(*nth) && !rows::is_finished(*nth))
        .collect();
    fastrand::Rng::with_seed(rows::SEED + 1).shuffle(&mut chats);
    for (business, nth) in chats {
        let chat = rows::chat_id(size, business, nth);
        // Writing into a text does not fail.
        let _ = writeln!(text, "{business} {} {chat}", api_key(business));
    }
    text
}
