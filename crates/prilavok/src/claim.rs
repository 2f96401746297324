//! The lock of a running server on its data folder, and what the server tells the other commands in it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use prilavok_notify::Guard;
use prilavok_server::settings::NotificationSettings;
use prilavok_store::sqlite::private_folder;
use serde::{Deserialize, Serialize};

const FILE_NAME: &str = "serve.lock";
/// A command that looks whether a server runs holds the lock for microseconds: a server that starts in just those
/// tries again.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// What a server tells: how it was started, where that decides what other commands may do.
#[derive(Serialize, Deserialize)]
struct Told {
    notifications: Notified,
}

/// Which addresses the server notifies; named like the settings.
#[derive(Serialize, Deserialize)]
struct Notified {
    allow_private: bool,
    allowed_networks: Vec<String>,
}

impl From<&NotificationSettings> for Told {
    fn from(settings: &NotificationSettings) -> Self {
        let networks = settings.allowed_networks.iter();
        Self {
            notifications: Notified {
                allow_private: settings.allow_private,
                allowed_networks: networks.map(ToString::to_string).collect(),
            },
        }
    }
}

impl Notified {
    fn guard(&self) -> Guard {
        if self.allow_private {
            return Guard::open();
        }
        let networks = self.allowed_networks.iter();
        // What another version wrote and this one cannot read opens nothing.
        Guard::public_and(networks.filter_map(|text| text.parse().ok()).collect())
    }
}

/// Makes the folder this server's own, for as long as the answered file is open. Two servers would each count the
/// limits for themselves; the other commands may work beside one.
pub(crate) fn claim(folder: &Path, settings: &NotificationSettings) -> anyhow::Result<File> {
    let path = folder.join(FILE_NAME);
    // What a running server told stays until the lock is ours.
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let made = private_folder(folder).and_then(|()| options.open(&path));
    let mut file = made.with_context(|| {
        format!(
            "cannot write in the data folder {}: --data names another",
            folder.display()
        )
    })?;
    lock(&file, folder)?;
    let told = serde_json::to_vec(&Told::from(settings))?;
    let written = file.set_len(0).and_then(|()| file.write_all(&told));
    written.with_context(|| format!("cannot write {}", path.display()))?;
    Ok(file)
}

fn lock(file: &File, folder: &Path) -> anyhow::Result<()> {
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) => {
                return Err(error)
                    .with_context(|| format!("cannot lock the data folder {}", folder.display()));
            }
        }
    }
    bail!(
        "another server uses the data folder {}: stop it, or name another folder with --data",
        folder.display()
    )
}

/// Which addresses the server notifies that runs on a folder; `None` while none does.
pub(crate) fn running_guard(folder: &Path) -> Option<Guard> {
    let mut file = File::open(folder.join(FILE_NAME)).ok()?;
    // What stands in the file is a server's word only while one holds the lock.
    let Err(TryLockError::WouldBlock) = file.try_lock_shared() else {
        return None;
    };
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let told: Told = serde_json::from_str(&text).ok()?;
    Some(told.notifications.guard())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn settings(allow_private: bool, networks: &[&str]) -> NotificationSettings {
        let usual = prilavok_server::settings::Settings::load(None, &Default::default());
        NotificationSettings {
            allow_private,
            allowed_networks: networks
                .iter()
                .map(|text| text.parse().expect("a network"))
                .collect(),
            ..usual.expect("the defaults").notifications
        }
    }

    #[test]
    fn a_server_is_believed_while_it_runs() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        assert_eq!(running_guard(path), None, "there was never one");
        let held = claim(path, &settings(true, &[])).expect("free");
        assert_eq!(running_guard(path), Some(Guard::open()));
        let mode = path
            .join(FILE_NAME)
            .metadata()
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);

        let error = claim(path, &settings(false, &[])).expect_err("held");
        assert!(
            error.to_string().contains("another server uses the data folder"),
            "{error}"
        );
        assert_eq!(
            running_guard(path),
            Some(Guard::open()),
            "it did not change what the first one told"
        );

        drop(held);
        assert_eq!(running_guard(path), None, "it runs no more");
        let _held = claim(path, &settings(false, &["10.1.0.0/16"])).expect("free again");
        let network = "10.1.0.0/16".parse().expect("a network");
        assert_eq!(running_guard(path), Some(Guard::public_and(vec![network])));
    }

    #[test]
    fn a_server_that_told_nothing_opens_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let held = claim(folder.path(), &settings(true, &[])).expect("free");
        for text in [
            "",
            "{}",
            "not JSON",
            r#"{"notifications":{"allow_private":"yes"}}"#,
        ] {
            std::fs::write(folder.path().join(FILE_NAME), text).expect("written");
            assert_eq!(running_guard(folder.path()), None, "{text}");
        }
        drop(held);
    }
}
