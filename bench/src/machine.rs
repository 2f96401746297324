//! The machine and the day of a measurement.

use std::fs::{self, File};
use std::io::Write;

use anyhow::Context;

/// One line: processor, cores, memory, kernel, date.
pub fn description() -> String {
    let first = |file: &str, name: &str| -> Option<String> {
        let text = fs::read_to_string(file).ok()?;
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let processor = first("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = first("/proc/meminfo", "MemTotal").unwrap_or_default();
    let kib: u64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d");
    format!(
        "{processor}, {cores} cores, {} GiB, Linux {}, {day}",
        kib >> 20,
        kernel.trim()
    )
}

/// As long as this is held, cores that have nothing to do wait without halting: to wake a halted core of a virtual machine
/// costs whoever wakes it several microseconds. Only a program whose client or disk leaves it time to halt pays them.
pub struct Awake {
    _held: File,
}

impl Awake {
    /// Where the kernel is told; only root may.
    const PLACE: &str = "/dev/cpu_dma_latency";

    /// Keeps the cores awake.
    pub fn keep() -> anyhow::Result<Self> {
        let mut held = File::options()
            .write(true)
            .open(Self::PLACE)
            .with_context(|| format!("cannot keep the cores awake: {}", Self::PLACE))?;
        held.write_all(&0_i32.to_ne_bytes())?;
        Ok(Self { _held: held })
    }
}
