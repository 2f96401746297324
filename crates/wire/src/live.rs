//! Live events: a stream of Server-Sent Events with the bodies that notifications have.
//!
//! An extension of ours beside the upstream operations, and therefore not in their table: it is neither
//! counted by the hour nor among the calls under way.

use http::HeaderMap;
use prilavok_domain::id::MAX_ID;
use prilavok_domain::{Event, EventId, ScopeSet};
use serde::Serialize;

use crate::error::Quoted;
use crate::parameter::{BUSINESS_ID, LAST_EVENT_ID, Parameter};
use crate::query::Query;
use crate::time::Utc;
use crate::{ApiError, Errors, Failure, Notification, Operation};

/// What the stream of a business is called in documents, logs and metrics.
pub const NAME: &str = "streamEvents";
/// Its path, without the version before it.
pub const PATH: &str = "/businesses/{businessId}/events";
/// Its parameters.
pub const PARAMETERS: [Parameter; 2] = [BUSINESS_ID, LAST_EVENT_ID];
/// The header by which clients resume; where both are sent it counts before the parameter, since clients that
/// reconnect by themselves renew the header and not the address.
pub const LAST_EVENT_ID_HEADER: &str = "last-event-id";
/// The media type of a stream.
pub const MEDIA_TYPE: &str = "text/event-stream";
/// What is sent when there is nothing to tell, so that both sides see that the other is there.
pub const HEARTBEAT: &str = ":\n\n";

/// Clients should wait this long before they connect anew.
const RETRY_MS: u32 = 1_000;

/// The scopes of which a credential needs one: those of whoever may list chats.
#[must_use]
pub fn scopes() -> ScopeSet {
    Operation::GetChats.row().scopes
}

/// The last event that a client saw, if it says so; zero stands before the first one.
pub fn last_event_id(mut errors: Errors, headers: &HeaderMap, query: &str) -> Result<Option<i64>, Failure> {
    let header = headers
        .get(LAST_EVENT_ID_HEADER)
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .filter(|text| !text.is_empty());
    let text = header.or_else(|| Query::new(query, &mut errors).text(&LAST_EVENT_ID));
    let id = match text.map(|text| read_id(&text).ok_or_else(|| ApiError::LastEventId(Quoted::new(&text)))) {
        None => None,
        Some(Ok(id)) => Some(id),
        Some(Err(error)) => {
            errors.add(error);
            None
        }
    };
    errors.finish(id)
}

/// Reads the id of an event, or zero.
#[must_use]
pub fn read_id(text: &str) -> Option<i64> {
    text.trim().parse().ok().filter(|id| (0..=MAX_ID).contains(id))
}

/// Events that a client missed and that are not kept any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The last event that the client saw.
    pub last_event: i64,
    /// The event that the stream goes on with; `None`: with the next one that happens.
    pub first: Option<Event>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GapDto {
    last_event_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    goes_on_from_event_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goes_on_from: Option<Utc>,
}

/// The first lines of a stream that goes on after the event `after`. They carry its id without an event, so that a
/// client that is cut off before the first event resumes here too.
#[must_use]
pub fn opening(after: i64, gap: Option<&Gap>) -> Vec<u8> {
    let mut text = format!("retry: {RETRY_MS}\nid: {after}\n\n").into_bytes();
    if let Some(gap) = gap {
        let dto = GapDto {
            last_event_id: gap.last_event,
            goes_on_from_event_id: gap.first.map(|event| event.id.get()),
            goes_on_from: gap.first.map(|event| Utc(event.at)),
        };
        text.extend_from_slice(b"event: gap\ndata: ");
        // Plain structs cannot fail to be written into memory.
        text.extend(serde_json::to_vec(&dto).unwrap_or_default());
        text.extend_from_slice(b"\n\n");
    }
    text
}

/// Writes an event as the stream shows it: its id, its type, and the body of its notification.
pub fn write_event(text: &mut Vec<u8>, event: &Event) {
    let id = EventId::get(event.id);
    text.extend_from_slice(format!("id: {id}\nevent: {}\ndata: ", event.kind.as_str()).as_bytes());
    text.extend(Notification::from(event).to_json());
    text.extend_from_slice(b"\n\n");
}

#[cfg(test)]
mod tests {
    use prilavok_domain::rules::NotificationType;
    use prilavok_domain::{BusinessId, ChatId, MessageId, Timestamp};

    use super::*;

    fn event() -> Event {
        Event {
            id: EventId::new(9).expect("an id"),
            business: BusinessId::new(1).expect("an id"),
            kind: NotificationType::ChatMessageSent,
            chat: ChatId::new(2).expect("an id"),
            message: Some(MessageId::new(3).expect("an id")),
            at: Timestamp::from_millis(1_511_222_400_213).expect("in range"),
        }
    }

    #[test]
    fn an_event_carries_the_body_of_its_notification() {
        let mut text = Vec::new();
        write_event(&mut text, &event());
        assert_eq!(
            String::from_utf8_lossy(&text),
            concat!(
                "id: 9\nevent: CHAT_MESSAGE_SENT\n",
                r#"data: {"notificationType":"CHAT_MESSAGE_SENT","businessId":1,"chatId":2,"messageId":3,"sentAt":"2017-11-21T00:00:00.213Z"}"#,
                "\n\n"
            )
        );
    }

    #[test]
    fn a_gap_says_where_the_stream_goes_on() {
        let opened = |gap: Option<&Gap>| String::from_utf8(opening(4, gap)).expect("text");
        assert_eq!(opened(None), "retry: 1000\nid: 4\n\n");
        let gap = Gap {
            last_event: 4,
            first: Some(event()),
        };
        assert_eq!(
            opened(Some(&gap)),
            concat!(
                "retry: 1000\nid: 4\n\nevent: gap\n",
                r#"data: {"lastEventId":4,"goesOnFromEventId":9,"goesOnFrom":"2017-11-21T00:00:00.213Z"}"#,
                "\n\n"
            )
        );
        let gap = Gap {
            last_event: 4,
            first: None,
        };
        assert!(opened(Some(&gap)).ends_with("event: gap\ndata: {\"lastEventId\":4}\n\n"));
    }

    #[test]
    fn clients_resume_by_the_header_or_by_the_parameter() {
        for (header, query, expected) in [
            (None, "", Ok(None)),
            (Some(""), "lastEventId=", Ok(None)),
            (Some("7"), "", Ok(Some(7))),
            (None, "lastEventId=0", Ok(Some(0))),
            (Some("7"), "lastEventId=5", Ok(Some(7))),
            (
                Some("x"),
                "lastEventId=5",
                Err("Incorrect last event id: 'x'. Send the id that an event came with"),
            ),
            (
                None,
                "lastEventId=-1",
                Err("Incorrect last event id: '-1'. Send the id that an event came with"),
            ),
            (
                None,
                "lastEventId=9007199254740992",
                Err("Incorrect last event id: '9007199254740992'. Send the id that an event came with"),
            ),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = header {
                headers.insert(LAST_EVENT_ID_HEADER, value.parse().expect("a header"));
            }
            let found = last_event_id(Errors::new(), &headers, query).map_err(|failure| failure.to_string());
            assert_eq!(found, expected.map_err(str::to_owned), "{header:?} {query}");
        }
    }
}
