//! Bulk registration: all or nothing, in order, and named item by item.

use serde_json::{Value, json};

use crate::desk::Desk;

const BULK: &str = "/operator/v1/bulk";

fn business(id: i64, name: &str) -> Value {
    json!({"type": "BUSINESS", "businessId": id, "name": name})
}

fn results(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().expect("a list").iter();
    items
        .map(|item| item["result"].as_str().expect("a text"))
        .collect()
}

#[test]
fn everything_in_one_call_and_again() {
    let desk = Desk::empty();
    let mut items = vec![
        business(1, "Ромашка"),
        json!({"type": "CAMPAIGN", "businessId": 1, "campaignId": 1, "domain": "r.example", "placement": "FBY"}),
        json!({"type": "CUSTOMER", "publicId": "anna", "name": "Анна"}),
        json!({"type": "ORDER", "businessId": 1, "orderId": 1, "campaignId": 1, "customerId": "anna"}),
        json!({"type": "RETURN", "businessId": 1, "returnId": 1, "orderId": 1}),
    ];
    let answer = desk.post(BULK, &json!({"items": items})).is(200);
    assert_eq!(results(&answer), ["CREATED"; 5]);
    assert_eq!(answer["items"][3]["type"], "ORDER");

    items[2]["name"] = json!("Анна К.");
    let answer = desk.post(BULK, &json!({"items": items})).is(200);
    assert_eq!(
        results(&answer),
        ["UNCHANGED", "UNCHANGED", "CHANGED", "UNCHANGED", "UNCHANGED"]
    );
    assert_eq!(desk.get("/operator/v1/customers/anna").is(200)["name"], "Анна К.");
}

#[test]
fn one_item_that_is_refused_refuses_all() {
    let desk = Desk::open();
    for (wrong, field) in [
        (
            json!({"type": "ORDER", "businessId": 1, "orderId": 9, "campaignId": 8, "customerId": "anna"}),
            "items[1].campaignId: names what does not exist: campaign 8",
        ),
        (
            json!({"type": "ORDER", "businessId": 7, "orderId": 9, "campaignId": 1, "customerId": "anna"}),
            "items[1].businessId: names what does not exist: business 7",
        ),
        (
            json!({"type": "RETURN", "businessId": 1, "returnId": 9, "orderId": 9}),
            "items[1].orderId: names what does not exist: order 9",
        ),
    ] {
        let answer = desk.post(BULK, &json!({"items": [business(5, "new"), wrong]}));
        assert_eq!(answer.fails(400, "VALIDATION_FAILED"), [field]);
        desk.get("/operator/v1/businesses/5").fails(404, "NOT_FOUND");
    }

    desk.chat_about_order(1);
    let moved =
        json!({"type": "ORDER", "businessId": 1, "orderId": 1, "campaignId": 2, "customerId": "anna"});
    let answer = desk.post(
        BULK,
        &json!({"items": [business(5, "new"), business(6, "new"), moved]}),
    );
    assert_eq!(
        answer.fails(409, "CONFLICT"),
        ["items[2]: the order has chats: its campaign and customer can no longer change"]
    );
    desk.get("/operator/v1/businesses/6").fails(404, "NOT_FOUND");
}

#[test]
fn what_comes_too_late_does_not_count() {
    let desk = Desk::empty();
    let campaign = json!({"type": "CAMPAIGN", "businessId": 1, "campaignId": 1, "domain": "r.example", "placement": "FBS"});
    let answer = desk.post(BULK, &json!({"items": [campaign, business(1, "late")]}));
    assert_eq!(
        answer.fails(400, "VALIDATION_FAILED"),
        ["items[0].businessId: names what does not exist: business 1"]
    );
}

#[test]
fn all_wrong_fields_are_named() {
    let desk = Desk::empty();
    let answer = desk.post(
        BULK,
        &json!({"items": [
            business(1, "right"),
            {"type": "BUSINESS", "businessId": 0, "name": "", "state": "active"},
            {"type": "CAMPAIGN", "businessId": "1", "campaignId": 1, "domain": "r", "placement": "FBX", "x": 1},
            {"type": "ORDERS"},
            {"type": "CUSTOMER", "publicId": "c\u{0}", "name": null},
            7,
        ]}),
    );
    assert_eq!(
        answer.fails(400, "VALIDATION_FAILED"),
        [
            "items[1].businessId: must be an integer from 1 to 9007199254740991",
            "items[1].name: must have 1 to 256 characters and no control characters",
            "items[1].state: must be one of ACTIVE, DISABLED, MIGRATING",
            "items[2].businessId: must be an integer from 1 to 9007199254740991",
            "items[2].placement: must be one of FBS, FBY, DBS, EXPRESS, LAAS",
            "items[2].x: is not known here",
            "items[3].type: must be one of BUSINESS, CAMPAIGN, CUSTOMER, ORDER, RETURN",
            "items[4].publicId: must have 1 to 100 characters and no control characters",
            "items[4].name: is required",
            "items[5]: must be an object",
        ]
    );
    desk.get("/operator/v1/businesses/1").fails(404, "NOT_FOUND");
}

#[test]
fn a_thousand_items_and_no_more() {
    let desk = Desk::empty();
    // Names as long as they may be, in letters of two bytes: more than other bodies may have.
    let name = "я".repeat(256);
    let items: Vec<Value> = (1..=1_000).map(|id| business(id, &name)).collect();
    let answer = desk.post(BULK, &json!({"items": items})).is(200);
    assert_eq!(results(&answer), ["CREATED"; 1_000]);

    let items: Vec<Value> = (1..=1_001).map(|id| business(id, "x")).collect();
    let answer = desk.post(BULK, &json!({"items": items}));
    assert_eq!(
        answer.fails(400, "VALIDATION_FAILED"),
        ["items: must have at most 1000 elements, not 1001"]
    );
    let answer = desk.post(BULK, &json!({"items": []}));
    assert_eq!(
        answer.fails(400, "VALIDATION_FAILED"),
        ["items: must have 1 to 1000 elements"]
    );
    assert_eq!(desk.get("/operator/v1/businesses/1").is(200)["name"], name);
}

#[test]
fn a_thousand_returns_in_one_call() {
    let desk = Desk::open();
    let returned =
        |id: i64| json!({"type": "RETURN", "businessId": 1, "returnId": 10_000 + id, "orderId": 1});
    let items: Vec<Value> = (1..=1_000).map(returned).collect();
    let answer = desk.post(BULK, &json!({"items": items})).is(200);
    assert_eq!(results(&answer), ["CREATED"; 1_000]);
    let page = desk.get("/operator/v1/businesses/1/returns?limit=1000").is(200);
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1_000));
    assert!(page["nextCursor"].is_string(), "those of the desk come as well");
}
