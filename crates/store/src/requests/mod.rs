//! The request log: what sellers' systems asked and what they were answered.
//!
//! It is a file of its own beside the store, because it is no durable data: nothing here waits for the disk, its
//! pages crowd nobody out of the store's cache, and a file that cannot be read is begun anew. Secrets are masked
//! before anything comes here.

mod file;
mod rows;

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use prilavok_domain::{BusinessId, CredentialId, CredentialKind, Timestamp};
use rusqlite::Connection;

use crate::{Page, Result, StoreError, TakenFrom};

/// The file's name within the data folder.
pub const FILE_NAME: &str = "requests.sqlite";

/// A call and its answer, without their headers and bodies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedRequest {
    /// When it came.
    pub at: Timestamp,
    /// How long the answer took, in microseconds.
    pub took_us: u64,
    /// Its id, which the client may have chosen: not necessarily unique.
    pub request_id: String,
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The operation, where the address names one.
    pub operation: Option<String>,
    /// The caller's business, as far as the caller is known.
    pub business: Option<BusinessId>,
    /// The key or token that it was made with.
    pub caller: Option<Caller>,
    /// The answer's status.
    pub status: u16,
    /// The name of the rule that refused it.
    pub rule: Option<String>,
}

/// The key or token that a call was made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Whether it is a key or a token.
    pub kind: CredentialKind,
    /// Its id.
    pub id: CredentialId,
    /// Its name at that time.
    pub name: String,
}

/// What was sent one way: headers and a body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoggedMessage {
    /// The headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: LoggedBody,
}

/// A body, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoggedBody {
    /// The text, or its beginning; `None` where there is none, or where it is no text.
    pub text: Option<String>,
    /// Whether there was more of it.
    pub cut: bool,
    /// How many bytes it had; `None`: not known, as of a stream.
    pub bytes: Option<u64>,
}

/// What a call and its answer said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exchange {
    /// The call.
    pub request: LoggedMessage,
    /// The answer.
    pub answer: LoggedMessage,
}

/// A place in the log; later entries have higher ones.
pub type Place = i64;

/// A line of the log.
pub type Line = (Place, LoggedRequest);

/// Which entries are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestFilter {
    /// Of one business.
    pub business: Option<BusinessId>,
    /// Of one operation.
    pub operation: Option<String>,
    /// Answered with one of these statuses.
    pub status: Option<RangeInclusive<u16>>,
    /// Answered with an error.
    pub refused: bool,
    /// Come at this instant or later.
    pub from: Option<Timestamp>,
    /// Come before this instant.
    pub until: Option<Timestamp>,
    /// With this id.
    pub request_id: Option<String>,
}

/// The log, open for writing.
pub struct RequestLog {
    /// `None` once it is closed.
    writing: Mutex<Option<Connection>>,
    reader: RequestLogReader,
}

