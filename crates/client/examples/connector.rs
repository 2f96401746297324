//! A connector in one file: answers the customers who wait, then each who writes. `docs/clients/rust.md` shows it.

use std::env::var;
use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use futures_util::TryStreamExt;
use prilavok_client::webhook::Receiver;
use prilavok_client::{
    Business, ChatFilter, ChatId, ChatStatus, Client, Credential, Event, IdempotencyKey, MessageId,
    Notification, Sender,
};

type Failed = Box<dyn Error + Send + Sync>;

struct Connector {
    shop: Business,
    receiver: Receiver,
}

impl Connector {
    /// Answers a chat whose last message is the customer's.
    async fn answer_last(&self, chat: ChatId, first: Option<MessageId>) -> Result<(), Failed> {
        let messages: Vec<_> = self.shop.history(chat, first).try_collect().await?;
        if let Some(last) = messages.last().filter(|last| last.sender == Sender::Customer) {
            // One answer for each message, even if this runs twice: a send that is repeated under its key does nothing.
            let key = IdempotencyKey::new(format!("answer-{}", last.id))?;
            let text = "Здравствуйте! Уже разбираемся.";
            self.shop.send_message_once(chat, text, &key).await?;
        }
        Ok(())
    }
}

/// Is told what happens in the chats.
async fn hook(State(connector): State<Arc<Connector>>, headers: HeaderMap, body: Bytes) -> Response {
    let answer = match connector.receiver.receive(&headers, &body) {
        Ok(delivery) => {
            if let Notification::Known(Event::ChatMessageSent {
                chat_id, message_id, ..
            }) = delivery.notification
            {
                // The notification is accepted first: the marketplace does not wait long.
                let connector = Arc::clone(&connector);
                tokio::spawn(async move {
                    if let Err(error) = connector.answer_last(chat_id, Some(message_id)).await {
                        eprintln!("chat {chat_id} was not answered: {error}");
                    }
                });
            }
            connector.receiver.accepted()
        }
        Err(refused) => refused.answer(),
    };
    http::Response::<Vec<u8>>::from(answer).map(Into::into)
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let client = Client::builder(&var("MARKET_URL")?, Credential::api_key(&var("MARKET_KEY")?)?)
        .idempotency_keys()
        .build()?;
    let connector = Arc::new(Connector {
        shop: client.business(var("MARKET_BUSINESS")?.parse()?),
        receiver: Receiver::new("example", "1.0.0")?,
    });
    let waiting = ChatFilter {
        statuses: vec![ChatStatus::WaitingForPartner],
        ..ChatFilter::default()
    };
    let chats: Vec<_> = connector.shop.chats(waiting).try_collect().await?;
    for chat in chats {
        connector.answer_last(chat.id, None).await?;
    }
    let routes = Router::new().route("/", post(hook)).with_state(connector);
    let port: u16 = var("HOOK_PORT")?.parse()?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, routes).await?;
    Ok(())
}
