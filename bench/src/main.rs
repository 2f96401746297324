//! `just bench`: Prilavok beside the bars that this machine sets, in one run. What is measured and why is in
//! `README.md`.

mod limits;
mod load;
mod machine;
mod process;
mod report;
mod speed;

use std::path::{Path, PathBuf};

use clap::Parser;
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
    /// Where the seeded stores are kept, 4 GB
    #[arg(long, default_value = "../target/bench")]
    data: PathBuf,
    /// Where the table and the picture are written
    #[arg(long, default_value = "results")]
    results: PathBuf,
}

/// Programs and stores.
pub struct Place {
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
    let place = Place {
        programs,
        data: arguments.data.canonicalize()?,
    };
    seed::make(&place.large(), Size::LARGE)?;
    seed::make(&place.small(), Size::SMALL)?;
    let mut lines = speed::compare(&place, arguments.rounds, arguments.seconds)?;
    lines.extend(speed::growth(&place, arguments.rounds, arguments.seconds)?);
    let mut text = report::table(&lines, &machine::description());
    text.push('\n');
    text.push_str(&limits::measure(&place)?);
    print!("{text}");
    write(&arguments.results, "table.md", &text)?;
    write(
        &arguments.results,
        "table.svg",
        &report::picture(&lines, &machine::description()),
    )?;
    Ok(())
}

fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    Ok(std::fs::write(folder.join(name), text)?)
}
