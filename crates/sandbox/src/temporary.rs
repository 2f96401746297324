//! The folder of a sandbox that is not to be kept: in memory where the system has such a place. One that was killed
//! leaves its folder behind; the next one removes it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Where in-memory folders are, if there are any.
const IN_MEMORY: &str = "/dev/shm";
const PREFIX: &str = "prilavok-sandbox-";
/// Held as long as the sandbox lives.
const LOCK: &str = "lock";

/// A folder that is gone when it is closed or dropped.
pub(crate) struct Temporary {
    folder: tempfile::TempDir,
    _lock: File,
}

impl Temporary {
    /// Makes one, and removes those of sandboxes that live no more.
    pub(crate) fn new() -> io::Result<Self> {
        let in_memory = Path::new(IN_MEMORY);
        let made = Self::within(in_memory);
        made.or_else(|_| Self::within(&std::env::temp_dir()))
    }

    fn within(parent: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        // It has its name once it is held, so that nobody takes it for a dead one's.
        let unheld = folder.path().join(".lock");
        let lock = File::create(&unheld)?;
        lock.lock()?;
        fs::rename(&unheld, folder.path().join(LOCK))?;
        sweep(parent);
        Ok(Self { folder, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Removes it.
    pub(crate) fn close(self) -> io::Result<()> {
        self.folder.close()
    }
}

/// Removes the folders whose sandboxes live no more. What cannot be looked at is somebody else's.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let ours = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX));
        if ours && is_dead(&entry.path().join(LOCK)) {
            // Another sandbox that starts just now may be removing it as well.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_dead(lock: &PathBuf) -> bool {
    File::open(lock).is_ok_and(|lock| lock.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_the_dead_are_removed_and_those_of_the_living_stay() {
        let parent = tempfile::tempdir().expect("a folder");
        let living = Temporary::within(parent.path()).expect("a folder");
        let dead = parent.path().join("prilavok-sandbox-dead");
        let foreign = parent.path().join("prilavok-sandbox-foreign");
        fs::create_dir(&dead)
            .and_then(|()| fs::create_dir(&foreign))
            .expect("made");
        File::create(dead.join(LOCK)).expect("a lock that nobody holds");
        let next = Temporary::within(parent.path()).expect("a folder");
        assert!(!dead.exists());
        assert!(foreign.exists() && living.path().exists() && next.path().exists());
        let path = living.path().to_owned();
        living.close().expect("removed");
        assert!(!path.exists());
    }
}
