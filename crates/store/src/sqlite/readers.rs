//! Connections that only read.
//!
//! A read of one row or one page takes microseconds, less than handing it to another thread would:
//! it runs where it is asked for. What reads a whole store (backup, check) uses
//! [`Readers::on_its_own`].

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;

use super::open;
use super::writer::closed;
use crate::observer::Observed;
use crate::{Result, StoreError};

/// Connections kept for the next read; more are opened when more reads run side by side.
const IDLE: usize = 16;

#[derive(Clone)]
pub(super) struct Readers {
    path: PathBuf,
    /// `None` once the store is closed.
    idle: Arc<Mutex<Option<Vec<Connection>>>>,
    observed: Observed,
}

impl Readers {
    pub(super) fn new(path: PathBuf, observed: Observed) -> Self {
        Self {
            path,
            idle: Arc::new(Mutex::new(Some(Vec::new()))),
            observed,
        }
    }

    /// Reads one row or one page, here and now, from one consistent state of the store.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let kept = self.idle.lock().as_mut().ok_or_else(closed)?.pop();
        let conn = match kept {
            Some(conn) => conn,
            None => open::reader(&self.path)?,
        };
        let result = self.observed.read(|| work(&conn));
        if conn.is_autocommit() {
            // Of a store that was closed meanwhile nothing is kept.
            if let Some(idle) = self.idle.lock().as_mut()
                && idle.len() < IDLE
            {
                idle.push(conn);
            }
        }
        result
    }

    /// Reads for long, on a thread and a connection of its own.
    pub(super) async fn on_its_own<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.idle.lock().as_ref().ok_or_else(closed)?;
        let path = self.path.clone();
        let task = tokio::task::spawn_blocking(move || work(&open::reader(&path)?));
        task.await
            .map_err(|panicked| StoreError::Failed(Box::new(panicked)))?
    }

    /// Closes the connections that nobody uses; later reads are refused.
    pub(super) fn close(&self) {
        self.idle.lock().take();
    }
}
