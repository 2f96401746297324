//! A transaction that stays open.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};

use crate::programs::Programs;

/// Rolled back when it is dropped.
pub struct Held(Child);

impl Held {
    pub(crate) fn by(programs: &Programs, url: &str, statement: &str) -> Self {
        let mut command = programs.command(programs.path("psql"));
        command
            .args(["-XAtq", "-v", "ON_ERROR_STOP=1", url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("psql");
        let mut input = child.stdin.as_ref().expect("piped");
        writeln!(input, "BEGIN; {statement};\n\\echo held").expect("psql reads");
        let mut output = BufReader::new(child.stdout.take().expect("piped")).lines();
        let held = output.any(|line| line.is_ok_and(|line| line == "held"));
        assert!(held, "{statement}: not done");
        Self(child)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // It ends with its input, and its transaction with it.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
