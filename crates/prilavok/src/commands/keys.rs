//! `prilavok keys`: the Api-Keys of a business, straight in the store.

use std::fmt::Write;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use prilavok_domain::business::InvalidName;
use prilavok_domain::{Clock, CredentialId, CredentialKind, CredentialName, Scope, ScopeSet, SystemClock};
use prilavok_server::secrets;
use prilavok_store::{Credential, NewCredential};

use super::owner::Owner;
use crate::output;

const KIND: CredentialKind = CredentialKind::ApiKey;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a key, and print it alone on standard output: it is shown this once
    #[command(after_help = "\
Example:
  prilavok keys create --business 1 --name crm --scope communication

The scope communication is what a connector needs to talk to buyers; all-methods:read-only lets it read.")]
    Create {
        #[command(flatten)]
        owner: Owner,
        /// What it is for, 1 to 100 characters; no other key of the business may have the name
        #[arg(long, value_parser = credential_name)]
        name: CredentialName,
        /// What it may be used for; give it several times for several scopes
        #[arg(long = "scope", value_name = "SCOPE", required = true, num_args = 1..,
              value_parser = PossibleValuesParser::new(Scope::ALL.iter().map(|scope| scope.as_str())))]
        scopes: Vec<String>,
    },
    /// List the keys of a business, revoked ones included
    List(Owner),
    /// Revoke a key for good
    Revoke {
        #[command(flatten)]
        owner: Owner,
        /// The key's name, or its id as `prilavok keys list` shows it
        #[arg(value_name = "NAME|ID")]
        key: String,
    },
}

fn credential_name(text: &str) -> Result<CredentialName, InvalidName> {
    CredentialName::new(text)
}

pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create { owner, name, scopes } => create(&owner, name, &scopes).await?,
        Command::List(owner) => list(&owner).await?,
        Command::Revoke { owner, key } => revoke(&owner, &key).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(owner: &Owner, name: CredentialName, scopes: &[String]) -> anyhow::Result<()> {
    let secret = secrets::new_api_key();
    let new = NewCredential {
        business: owner.business,
        kind: KIND,
        name,
        scopes: scopes
            .iter()
            .map(|scope| scope.parse::<Scope>())
            .collect::<Result<ScopeSet, _>>()?,
        campaigns: Vec::new(),
        hash: secrets::hash(&secret),
        expires_at: None,
    };
    let store = owner.store().await?;
    let created = store.create_credential(new, None, SystemClock.now()).await;
    store.close().await;
    let created = created.context("the key was not made")?.value;
    eprintln!(
        "key {} `{}` of business {}; it is shown this once:",
        created.id,
        created.name.as_str(),
        owner.business
    );
    output::print(&format!("{secret}\n"))
}

async fn list(owner: &Owner) -> anyhow::Result<()> {
    let store = owner.store().await?;
    let keys = store.credentials(owner.business, KIND).await;
    store.close().await;
    let mut table = format!("{:<18} {:<8} {:<30} SCOPES\n", "ID", "STATE", "NAME");
    for key in keys? {
        let state = if is_active(&key) { "active" } else { "revoked" };
        let scopes: Vec<_> = key.scopes.iter().map(Scope::as_str).collect();
        let (id, name, scopes) = (key.id.to_string(), key.name.as_str(), scopes.join(" "));
        writeln!(table, "{id:<18} {state:<8} {name:<30} {scopes}")?;
    }
    output::print(&table)
}

async fn revoke(owner: &Owner, key: &str) -> anyhow::Result<()> {
    let store = owner.store().await?;
    let keys = store.credentials(owner.business, KIND).await?;
    let id = key.parse().ok().map(CredentialId);
    let active = || keys.iter().filter(|one| is_active(one));
    let wanted = active()
        .find(|one| one.name.as_str() == key)
        .or_else(|| active().find(|one| Some(one.id) == id));
    let Some(wanted) = wanted else {
        store.close().await;
        bail!(
            "business {} has no active key `{key}`: prilavok keys list shows them",
            owner.business
        );
    };
    let revoked = store
        .revoke_credential(owner.business, KIND, wanted.id, SystemClock.now())
        .await;
    store.close().await;
    revoked.context("the key was not revoked")?;
    eprintln!(
        "revoked key {} `{}` of business {}",
        wanted.id,
        wanted.name.as_str(),
        owner.business
    );
    Ok(())
}

fn is_active(key: &Credential) -> bool {
    key.revoked_at.is_none()
}
