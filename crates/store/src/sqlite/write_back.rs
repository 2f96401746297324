//! Copies the write-ahead log into the file on a thread of its own, while writes go on, and has the disk take what was copied.
//! What is left of it then, the writer copies in a moment, and begins the log anew: only it can, between two of its
//! transactions.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::open;

/// The log is copied when it has so many pages, 32 MiB: rarely enough for the pages that every message changes to be written
/// once for many messages.
const FULL: i32 = 8 * 1024;
/// Pages that the writer copies itself, when all others are copied: in a few milliseconds.
const LITTLE: i32 = FULL / 16;
/// With so many pages, 64 MiB, writes wait until they are copied: they come faster than the disk takes them.
const LONG: i32 = 2 * FULL;
/// So many pages later it is tried again to begin a log anew in which somebody reads for long, a backup for example: nobody
/// waits for that.
const LATER: i32 = FULL / 4;

/// The thread, as the writer sees it. It ends when this is dropped.
pub(super) struct WriteBack {
    ask: Option<Sender<()>>,
    told: Receiver<i32>,
    is_running: bool,
    /// With how many pages the log is to be looked after.
    bound: i32,
    thread: Option<JoinHandle<File>>,
}

impl WriteBack {
    pub(super) fn start(path: &Path) -> rusqlite::Result<Self> {
        let conn = open::write_back(path)?;
        let failed = |error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
        let file = File::open(path).map_err(failed)?;
        let (ask, asked) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("sqlite-log".to_owned())
            .spawn(move || run(&conn, file, &asked, &tell))
            .map_err(failed)?;
        Ok(Self {
            ask: Some(ask),
            told,
            is_running: false,
            bound: FULL,
            thread: Some(thread),
        })
    }

    /// Looks after a log of so many pages, once they are committed. Answers whether it is copied as far as that goes while others
    /// write, and is to begin anew now.
    pub(super) fn is_due(&mut self, pages: i32) -> bool {
        if pages < FULL {
            self.bound = FULL;
        }
        if pages < self.bound {
            return false;
        }
        self.begin();
        let is_long = pages >= LONG;
        let copied = if is_long { Some(self.finish()) } else { self.done() };
        match copied {
            None => false,
            Some(copied) if pages - copied > LITTLE && !is_long => {
                // Too much came meanwhile: that is copied before anybody waits.
                self.begin();
                false
            }
            Some(_) => {
                self.bound = pages + LATER;
                true
            }
        }
    }

    /// Has as much of the log copied as can be without anybody waiting, if that is not under way.
    fn begin(&mut self) {
        if !self.is_running {
            self.is_running = self.ask.as_ref().is_some_and(|ask| ask.send(()).is_ok());
        }
    }

    /// How many pages of the log are copied, once that is known. A thread that is gone has copied none.
    fn done(&mut self) -> Option<i32> {
        let copied = match self.told.try_recv() {
            Ok(copied) => copied,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => 0,
        };
        self.is_running = false;
        Some(copied)
    }

    /// Ends the thread. Answers the file that it has open: closing that takes away the locks that SQLite has on it in this
    /// process, so it is for when SQLite has closed it.
    pub(super) fn end(mut self) -> Option<File> {
        self.join()
    }

    fn join(&mut self) -> Option<File> {
        self.ask.take();
        // A thread that panicked has told so on standard error.
        self.thread.take()?.join().ok()
    }

    /// Waits for what is under way, and answers how many pages are copied then.
    pub(super) fn finish(&mut self) -> i32 {
        match std::mem::take(&mut self.is_running) {
            true => self.told.recv().unwrap_or(0),
            false => 0,
        }
    }
}

impl Drop for WriteBack {
    fn drop(&mut self) {
        self.join();
    }
}

fn run(conn: &Connection, file: File, asked: &Receiver<()>, tell: &Sender<i32>) -> File {
    while asked.recv().is_ok() {
        let copied = copy(conn).unwrap_or_else(|error| {
            tracing::warn!(%error, "the write-ahead log could not be written back");
            0
        });
        // SQLite has the disk take a log that was copied to its end, and others write on at that. The writer, who does come to
        // its end, would wait for all of it. That this failed, it finds itself.
        let _ = file.sync_data();
        if tell.send(copied).is_err() {
            break;
        }
    }
    file
}

/// Pages of the log that are in the file; whoever reads in the log, or copies it as well, may have kept some from that.
fn copy(conn: &Connection) -> rusqlite::Result<i32> {
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the writer sees, and what its thread would.
    fn two_sides() -> (WriteBack, Receiver<()>, Sender<i32>) {
        let (ask, asked) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        let log = WriteBack {
            ask: Some(ask),
            told,
            is_running: false,
            bound: FULL,
            thread: None,
        };
        (log, asked, tell)
    }

    #[test]
    fn a_log_is_due_when_all_but_little_is_copied_or_when_it_is_long() {
        for (pages, copied, due) in [
            (FULL - 1, Some(FULL - 1), false),
            (FULL, None, false),
            (FULL, Some(FULL), true),
            (FULL + LITTLE, Some(FULL), true),
            (FULL + LITTLE + 1, Some(FULL), false),
            (LONG - 1, Some(0), false),
            (LONG, Some(0), true),
        ] {
            let (mut log, asked, tell) = two_sides();
            if let Some(copied) = copied {
                tell.send(copied).expect("somebody hears it");
            }
            assert_eq!(log.is_due(pages), due, "{copied:?} of {pages}");
            assert_eq!(asked.try_recv().is_ok(), pages >= FULL, "{pages}");
            if due {
                assert!(!log.is_due(pages + LATER - 1), "it is tried again later");
            }
        }
    }

    #[test]
    fn without_its_thread_a_log_is_due_when_it_is_long() {
        let (mut log, ..) = two_sides();
        for (pages, due) in [
            (FULL, false),
            (LONG - 1, false),
            (LONG, true),
            (LONG + LATER, true),
        ] {
            assert_eq!(log.is_due(pages), due, "{pages}");
        }
    }
}
