//! What is measured, as processes on one core.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// The core of what is measured; the load comes from the other one.
pub const SERVER_CORE: &str = "0";
/// The core of the load.
pub const LOAD_CORE: &str = "1";

/// How long anything may take to be ready, or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A command that stays on one core.
pub fn on_core(core: &str, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", core]).arg(program);
    command
}

/// A server that runs, stopped when this is dropped.
pub struct Server {
    child: Child,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// From its start until it answered.
    pub ready_after: Duration,
}

impl Server {
    /// Starts it and waits until it answers a request of `path` with 200.
    pub fn start(mut command: Command, port: u16, path: &str) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let mut server = Self {
            child,
            port,
            ready_after: Duration::ZERO,
        };
        while !matches!(is_answered(port, path), Ok(true)) {
            if let Some(status) = server.child.try_wait()? {
                bail!("{command:?} ended: {status}");
            }
            if begun.elapsed() > PATIENCE {
                bail!("{command:?} is not ready");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        server.ready_after = begun.elapsed();
        Ok(server)
    }

    /// A number of KiB in the process's status, as `VmRSS` or `VmHWM`.
    pub fn memory_kib(&self, name: &str) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with(name));
        let number = line.and_then(|line| line.split_whitespace().nth(1));
        number.context("no such number")?.parse().context("no number")
    }

    /// Asks it to stop; answers how long that took.
    pub fn stop(mut self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        self.terminate();
        self.child.wait()?;
        Ok(begun.elapsed())
    }

    fn terminate(&self) {
        // One that has ended already needs it no more.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
    }
}

fn is_answered(port: u16, path: &str) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.terminate();
            let _ = self.child.wait();
        }
    }
}
