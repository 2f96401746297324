//! `prilavok check`.

use std::process::ExitCode;

use super::Place;
use crate::{data, output};

pub(crate) async fn run(place: &Place) -> anyhow::Result<ExitCode> {
    let settings = place.settings()?;
    let store = data::open(&settings).await?;
    let report = store.check(&data::files(&settings.data)?).await;
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
