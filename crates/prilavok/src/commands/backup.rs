//! `prilavok backup`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::Place;
use crate::data;

#[derive(Args)]
#[command(after_help = "\
The copy holds everything but the contents of files, and the request log and the search index, which are no \
durable data. \
Files never change: copy the folder files of the data folder, or the bucket that they are in, after the \
database, with any tool, and the two together are a consistent state.

To restore: put the copy as prilavok.sqlite and the folder as files into an empty data folder.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Where the copy goes; the file must not exist
    file: PathBuf,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let store = data::open(&arguments.place.settings()?).await?;
    if arguments.file.exists() {
        bail!(
            "{} exists already: name a new file, so that no older copy is lost",
            arguments.file.display()
        );
    }
    // Draws on a terminal only, and on standard error.
    let bar = ProgressBar::no_length().with_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} pages, {eta} left",
    )?);
    let drawn = bar.clone();
    let copied = store
        .backup(
            &arguments.file,
            Box::new(move |done, all| {
                drawn.set_length(all);
                drawn.set_position(done);
            }),
        )
        .await;
    store.close().await;
    bar.finish_and_clear();
    copied.with_context(|| format!("the store was not copied to {}", arguments.file.display()))?;
    eprintln!("copied to {}", arguments.file.display());
    Ok(ExitCode::SUCCESS)
}
