//! Writes the write-ahead log back into the file, beside the thread that writes: the flush of the file takes many times
//! as long as a commit's, and no write should wait for it.
//!
//! What was committed while this went on is left to the writer's own checkpoint, which then has little left to do, so
//! that the log begins anew and its size stays bounded.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use super::open;

/// How long pages that change often are let change before they are written back.
const INTERVAL: Duration = Duration::from_millis(500);

/// The thread, which ends when this is dropped.
pub(super) struct Checkpoints {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    pub(super) fn start(path: &Path) -> std::io::Result<Self> {
        let path = path.to_owned();
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("sqlite-log".to_owned())
            .spawn(move || run(&path, &stopped))?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has told so on standard error, and the writer has its own checkpoint.
            let _ = thread.join();
        }
    }
}

fn run(path: &Path, stopped: &mpsc::Receiver<()>) {
    let conn = match open::checkpointer(path) {
        Ok(conn) => conn,
        Err(error) => {
            tracing::warn!(%error, "the write-ahead log is written back by the writer alone");
            return;
        }
    };
    let mut seen = None;
    while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
        let version = version(&conn).ok();
        if version != seen {
            seen = version;
            // Somebody else who does it just now leaves nothing to do; what failed is tried again.
            let _ = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
    }
}

/// A number that changes with every commit of another connection.
fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, "data_version", |row| row.get(0))
}
