//! The receiver: it verifies, reads and answers.

use http::HeaderMap;
use jiff::Timestamp;

use super::answer::Answer;
use super::signature::{BadSignature, Secret, verify};
use crate::notification::Notification;

/// The most characters of a name and a version.
const MAX_CHARS: usize = 100;
/// How far a signature's time may be from now, as Standard Webhooks advises.
const TOLERANCE_SECONDS: i64 = 5 * 60;

/// Receives notifications. It does no I/O: give it what came, and send what it answers.
#[derive(Debug, Clone)]
pub struct Receiver {
    name: String,
    version: String,
    secrets: Vec<Secret>,
}

/// A name or version that the server would not take for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name and the version of a receiver have 1 to {MAX_CHARS} characters")]
pub struct InvalidReceiver;

/// A notification that is to be taken.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Delivery {
    /// The same each time that the event comes; absent where the server does not send one.
    pub id: Option<String>,
    /// What happened.
    pub notification: Notification,
}

/// Why a notification is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// It may not be the server's.
    #[error("{0}")]
    Signature(#[from] BadSignature),
    /// It is no notification.
    #[error("it is no notification: {0}")]
    Format(serde_json::Error),
}

impl Refused {
    /// The answer. What is badly signed is asked for again, since the secret may have changed on one side only; what is no
    /// notification is refused for good.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let message = self.to_string();
        match self {
            Self::Signature(_) => Answer::again_later(&message),
            Self::Format(_) => Answer::never("WRONG_EVENT_FORMAT", &message),
        }
    }
}

impl Receiver {
    /// A receiver by the name and version that it answers with. Without a secret it takes every notification for genuine, as
    /// with servers that do not sign.
    pub fn new(name: &str, version: &str) -> Result<Self, InvalidReceiver> {
        let fits = |text: &str| (1..=MAX_CHARS).contains(&text.chars().count());
        match fits(name) && fits(version) {
            true => Ok(Self {
                name: name.to_owned(),
                version: version.to_owned(),
                secrets: Vec::new(),
            }),
            false => Err(InvalidReceiver),
        }
    }

    /// From now on every notification must be signed with this secret, or with another one that was added: while a secret is
    /// being changed, give it both.
    #[must_use]
    pub fn with_secret(mut self, secret: Secret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Verifies and reads what came: its headers, and its body byte for byte.
    pub fn receive(&self, headers: &HeaderMap, body: &[u8]) -> Result<Delivery, Refused> {
        if !self.secrets.is_empty() {
            verify(&self.secrets, headers, body, Timestamp::now(), TOLERANCE_SECONDS)?;
        }
        let id = headers.get("webhook-id").and_then(|id| id.to_str().ok());
        Ok(Delivery {
            id: id.map(str::to_owned),
            notification: Notification::read(body).map_err(Refused::Format)?,
        })
    }

    /// The answer to a PING and to every notification that was taken, also to one that came before.
    #[must_use]
    pub fn accepted(&self) -> Answer {
        Answer::accepted(&self.name, &self.version, Timestamp::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_notification_is_refused_for_good() {
        let receiver = Receiver::new("crm", "1.0.0").expect("a receiver");
        let refused = receiver
            .receive(&HeaderMap::new(), b"{}")
            .expect_err("no notification");
        let answer = refused.answer();
        assert_eq!(answer.status, 400);
        let body = String::from_utf8(answer.body).expect("text");
        assert!(
            body.starts_with(r#"{"error":{"type":"WRONG_EVENT_FORMAT","message":"#),
            "{body}"
        );
        let ping = receiver.receive(
            &HeaderMap::new(),
            br#"{"notificationType":"PING","time":"2025-01-16T10:09:49Z"}"#,
        );
        assert_eq!(ping.expect("a PING").id, None);
    }

    #[test]
    fn names_are_those_that_the_server_takes() {
        assert!(Receiver::new("", "1").is_err() && Receiver::new("a", &"1".repeat(101)).is_err());
    }
}
