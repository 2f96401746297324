//! The store of a test: the embedded one, or with `TEST_STORE=postgres` a database of its own in the cluster that the
//! tests of a process share.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use prilavok_domain::IdSequence;
use prilavok_server::settings::{Database, Settings};
use prilavok_store::Store;
use prilavok_store::postgres::PgStore;
use prilavok_store::sqlite::{FILE_NAME, SqliteStore};
use prilavok_test_postgres::{Cluster, Held};
use tokio::runtime::Runtime;

/// Names the store: `sqlite`, as without it, or `postgres`. It is no setting of the server's, whose begin with `PRILAVOK_`.
const VARIABLE: &str = "TEST_STORE";

/// Connections of one server. Many tests run side by side, and one cluster has them all.
const CONNECTIONS: u32 = 4;

/// Where the store of a test is. It has small ids, which tests name.
pub(crate) enum Place {
    /// A file in the server's folder.
    File(PathBuf),
    /// A database, which is removed with this.
    Database(String),
}

impl Place {
    /// Makes an empty store and opens it as the binary does; the settings name it from then on.
    pub(crate) fn open(settings: &mut Settings, runtime: &Runtime) -> (Arc<dyn Store>, Self) {
        if is_embedded() {
            let file = settings.data.join(FILE_NAME);
            let store = SqliteStore::open(&file, IdSequence::plain()).expect("a store");
            return (Arc::new(store), Self::File(file));
        }
        settings.postgres.connections = CONNECTIONS;
        let database = Cluster::shared().new_database_like(template(settings, runtime));
        let store = runtime.block_on(open_postgres(settings, &database));
        (Arc::new(store), Self::Database(database))
    }

    /// Changes the store behind the server's back, whatever that breaks.
    #[allow(dead_code, reason = "not every suite does")]
    pub(crate) fn execute(&self, statement: &str) {
        match self {
            Self::File(file) => {
                let connection = rusqlite::Connection::open(file).expect("the store's file");
                let done = connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {statement}"));
                done.expect("changed");
            }
            Self::Database(name) => drop(Cluster::shared().sql(name, statement)),
        }
    }

    /// Lets nobody write; who reads is not held up.
    #[allow(dead_code, reason = "not every suite does")]
    pub(crate) fn lock(&self) -> Locked {
        match self {
            Self::File(file) => {
                let connection = rusqlite::Connection::open(file).expect("the store's file");
                connection.execute_batch("BEGIN IMMEDIATE").expect("held");
                Locked::File(connection)
            }
            Self::Database(name) => {
                Locked::Database(Cluster::shared().hold(name, "LOCK TABLE chat IN EXCLUSIVE MODE"))
            }
        }
    }
}

/// A store that takes no writes until this is dropped.
#[expect(dead_code, reason = "it is there to be dropped")]
pub(crate) enum Locked {
    File(rusqlite::Connection),
    Database(Held),
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Database(name) = self {
            Cluster::shared().drop_database(name);
        }
    }
}

fn is_embedded() -> bool {
    match std::env::var(VARIABLE).as_deref() {
        Err(std::env::VarError::NotPresent) | Ok("sqlite") => true,
        Ok("postgres") => false,
        other => panic!("{VARIABLE} must be sqlite or postgres, not {other:?}"),
    }
}

/// Whether the test runs on the embedded store; says why it has nothing to say of another one.
#[allow(dead_code, reason = "not every suite has such tests")]
pub(crate) fn holds_here(only_embedded_because: &str) -> bool {
    let here = is_embedded();
    if !here {
        println!("skipped: {only_embedded_because}");
    }
    here
}

/// A database with the tables made, which takes longer than most tests do.
fn template(settings: &mut Settings, runtime: &Runtime) -> &'static str {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let database = Cluster::shared().new_database();
        runtime.block_on(async { open_postgres(settings, &database).await.close().await });
        database
    })
}

async fn open_postgres(settings: &mut Settings, database: &str) -> PgStore {
    let url = Cluster::shared().url(database).parse().expect("an address");
    let mut options = settings.postgres.options(&url).expect("right settings");
    options.ids = IdSequence::plain();
    settings.database = Database::Postgres(url);
    PgStore::open(options).await.expect("a store")
}
