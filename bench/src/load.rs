//! The load: `wrk` with requests over random chats.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::process::{self, LOAD_CORE};

/// The requests that are sent.
#[derive(Debug, Clone)]
pub struct Load<'a> {
    /// The operation, as the script names it.
    pub operation: &'a str,
    /// The file of chats.
    pub chats: &'a Path,
    /// Connections.
    pub connections: u32,
    /// For how long.
    pub seconds: u32,
    /// What is added to the query.
    pub query: &'a str,
    /// The body, where the operation has one.
    pub body: &'a str,
}

/// How it was answered.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Answered {
    requests: u64,
    micros: u64,
    /// The latency that one of a hundred exceeds, in microseconds.
    pub p99: u64,
    /// Answers with another status than 2xx and 3xx.
    pub refused: u64,
    broken: u64,
}

impl Answered {
    /// Answers a second.
    #[expect(clippy::cast_precision_loss, reason = "no run has so many requests")]
    pub fn rate(&self) -> f64 {
        self.requests as f64 * 1e6 / self.micros as f64
    }
}

impl Load<'_> {
    /// Loads a server, from the other core; every request must be answered.
    pub fn run(&self, port: u16) -> anyhow::Result<Answered> {
        let answered = self.run_and_be_refused(port)?;
        if answered.refused > 0 || answered.broken > 0 {
            bail!("{self:?}: not every request was answered well: {answered:?}");
        }
        Ok(answered)
    }

    /// Loads a server that may refuse some.
    pub fn run_and_be_refused(&self, port: u16) -> anyhow::Result<Answered> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/wrk/requests.lua");
        let output = self.command(port, script).stderr(Stdio::inherit()).output()?;
        let text = String::from_utf8(output.stdout)?;
        let line = text.lines().find(|line| line.starts_with('{'));
        let line = line.with_context(|| format!("wrk tells no result: {text}"))?;
        Ok(serde_json::from_str(line)?)
    }

    fn command(&self, port: u16, script: &str) -> Command {
        let mut wrk = process::on_core(LOAD_CORE, Path::new("wrk"));
        wrk.args([
            "-t1",
            &format!("-c{}", self.connections),
            &format!("-d{}s", self.seconds),
            "--latency",
            "-s",
        ])
        .arg(script)
        .arg(format!("http://127.0.0.1:{port}"))
        .args(["--", self.operation])
        .arg(self.chats)
        .args([self.query, self.body]);
        wrk
    }
}
