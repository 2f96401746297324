//! `prilavok chat list`.

use std::fmt::Write;

use clap::Args;
use clap::builder::PossibleValuesParser;
use futures_util::{StreamExt, TryStreamExt};
use prilavok_client::{ChatFilter, ChatStatus, ChatType};

use super::people;
use super::seller::{Seller, advised};
use crate::output;

#[derive(Args)]
#[command(after_help = "\
Examples:
  export PRILAVOK_KEY=ACMA:…
  prilavok chat list --status WAITING_FOR_PARTNER
  prilavok chat list --all --json | jq -r .context.customer.name")]
pub(crate) struct Arguments {
    #[command(flatten)]
    seller: Seller,
    /// Only chats with this status; give it several times for several ones
    #[arg(long = "status", value_name = "STATUS",
          value_parser = PossibleValuesParser::new(ChatStatus::KNOWN.iter().map(|one| one.as_str())))]
    statuses: Vec<String>,
    /// Only chats of this type
    #[arg(long = "type", value_name = "TYPE",
          value_parser = PossibleValuesParser::new(ChatType::KNOWN.iter().map(|one| one.as_str())))]
    types: Vec<String>,
    /// The most chats
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// All chats
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let filter = ChatFilter {
        statuses: arguments.statuses.iter().map(|one| one.as_str().into()).collect(),
        types: arguments.types.iter().map(|one| one.as_str().into()).collect(),
        ..ChatFilter::default()
    };
    let most = if arguments.all {
        usize::MAX
    } else {
        arguments.limit
    };
    let chats = arguments.seller.business().await?.chats(filter).take(most);
    let chats: Vec<_> = chats.try_collect().await.map_err(advised)?;
    if !arguments.seller.json {
        return output::print(&people::table(&chats));
    }
    let mut lines = String::new();
    for chat in &chats {
        writeln!(lines, "{}", serde_json::to_string(chat)?)?;
    }
    output::print(&lines)
}
