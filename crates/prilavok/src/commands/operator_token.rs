//! `prilavok operator-token`.

use std::process::ExitCode;

use clap::Subcommand;
use prilavok_domain::{Clock, SystemClock};
use prilavok_server::secrets;

use super::Place;
use crate::{data, output};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a token, and print it alone on standard output: it is shown this once
    Create(Place),
}

pub(crate) async fn run(Command::Create(place): Command) -> anyhow::Result<ExitCode> {
    // The first token is often made before the first start: a store is made where there is none.
    let store = data::open_or_make(&place.settings()?.data)?;
    let token = secrets::new_operator_token();
    let created = store
        .create_operator_token(secrets::hash(&token), SystemClock.now())
        .await;
    store.close().await;
    eprintln!("operator token {}; it is shown this once:", created?.id);
    output::print(&format!("{token}\n"))?;
    Ok(ExitCode::SUCCESS)
}
