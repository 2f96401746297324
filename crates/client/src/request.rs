//! What callers ask for.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use serde::Serialize;
use serde::ser::SerializeStruct;

use crate::id::{OrderId, ReturnId};
use crate::names::{ChatStatus, ChatType, ContextType};

/// Which chats: those that match every list that is not empty, and within a list any of its values.
///
/// ```
/// use prilavok_client::{ChatFilter, ChatStatus};
///
/// let waiting = ChatFilter {
///     statuses: vec![ChatStatus::WaitingForPartner],
///     ..ChatFilter::default()
/// };
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatFilter {
    /// The orders and returns that they are about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<Subject>,
    /// The kinds of what they are about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub context_types: Vec<ContextType>,
    /// Ordinary chats or disputes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<ChatType>,
    /// Whose turn it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<ChatStatus>,
}

/// What a chat can be started about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An order.
    Order(OrderId),
    /// A return.
    Return(ReturnId),
}

impl Serialize for Subject {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (kind, id) = match self {
            Self::Order(id) => ("ORDER", id.get()),
            Self::Return(id) => ("RETURN", id.get()),
        };
        let mut context = serializer.serialize_struct("Subject", 2)?;
        context.serialize_field("type", kind)?;
        context.serialize_field("id", &id)?;
        context.end()
    }
}

/// A file to be sent; up to 5 MB are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its name, which the other side sees.
    pub name: String,
    /// What is in it.
    pub content: Bytes,
}

/// What names one send, however often it is tried: 1 to 255 visible ASCII characters.
///
/// Prilavok makes one message of all sends of a business that come with the same key within 24 hours. Other servers may not
/// know the header.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

/// A text that is no idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key has 1 to 255 visible ASCII characters")]
pub struct InvalidIdempotencyKey;

impl IdempotencyKey {
    const MAX_LENGTH: usize = 255;

    /// Checks length and characters.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidIdempotencyKey> {
        let text = text.into();
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        match visible && (1..=Self::MAX_LENGTH).contains(&text.len()) {
            true => Ok(Self(text)),
            false => Err(InvalidIdempotencyKey),
        }
    }

    /// A key that nobody has used: 128 random bits.
    ///
    /// # Panics
    ///
    /// When the system has no random numbers.
    #[must_use]
    pub fn random() -> Self {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits).expect("the system gives random numbers");
        Self(format!("{:032x}", u128::from_ne_bytes(bits)))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = InvalidIdempotencyKey;

    fn from_str(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        Self::new(text)
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Bodies as they stand on the wire.
pub(crate) mod wire {
    use serde::Serialize;

    use super::Subject;
    use crate::id::MessageId;

    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    pub(crate) struct History {
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(crate) message_id_from: Option<MessageId>,
    }

    #[derive(Serialize)]
    pub(crate) struct Text<'a> {
        pub(crate) message: &'a str,
    }

    #[derive(Serialize)]
    pub(crate) struct NewChat {
        pub(crate) context: Subject,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_without_values_are_left_out() {
        let json = |filter: &ChatFilter| serde_json::to_string(filter).expect("JSON");
        assert_eq!(json(&ChatFilter::default()), "{}");
        let some = ChatFilter {
            contexts: vec![Subject::Return("4".parse().expect("an id"))],
            statuses: vec![ChatStatus::New, ChatStatus::Other("LATER".to_owned())],
            ..ChatFilter::default()
        };
        assert_eq!(
            json(&some),
            r#"{"contexts":[{"type":"RETURN","id":4}],"statuses":["NEW","LATER"]}"#
        );
    }

    #[test]
    fn keys_are_visible_and_differ() {
        assert_ne!(IdempotencyKey::random(), IdempotencyKey::random());
        for (text, good) in [("a", true), ("", false), ("a b", false), ("ё", false)] {
            assert_eq!(IdempotencyKey::new(text).is_ok(), good, "{text}");
        }
        assert!(IdempotencyKey::new("a".repeat(255)).is_ok());
        assert!(IdempotencyKey::new("a".repeat(256)).is_err());
    }
}
