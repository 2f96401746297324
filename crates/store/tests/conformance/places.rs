//! The implementations that the suite runs on, and how each is opened, closed and opened again.
//!
//! Nothing but this file knows which stores there are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use prilavok_domain::IdSequence;
use prilavok_store::Store;
use prilavok_store::sqlite::{FILE_NAME, SqliteStore};
use tempfile::TempDir;

use crate::population::populate;

/// Where a store keeps its data.
#[async_trait]
trait Place: Send + Sync {
    /// Opens the store over whatever is there.
    async fn open(&self) -> Arc<dyn Store>;
    /// Opens what [`Store::backup`] wrote to `copy` as a store of its own.
    async fn restore(&self, copy: &Path) -> Arc<dyn Store>;
}

struct Sqlite(PathBuf);

fn open_sqlite(path: &Path) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(path, IdSequence::clocked(1, 0)).expect("a store"))
}

#[async_trait]
impl Place for Sqlite {
    async fn open(&self) -> Arc<dyn Store> {
        open_sqlite(&self.0)
    }

    async fn restore(&self, copy: &Path) -> Arc<dyn Store> {
        open_sqlite(copy)
    }
}

/// Makes a place with nothing in it; the folder is the place's alone.
type NewPlace = fn(&Path) -> Box<dyn Place>;

const IMPLEMENTATIONS: &[(&str, NewPlace)] = &[("SQLite", |folder| Box::new(Sqlite(folder.join(FILE_NAME))))];

/// A store of a test's own, and a folder for what the test writes beside it.
pub(crate) struct Site {
    place: Box<dyn Place>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) folder: TempDir,
}

impl Site {
    /// Closes the store and opens it again, as a restart does.
    pub(crate) async fn reopen(&mut self) {
        self.store.close().await;
        self.store = self.place.open().await;
    }

    pub(crate) async fn restore(&self, copy: &Path) -> Arc<dyn Store> {
        self.place.restore(copy).await
    }
}

/// Runs the case on a fresh store of each implementation.
pub(crate) fn on_every_store(case: impl AsyncFn(Site)) {
    for (name, new_place) in IMPLEMENTATIONS {
        // Shown with a failure only.
        println!("on {name}");
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let place = new_place(folder.path());
            let store = place.open().await;
            case(Site { place, store, folder }).await;
        });
    }
}

/// Runs the case on a store of each implementation in which the population is registered.
pub(crate) fn on_every_populated_store(case: impl AsyncFn(&dyn Store)) {
    on_every_store(async move |site| {
        populate(&*site.store).await;
        case(&*site.store).await;
    });
}
