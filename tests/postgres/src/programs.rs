//! PostgreSQL's programs, run as a user that they accept.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the programs are, and as whom they run.
#[derive(Clone)]
pub(crate) struct Programs {
    folder: PathBuf,
    /// The user and group to become; `None` where we are no root, whom PostgreSQL refuses.
    user: Option<(u32, u32)>,
}

impl Programs {
    /// The newest PostgreSQL that is installed.
    pub(crate) fn find() -> Self {
        let root = fs::metadata("/proc/self").expect("/proc").uid() == 0;
        Self {
            folder: newest().expect("PostgreSQL in /usr/lib/postgresql: install the package postgresql"),
            user: root.then(|| user("postgres").or_else(|| user("nobody")).expect("a user")),
        }
    }

    /// Makes a folder the server's own.
    pub(crate) fn give(&self, folder: &Path) {
        if let Some((user, group)) = self.user {
            chown(folder, Some(user), Some(group)).expect("a folder of the server's user");
        }
    }

    pub(crate) fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    /// A command that runs as the server's user, in a folder that this user may read.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").stdin(Stdio::null());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    /// Runs one of PostgreSQL's programs; answers what it prints.
    pub(crate) fn run<'a>(&self, program: &str, arguments: impl IntoIterator<Item = &'a str>) -> String {
        match self.try_run(program, arguments) {
            Ok(printed) => printed,
            Err(why) => panic!("{program}: {why}"),
        }
    }

    /// As [`Programs::run`]; an error is what it says.
    pub(crate) fn try_run<'a>(
        &self,
        program: &str,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<String, String> {
        let mut command = self.command(self.path(program));
        let output = command.args(arguments).output().expect("a program that runs");
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

fn newest() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let numbers = versions.filter_map(|one| one.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let newest = numbers.max()?;
    Some(PathBuf::from(format!("/usr/lib/postgresql/{newest}/bin")))
}

/// The ids of a user and of its group.
fn user(name: &str) -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}
