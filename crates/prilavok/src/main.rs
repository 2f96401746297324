//! The command line of Prilavok.

mod claim;
mod commands;
mod data;
mod logging;
mod open_files;
mod output;

use std::process::ExitCode;

use clap::Parser;

/// Requests allocate often and little.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A worker's own queue has 256 places, and what has none waits in one that all share. Every third task is taken from there:
/// by default hardly one in sixty is, and of some hundred connections a few would wait ten times as long as the others.
const SHARED_QUEUE_INTERVAL: u32 = 3;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .global_queue_interval(SHARED_QUEUE_INTERVAL)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    match runtime.block_on(commands::Cli::parse().run()) {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        // Some errors tell their cause themselves.
        if told.is_empty() {
            told = cause;
        } else if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    eprintln!("prilavok: {told}");
    ExitCode::FAILURE
}
