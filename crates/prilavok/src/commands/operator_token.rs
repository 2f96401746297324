//! `prilavok operator-token`.

use std::fmt::Write;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Subcommand};
use prilavok_domain::{Clock, CredentialId, SystemClock};
use prilavok_server::secrets;
use prilavok_wire::time::Utc;

use super::Place;
use crate::{data, output};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a token, and print it alone on standard output: it is shown this once
    Create(Place),
    /// List the tokens; never their secrets
    List(Place),
    /// Revoke a token for good
    Revoke(Revoked),
}

#[derive(Args)]
pub(crate) struct Revoked {
    #[command(flatten)]
    place: Place,
    /// The token's id, as `prilavok operator-token list` shows it
    id: i64,
}

pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create(place) => create(&place).await?,
        Command::List(place) => list(&place).await?,
        Command::Revoke(revoked) => revoke(&revoked).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(place: &Place) -> anyhow::Result<()> {
    // The first token is often made before the first start: a store is made where there is none.
    let store = data::open_or_make(&place.settings()?).await?;
    let token = secrets::new_operator_token();
    let created = store
        .create_operator_token(secrets::hash(&token), SystemClock.now())
        .await;
    store.close().await;
    eprintln!("operator token {}; it is shown this once:", created?.id);
    output::print(&format!("{token}\n"))
}

async fn list(place: &Place) -> anyhow::Result<()> {
    let store = data::open(&place.settings()?).await?;
    let tokens = store.operator_tokens().await;
    store.close().await;
    let mut table = format!("{:<18} CREATED\n", "ID");
    for token in tokens? {
        writeln!(table, "{:<18} {}", token.id.to_string(), Utc(token.created_at))?;
    }
    output::print(&table)
}

async fn revoke(revoked: &Revoked) -> anyhow::Result<()> {
    let store = data::open(&revoked.place.settings()?).await?;
    let removed = store.revoke_operator_token(CredentialId(revoked.id)).await;
    store.close().await;
    if !removed? {
        bail!(
            "there is no operator token {}: prilavok operator-token list shows them",
            revoked.id
        );
    }
    eprintln!("revoked operator token {}", revoked.id);
    Ok(())
}
