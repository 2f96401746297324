//! `prilavok chat send` and `prilavok chat file`.

use std::io::{Read, stdin};
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use prilavok_client::{Business, ChatId, Error, IdempotencyKey, NewFile};

use super::seller::{Seller, advised};
use crate::output;

#[derive(Args)]
#[command(after_help = "\
Examples:
  prilavok chat send 1 'Добрый день! Посылка уже в пути.'
  prilavok chat send 1 - < answer.txt")]
pub(crate) struct Text {
    #[command(flatten)]
    to: To,
    /// The text, 1 to 4,096 characters; `-` for standard input
    text: String,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  prilavok chat file 1 receipt.pdf
  prilavok chat file 1 /tmp/scan-0001.jpg --name passport.jpg")]
pub(crate) struct File {
    #[command(flatten)]
    to: To,
    /// The file
    path: PathBuf,
    /// The name that the other side sees [default: the file's own]
    #[arg(long)]
    name: Option<String>,
}

#[derive(Args)]
struct To {
    #[command(flatten)]
    seller: Seller,
    /// The key under which it is sent: servers that take keys, as Prilavok does, make one message of all sends with the same
    /// one. It is also tried again then when the answer gets lost [default: a new one]
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
    /// The chat's id, as `prilavok chat list` shows it
    chat: ChatId,
}

impl To {
    async fn business(&self) -> anyhow::Result<Business> {
        let knows_keys = self.idempotency_key.is_some();
        let set_up = |client: prilavok_client::ClientBuilder| match knows_keys {
            true => client.idempotency_keys(),
            false => client,
        };
        self.seller.business_with(set_up).await
    }

    fn key(&self) -> IdempotencyKey {
        self.idempotency_key
            .clone()
            .unwrap_or_else(IdempotencyKey::random)
    }

    fn told(&self, sent: Result<(), Error>, key: &IdempotencyKey) -> anyhow::Result<()> {
        let chat = self.chat;
        match sent {
            Err(error) if error.may_have_been_done() => Err(anyhow!(
                "{error}\nlook whether it is there: prilavok chat show {chat}\n\
                 a Prilavok makes one message of both when you repeat the command with --idempotency-key {key}"
            )),
            Err(error) => Err(advised(error)),
            Ok(()) if self.seller.json => {
                let sent = serde_json::json!({"chatId": chat, "idempotencyKey": key.as_str()});
                output::print(&format!("{sent}\n"))
            }
            Ok(()) => {
                eprintln!("sent to chat {chat}");
                Ok(())
            }
        }
    }
}

pub(super) async fn text(Text { to, text }: &Text) -> anyhow::Result<()> {
    let mut text = text.clone();
    if text == "-" {
        text.clear();
        stdin()
            .read_to_string(&mut text)
            .context("cannot read the text")?;
        text.truncate(text.trim_end_matches(['\r', '\n']).len());
    }
    let (business, key) = (to.business().await?, to.key());
    to.told(business.send_message_once(to.chat, &text, &key).await, &key)
}

pub(super) async fn file(File { to, path, name }: &File) -> anyhow::Result<()> {
    let own_name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let file = NewFile {
        name: name.clone().or(own_name).context("the path names no file")?,
        content: std::fs::read(path)
            .with_context(|| format!("cannot read {}", path.display()))?
            .into(),
    };
    let (business, key) = (to.business().await?, to.key());
    to.told(business.send_file_once(to.chat, &file, &key).await, &key)
}
