//! Snapshots: copies of a world by name. Files never change, so they are linked and not copied.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use prilavok_store::Store;
use prilavok_store::sqlite::private_folder;

use crate::clock::Kept;
use crate::world::{database, files_folder};

const CLOCK: &str = "clock.json";
const MAX_NAME: usize = 64;

/// The name of a snapshot: 1 to 64 letters, digits, points, dashes and underscores, not beginning with a point.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SnapshotName(String);

impl SnapshotName {
    /// The state that the sandbox began with.
    #[must_use]
    pub fn start() -> Self {
        Self("start".to_owned())
    }

    /// The name as a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for SnapshotName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let letters = text
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || b"._-".contains(&it));
        if letters && !text.starts_with('.') && (1..=MAX_NAME).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(
                "must have 1 to 64 letters, digits, points, dashes and underscores, and not begin with a point",
            )
        }
    }
}

/// The folder of all snapshots.
#[derive(Debug, Clone)]
pub(crate) struct Snapshots(PathBuf);

impl Snapshots {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    fn of(&self, name: &SnapshotName) -> PathBuf {
        self.0.join(name.as_str())
    }

    /// The names, in order.
    pub(crate) fn list(&self) -> anyhow::Result<Vec<String>> {
        if !self.0.exists() {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(&self.0)?.collect::<Result<Vec<_>, _>>()?;
        let names = entries
            .into_iter()
            .filter_map(|entry| entry.file_name().into_string().ok());
        // What begins with a point is not finished.
        let mut names: Vec<_> = names.filter(|name| !name.starts_with('.')).collect();
        names.sort();
        Ok(names)
    }

    pub(crate) fn has(&self, name: &SnapshotName) -> bool {
        self.of(name).is_dir()
    }

    /// Takes a snapshot of a store whose files are in `folder`; it replaces one of the same name.
    pub(crate) async fn take(
        &self,
        name: &SnapshotName,
        store: &dyn Store,
        folder: &Path,
        clock: Kept,
    ) -> anyhow::Result<()> {
        let unfinished = self.0.join(format!(".{}", name.as_str()));
        remove(&unfinished)?;
        private_folder(&unfinished)?;
        store.backup(&database(&unfinished), Box::new(|_, _| {})).await?;
        link(&files_folder(folder), &files_folder(&unfinished))?;
        fs::write(unfinished.join(CLOCK), serde_json::to_vec(&clock)?)?;
        let finished = self.of(name);
        remove(&finished)?;
        fs::rename(&unfinished, &finished)?;
        Ok(())
    }

    /// Copies a snapshot into a new folder; answers what the clock was.
    pub(crate) fn copy_to(&self, name: &SnapshotName, folder: &Path) -> anyhow::Result<Kept> {
        let from = self.of(name);
        if !from.is_dir() {
            bail!("there is no snapshot {}", name.as_str());
        }
        private_folder(folder)?;
        fs::copy(database(&from), database(folder)).context("the snapshot has no database")?;
        link(&files_folder(&from), &files_folder(folder))?;
        Ok(serde_json::from_slice(&fs::read(from.join(CLOCK))?)?)
    }

    /// Removes a snapshot; answers whether there was one.
    pub(crate) fn remove(&self, name: &SnapshotName) -> anyhow::Result<bool> {
        let was = self.has(name);
        remove(&self.of(name))?;
        Ok(was)
    }
}

fn remove(folder: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// The same files in another folder.
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    if !from.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            link(&entry.path(), &target)?;
        } else if fs::hard_link(entry.path(), &target).is_err() {
            // Another file system, or one without links. A file that was being uploaded may be gone by now.
            match fs::copy(entry.path(), &target) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}
