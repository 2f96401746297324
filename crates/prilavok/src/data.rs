//! The data folder: where in it the database and the files are, and how they are opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use prilavok_domain::IdSequence;
use prilavok_server::settings::Settings;
use prilavok_store::Store;
use prilavok_store::files::FileStore;
use prilavok_store::sqlite::{FILE_NAME, SqliteStore};

/// The only node of an embedded store.
const NODE: u8 = 0;

/// The database within a data folder.
pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join(FILE_NAME)
}

/// Opens the store, and makes it if there is none.
pub(crate) fn open_or_make(folder: &Path) -> anyhow::Result<Arc<dyn Store>> {
    Ok(Arc::new(SqliteStore::open(
        &database(folder),
        IdSequence::clocked(NODE, 0),
    )?))
}

/// Opens a store that must be there.
pub(crate) fn open(folder: &Path) -> anyhow::Result<Arc<dyn Store>> {
    must_be_store(folder)?;
    open_or_make(folder)
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
