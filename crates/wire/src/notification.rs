//! Notifications: the bodies that sellers are sent, and what they answer.
//!
//! Contract: section "Notifications" of the Partner API. Times are in UTC with milliseconds.

use jiff::fmt::temporal::Pieces;
use prilavok_domain::rules::NotificationType;
use prilavok_domain::{Event, MessageId, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::time::Utc;

/// The most characters of `name` and `version` in an answer.
const MAX_ANSWER_CHARS: usize = 100;
/// The most characters of a receiver's reason to refuse that are looked at.
const MAX_REASON_CHARS: usize = 500;

/// What a seller is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(
    tag = "notificationType",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum Notification {
    /// Whether somebody is there who answers as agreed.
    Ping {
        /// When it is sent.
        time: Utc,
    },
    /// A chat began.
    ChatCreated {
        /// The business.
        business_id: i64,
        /// The chat.
        chat_id: i64,
        /// When it began.
        created_at: Utc,
    },
    /// A message was written.
    ChatMessageSent {
        /// The business.
        business_id: i64,
        /// The chat.
        chat_id: i64,
        /// The message.
        #[serde(skip_serializing_if = "Option::is_none")]
        message_id: Option<i64>,
        /// When it was written.
        sent_at: Utc,
    },
    /// A dispute began.
    ChatArbitrageStarted {
        /// The business.
        business_id: i64,
        /// The dispute's own chat.
        chat_id: i64,
        /// When it began.
        started_at: Utc,
    },
    /// A dispute ended.
    ChatArbitrageFinished {
        /// The business.
        business_id: i64,
        /// The dispute's own chat.
        chat_id: i64,
        /// When it ended.
        finished_at: Utc,
    },
}

impl Notification {
    /// The notification that asks whether somebody is there.
    #[must_use]
    pub const fn ping(now: Timestamp) -> Self {
        Self::Ping { time: Utc(now) }
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Plain structs cannot fail to be written into memory.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl From<&Event> for Notification {
    fn from(event: &Event) -> Self {
        let (business_id, chat_id, at) = (event.business.get(), event.chat.get(), Utc(event.at));
        match event.kind {
            NotificationType::ChatCreated => Self::ChatCreated {
                business_id,
                chat_id,
                created_at: at,
            },
            NotificationType::ChatMessageSent => Self::ChatMessageSent {
                business_id,
                chat_id,
                message_id: event.message.map(MessageId::get),
                sent_at: at,
            },
            NotificationType::ChatArbitrageStarted => Self::ChatArbitrageStarted {
                business_id,
                chat_id,
                started_at: at,
            },
            NotificationType::ChatArbitrageFinished => Self::ChatArbitrageFinished {
                business_id,
                chat_id,
                finished_at: at,
            },
        }
    }
}

/// What a receiver's answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It took the notification.
    Accepted,
    /// It will never take it; the text is its reason.
    Refused(String),
    /// It did not answer as agreed: the notification is sent again. The text says what was wrong.
    Failed(String),
}

/// Judges an answer by its status and body. Only the documented 400 is final: a 400 of somebody else, a proxy
/// for example, says nothing about the notification.
#[must_use]
pub fn judge(status: u16, body: &[u8]) -> Verdict {
    match status {
        200 => match accepted(body) {
            Ok(()) => Verdict::Accepted,
            Err(problem) => Verdict::Failed(format!("the answer was 200, but {problem}")),
        },
        400 => match refused(body) {
            Some(reason) => Verdict::Refused(reason),
            None => Verdict::Failed(
                "the answer was 400, but its body is not {\"error\":{\"type\":…,\"message\":…}}".to_owned(),
            ),
        },
        300..=399 => Verdict::Failed(format!("the answer was {status}: redirects are not followed")),
        _ => Verdict::Failed(format!("the answer was {status} instead of 200")),
    }
}

/// `{"version":"1.0.0","name":"…","time":"2025-01-16T10:09:49.759084017Z"}`.
fn accepted(body: &[u8]) -> Result<(), String> {
    let body = object(body)?;
    for name in ["version", "name"] {
        let chars = text(&body, name)?.chars().count();
        if !(1..=MAX_ANSWER_CHARS).contains(&chars) {
            return Err(format!(
                "\"{name}\" has {chars} characters instead of 1 to {MAX_ANSWER_CHARS}"
            ));
        }
    }
    let time = text(&body, "time")?;
    let pieces = Pieces::parse(time);
    if pieces.is_ok_and(|pieces| pieces.time().is_some()) {
        Ok(())
    } else {
        Err("\"time\" is no date-time like 2025-01-16T10:09:49.759Z".to_owned())
    }
}

/// `{"error":{"type":"WRONG_EVENT_FORMAT|DUPLICATED_EVENT|UNKNOWN","message":"…"}}`.
fn refused(body: &[u8]) -> Option<String> {
    let body = object(body).ok()?;
    let error = body.get("error")?.as_object()?;
    let kind = error.get("type")?.as_str()?;
    let known = matches!(kind, "WRONG_EVENT_FORMAT" | "DUPLICATED_EVENT" | "UNKNOWN");
    let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
    let message: String = message.chars().take(MAX_REASON_CHARS).collect();
    known.then(|| {
        format!("the receiver refused it: {kind} {message}")
            .trim_end()
            .to_owned()
    })
}

fn object(body: &[u8]) -> Result<Map<String, Value>, String> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("its body is no JSON object".to_owned()),
        Err(_) if body.is_empty() => Err("its body is empty".to_owned()),
        Err(error) => Err(format!("its body is no JSON ({error})")),
    }
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, String> {
    match body.get(name) {
        None | Some(Value::Null) => Err(format!("\"{name}\" is missing in its body")),
        Some(value) => value.as_str().ok_or_else(|| format!("\"{name}\" is no string")),
    }
}

#[cfg(test)]
mod tests {
    use prilavok_domain::{BusinessId, ChatId, EventId};

    use super::*;

    fn event(kind: NotificationType, message: Option<i64>) -> Event {
        Event {
            id: EventId::new(9).expect("an id"),
            business: BusinessId::new(1).expect("an id"),
            kind,
            chat: ChatId::new(2).expect("an id"),
            message: message.map(|id| MessageId::new(id).expect("an id")),
            at: Timestamp::from_millis(1_511_222_400_213).expect("in range"),
        }
    }

    #[test]
    fn bodies_are_those_of_the_contract() {
        use NotificationType::{ChatArbitrageFinished, ChatArbitrageStarted, ChatCreated, ChatMessageSent};
        for (kind, message, expected) in [
            (
                ChatCreated,
                None,
                r#"{"notificationType":"CHAT_CREATED","businessId":1,"chatId":2,"createdAt":"2017-11-21T00:00:00.213Z"}"#,
            ),
            (
                ChatMessageSent,
                Some(3),
                r#"{"notificationType":"CHAT_MESSAGE_SENT","businessId":1,"chatId":2,"messageId":3,"sentAt":"2017-11-21T00:00:00.213Z"}"#,
            ),
            (
                ChatArbitrageStarted,
                None,
                r#"{"notificationType":"CHAT_ARBITRAGE_STARTED","businessId":1,"chatId":2,"startedAt":"2017-11-21T00:00:00.213Z"}"#,
            ),
            (
                ChatArbitrageFinished,
                None,
                r#"{"notificationType":"CHAT_ARBITRAGE_FINISHED","businessId":1,"chatId":2,"finishedAt":"2017-11-21T00:00:00.213Z"}"#,
            ),
        ] {
            let json = Notification::from(&event(kind, message)).to_json();
            assert_eq!(String::from_utf8_lossy(&json), expected);
        }
        let ping = Notification::ping(Timestamp::from_millis(1_511_222_400_000).expect("in range"));
        assert_eq!(
            String::from_utf8_lossy(&ping.to_json()),
            r#"{"notificationType":"PING","time":"2017-11-21T00:00:00.000Z"}"#
        );
    }

    #[test]
    fn only_the_documented_answers_count() {
        let long = format!(
            r#"{{"version":"1","name":"{}","time":"2025-01-16T10:09:49Z"}}"#,
            "x".repeat(101)
        );
        let failed = |text: &str| Verdict::Failed(text.to_owned());
        for (status, body, expected) in [
            (
                200,
                r#"{"version":"1.0.0","name":"crm","time":"2025-01-16T10:09:49.759084017Z"}"#,
                Verdict::Accepted,
            ),
            (
                200,
                r#"{"version":"1","name":"ц","time":"2025-01-16T13:09:49+03:00","x":1}"#,
                Verdict::Accepted,
            ),
            (200, "", failed("the answer was 200, but its body is empty")),
            (
                200,
                "[]",
                failed("the answer was 200, but its body is no JSON object"),
            ),
            (
                200,
                r#"{"name":"crm"}"#,
                failed("the answer was 200, but \"version\" is missing in its body"),
            ),
            (
                200,
                r#"{"version":1,"name":"crm","time":"2025-01-16T10:09:49Z"}"#,
                failed("the answer was 200, but \"version\" is no string"),
            ),
            (
                200,
                r#"{"version":"1","name":"","time":"2025-01-16T10:09:49Z"}"#,
                failed("the answer was 200, but \"name\" has 0 characters instead of 1 to 100"),
            ),
            (
                200,
                &long,
                failed("the answer was 200, but \"name\" has 101 characters instead of 1 to 100"),
            ),
            (
                200,
                r#"{"version":"1","name":"crm","time":"yesterday"}"#,
                failed("the answer was 200, but \"time\" is no date-time like 2025-01-16T10:09:49.759Z"),
            ),
            (
                200,
                r#"{"version":"1","name":"crm","time":"20250116T100949"}"#,
                Verdict::Accepted,
            ),
            (
                200,
                r#"{"version":"1","name":"crm","time":"2025-01-16"}"#,
                failed("the answer was 200, but \"time\" is no date-time like 2025-01-16T10:09:49.759Z"),
            ),
            (
                200,
                r#"{"version":"1","name":"crm","time":"20250116"}"#,
                failed("the answer was 200, but \"time\" is no date-time like 2025-01-16T10:09:49.759Z"),
            ),
            (
                400,
                r#"{"error":{"type":"DUPLICATED_EVENT","message":"seen"}}"#,
                Verdict::Refused("the receiver refused it: DUPLICATED_EVENT seen".to_owned()),
            ),
            (
                400,
                r#"{"error":{"type":"UNKNOWN"}}"#,
                Verdict::Refused("the receiver refused it: UNKNOWN".to_owned()),
            ),
            (
                400,
                "<h1>Bad Request</h1>",
                failed("the answer was 400, but its body is not {\"error\":{\"type\":…,\"message\":…}}"),
            ),
            (
                400,
                r#"{"error":{"type":"OTHER","message":"x"}}"#,
                failed("the answer was 400, but its body is not {\"error\":{\"type\":…,\"message\":…}}"),
            ),
            (204, "", failed("the answer was 204 instead of 200")),
            (302, "", failed("the answer was 302: redirects are not followed")),
            (500, "oops", failed("the answer was 500 instead of 200")),
        ] {
            assert_eq!(judge(status, body.as_bytes()), expected, "{status} {body}");
        }
    }
}
