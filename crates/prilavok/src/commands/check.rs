//! `prilavok check`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use prilavok_server::settings::Overrides;

use super::Place;
use crate::{data, output};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Where the contents of files are: an absolute folder, or s3://bucket/prefix [default: files in the data folder]
    #[arg(long, value_name = "PLACE")]
    files: Option<String>,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let settings = arguments.place.settings_with(Overrides {
        files: arguments.files,
        ..Overrides::default()
    })?;
    let store = data::open(&settings).await?;
    // Draws on a terminal only, and on standard error.
    let bar = ProgressBar::no_length().with_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} steps, {elapsed} so far",
    )?);
    bar.enable_steady_tick(Duration::from_secs(1));
    let drawn = bar.clone();
    let tell = move |done, all| {
        drawn.set_length(all);
        drawn.set_position(done);
    };
    let files = data::files(&settings)?;
    let report = store.check_and_tell(&files, Arc::new(tell)).await;
    store.close().await;
    bar.finish_and_clear();
    let report = report?;
    let mut text = format!(
        "{} chats, {} messages, {} files, {} events\n",
        report.chats, report.messages, report.files, report.events
    );
    for problem in &report.problems {
        text.extend(["problem: ", problem, "\n"]);
    }
    if report.problems.is_empty() {
        output::print(&(text + "no problems\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    output::print(&text)?;
    eprintln!(
        "prilavok: {} problems; restore a backup, or report them with this output",
        report.problems.len()
    );
    Ok(ExitCode::FAILURE)
}
