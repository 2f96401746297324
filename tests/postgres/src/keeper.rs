//! Who stops a cluster and removes it, also when the process that started it was killed.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};

use crate::programs::Programs;

/// Waits for the end of its input, which is a pipe that we hold: it ends with us.
const WAIT_AND_REMOVE: &str = r#"read -r _; "$1" -s -D "$2/data" stop -m immediate; rm -rf "$2""#;

/// A process that outlives us.
pub(crate) struct Keeper(Child);

impl Keeper {
    pub(crate) fn of(programs: &Programs, folder: &Path) -> Self {
        let mut command = programs.command("/bin/sh");
        command
            .args(["-c", WAIT_AND_REMOVE, "keeper"])
            .arg(programs.path("pg_ctl"))
            .arg(folder)
            // Ctrl-C is for the tests, not for it.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(command.spawn().expect("a keeper"))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
