//! A typed client of Prilavok, and of any server with the chats group of the Yandex Market Partner API: base URL and
//! credential are all it needs.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/client/sandbox.rs"));
//! # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sandbox = Sandbox::start().await;
//! # let (url, key) = (&*sandbox.url, &*sandbox.key);
//! use futures_util::TryStreamExt;
//! use prilavok_client::{BusinessId, ChatId, Client, Credential, Sender};
//!
//! let client = Client::builder(url, Credential::api_key(key)?)
//!     .idempotency_keys() // for Prilavok: sends are tried again, and never make two messages
//!     .build()?;
//! let shop = client.business(BusinessId::new(1)?);
//!
//! let messages: Vec<_> = shop.history(ChatId::new(1)?, None).try_collect().await?;
//! if messages.last().is_some_and(|last| last.sender == Sender::Customer) {
//!     shop.send_message(ChatId::new(1)?, "Добрый день! Уже смотрим.").await?;
//! }
//! # Ok(()) }
//! ```
//!
//! - [`Client`] and [`Business`] have the operations, one method each; lists are streams.
//! - [`Business::events`] is what happens, live, from servers that have it; [`webhook`] receives it from those that call.
//! - [`Error`] tells what went wrong, and whether the call may have been done all the same.
//! - Values that the API may get later are [`Other`](ChatStatus::Other), and never an error.
//!
//! The client needs a Tokio runtime with I/O and time.

mod answer;
mod business;
mod call;
mod client;
mod credential;
mod error;
mod events;
mod form;
mod id;
mod limit;
mod names;
mod notification;
mod page;
mod request;
mod retry;
mod transport;

pub mod webhook;

pub use answer::{Attachment, Campaign, CampaignBusiness, Chat, Context, Customer, KeyInfo, Message};
pub use business::Business;
pub use client::{BuildError, Client, ClientBuilder};
pub use credential::{Credential, InvalidCredential};
pub use error::{ApiError, Error, ErrorDetail};
pub use events::{EventId, InvalidEventId, Live};
pub use id::{BusinessId, CampaignId, ChatId, InvalidId, MessageId, OrderId, ReturnId};
pub use limit::RateLimit;
pub use names::{ApiAvailability, ChatStatus, ChatType, ContextType, ErrorCode, Placement, Scope, Sender};
pub use notification::{Event, Notification};
pub use page::{Page, PageRequest, PageToken};
pub use request::{ChatFilter, IdempotencyKey, InvalidIdempotencyKey, NewFile, Subject};
pub use retry::RetryPolicy;
