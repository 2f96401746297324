//! Where everything is kept, and how it is opened: the database, in the data folder or elsewhere, and the files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use prilavok_domain::{IdSequence, Timestamp};
use prilavok_server::demo::{self, Seeded};
use prilavok_server::settings::{Database, Settings};
use prilavok_store::Store;
use prilavok_store::files::FileStore;
use prilavok_store::postgres::PgStore;
use prilavok_store::sqlite::{FILE_NAME, SqliteStore};

/// The only node of an embedded store.
const NODE: u8 = 0;

/// The database within a data folder.
pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join(FILE_NAME)
}

/// Opens the store, and makes it if there is none.
pub(crate) async fn open_or_make(settings: &Settings) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match &settings.database {
        Database::Sqlite => Arc::new(SqliteStore::open(
            &database(&settings.data),
            IdSequence::clocked(NODE, 0),
        )?),
        Database::Postgres(url) => Arc::new(PgStore::open(settings.postgres.options(url)?).await?),
    })
}

/// Opens a store that must be there.
pub(crate) async fn open(settings: &Settings) -> anyhow::Result<Arc<dyn Store>> {
    if settings.database == Database::Sqlite {
        must_be_store(&settings.data)?;
    }
    open_or_make(settings).await
}

/// Fills an empty store with the demo.
pub(crate) async fn seed(settings: &Settings, files: &FileStore, now: Timestamp) -> anyhow::Result<Seeded> {
    match settings.database {
        Database::Sqlite => demo::seed(&database(&settings.data), files, now).await,
        Database::Postgres(_) => {
            let store = open_or_make(settings).await?;
            let seeded = demo::fill(&*store, files, now).await;
            store.close().await;
            seeded
        }
    }
}

/// Where the store is, for people; never a password.
pub(crate) fn place(settings: &Settings) -> String {
    match &settings.database {
        Database::Sqlite => settings.data.display().to_string(),
        Database::Postgres(url) => url.to_string(),
    }
}

/// Fails where a folder has no store in it.
pub(crate) fn must_be_store(folder: &Path) -> anyhow::Result<()> {
    if !database(folder).is_file() {
        bail!(
            "there is no store in {}: name its folder with --data, or start one with prilavok serve",
            folder.display()
        );
    }
    Ok(())
}

/// Opens the store of the files.
pub(crate) fn files(settings: &Settings) -> anyhow::Result<FileStore> {
    FileStore::open(&settings.files.location, &settings.data).context("wrong setting files.location")
}
