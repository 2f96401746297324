//! Search over messages, customers' names and order numbers.
//!
//! The index is a file of its own beside the store, `search.sqlite`, which can be made anew from the store at any time.
//! [`Follower`] feeds it behind the writes; a search reads it and waits for nothing. What it finds are places: whether
//! they are there still, and what they say, is the store's to tell.

mod follow;
mod index;
mod snippet;
mod tokens;
mod words;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use prilavok_domain::{BusinessId, Chat, ChatId, MessageId};
use rusqlite::{Connection, ErrorCode};

pub use follow::Follower;
pub use snippet::Part;
pub use words::Words;

use crate::beside;
use crate::sqlite::presence::Presence;
use crate::{Result, StoreError};

/// How often a file is looked at that is just made anew, and how long after each other.
const READS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(20);

/// The file's name within the data folder.
pub const FILE_NAME: &str = "search.sqlite";

/// A place in the index; what is newer has a higher one.
pub type Place = i64;

/// Where the words are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// The newest place in the chat.
    pub place: Place,
    /// The chat.
    pub chat: ChatId,
    /// The message; `None`: the customer's name or the numbers of the chat.
    pub message: Option<MessageId>,
}

/// Chats in which the words are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// One for each chat, newest first.
    pub hits: Vec<Hit>,
    /// Before which place to go on; `None`: there are no more.
    pub next: Option<Place>,
    /// Whether the index has all that it should have.
    pub complete: bool,
}

/// The index.
pub struct Search {
    path: PathBuf,
    /// The connection that writes; `None` before the first write and after a failure.
    writing: Mutex<Option<Writing>>,
    complete: AtomicBool,
    indexed: AtomicU64,
    damaged: AtomicBool,
}

struct Writing {
    conn: Connection,
    presence: Presence,
}

/// Whether a file was met that was just taken away, or is just made anew: the next look finds the new one.
fn is_between_two_files(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen)
    )
}

impl Search {
    /// The index in a file, which is made when it is first written.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            writing: Mutex::new(None),
            complete: AtomicBool::new(false),
            indexed: AtomicU64::new(0),
            damaged: AtomicBool::new(false),
        }
    }

    /// The chats of a business in which all of the words are, newest place first; `before` is where the page before ended.
    /// An index that is not there, or cannot be read, has nothing and is not complete.
    ///
    /// Each search has a connection and a blocking thread of its own: people look rarely.
    pub async fn find(
        &self,
        business: BusinessId,
        words: &Words,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Found> {
        let (path, words) = (self.path.clone(), words.clone());
        let read = move || match index::INDEX.reader(&path)? {
            None => Ok(None),
            Some(conn) => {
                // One state of the index for all that is read.
                let transaction = conn.unchecked_transaction()?;
                index::find(&transaction, business, &words, before, limit).map(Some)
            }
        };
        let reading = tokio::task::spawn_blocking(move || {
            let mut found = read();
            for _ in 1..READS {
                if !found.as_ref().is_err_and(is_between_two_files) {
                    break;
                }
                std::thread::sleep(PAUSE);
                found = read();
            }
            found
        });
        match reading.await {
            Ok(Ok(Some(found))) => Ok(Found {
                complete: self.is_complete(),
                ..found
            }),
            Ok(Ok(None)) => Ok(Found::default()),
            Ok(Err(error)) => match self.failed(error) {
                _ if self.damaged.load(Ordering::Relaxed) => Ok(Found::default()),
                error => Err(error),
            },
            Err(panicked) => Err(StoreError::Failed(Box::new(panicked))),
        }
    }

    /// Whether the words are in what a chat is found by, as it is now.
    #[must_use]
    pub fn names(chat: &Chat, words: &Words) -> bool {
        let texts = index::about(chat);
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        words.are_in(&texts)
    }

    /// Whether the index has all that the store had a moment ago.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete.load(Ordering::Relaxed)
    }

    /// How many chats and messages were written into it since the start.
    #[must_use]
    pub fn indexed(&self) -> u64 {
        self.indexed.load(Ordering::Relaxed)
    }

    /// Works with the connection that writes. A file that was taken away or is damaged is begun anew.
    fn with_writer<T>(&self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<T> {
        let mut writing = self.writing.lock();
        if let Some(gone) = writing.as_ref().and_then(|it| it.presence.prove().err()) {
            tracing::warn!(%gone, "the search index is made anew");
            *writing = None;
        }
        if self.damaged.swap(false, Ordering::Relaxed) {
            tracing::warn!(path = %self.path.display(), "the search index is damaged and made anew");
            *writing = None;
            beside::remove(&self.path)?;
        }
        let open = match &mut *writing {
            Some(open) => open,
            none => none.insert(self.open()?),
        };
        work(&mut open.conn).map_err(|error| self.failed(error))
    }

    /// Remembers whether the file is damaged.
    fn failed(&self, error: rusqlite::Error) -> StoreError {
        if beside::is_unreadable(&error) {
            self.damaged.store(true, Ordering::Relaxed);
        }
        error.into()
    }

    fn open(&self) -> Result<Writing> {
        let conn = index::INDEX.writer(&self.path)?;
        // The first read makes the write-ahead log.
        conn.query_row("SELECT count(*) FROM progress", [], |_| Ok(()))
            .map_err(|error| self.failed(error))?;
        let presence = Presence::of(&self.path).map_err(|error| StoreError::Failed(Box::new(error)))?;
        Ok(Writing { conn, presence })
    }

    /// Begins the file anew.
    fn clear(&self) -> Result<()> {
        let mut writing = self.writing.lock();
        *writing = None;
        self.complete.store(false, Ordering::Relaxed);
        beside::remove(&self.path)
    }

    fn close(&self) {
        self.writing.lock().take();
    }
}
