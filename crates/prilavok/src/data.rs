//! The data folder: where in it the database and the files are, and how they are opened.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use prilavok_domain::IdSequence;
use prilavok_store::Store;
use prilavok_store::files::FileStore;
use prilavok_store::sqlite::{FILE_NAME, SqliteStore, private_folder};

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
    if !database(folder).is_file() {
        bail!(
            "there is no store in {}: name its folder with --data, or start one with prilavok serve",
            folder.display()
        );
    }
    open_or_make(folder)
}

/// Opens the folder of the files.
pub(crate) fn files(folder: &Path) -> anyhow::Result<FileStore> {
    let path = folder.join("files");
    FileStore::local(&path).with_context(|| format!("cannot use the folder {}", path.display()))
}

/// Makes the folder this server's own, for as long as the answered file is open. Two servers would each
/// count the limits for themselves; the other commands may work beside one.
pub(crate) fn claim(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join("serve.lock");
    let made = private_folder(folder).and_then(|()| File::create(&path));
    let file = made.with_context(|| {
        format!(
            "cannot write in the data folder {}: --data names another",
            folder.display()
        )
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "another server uses the data folder {}: stop it, or name another folder with --data",
            folder.display()
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}
