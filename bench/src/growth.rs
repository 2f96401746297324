//! What a call costs with ten million messages over what it costs with a hundred thousand: also the last page of a
//! list, which is where a store that counts off what it skips is slow.

use anyhow::{Context, ensure};
use prilavok_bench::seed::{self, Size};
use reqwest::blocking::Client;
use serde_json::Value;

use crate::report::{Line, Wanted, median};
use crate::speed::{Call, GET_CHAT, GET_CHATS, GET_HISTORY, Rounds, SEND, prilavok, read_through};
use crate::{Place, progress};

const BY_TYPE: &str = r#"{"types":["CHAT"]}"#;
const BY_STATUS: &str = r#"{"statuses":["FINISHED"]}"#;
const BY_CONTEXT: &str = r#"{"contextTypes":["ORDER"]}"#;

/// Calls of random chats.
const ANYWHERE: [(&str, Call<'static>); 8] = [
    ("getChat", GET_CHAT),
    ("getChats", GET_CHATS),
    ("getChats by type", GET_CHATS.with_body(BY_TYPE)),
    ("getChats by status", GET_CHATS.with_body(BY_STATUS)),
    ("getChats by kind of context", GET_CHATS.with_body(BY_CONTEXT)),
    ("getChats by order", GET_CHATS.with_body(r#"{"orderIds":[7]}"#)),
    ("getChatHistory", GET_HISTORY),
    ("sendMessageToChat", SEND),
];

/// What load generators read for the first chat of the large business.
const BIG_CHAT: &str = "big-chat.txt";
const OF_CHATS: Call = Call::of("getChats", BIG_CHAT, 32);
const OF_CHAT: Call = Call::of("getChatHistory", BIG_CHAT, 32);

/// Lists of the large business, which has a tenth of all chats, and of its first chat, which has a twentieth of all
/// messages: the first page and the last one are measured.
const LISTS: [(&str, Call<'static>, &str); 5] = [
    ("getChats", OF_CHATS, "{}"),
    ("getChats by type", OF_CHATS, BY_TYPE),
    ("getChats by status", OF_CHATS, BY_STATUS),
    ("getChats by kind of context", OF_CHATS, BY_CONTEXT),
    ("getChatHistory", OF_CHAT, "{}"),
];

/// Measures it.
pub fn measure(place: &Place, rounds: u32, seconds: u32) -> anyhow::Result<Vec<Line>> {
    let stores = [(place.small(), Size::SMALL), (place.large(), Size::LARGE)];
    let mut tokens = Vec::new();
    for (data, size) in &stores {
        read_through(data)?;
        let (line, chat) = seed::big_chat(*size);
        std::fs::write(data.join(BIG_CHAT), line)?;
        let server = prilavok(place, data)?;
        let walk = Walk {
            client: Client::new(),
            base: format!(
                "http://127.0.0.1:{}/v2/businesses/{}/chats",
                server.port,
                seed::BIG_BUSINESS(*size)
            ),
            key: seed::api_key(seed::BIG_BUSINESS(*size)),
        };
        let of_store = LISTS.map(|(_, call, body)| walk.last_page(call, chat, body));
        tokens.push(of_store.into_iter().collect::<anyhow::Result<Vec<_>>>()?);
    }
    let mut calls: Vec<_> = ANYWHERE
        .iter()
        .map(|(name, call)| ((*name).to_owned(), [*call, *call]))
        .collect();
    for (number, (name, call, body)) in LISTS.iter().enumerate() {
        let call = call.with_body(body);
        calls.push((format!("{name}, many, first page"), [call, call]));
        let last = [0, 1].map(|store| call.with_query(tokens[store][number].as_str()));
        calls.push((format!("{name}, many, last page"), last));
    }

    let mut lines = Vec::new();
    let bar = progress(rounds * u32::try_from(calls.len())?)?;
    for (name, calls) in calls {
        bar.set_message(name.clone());
        let (mut small, mut large) = (Rounds::default(), Rounds::default());
        for _ in 0..rounds {
            for ((call, (data, _)), of_size) in calls.iter().zip(&stores).zip([&mut small, &mut large]) {
                let server = prilavok(place, data)?;
                call.warm(data, server.port)?;
                of_size.add(&call.run(data, server.port, seconds)?);
            }
            bar.inc(1);
        }
        lines.push(Line {
            name: format!("growth: {name}"),
            figures: format!(
                "{:.0} after {:.0} a second",
                median(&large.rates),
                median(&small.rates)
            ),
            ratios: small.over(&large.rates),
            wanted: Wanted::AtMost(1.3),
        });
    }
    bar.finish_and_clear();
    Ok(lines)
}

/// Goes through a list as a client does.
struct Walk {
    client: Client,
    base: String,
    key: String,
}

impl Walk {
    /// What the query of the last full page has more than the first one's. A page that is not full costs less.
    fn last_page(&self, call: Call, chat: i64, body: &str) -> anyhow::Result<String> {
        let first = match call.is_of_chats() {
            true => format!("{}?limit=20", self.base),
            false => format!("{}/history?limit=50&chatId={chat}", self.base),
        };
        let (mut before, mut query) = (String::new(), String::new());
        loop {
            let answer = self
                .client
                .post(format!("{first}{query}"))
                .header("Api-Key", &self.key)
                .header("Content-Type", "application/json")
                .body(body.to_owned())
                .send()?;
            ensure!(answer.status().is_success(), "{}", answer.text()?);
            let answer: Value = serde_json::from_slice(&answer.bytes()?)?;
            let result = answer.get("result").context("a result")?;
            let Some(token) = result.pointer("/paging/nextPageToken").and_then(Value::as_str) else {
                let list = if call.is_of_chats() { "chats" } else { "messages" };
                let rows = result.get(list).and_then(Value::as_array).context("a list")?;
                let full = if call.is_of_chats() { 20 } else { 50 };
                return Ok(if rows.len() == full { query } else { before });
            };
            before = std::mem::replace(&mut query, format!("&page_token={token}"));
        }
    }
}