impl RequestLog {
    /// Opens the file, or makes it. One that cannot be read, or that another version wrote, is begun anew.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            writing: Mutex::new(Some(file::LOG.writer(path)?)),
            reader: RequestLogReader::new(path),
        })
    }

    /// Reads beside the writing.
    #[must_use]
    pub fn reader(&self) -> &RequestLogReader {
        &self.reader
    }

    /// Adds entries; when the file holds more than `max_bytes` after that, the oldest ones go. Blocks.
    pub fn append(&self, entries: &[(LoggedRequest, Exchange)], max_bytes: u64) -> Result<()> {
        self.with_writer(|conn| {
            let transaction = conn.transaction()?;
            for (request, exchange) in entries {
                rows::insert(&transaction, request, exchange)?;
            }
            rows::make_room(&transaction, max_bytes)?;
            Ok(transaction.commit()?)
        })
    }

    /// Forgets the oldest entries that came before `before`: a bounded number of them; answers how many, zero once all
    /// are forgotten. Blocks.
    pub fn forget(&self, before: Timestamp) -> Result<u64> {
        self.with_writer(|conn| {
            let transaction = conn.transaction()?;
            let forgotten = rows::forget(&transaction, before)?;
            transaction.commit()?;
            Ok(forgotten)
        })
    }

    /// Up to which place what was taken away from chats is out of the log. Blocks.
    pub fn taken(&self) -> Result<i64> {
        self.with_writer(|conn| rows::taken(conn))
    }

    /// Removes the calls that name one of these chats, in their address or in what was said: some of them, behind the
    /// place `after`. Answers up to where it looked; `None` once it has looked at all. Blocks.
    pub fn forget_chats(&self, from: &[TakenFrom], after: Place) -> Result<Option<Place>> {
        self.with_writer(|conn| {
            let transaction = conn.transaction()?;
            let looked = rows::forget_chats(&transaction, from, after)?;
            transaction.commit()?;
            Ok(looked)
        })
    }

    /// Keeps that what was taken away from chats up to this place is out of the log, and leaves nothing of it in the file.
    /// Blocks.
    pub fn keep_taken(&self, place: i64) -> Result<()> {
        self.with_writer(|conn| {
            rows::keep_taken(conn, place)?;
            crate::scrub::clear_file(conn)?;
            crate::beside::clear_log(conn)?;
            Ok(())
        })
    }

    /// Closes the file; later writes are refused.
    pub fn close(&self) {
        if let Some(conn) = self.writing.lock().take()
            && let Err((_, error)) = conn.close()
        {
            tracing::warn!(%error, "the request log was not closed cleanly");
        }
    }

    fn with_writer<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        let mut writing = self.writing.lock();
        let closed = || StoreError::Unavailable("the request log is closed".to_owned());
        work(writing.as_mut().ok_or_else(closed)?)
    }
}

/// Reads the log, whichever process writes it. A file that is not there is an empty log.
///
/// Reads are rare and may go through many entries: each has a connection and a blocking thread of its own.
#[derive(Debug, Clone)]
pub struct RequestLogReader {
    path: PathBuf,
}

impl RequestLogReader {
    /// The log in this file.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Entries, newest first; `before` is the last place of the page before.
    pub async fn newest(
        &self,
        filter: RequestFilter,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<Line>> {
        let found = self.read(move |conn| rows::newest(conn, &filter, before, limit));
        Ok(found.await?.unwrap_or(Page {
            items: Vec::new(),
            more: false,
        }))
    }

    /// Entries behind the place `after`, oldest first.
    pub async fn after(&self, filter: RequestFilter, after: Place, limit: usize) -> Result<Vec<Line>> {
        let found = self.read(move |conn| rows::after(conn, &filter, after, limit));
        Ok(found.await?.unwrap_or_default())
    }

    /// What the call at a place and its answer said.
    pub async fn exchange(&self, place: Place) -> Result<Option<Exchange>> {
        let found = self.read(move |conn| rows::exchange(conn, place));
        Ok(found.await?.flatten())
    }

    /// The newest entry with this id.
    pub async fn by_id(&self, request_id: String) -> Result<Option<(LoggedRequest, Exchange)>> {
        let filter = RequestFilter {
            request_id: Some(request_id),
            ..RequestFilter::default()
        };
        let found = self.read(move |conn| {
            let page = rows::newest(conn, &filter, None, 1)?;
            let Some((place, request)) = page.items.into_iter().next() else {
                return Ok(None);
            };
            Ok(rows::exchange(conn, place)?.map(|exchange| (request, exchange)))
        });
        Ok(found.await?.flatten())
    }

    /// `None` where there is no log.
    async fn read<T, F>(&self, work: F) -> Result<Option<T>>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let path = self.path.clone();
        let reading = tokio::task::spawn_blocking(move || match file::LOG.reader(&path)? {
            None => Ok(None),
            Some(conn) => {
                // One state of the log for all that is read.
                let transaction = conn.unchecked_transaction()?;
                work(&transaction).map(Some)
            }
        });
        reading
            .await
            .map_err(|panicked| StoreError::Failed(Box::new(panicked)))?
    }
}
