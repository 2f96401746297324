//! `prilavok check`.

use std::process::ExitCode;

use clap::Args;
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
    let report = store.check(&data::files(&settings)?).await;
    store.close().await;
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
