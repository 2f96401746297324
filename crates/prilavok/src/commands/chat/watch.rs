//! `prilavok chat watch`: live events where the server has them, and asking again and again where it has not.

use std::pin::pin;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use futures_util::StreamExt;
use prilavok_client::{Business, ChatId, Event, Live, Message, Notification, PageRequest};
use serde::Serialize;

use super::people;
use super::poll::Poll;
use super::seller::{Seller, advised};
use crate::output;

/// Longer than an hour of the API lasts.
const HOUR: Duration = Duration::from_secs(2 * 3_600);

#[derive(Args)]
#[command(after_help = "\
Examples:
  prilavok chat watch
  prilavok chat watch 1
  prilavok chat watch --json | jq -r 'select(.message.sender == \"CUSTOMER\") | .chatId'

A Prilavok tells of events as they happen. Other servers are asked every --poll seconds, which costs at least one \
call of getChats each time.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    seller: Seller,
    /// Only this chat
    chat: Option<ChatId>,
    /// How often servers without live events are asked
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    poll: u64,
}

pub(super) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    // Who watches would rather wait than be told that the calls of the hour are used up.
    let business = arguments
        .seller
        .business_with(|client| client.wait_for_limits(HOUR))
        .await?;
    let screen = Screen {
        json: arguments.seller.json,
        many: arguments.chat.is_none(),
    };
    if let Some(chat) = arguments.chat {
        // It is there, and may be read.
        business.chat(chat).await.map_err(advised)?;
    }
    if listen(&business, arguments.chat, &screen).await? == Listened::NotThere {
        eprintln!(
            "the server has no live events: it is asked every {} s",
            arguments.poll
        );
        poll(&business, arguments, &screen).await?;
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Listened {
    /// The server has no live events.
    NotThere,
    /// Nobody reads what is printed.
    Enough,
}

async fn listen(business: &Business, only: Option<ChatId>, screen: &Screen) -> anyhow::Result<Listened> {
    let mut connected = false;
    let mut events = pin!(business.events(None));
    while let Some(live) = events.next().await {
        let event = match live {
            Ok(Live::Connected) if connected => continue,
            Ok(Live::Connected) => {
                eprintln!("watching business {}; Ctrl-C ends it", business.id());
                connected = true;
                continue;
            }
            Ok(Live::Event {
                notification: Notification::Known(event),
                ..
            }) => event,
            Ok(Live::Gap { .. }) => {
                eprintln!(
                    "some events were missed while there was no connection: prilavok chat list shows what is new"
                );
                continue;
            }
            Ok(_) => continue,
            Err(error) if !connected && matches!(error.status(), Some(404 | 405)) => {
                return Ok(Listened::NotThere);
            }
            Err(error) => return Err(advised(error)),
        };
        if only.is_some() && event.chat() != only {
            continue;
        }
        let message = match &event {
            Event::ChatMessageSent {
                chat_id, message_id, ..
            } => {
                // The history of one message, since far more calls of it are allowed than of the message itself.
                let page = business
                    .history_page(*chat_id, Some(*message_id), PageRequest::first(1))
                    .await;
                match page {
                    Ok(page) => page.items.into_iter().next(),
                    Err(error) if matches!(error.status(), Some(401 | 403)) => return Err(advised(error)),
                    Err(error) => {
                        eprintln!("message {message_id} of chat {chat_id} cannot be shown: {error}");
                        continue;
                    }
                }
            }
            _ => None,
        };
        if !screen.show(&event, message.as_ref())? {
            return Ok(Listened::Enough);
        }
    }
    bail!("the stream of live events ended")
}

async fn poll(business: &Business, arguments: &Arguments, screen: &Screen) -> anyhow::Result<()> {
    let mut poll = Poll::start(business, arguments.chat).await.map_err(advised)?;
    eprintln!("watching business {}; Ctrl-C ends it", business.id());
    loop {
        tokio::time::sleep(Duration::from_secs(arguments.poll)).await;
        let news = match poll.news(business).await {
            Ok(news) => news,
            Err(error) if error.may_have_been_done() || error.status().is_none_or(|status| status >= 420) => {
                eprintln!("{error}");
                continue;
            }
            Err(error) => return Err(advised(error)),
        };
        for (chat_id, message) in news {
            let event = Event::ChatMessageSent {
                business_id: business.id(),
                chat_id,
                message_id: message.id,
                sent_at: message.created_at,
            };
            if !screen.show(&event, Some(&message))? {
                return Ok(());
            }
        }
    }
}

/// Where it is shown.
struct Screen {
    json: bool,
    /// Of many chats, so that it has to be said which one.
    many: bool,
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    event: &'a Event,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a Message>,
}

impl Screen {
    /// Answers whether somebody still reads.
    fn show(&self, event: &Event, message: Option<&Message>) -> anyhow::Result<bool> {
        if self.json {
            let told = serde_json::to_string(&Told { event, message })?;
            return output::show(&format!("{told}\n"));
        }
        let Some(chat) = event.chat() else { return Ok(true) };
        let what = match (message, event) {
            (Some(message), _) => people::message(message),
            (None, Event::ChatCreated { .. }) => format!("{}  the chat began\n", people::time(event.at())),
            (None, Event::ChatArbitrageStarted { .. }) => {
                format!("{}  a dispute began\n", people::time(event.at()))
            }
            (None, Event::ChatArbitrageFinished { .. }) => {
                format!("{}  the dispute ended\n", people::time(event.at()))
            }
            (None, _) => return Ok(true),
        };
        match self.many {
            true => output::show(&format!("chat {chat}  {what}")),
            false => output::show(&what),
        }
    }
}
