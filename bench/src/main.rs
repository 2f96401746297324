//! `just bench`: Prilavok beside the bars that this machine sets, in one run. What is measured and why is in
//! `README.md`.

mod growth;
mod limits;
mod load;
mod machine;
mod overload;
mod process;
mod report;
mod speed;
mod uploads;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use prilavok_bench::seed::{self, Size};

#[derive(Parser)]
#[command(about = "Measures Prilavok against what this machine can do")]
struct Arguments {
    /// Rounds; the median of them counts
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds of each run
    #[arg(long, default_value_t = 3)]
    seconds: u32,
    /// Only this, and what else is named so; without the speed, the results are shown and not written
    #[arg(long)]
    only: Vec<Part>,
    /// Keep cores from halting when they have nothing to do, which only root can
    #[arg(long)]
    awake: bool,
    /// The server that is measured
    #[arg(long, default_value = "../target/optimized/prilavok")]
    server: PathBuf,
    /// Where the seeded stores are kept, 4 GB
    #[arg(long, default_value = "../target/bench")]
    data: PathBuf,
    /// Where the table and the picture are written
    #[arg(long, default_value = "results")]
    results: PathBuf,
}

/// What can be measured by itself.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Rates beside the bars
    Speed,
    /// What calls cost with more messages
    Growth,
    /// Start, stop and memory
    Limits,
    /// Memory for uploads that are held
    Uploads,
    /// Ten times what can be served
    Overload,
}

/// Programs and stores.
pub struct Place {
    server: PathBuf,
    programs: PathBuf,
    data: PathBuf,
}

impl Place {
    fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    fn large(&self) -> PathBuf {
        self.data.join("large")
    }

    fn small(&self) -> PathBuf {
        self.data.join("small")
    }
}

/// A bar that tells what is under way.
pub fn progress(steps: u32) -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new(u64::from(steps));
    bar.set_style(ProgressStyle::with_template("{msg:<40} {bar:30} {pos}/{len}")?);
    Ok(bar)
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut programs = std::env::current_exe()?;
    programs.pop();
    std::fs::create_dir_all(&arguments.data)?;
    let server = &arguments.server;
    let place = Place {
        server: server
            .canonicalize()
            .with_context(|| format!("{} is to be measured: `just release` builds it", server.display()))?,
        programs,
        data: arguments.data.canonicalize()?,
    };
    seed::make(&place.large(), Size::LARGE)?;
    seed::make(&place.small(), Size::SMALL)?;
    let awake = arguments.awake.then(machine::Awake::keep).transpose()?;
    let is_wanted = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    let mut lines = Vec::new();
    if is_wanted(Part::Speed) {
        lines.extend(speed::compare(&place, arguments.rounds, arguments.seconds)?);
    }
    if is_wanted(Part::Growth) {
        lines.extend(growth::measure(&place, arguments.rounds, arguments.seconds)?);
    }
    let how = if awake.is_some() { ", cores kept awake" } else { "" };
    let machine = format!("{}{how}", machine::description());
    let mut text = report::table(&lines, &machine);
    if is_wanted(Part::Overload) {
        text.push('\n');
        text.push_str(&overload::measure(&place)?);
    }
    text.push('\n');
    if is_wanted(Part::Limits) {
        text.push_str(&limits::measure(&place)?);
    }
    if is_wanted(Part::Uploads) {
        text.push_str(&uploads::measure(&place)?);
    }
    print!("{text}");
    if !is_wanted(Part::Speed) {
        return Ok(());
    }
    write(&arguments.results, "table.md", &text)?;
    write(
        &arguments.results,
        "table.svg",
        &report::picture(&lines, &machine),
    )?;
    Ok(())
}

fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    Ok(std::fs::write(folder.join(name), text)?)
}
