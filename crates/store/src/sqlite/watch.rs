//! Looks every few milliseconds whether another process has written into the file, and makes readers let go of the
//! transactions that they hold, so that they see it and the write-ahead log can begin anew.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use super::open;
use super::readers::Readers;
use super::writer::Nudge;

/// How long a transaction is held at the most, apart from the read that is under way; and about how late it is seen what
/// another process did.
pub(super) const HELD: Duration = Duration::from_millis(10);

/// The thread, which ends when this is dropped.
pub(super) struct Watch {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(super) fn start(path: &Path, readers: Readers, nudge: Nudge) -> Result<Self, super::OpenError> {
        let conn = open::reader(path).map_err(|source| super::OpenError::Sqlite {
            path: path.to_owned(),
            source,
        })?;
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("sqlite-watch".to_owned())
            .spawn(move || run(&conn, &readers, &nudge, &stopped))
            .map_err(|source| super::OpenError::Folder {
                path: path.to_owned(),
                source,
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has told so on standard error.
            let _ = thread.join();
        }
    }
}

fn run(conn: &Connection, readers: &Readers, nudge: &Nudge, stopped: &mpsc::Receiver<()>) {
    // The first time it is asked in any case: others may have committed since the writer began.
    let mut seen = None;
    while stopped.recv_timeout(HELD) == Err(RecvTimeoutError::Timeout) {
        readers.let_go();
        let found = version(conn).ok();
        if found != seen || nudge.is_wanted() {
            seen = found;
            // Whether it was somebody else, only the writer can tell.
            nudge.give();
        }
    }
}

/// A number that is another one when another connection has committed.
pub(super) fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("PRAGMA data_version")?
        .query_row([], |row| row.get(0))
}
