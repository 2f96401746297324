//! `prilavok migrate-store`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use prilavok_server::settings::{Database, Overrides};
use prilavok_store::files::Location;
use prilavok_store::moving::{self, Progress};

use super::Place;
use crate::claim::claim;
use crate::{data, output};

#[derive(Args)]
#[command(after_help = "\
Examples:
  prilavok migrate-store --from sqlite:/var/lib/prilavok --to postgres://prilavok@db.example.com/prilavok
  prilavok migrate-store --from sqlite:./prilavok-data --to postgres://localhost/prilavok --files s3://chats/files

The server must be stopped; keys, ids, chats, events, subscriptions and counts stay as they are. Files are copied where \
--files (or the setting) names another place than the folder beside the database. Interrupted, it goes on where it was \
when it is run again; no server starts on a database that is not complete. At the end both sides are read whole and \
compared. The old store is left as it is: start the server with --database to use the new one.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// The store to move: sqlite: and its data folder [default: sqlite: and the folder of --data]
    #[arg(long, value_name = "sqlite:DIR")]
    from: Option<String>,
    /// The database to move it to, which must be empty: postgres://user@host/database
    #[arg(long, value_name = "URL")]
    to: String,
    /// Where files are from now on: an absolute folder, or s3://bucket/prefix [default: where they are]
    #[arg(long, value_name = "PLACE")]
    files: Option<String>,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut settings = arguments.place.settings_with(Overrides {
        files: arguments.files.clone(),
        ..Overrides::default()
    })?;
    let to: Database = arguments
        .to
        .parse()
        .map_err(|error: String| anyhow::anyhow!("wrong --to: {error}"))?;
    let Database::Postgres(url) = &to else {
        bail!("wrong --to: a store is moved to PostgreSQL, as postgres://user@host/database");
    };
    if let Some(from) = &arguments.from {
        settings.data = folder(from)?;
    }
    data::must_be_store(&settings.data)?;
    let _claim = claim(&settings.data, &settings.notifications).context("stop the server first")?;
    let new = data::files(&settings)?;
    settings.files.location = Location::Data;
    let old = data::files(&settings)?;
    let options = settings.postgres.options(url)?;
    let bar = Bar::new()?;
    let moved = moving::move_store(&data::database(&settings.data), &options, (&old, &new), &bar).await;
    bar.0.finish_and_clear();
    let moved = moved?;
    let mut text = String::new();
    for (table, rows) in &moved.rows {
        text.push_str(&format!("{table:<18} {rows:>12} rows, the same on both sides\n"));
    }
    text.push_str(&format!("{:<18} {:>12}\n", "files", moved.files));
    output::print(&text)?;
    eprintln!("moved; start the server with --database {url}");
    Ok(ExitCode::SUCCESS)
}

/// The data folder that `sqlite:` names, by itself or by the file in it.
fn folder(from: &str) -> anyhow::Result<PathBuf> {
    let Some(path) = from.strip_prefix("sqlite:") else {
        bail!("wrong --from: {from:?} does not begin with sqlite:, as in sqlite:/var/lib/prilavok");
    };
    let path = Path::new(path);
    match path.parent() {
        Some(parent) if data::database(parent) == path => Ok(parent.to_owned()),
        _ => Ok(path.to_owned()),
    }
}

/// Draws on a terminal only, and on standard error.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> anyhow::Result<Self> {
        let style = ProgressStyle::with_template("{msg:24} {bar:40} {human_pos}/{human_len}, {eta} left")?;
        Ok(Self(ProgressBar::no_length().with_style(style)))
    }
}

impl Progress for Bar {
    fn begin(&self, what: &str, done: u64, all: u64) {
        self.0.set_message(what.to_owned());
        self.0.set_length(all);
        self.0.set_position(done);
        self.0.reset_eta();
    }

    fn step(&self, steps: u64) {
        self.0.inc(steps);
    }
}
