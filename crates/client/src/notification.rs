//! What happened in chats, as notifications and live events tell it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{BusinessId, ChatId, MessageId};

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Notification {
    /// One that this version of the crate knows.
    Known(Event),
    /// One of a type that it does not know, as it came. Its type is in `notificationType`.
    Other(Value),
}

/// What happened, of the types that the API documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "notificationType",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
#[non_exhaustive]
pub enum Event {
    /// Nothing: it is asked whether somebody is there.
    Ping {
        /// When it was sent.
        time: Timestamp,
    },
    /// A chat began.
    ChatCreated {
        /// The business.
        business_id: BusinessId,
        /// The chat.
        chat_id: ChatId,
        /// When it began.
        created_at: Timestamp,
    },
    /// A message was written; [`Business::message`](crate::Business::message) has it.
    ChatMessageSent {
        /// The business.
        business_id: BusinessId,
        /// The chat.
        chat_id: ChatId,
        /// The message.
        message_id: MessageId,
        /// When it was written.
        sent_at: Timestamp,
    },
    /// A dispute began.
    ChatArbitrageStarted {
        /// The business.
        business_id: BusinessId,
        /// The dispute's own chat.
        chat_id: ChatId,
        /// When it began.
        started_at: Timestamp,
    },
    /// A dispute ended.
    ChatArbitrageFinished {
        /// The business.
        business_id: BusinessId,
        /// The dispute's own chat.
        chat_id: ChatId,
        /// When it ended.
        finished_at: Timestamp,
    },
}

impl Event {
    /// The chat that it is about; a PING is about none.
    #[must_use]
    pub const fn chat(&self) -> Option<ChatId> {
        match self {
            Self::Ping { .. } => None,
            Self::ChatCreated { chat_id, .. }
            | Self::ChatMessageSent { chat_id, .. }
            | Self::ChatArbitrageStarted { chat_id, .. }
            | Self::ChatArbitrageFinished { chat_id, .. } => Some(*chat_id),
        }
    }

    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Ping { time: at }
            | Self::ChatCreated { created_at: at, .. }
            | Self::ChatMessageSent { sent_at: at, .. }
            | Self::ChatArbitrageStarted { started_at: at, .. }
            | Self::ChatArbitrageFinished { finished_at: at, .. } => *at,
        }
    }
}

impl Notification {
    /// The event, if this version of the crate knows it.
    #[must_use]
    pub const fn event(&self) -> Option<&Event> {
        match self {
            Self::Known(event) => Some(event),
            Self::Other(_) => None,
        }
    }

    /// Reads a notification: a JSON object with a type. One of a known type with wrong fields is none.
    pub(crate) fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        use serde::de::Error;
        let value: Value = serde_json::from_slice(body)?;
        let kind = value.get("notificationType").and_then(Value::as_str);
        match kind {
            Some(
                "PING"
                | "CHAT_CREATED"
                | "CHAT_MESSAGE_SENT"
                | "CHAT_ARBITRAGE_STARTED"
                | "CHAT_ARBITRAGE_FINISHED",
            ) => serde_json::from_value(value).map(Self::Known),
            Some(_) => Ok(Self::Other(value)),
            None => Err(serde_json::Error::custom("there is no notificationType")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notifications_are_read_and_new_types_are_no_error() {
        let text = r#"{"notificationType":"CHAT_MESSAGE_SENT","businessId":1,"chatId":2,"messageId":3,"sentAt":"2017-11-21T00:00:00.213Z"}"#;
        let read = Notification::read(text.as_bytes()).expect("a notification");
        assert_eq!(read.event().and_then(Event::chat).map(ChatId::get), Some(2));
        assert_eq!(serde_json::to_string(&read).expect("JSON"), text);
        let new = Notification::read(br#"{"notificationType":"ORDER_CREATED","orderId":1}"#)
            .expect("a notification");
        assert!(matches!(new, Notification::Other(_)));
        for wrong in [
            &b""[..],
            b"{}",
            b"[]",
            br#"{"notificationType":"CHAT_CREATED","chatId":0}"#,
            br#"{"notificationType":"PING","time":"soon"}"#,
        ] {
            assert!(
                Notification::read(wrong).is_err(),
                "{}",
                String::from_utf8_lossy(wrong)
            );
        }
    }
}
