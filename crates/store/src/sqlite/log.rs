//! Whether the write-ahead log is all there.
//!
//! A server that was killed leaves its log behind and, beside it, SQLite's index of the log, which says how many pages
//! of it are committed. SQLite does not look at that index: it takes a log that was cut short for one whose end was
//! never committed, and what was acknowledged would be gone without a word.
//!
//! Called before the file is opened: closing the index drops the locks that SQLite holds on it in this process.

use std::fs::{File, metadata};
use std::io::Read;
use std::path::{Path, PathBuf};

/// A log that lacks committed pages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} ends after {found} of {committed} pages: what was acknowledged last is missing. Put the file back as it was, or \
     restore a backup; to go on without what is missing, remove {} and run prilavok check",
    log.display(), index.display()
)]
pub struct CutLog {
    /// The log.
    log: PathBuf,
    /// Its index.
    index: PathBuf,
    /// The pages that were committed.
    committed: u64,
    /// The pages that are there.
    found: u64,
}

/// The format that SQLite has written since 2010: <https://sqlite.org/walformat.html>.
const VERSION: u32 = 3_007_000;
/// The index begins with its header, twice.
const HEADER: usize = 48;
/// Behind that it says how many pages are in the database already.
const COPIED: usize = 2 * HEADER;
/// The header of the log, and of each page in it.
const LOG_HEADER: u64 = 32;
const PAGE_HEADER: u64 = 24;

/// Refuses a log that is shorter than its index says.
pub(super) fn must_be_whole(database: &Path) -> Result<(), CutLog> {
    let (log, index) = (beside(database, "-wal"), beside(database, "-shm"));
    let Some(known) = Index::read(&index) else {
        return Ok(());
    };
    let salt = salt_of(&log);
    // Of another log the index tells nothing; that happens after a power failure.
    if known.committed <= known.copied || salt.is_some_and(|salt| salt != known.salt) {
        return Ok(());
    }
    let size = metadata(&log).map_or(0, |metadata| metadata.len());
    let found = size.saturating_sub(LOG_HEADER) / (known.page_size + PAGE_HEADER);
    if found >= known.committed {
        return Ok(());
    }
    Err(CutLog {
        log,
        index,
        committed: known.committed,
        found,
    })
}

fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// What tells one log from the one before it in the same file.
fn salt_of(log: &Path) -> Option<[u8; 8]> {
    let mut header = [0; LOG_HEADER as usize];
    File::open(log).ok()?.read_exact(&mut header).ok()?;
    header[16..24].try_into().ok()
}

/// What an index says.
struct Index {
    committed: u64,
    copied: u64,
    page_size: u64,
    salt: [u8; 8],
}

impl Index {
    /// Reads it; `None` where there is none that is whole: it may be written just now.
    fn read(path: &Path) -> Option<Self> {
        let mut bytes = [0; COPIED + 4];
        File::open(path).ok()?.read_exact(&mut bytes).ok()?;
        let header = &bytes[..HEADER];
        let word = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        if header != &bytes[HEADER..COPIED] || word(0)? != VERSION || checksum(&header[..40]) != header[40..]
        {
            return None;
        }
        let page_size = u16::from_ne_bytes(header[14..16].try_into().ok()?);
        Some(Self {
            committed: word(16)?.into(),
            copied: word(COPIED)?.into(),
            // 65536 does not fit, and is written as 1.
            page_size: if page_size == 1 { 65_536 } else { page_size.into() },
            salt: header[32..40].try_into().ok()?,
        })
    }
}

/// SQLite's checksum of its own headers.
fn checksum(bytes: &[u8]) -> [u8; 8] {
    let (mut first, mut second) = (0_u32, 0_u32);
    for pair in bytes.chunks_exact(8) {
        let word = |at: usize| u32::from_ne_bytes([pair[at], pair[at + 1], pair[at + 2], pair[at + 3]]);
        first = first.wrapping_add(word(0)).wrapping_add(second);
        second = second.wrapping_add(word(4)).wrapping_add(first);
    }
    let mut sums = [0; 8];
    sums[..4].copy_from_slice(&first.to_ne_bytes());
    sums[4..].copy_from_slice(&second.to_ne_bytes());
    sums
}
