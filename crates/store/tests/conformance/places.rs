//! The implementations that the suite runs on, and how each is opened, closed and opened again.
//!
//! Nothing but this file knows which stores there are.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use prilavok_domain::IdSequence;
use prilavok_store::Store;
use prilavok_store::postgres::{PgOptions, PgStore};
use prilavok_store::sqlite::{FILE_NAME, SqliteStore};
use prilavok_test_postgres::Cluster;
use tempfile::TempDir;

use crate::population::populate;

/// Where a store keeps its data.
#[async_trait]
trait Place: Send + Sync {
    /// Whether writes wait in this process: what is in the queue is written, whoever waits for it.
    fn keeps_a_queue(&self) -> bool;
    /// Opens the store over whatever is there.
    async fn open(&self) -> Arc<dyn Store>;
    /// Opens what [`Store::backup`] wrote to `copy` as a store of its own; `None` where a store makes no copies of itself.
    async fn restore(&self, copy: &Path) -> Option<Arc<dyn Store>>;
}

struct Sqlite(PathBuf);

fn open_sqlite(path: &Path) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(path, IdSequence::clocked(1, 0)).expect("a store"))
}

#[async_trait]
impl Place for Sqlite {
    fn keeps_a_queue(&self) -> bool {
        true
    }

    async fn open(&self) -> Arc<dyn Store> {
        open_sqlite(&self.0)
    }

    async fn restore(&self, copy: &Path) -> Option<Arc<dyn Store>> {
        Some(open_sqlite(copy))
    }
}

/// A database of the case's own.
struct Postgres(String);

impl Postgres {
    /// Begins with the tables made, which takes longer than most cases do.
    fn new() -> Self {
        static TEMPLATE: OnceLock<String> = OnceLock::new();
        let template = TEMPLATE.get_or_init(|| {
            let database = Cluster::shared().new_database();
            let name = database.clone();
            let made = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime
                    .expect("a runtime")
                    .block_on(async { open_postgres(&name).await.close().await });
            });
            made.join().expect("a template");
            database
        });
        Self(Cluster::shared().new_database_like(template))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        Cluster::shared().drop_database(&self.0);
    }
}

async fn open_postgres(database: &str) -> Arc<dyn Store> {
    let options = PgOptions::new(&Cluster::shared().url(database), None).expect("an address");
    Arc::new(PgStore::open(options).await.expect("a store"))
}

#[async_trait]
impl Place for Postgres {
    fn keeps_a_queue(&self) -> bool {
        false
    }

    async fn open(&self) -> Arc<dyn Store> {
        open_postgres(&self.0).await
    }

    async fn restore(&self, _: &Path) -> Option<Arc<dyn Store>> {
        None
    }
}

/// Makes a place with nothing in it; the folder is the place's alone.
type NewPlace = fn(&Path) -> Box<dyn Place>;

const IMPLEMENTATIONS: &[(&str, NewPlace)] = &[
    ("SQLite", |folder| Box::new(Sqlite(folder.join(FILE_NAME)))),
    ("PostgreSQL", |_| Box::new(Postgres::new())),
];

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

    /// Opens the store once more beside the one that is open, as another node or process does.
    pub(crate) async fn beside(&self) -> Arc<dyn Store> {
        self.place.open().await
    }

    pub(crate) fn keeps_a_queue(&self) -> bool {
        self.place.keeps_a_queue()
    }

    /// Copies the store, and opens the copy. A store that makes none says what to use instead, and the answer is `None`.
    pub(crate) async fn copied(
        &self,
        copy: &Path,
        progress: impl Fn(u64, u64) + Send + 'static,
    ) -> Option<Arc<dyn Store>> {
        let made = self.store.backup(copy, Box::new(progress)).await;
        if let Some(restored) = self.place.restore(copy).await {
            made.expect("a backup");
            return Some(restored);
        }
        let refused = made.expect_err("refused").to_string();
        assert!(refused.contains("pg_dump"), "{refused}");
        assert!(!copy.exists());
        None
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
