//! The machine and the day of a measurement.

use std::fs;

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
