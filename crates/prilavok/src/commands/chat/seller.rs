//! Whom the commands speak to, and as whom; and what to do when that fails.

use std::collections::BTreeSet;
use std::env;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use futures_util::TryStreamExt;
use prilavok_client::{Business, BusinessId, Client, ClientBuilder, Credential, Error};

const URL: &str = "PRILAVOK_URL";
const KEY: &str = "PRILAVOK_KEY";
const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// The server, the key, the business, and for whom the output is.
#[derive(Args)]
pub(super) struct Seller {
    /// The base URL of a server with the Partner API [env: PRILAVOK_URL] [default: http://127.0.0.1:8080]
    #[arg(long)]
    url: Option<String>,
    /// A file with the Api-Key, `-` for standard input; otherwise it is taken from PRILAVOK_KEY. There is no option for
    /// the key itself: everybody on the machine could read it
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The business; found out where the key sees but one
    #[arg(long, value_name = "N")]
    business: Option<BusinessId>,
    /// Print JSON for programs instead of a table for people
    #[arg(long)]
    pub(super) json: bool,
}

impl Seller {
    /// The chats of the business.
    pub(super) async fn business(&self) -> anyhow::Result<Business> {
        self.business_with(|client| client).await
    }

    /// The chats of the business, through a client of the command's own.
    pub(super) async fn business_with(
        &self,
        set_up: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> anyhow::Result<Business> {
        let url = self.url.clone().or_else(|| env::var(URL).ok());
        let url = url.unwrap_or_else(|| DEFAULT_URL.to_owned());
        let key = Credential::api_key(&self.key()?)?;
        let client = set_up(Client::builder(&url, key)).build()?;
        let business = match self.business {
            Some(business) => business,
            None => only_business(&client).await?,
        };
        Ok(client.business(business))
    }

    fn key(&self) -> anyhow::Result<String> {
        match &self.key_file {
            Some(file) if file == Path::new("-") => {
                let mut key = String::new();
                stdin().read_to_string(&mut key)?;
                Ok(key)
            }
            Some(file) => std::fs::read_to_string(file)
                .with_context(|| format!("cannot read the key from {}", file.display())),
            None => env::var(KEY).map_err(|_| {
                anyhow!(
                    "there is no key: put one into {KEY} or name a file that has it with --key-file\n\
                     prilavok keys create makes keys"
                )
            }),
        }
    }
}

/// The business that the key sees, if it is one.
async fn only_business(client: &Client) -> anyhow::Result<BusinessId> {
    let campaigns: Vec<_> = client.campaigns().try_collect().await.map_err(advised)?;
    let businesses: BTreeSet<_> = campaigns
        .into_iter()
        .filter_map(|one| Some(one.business?.id))
        .collect();
    let mut found = businesses.iter();
    match (found.next(), found.next()) {
        (Some(business), None) => Ok(*business),
        (None, _) => {
            bail!("the key sees no campaign by which its business could be found: name it with --business")
        }
        _ => {
            let all: Vec<_> = businesses.iter().map(ToString::to_string).collect();
            bail!(
                "the key sees several businesses: name one with --business: {}",
                all.join(", ")
            )
        }
    }
}

/// An error with what can be done about it.
pub(super) fn advised(error: Error) -> anyhow::Error {
    let advice = match &error {
        Error::Unreachable { .. } => "is the server running there? --url or PRILAVOK_URL names another address".to_owned(),
        Error::Unreadable { .. } => "--url or PRILAVOK_URL names the address of the API".to_owned(),
        Error::Interrupted { .. } => "try it again".to_owned(),
        Error::UsedUp { .. } => "try it then".to_owned(),
        Error::Api(api) => match (api.status, api.limit.until) {
            (401, _) => format!(
                "the key was not taken: check {KEY} or --key-file; prilavok keys list shows the keys of a business"
            ),
            (403, _) => "the key is for another business (--business), or it lacks the scope: reading needs communication \
                         or all-methods:read-only, writing communication"
                .to_owned(),
            (404, _) => "prilavok chat list shows the chats; --url and --business say where".to_owned(),
            (420 | 429, Some(until)) if api.is_used_up() => format!("there are new calls at {until}"),
            (420 | 423 | 429 | 500.., _) => "try it again later".to_owned(),
            _ => return error.into(),
        },
        _ => return error.into(),
    };
    anyhow!("{error}\n{advice}")
}
