//! `prilavok chat show`.

use clap::Args;
use futures_util::TryStreamExt;
use prilavok_client::{Chat, ChatId, Message};
use serde::Serialize;

use super::people;
use super::seller::{Seller, advised};
use crate::output;

#[derive(Args)]
#[command(after_help = "\
Examples:
  prilavok chat show 1
  prilavok chat show 1 --json | jq -r '.messages[].message'")]
pub(crate) struct Arguments {
    #[command(flatten)]
    seller: Seller,
    /// The chat's id, as `prilavok chat list` shows it
    chat: ChatId,
    /// Only the last so many messages
    #[arg(long, value_name = "N")]
    last: Option<usize>,
}

#[derive(Serialize)]
struct Shown<'a> {
    chat: &'a Chat,
    messages: &'a [Message],
}

pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let business = arguments.seller.business().await?;
    let chat = &business.chat(arguments.chat).await.map_err(advised)?;
    let history: Vec<_> = business
        .history(arguments.chat, None)
        .try_collect()
        .await
        .map_err(advised)?;
    let skipped = arguments
        .last
        .map_or(0, |last| history.len().saturating_sub(last));
    let messages = &history[skipped..];
    if arguments.seller.json {
        let shown = serde_json::to_string(&Shown { chat, messages })?;
        return output::print(&format!("{shown}\n"));
    }
    let lines: String = messages.iter().map(people::message).collect();
    output::print(&format!("{}\n{lines}", people::heading(chat)))
}
