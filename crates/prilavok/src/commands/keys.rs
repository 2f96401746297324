//! `prilavok keys`: the Api-Keys of a business, straight in the store.

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Subcommand;
use prilavok_domain::{
    BusinessId, Clock, CredentialId, CredentialKind, CredentialName, Scope, ScopeSet, SystemClock,
};
use prilavok_server::secrets;
use prilavok_store::NewCredential;

use super::Place;
use crate::data;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a key, and print it alone on standard output: it is shown this once
    Create {
        #[command(flatten)]
        place: Place,
        /// The business that the key belongs to
        #[arg(long, value_name = "N")]
        business: i64,
        /// What it is for, 1 to 100 characters; no other key of the business may have the name
        #[arg(long)]
        name: String,
        /// What it may be used for; give it several times for several scopes
        #[arg(long = "scope", value_name = "SCOPE", required = true, num_args = 1..,
              value_parser = clap::builder::PossibleValuesParser::new(Scope::ALL.iter().map(|scope| scope.as_str())))]
        scopes: Vec<String>,
    },
    /// List the keys of a business
    List {
        #[command(flatten)]
        place: Place,
        /// The business
        #[arg(long, value_name = "N")]
        business: i64,
    },
    /// Revoke a key for good
    Revoke {
        #[command(flatten)]
        place: Place,
        /// The business
        #[arg(long, value_name = "N")]
        business: i64,
        /// The key's name, or its id as `prilavok keys list` shows it
        #[arg(value_name = "NAME|ID")]
        key: String,
    },
}

pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create {
            place,
            business,
            name,
            scopes,
        } => create(&place, business, name, &scopes).await,
        Command::List { place, business } => list(&place, business).await,
        Command::Revoke { place, business, key } => revoke(&place, business, &key).await,
    }
}

async fn create(place: &Place, business: i64, name: String, scopes: &[String]) -> anyhow::Result<ExitCode> {
    let store = data::open(&place.settings()?.data)?;
    let secret = secrets::new_api_key();
    let new = NewCredential {
        business: BusinessId::new(business).context("--business")?,
        kind: CredentialKind::ApiKey,
        name: CredentialName::new(name).context("--name")?,
        scopes: scopes
            .iter()
            .map(|scope| scope.parse::<Scope>())
            .collect::<Result<ScopeSet, _>>()?,
        campaigns: Vec::new(),
        hash: secrets::hash(&secret),
        expires_at: None,
    };
    let created = store.create_credential(new, None, SystemClock.now()).await;
    store.close().await;
    let created = created.context("the key was not made")?.value;
    eprintln!(
        "key {} `{}` of business {business}; it is shown this once:",
        created.id,
        created.name.as_str()
    );
    println!("{secret}");
    Ok(ExitCode::SUCCESS)
}

async fn list(place: &Place, business: i64) -> anyhow::Result<ExitCode> {
    let store = data::open(&place.settings()?.data)?;
    let keys = store
        .credentials(
            BusinessId::new(business).context("--business")?,
            CredentialKind::ApiKey,
        )
        .await;
    store.close().await;
    println!("{:<18} {:<8} {:<30} SCOPES", "ID", "STATE", "NAME");
    for key in keys? {
        let state = if key.revoked_at.is_some() {
            "revoked"
        } else {
            "active"
        };
        let scopes: Vec<_> = key.scopes.iter().map(Scope::as_str).collect();
        println!(
            "{:<18} {state:<8} {:<30} {}",
            key.id.to_string(),
            key.name.as_str(),
            scopes.join(" ")
        );
    }
    Ok(ExitCode::SUCCESS)
}

async fn revoke(place: &Place, business: i64, key: &str) -> anyhow::Result<ExitCode> {
    let store = data::open(&place.settings()?.data)?;
    let business = BusinessId::new(business).context("--business")?;
    let kind = CredentialKind::ApiKey;
    let keys = store.credentials(business, kind).await?;
    let active = keys.iter().filter(|one| one.revoked_at.is_none());
    let named = active.clone().find(|one| one.name.as_str() == key);
    let wanted = named.or_else(|| {
        active
            .clone()
            .find(|one| Some(one.id) == key.parse().ok().map(CredentialId))
    });
    let Some(wanted) = wanted else {
        store.close().await;
        bail!("business {business} has no active key `{key}`: prilavok keys list shows them");
    };
    let revoked = store
        .revoke_credential(business, kind, wanted.id, SystemClock.now())
        .await;
    store.close().await;
    let revoked = revoked?;
    eprintln!(
        "revoked key {} `{}` of business {business}",
        revoked.id,
        revoked.name.as_str()
    );
    Ok(ExitCode::SUCCESS)
}
