//! Copies the write-ahead log into the file on a thread of its own, while writes go on. What is left of it then, the writer
//! copies in a moment, and begins the log anew: only it can, between two of its transactions.

use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::open;

/// The thread, as the writer sees it. It ends when this is dropped.
pub(super) struct WriteBack {
    ask: Option<Sender<()>>,
    told: Receiver<i32>,
    is_running: bool,
    thread: Option<JoinHandle<()>>,
}

impl WriteBack {
    pub(super) fn start(path: &Path) -> rusqlite::Result<Self> {
        let conn = open::write_back(path)?;
        let (ask, asked) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("sqlite-log".to_owned())
            .spawn(move || run(&conn, &asked, &tell))
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        Ok(Self {
            ask: Some(ask),
            told,
            is_running: false,
            thread: Some(thread),
        })
    }

    /// Has as much of the log copied as can be without anybody waiting, if that is not under way.
    pub(super) fn begin(&mut self) {
        if !self.is_running {
            self.is_running = self.ask.as_ref().is_some_and(|ask| ask.send(()).is_ok());
        }
    }

    /// How many pages of the log are copied, once that is known. A thread that is gone has copied none.
    pub(super) fn done(&mut self) -> Option<i32> {
        if !self.is_running {
            return None;
        }
        match self.told.try_recv() {
            Ok(copied) => self.ended(copied),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => self.ended(0),
        }
    }

    /// Waits for what is under way.
    pub(super) fn finish(&mut self) -> Option<i32> {
        if !self.is_running {
            return None;
        }
        let copied = self.told.recv().unwrap_or(0);
        self.ended(copied)
    }

    fn ended(&mut self, copied: i32) -> Option<i32> {
        self.is_running = false;
        Some(copied)
    }
}

impl Drop for WriteBack {
    fn drop(&mut self) {
        self.ask.take();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has told so on standard error.
            let _ = thread.join();
        }
    }
}

fn run(conn: &Connection, asked: &Receiver<()>, tell: &Sender<i32>) {
    while asked.recv().is_ok() {
        let copied = copy(conn).unwrap_or_else(|error| {
            tracing::warn!(%error, "the write-ahead log could not be written back");
            0
        });
        if tell.send(copied).is_err() {
            return;
        }
    }
}

/// Pages of the log that are in the file; whoever reads in the log, or copies it as well, may have kept some from that.
fn copy(conn: &Connection) -> rusqlite::Result<i32> {
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(2))
}
