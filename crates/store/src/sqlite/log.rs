//! Whether the write-ahead log is all there.
//!
//! A server that was killed leaves its log behind and, beside it, SQLite's index of the log, which says how many pages
//! of it are committed. SQLite does not look at that index: it takes a log that was cut short or damaged for one whose
//! end was never committed, and what was acknowledged would be gone without a word.
//!
//! Called before the file is opened: closing the index drops the locks that SQLite holds on it in this process.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// A log that lacks committed pages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} has {found} whole pages of {committed}: what was acknowledged last is missing. Put the file back as it was, or \
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
    /// The pages up to the first one that is missing or damaged.
    found: u64,
}

/// What the log's name has behind that of the database.
pub(super) const ENDING: &str = "-wal";
/// The format that SQLite has written since 2010: <https://sqlite.org/walformat.html>.
const VERSION: u32 = 3_007_000;
/// The index begins with its header, twice.
const INDEX_HEADER: usize = 48;
/// Behind that it says how many pages are in the database already.
const COPIED: usize = 2 * INDEX_HEADER;
/// The header of the log, and of each page in it.
const HEADER: usize = 32;
const PAGE_HEADER: usize = 24;

/// Refuses a log that holds less than its index says.
pub(super) fn must_be_whole(database: &Path) -> Result<(), CutLog> {
    let (log, index) = (beside(database, ENDING), beside(database, "-shm"));
    let Some(known) = Index::read(&index).filter(|known| known.copied < known.committed) else {
        return Ok(());
    };
    let found = match whole_pages(&log, &known) {
        // Of another log the index tells nothing; that happens after a power failure.
        Ok(None) => return Ok(()),
        Ok(Some(found)) => found,
        Err(_) => 0,
    };
    // A server that runs may have begun its log anew meanwhile.
    let same =
        Index::read(&index).is_some_and(|now| now.salt == known.salt && now.committed >= known.committed);
    if found >= known.committed || !same {
        return Ok(());
    }
    Err(CutLog {
        log,
        index,
        committed: known.committed,
        found,
    })
}

/// How many of the committed pages are there, up to the first one that is not as it was written; `None` if the log is
/// not the one that the index is of.
fn whole_pages(log: &Path, known: &Index) -> std::io::Result<Option<u64>> {
    let mut log = BufReader::new(File::open(log)?);
    let mut header = [0; HEADER];
    log.read_exact(&mut header)?;
    if header[16..24] != known.salt {
        return Ok(None);
    }
    let mut sum = Sum::new(header[3] & 1 == 1);
    sum.add(&header[..24]);
    let mut page = vec![0; PAGE_HEADER + known.page_size];
    for found in 0..known.committed {
        match log.read_exact(&mut page) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(Some(found)),
            read => read?,
        }
        sum.add(&page[..8]);
        sum.add(&page[PAGE_HEADER..]);
        if page[8..16] != known.salt || page[16..24] != sum.bytes() {
            return Ok(Some(found));
        }
    }
    Ok(Some(known.committed))
}

/// The path of what SQLite keeps beside a database.
pub(super) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

/// What an index says.
struct Index {
    committed: u64,
    copied: u64,
    page_size: usize,
    /// What tells one log from the one before it in the same file.
    salt: [u8; 8],
}

impl Index {
    /// Reads it; `None` where there is none that is whole: it may be written just now.
    fn read(path: &Path) -> Option<Self> {
        let mut bytes = [0; COPIED + 4];
        File::open(path).ok()?.read_exact(&mut bytes).ok()?;
        let header = &bytes[..INDEX_HEADER];
        let word = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        if header != &bytes[INDEX_HEADER..COPIED] || word(0)? != VERSION || !sound(header) {
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

/// Whether the header of an index is what its checksum says; that is in the machine's own order of bytes.
fn sound(header: &[u8]) -> bool {
    let mut sum = Sum::new(cfg!(target_endian = "big"));
    sum.add(&header[..40]);
    let Sum { first, second, .. } = sum;
    header[40..44] == first.to_ne_bytes() && header[44..48] == second.to_ne_bytes()
}

/// SQLite's checksum of a log.
struct Sum {
    first: u32,
    second: u32,
    big_endian: bool,
}

impl Sum {
    const fn new(big_endian: bool) -> Self {
        Self {
            first: 0,
            second: 0,
            big_endian,
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        let word = |bytes: [u8; 4]| match self.big_endian {
            true => u32::from_be_bytes(bytes),
            false => u32::from_le_bytes(bytes),
        };
        let (pairs, _) = bytes.as_chunks::<8>();
        for [a, b, c, d, e, f, g, h] in pairs {
            let (one, two) = (word([*a, *b, *c, *d]), word([*e, *f, *g, *h]));
            self.first = self.first.wrapping_add(one).wrapping_add(self.second);
            self.second = self.second.wrapping_add(two).wrapping_add(self.first);
        }
    }

    /// As a log has it.
    fn bytes(&self) -> [u8; 8] {
        (u64::from(self.first) << 32 | u64::from(self.second)).to_be_bytes()
    }
}
