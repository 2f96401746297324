//! `prilavok check`.

use std::process::ExitCode;

use super::Place;
use crate::data;

pub(crate) async fn run(place: &Place) -> anyhow::Result<ExitCode> {
    let folder = place.settings()?.data;
    let store = data::open(&folder)?;
    let report = store.check(&data::files(&folder)?).await;
    store.close().await;
    let report = report?;
    println!(
        "{} chats, {} messages, {} files",
        report.chats, report.messages, report.files
    );
    for problem in &report.problems {
        println!("problem: {problem}");
    }
    if report.problems.is_empty() {
        println!("no problems");
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "prilavok: {} problems; restore a backup, or report them with this output",
        report.problems.len()
    );
    Ok(ExitCode::FAILURE)
}
