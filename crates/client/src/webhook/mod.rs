//! Receiving notifications: whether one is what it says, what it says, and what has to be answered.
//!
//! The server takes nothing but the documented answer for a yes: 200 with a version, a name and a time, within 10 seconds,
//! for a PING within one. Everything else it sends again, except for a 400 that says so.
//!
//! ```
//! use prilavok_client::webhook::{Receiver, Secret};
//! use prilavok_client::{Event, Notification};
//!
//! # fn receive(headers: &http::HeaderMap, body: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
//! let receiver = Receiver::new("crm", "1.4.0")?.with_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse()?);
//! let answer = match receiver.receive(headers, body) {
//!     Ok(delivery) => match delivery.notification {
//!         Notification::Known(Event::ChatMessageSent { chat_id, message_id, .. }) => {
//!             // Keep it, and do the work later. `delivery.id` is the same when it comes twice.
//!             println!("message {message_id} in chat {chat_id}");
//!             receiver.accepted()
//!         }
//!         _ => receiver.accepted(),
//!     },
//!     Err(refused) => refused.answer(),
//! };
//! let response: http::Response<Vec<u8>> = answer.into();
//! # assert_eq!(response.status(), 401, "it is not signed"); Ok(()) }
//! # receive(&http::HeaderMap::new(), b"{}").unwrap();
//! ```

mod answer;
mod receiver;
mod signature;

pub use answer::Answer;
pub use receiver::{Delivery, InvalidReceiver, Receiver, Refused};
pub use signature::{BadSignature, InvalidSecret, Secret};
