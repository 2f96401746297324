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
use crate::observer::Observed;
use crate::{Result, StoreError};

/// Connections kept for the next read; more are opened when more reads run side by side.
const IDLE: usize = 16;

#[derive(Clone)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    observed: Observed,
}

impl Readers {
    pub(super) fn new(path: PathBuf, observed: Observed) -> Self {
        Self {
            path,
            idle: Arc::default(),
            observed,
        }
    }

    /// Reads one row or one page, here and now, from one consistent state of the store.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let conn = match self.idle.lock().pop() {
            Some(conn) => conn,
            None => open::reader(&self.path)?,
        };
        let result = self.observed.read(|| work(&conn));
        if conn.is_autocommit() {
            let mut idle = self.idle.lock();
            if idle.len() < IDLE {
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
        let path = self.path.clone();
        let task = tokio::task::spawn_blocking(move || work(&open::reader(&path)?));
        task.await
            .map_err(|panicked| StoreError::Failed(Box::new(panicked)))?
    }

    pub(super) fn close(&self) {
        self.idle.lock().clear();
    }
}
