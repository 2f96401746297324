//! The query strings of the Partner API's operations, and of its stream of live events; the instants of the Operator
//! API's.

use std::fmt::Debug;

use axum::http::HeaderMap;
use form_urlencoded::Serializer;
use prilavok_domain::BusinessId;
use prilavok_wire::request::{
    CampaignsPage, GetCampaigns, GetChat, GetChatHistory, GetChatMessage, GetChats, SendFile,
};
use prilavok_wire::time::Utc;
use prilavok_wire::{Errors, Failure, Operation, live};

use crate::{choose, failure};

/// What must hold of any bytes.
pub fn check(data: &[u8]) {
    let Some((which, rest)) = choose(data, 8) else {
        return;
    };
    let Ok(query) = std::str::from_utf8(rest) else {
        return;
    };
    let business = BusinessId::new(7).expect("an id");
    match which {
        0 => of(
            query,
            Operation::GetChat,
            |q| GetChat::parse(Errors::new(), q),
            |r| written(&[("chatId", r.chat.to_string())]),
        ),
        1 => of(
            query,
            Operation::GetChats,
            |q| GetChats::parse(Errors::new(), business, q, Ok(b"{}")),
            |r| {
                assert!((1..=20).contains(&r.limit), "{}", r.limit);
                let token = r.after.map(|place| r.next_page(place)).unwrap_or_default();
                written(&[("limit", r.limit.to_string()), ("page_token", token)])
            },
        ),
        2 => of(
            query,
            Operation::GetChatHistory,
            |q| GetChatHistory::parse(Errors::new(), business, q, Ok(b"{}")),
            |r| {
                assert!((1..=100).contains(&r.limit), "{}", r.limit);
                let token = r.after.map(|last| r.next_page(last)).unwrap_or_default();
                let (chat, limit) = (r.chat.to_string(), r.limit.to_string());
                written(&[("limit", limit), ("chatId", chat), ("pageToken", token)])
            },
        ),
        3 => of(
            query,
            Operation::GetChatMessage,
            |q| GetChatMessage::parse(Errors::new(), q),
            |r| {
                written(&[
                    ("messageId", r.message.to_string()),
                    ("chatId", r.chat.to_string()),
                ])
            },
        ),
        4 => of(
            query,
            Operation::SendFileToChat,
            |q| SendFile::parse(Errors::new(), q),
            |r| written(&[("chatId", format!(" {} ", r.chat))]),
        ),
        5 => of(
            query,
            Operation::GetCampaigns,
            |q| GetCampaigns::parse(Errors::new(), business, q),
            |r| match r.page {
                CampaignsPage::After { last, limit } => {
                    assert!((1..=100).contains(&limit), "{limit}");
                    let token = last.map(|last| r.next_page(last)).unwrap_or_default();
                    written(&[("limit", limit.to_string()), ("pageToken", token)])
                }
                CampaignsPage::Numbered { page, size } => {
                    assert!((1..=10_000).contains(&page) && size >= 1, "{page} {size}");
                    written(&[("pageSize", size.to_string()), ("page", page.to_string())])
                }
            },
        ),
        6 => {
            let parse = |q: &str| live::last_event_id(Errors::new(), &HeaderMap::new(), q);
            round_trip(query, &["lastEventId"], parse, |id| {
                written(&[("lastEventId", id.map(|id| id.to_string()).unwrap_or_default())])
            });
        }
        _ => instant(query),
    }
}

/// An instant that was read is shown so that it is read as the same.
fn instant(text: &str) {
    let Ok(Utc(at)) = text.parse() else { return };
    let shown = Utc(at).to_string();
    assert_eq!(shown.len(), "2017-11-21T00:00:00.213Z".len(), "{shown}");
    assert_eq!(shown.parse(), Ok(Utc(at)), "{text}");
}

fn of<T: PartialEq + Debug>(
    query: &str,
    operation: Operation,
    parse: impl Fn(&str) -> Result<T, Failure>,
    write: impl Fn(&T) -> String,
) {
    let names: Vec<&str> = operation.row().parameters.iter().map(|it| it.name).collect();
    round_trip(query, &names, parse, write);
}

fn round_trip<T: PartialEq + Debug>(
    query: &str,
    names: &[&str],
    parse: impl Fn(&str) -> Result<T, Failure>,
    write: impl Fn(&T) -> String,
) {
    let parsed = parse(query);
    let with_unknown = format!("chatid=x&{query}&unknown=%zz&=&chatId");
    assert_eq!(
        parse(&with_unknown),
        parsed,
        "what is unknown or empty is ignored: {query}"
    );
    match parsed {
        Ok(request) => {
            let again = write(&request);
            assert_eq!(parse(&again), Ok(request), "{query} was written as {again}");
        }
        Err(error) => failure::check(&error, names),
    }
}

fn written(pairs: &[(&str, String)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}
