//! Bodies and queries of the Operator API, sent to a whole server.

use axum::http::{Method, StatusCode};
use serde_json::Value;

use crate::choose;
use crate::shop::{self, Answer, Shop};

/// What can be put: an address that is in the demo.
const PUTS: [&str; 5] = [
    "/businesses/1",
    "/businesses/1/campaigns/1",
    "/customers/customer-0002",
    "/businesses/1/orders/2",
    "/businesses/1/returns/6",
];

/// What else takes a body; what is in braces was made when the shop was opened.
const BODIES: [(Method, &str); 11] = [
    (Method::POST, "/bulk"),
    (Method::POST, "/businesses/1/keys"),
    (Method::PATCH, "/businesses/1/keys/{key}"),
    (Method::POST, "/businesses/1/oauth-tokens"),
    (Method::PATCH, "/businesses/1/oauth-tokens/{token}"),
    (Method::POST, "/businesses/1/chats"),
    (Method::POST, "/businesses/1/chats/1/messages"),
    (Method::POST, "/businesses/1/subscriptions"),
    (Method::PATCH, "/businesses/1/subscriptions/{subscription}"),
    (
        Method::POST,
        "/businesses/1/subscriptions/{subscription}/send-again",
    ),
    (
        Method::POST,
        "/businesses/1/subscriptions/{subscription}/rotate-secret",
    ),
];

/// What has pages.
const LISTS: [&str; 11] = [
    "/businesses",
    "/businesses/1/campaigns",
    "/customers",
    "/businesses/1/orders",
    "/businesses/1/returns",
    "/businesses/1/keys",
    "/businesses/1/oauth-tokens",
    "/businesses/1/chats",
    "/businesses/1/chats/1/messages",
    "/businesses/1/subscriptions",
    "/businesses/1/deliveries",
];

/// What must hold of any bytes.
pub fn check(data: &[u8]) {
    let Some((which, rest)) = choose(data, 27) else {
        return;
    };
    let which = usize::from(which);
    shop::with(|shop| {
        if let Some(path) = PUTS.get(which) {
            put(shop, path, rest);
        } else if let Some((method, path)) = BODIES.get(which - PUTS.len()) {
            if !calls_somebody(method, path, rest) {
                let answer = shop.operator(method.clone(), path, rest.to_vec());
                any(&answer.expect("a path"));
            }
        } else if let Ok(query) = std::str::from_utf8(rest)
            // What comes after it is not sent.
            && !query.contains('#')
        {
            list(shop, LISTS[which - PUTS.len() - BODIES.len()], query);
        }
    });
}

/// A subscription that is not said to be disabled would be sent a PING.
fn calls_somebody(method: &Method, path: &str, body: &[u8]) -> bool {
    let creates = *method == Method::POST && path.ends_with("/subscriptions");
    creates
        && serde_json::from_slice::<Value>(body)
            .is_ok_and(|body| body.is_object() && body["enabled"] != false)
}

/// What was put is there, and putting it again changes nothing.
fn put(shop: &mut Shop, path: &str, body: &[u8]) {
    let answer = shop.operator(Method::PUT, path, body.to_vec()).expect("a path");
    any(&answer);
    if !answer.status.is_success() {
        return;
    }
    let put = answer.json();
    let again = shop.operator(Method::PUT, path, body.to_vec()).expect("a path");
    assert_eq!(
        (again.status, again.json()),
        (StatusCode::OK, put.clone()),
        "{path}"
    );
    let found = shop.operator(Method::GET, path, Vec::new()).expect("a path");
    assert_eq!(
        (found.status, found.json()),
        (StatusCode::OK, put.clone()),
        "{path}"
    );
    // Without the ids of the address, the answer is a body that means the same.
    let Value::Object(mut fields) = put else {
        panic!("{put}")
    };
    let names: &[&str] = match path.split('/').rev().nth(1) {
        Some("businesses") => &["businessId"],
        Some("campaigns") => &["businessId", "campaignId"],
        Some("customers") => &["publicId"],
        Some("orders") => &["businessId", "orderId"],
        _ => &["businessId", "returnId"],
    };
    fields.retain(|name, _| !names.contains(&name.as_str()));
    let body = Value::Object(fields).to_string();
    let same = shop
        .operator(Method::PUT, path, body.clone().into_bytes())
        .expect("a path");
    assert_eq!(
        (same.status, same.json()),
        (StatusCode::OK, found.json()),
        "{body}"
    );
}

/// A page is no longer than was asked for, and names the next one.
fn list(shop: &mut Shop, path: &str, query: &str) {
    let get =
        |shop: &mut Shop, query: &str| shop.operator(Method::GET, &format!("{path}?{query}"), Vec::new());
    let Some(answer) = get(shop, query) else { return };
    any(&answer);
    if answer.status != StatusCode::OK {
        return;
    }
    let page = answer.json();
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let limit = pairs
        .iter()
        .find(|(name, _)| name == "limit")
        .map(|(_, value)| value);
    let limit: usize = limit.map_or(100, |limit| limit.parse().expect("it was accepted"));
    let rows = page["items"].as_array().expect("a list").len();
    assert!(rows <= limit, "{rows} rows instead of {limit}");
    if let Some(next) = page["nextCursor"].as_str() {
        assert_eq!(rows, limit, "a page that is not full is the last one");
        let pairs = pairs.iter().filter(|(name, _)| name != "cursor");
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .append_pair("cursor", next)
            .finish();
        let answer = get(shop, &query).expect("a query");
        assert_eq!(answer.status, StatusCode::OK, "{query}: {answer:?}");
        assert_ne!(answer.json()["items"], page["items"], "{query}");
    }
}

/// An answer of the Operator API, whatever was asked.
fn any(answer: &Answer) {
    match answer.status.as_u16() {
        200 | 201 => {
            answer.json();
        }
        400 | 404 | 409 | 413 => {
            answer.operator_refusal();
        }
        _ => panic!("{answer:?}"),
    }
}
