//! Pages of lists, with rows put in between.

use serde_json::{Value, json};

use crate::desk::{BUSINESS, Desk};

/// All rows of a list, page by page; `between` runs after each page.
fn walk(desk: &Desk, path: &str, limit: usize, mut between: impl FnMut()) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = desk.get(&format!("{path}?limit={limit}{cursor}")).is(200);
        let items = page["items"].as_array().expect("a list");
        assert!(items.len() <= limit);
        rows.extend(items.iter().cloned());
        let Some(next) = page.get("nextCursor") else {
            return rows;
        };
        assert_eq!(items.len(), limit, "only the last page is short");
        cursor = format!("&cursor={}", next.as_str().expect("a text"));
        between();
    }
}

fn ids(rows: &[Value], name: &str) -> Vec<i64> {
    rows.iter()
        .map(|row| row[name].as_i64().expect("an id"))
        .collect()
}

#[test]
fn rows_put_in_between_neither_repeat_nor_hide_others() {
    let desk = Desk::open();
    for id in (10..=30).step_by(2) {
        let order = json!({"campaignId": 1, "customerId": "anna"});
        desk.put(&format!("{BUSINESS}/orders/{id}"), &order).is(201);
    }
    let mut next = 5;
    let rows = walk(&desk, &format!("{BUSINESS}/orders"), 3, || {
        // Odd ones: behind the place where the reader is, sooner or later, and far ahead of it.
        for id in [next, next + 100] {
            let order = json!({"campaignId": 1, "customerId": "anna"});
            desk.put(&format!("{BUSINESS}/orders/{id}"), &order).is(201);
        }
        next += 2;
    });
    let found = ids(&rows, "orderId");
    assert!(found.is_sorted_by(|a, b| a < b), "{found:?}");
    for id in (10..=30).step_by(2).chain(1..=3) {
        assert!(found.contains(&id), "{id} in {found:?}");
    }
}

#[test]
fn every_list_ends() {
    let desk = Desk::open();
    for number in 2..=5 {
        desk.put(
            &format!("/operator/v1/businesses/{number}"),
            &json!({"name": "b"}),
        )
        .is(201);
        desk.put(
            &format!("/operator/v1/customers/клиент-{number}"),
            &json!({"name": "c"}),
        )
        .is(201);
        desk.key(&format!("key {number}"));
    }
    let chat = desk.chat_about_order(1);
    for number in 0..5 {
        let body = json!({"sender": "CUSTOMER", "message": number.to_string()});
        desk.post(&format!("{chat}/messages"), &body).is(201);
    }
    for (path, rows) in [
        ("/operator/v1/businesses", 5),
        ("/operator/v1/customers", 6),
        ("/operator/v1/businesses/1/campaigns", 2),
        ("/operator/v1/businesses/1/orders", 3),
        ("/operator/v1/businesses/1/returns", 3),
        ("/operator/v1/businesses/1/keys", 4),
        ("/operator/v1/businesses/1/oauth-tokens", 0),
        ("/operator/v1/businesses/1/chats", 1),
        (&format!("{chat}/messages"), 5),
    ] {
        for limit in [1, 2, 3, 1000] {
            let found = walk(&desk, path, limit, || ());
            assert_eq!(found.len(), rows, "{path} by {limit}");
            let whole = desk.get(path).is(200);
            assert_eq!(json!(found), whole["items"], "{path} by {limit}");
            assert!(whole.get("nextCursor").is_none());
        }
    }
}

#[test]
fn chats_that_stay_still_are_seen_once() {
    let desk = Desk::open();
    let chats: Vec<String> = (1..=3)
        .map(|order| {
            desk.advance(1_000);
            desk.chat_about_order(order)
        })
        .collect();
    let mut moved = false;
    let rows = walk(&desk, &format!("{BUSINESS}/chats"), 1, || {
        if !std::mem::replace(&mut moved, true) {
            desk.advance(1_000);
            let body = json!({"sender": "CUSTOMER", "message": "!"});
            desk.post(&format!("{}/messages", chats[0]), &body).is(201);
        }
    });
    // The oldest one moved before the reader's place; the others are there, once.
    assert_eq!(ids(&rows, "chatId"), [3, 2]);
}

#[test]
fn limits_and_cursors_that_cannot_be() {
    let desk = Desk::open();
    let first = desk.get("/operator/v1/customers?limit=1").is(200);
    let foreign = first["nextCursor"].as_str().expect("a cursor");
    let path = format!("{BUSINESS}/orders");
    for (query, problem) in [
        ("limit=0", "limit: must be an integer from 1 to 1000"),
        ("limit=1001", "limit: must be an integer from 1 to 1000"),
        ("limit=ten", "limit: must be an integer from 1 to 1000"),
        ("limit=", "limit: must be an integer from 1 to 1000"),
        ("cursor=", "cursor: is not a cursor of this list"),
        ("cursor=%00", "cursor: is not a cursor of this list"),
        (
            &format!("cursor={foreign}"),
            "cursor: is not a cursor of this list",
        ),
        ("page=2", "page: is not a parameter of this operation"),
    ] {
        let answer = desk.get(&format!("{path}?{query}"));
        assert_eq!(answer.fails(400, "VALIDATION_FAILED"), [problem], "{query}");
    }
}
