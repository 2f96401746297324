//! The JSON bodies of the Partner API's operations.

use std::fmt::Debug;

use prilavok_domain::{BusinessId, ChatStatus, ChatType, ContextType};
use prilavok_wire::request::{ChatFilters, CreateChat, GetChatHistory, GetChats, Identified, SendMessage};
use prilavok_wire::{Errors, Failure};
use serde_json::{Map, Value, json};

use crate::{choose, failure};

/// What must hold of any bytes.
pub fn check(data: &[u8]) {
    let Some((which, body)) = choose(data, 4) else {
        return;
    };
    let business = BusinessId::new(7).expect("an id");
    match which {
        0 => of(
            body,
            &["orderIds", "contexts", "contextTypes", "types", "statuses"],
            |body| GetChats::parse(Errors::new(), business, "", Ok(body)).map(|request| request.filters),
            filters,
        ),
        1 => of(
            body,
            &["messageIdFrom"],
            |body| {
                let request = GetChatHistory::parse(Errors::new(), business, "chatId=1", Ok(body));
                request.map(|request| request.from)
            },
            |from| {
                assert!(from.is_none_or(|id| id >= 1), "{from:?}");
                json!({"messageIdFrom": from.map(|id| id.to_string())})
            },
        ),
        2 => of(
            body,
            &["message"],
            |body| SendMessage::parse(Errors::new(), "chatId=1", Ok(body)).map(|request| request.text),
            |text| {
                let chars = text.as_str().chars().count();
                assert!(
                    (1..=4_096).contains(&chars) && !text.as_str().contains('\0'),
                    "{chars}"
                );
                json!({"message": text.as_str()})
            },
        ),
        _ => of(
            body,
            &["context", "orderId"],
            |body| CreateChat::parse(Errors::new(), Ok(body)).map(|request| request.about),
            |about| match about {
                // Of the deprecated field the contract names no least value.
                Identified::Order(id) if *id < 1 => json!({"orderId": id.to_string()}),
                about => json!({"context": context(*about)}),
            },
        ),
    }
}

/// Parses, writes what was parsed, and parses that; and the same with what must make no difference.
fn of<T: PartialEq + Debug>(
    body: &[u8],
    fields: &[&str],
    parse: impl Fn(&[u8]) -> Result<T, Failure>,
    write: impl Fn(&T) -> Value,
) {
    let parsed = parse(body);
    match &parsed {
        Ok(value) => {
            let again = write(value).to_string();
            assert_eq!(parse(again.as_bytes()).as_ref(), Ok(value), "written as {again}");
        }
        Err(error) => failure::check(error, fields),
    }
    let json = serde_json::from_slice(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body));
    let Ok(Value::Object(mut object)) = json else {
        assert!(parsed.is_err(), "no JSON object was accepted");
        return;
    };
    without_nulls(&mut object, fields);
    object.insert("unknown".to_owned(), json!([null, {}]));
    let plain = Value::Object(object).to_string();
    assert_eq!(
        parse(plain.as_bytes()),
        parsed,
        "null is absent, the unknown is ignored: {plain}"
    );
}

fn without_nulls(object: &mut Map<String, Value>, fields: &[&str]) {
    object.retain(|name, value| !value.is_null() && fields.contains(&name.as_str()));
}

fn filters(filters: &ChatFilters) -> Value {
    let mut body = Map::new();
    let mut put = |name: &str, values: Vec<Value>| {
        if !values.is_empty() {
            // Repeated and in another order they mean the same.
            let doubled = values.iter().rev().chain(&values).cloned().collect();
            body.insert(name.to_owned(), Value::Array(doubled));
        }
    };
    let ids = filters.orders.iter().map(|id| json!(id.to_string()));
    put("orderIds", ids.collect());
    put(
        "contexts",
        filters.contexts.iter().map(|it| context(*it)).collect(),
    );
    let kinds = filters.context_types.iter().copied().map(ContextType::as_str);
    put("contextTypes", kinds.map(Value::from).collect());
    let types = filters.types.iter().copied().map(ChatType::as_str);
    put("types", types.map(Value::from).collect());
    let statuses = filters.statuses.iter().copied().map(ChatStatus::as_str);
    put("statuses", statuses.map(Value::from).collect());
    Value::Object(body)
}

fn context(about: Identified) -> Value {
    let (kind, id) = about.parts();
    json!({"type": kind.as_str(), "id": id})
}
