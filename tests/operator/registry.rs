//! Businesses, campaigns, customers, orders and returns.

use insta::assert_json_snapshot;
use serde_json::json;

use crate::desk::{Answer, BUSINESS, Desk};

#[test]
fn each_thing_is_created_changed_and_read() {
    let desk = Desk::empty();
    let mut shown = Vec::new();
    for (path, first, second) in [
        (
            BUSINESS,
            json!({"name": "Ромашка"}),
            json!({"name": "Ромашка", "state": "MIGRATING"}),
        ),
        (
            "/operator/v1/businesses/1/campaigns/9007199254740991",
            json!({"domain": "romashka.example", "placement": "FBS"}),
            json!({"domain": "romashka.example", "placement": "LAAS", "state": "DISABLED_BY_INACTIVITY"}),
        ),
        (
            "/operator/v1/customers/c-%D0%B6%20%2F7",
            json!({"name": "李娜"}),
            json!({"name": "李 娜"}),
        ),
        (
            "/operator/v1/businesses/1/orders/7",
            json!({"campaignId": 9_007_199_254_740_991_i64, "customerId": "c-ж /7"}),
            json!({"campaignId": 9_007_199_254_740_991_i64, "customerId": "c-ж /7", "test": true}),
        ),
    ] {
        let created = desk.put(path, &first).is(201);
        assert_eq!(desk.get(path).is(200), created);
        assert_eq!(
            desk.put(path, &first).is(200),
            created,
            "the same again changes nothing"
        );
        let changed = desk.put(path, &second).is(200);
        assert_eq!(desk.get(path).is(200), changed);
        shown.push(json!({"path": path, "created": created, "changed": changed}));
    }
    let path = "/operator/v1/businesses/1/returns/3";
    let created = desk.put(path, &json!({"orderId": 7})).is(201);
    assert_eq!(desk.get(path).is(200), created);
    shown.push(json!({"path": path, "created": created}));
    assert_json_snapshot!(shown);
}

#[test]
fn what_a_body_names_must_exist() {
    let desk = Desk::open();
    for (path, body, problem) in [
        (
            "orders/9",
            json!({"campaignId": 8, "customerId": "anna"}),
            "campaignId: names what does not exist: campaign 8",
        ),
        (
            "orders/9",
            json!({"campaignId": 1, "customerId": "bob"}),
            "customerId: names what does not exist: customer bob",
        ),
        (
            "returns/9",
            json!({"orderId": 9}),
            "orderId: names what does not exist: order 9",
        ),
    ] {
        let answer = desk.put(&format!("{BUSINESS}/{path}"), &body);
        assert_eq!(answer.fails(400, "VALIDATION_FAILED"), [problem]);
        desk.get(&format!("{BUSINESS}/{path}")).fails(404, "NOT_FOUND");
    }
}

#[test]
fn what_a_path_names_must_exist() {
    let desk = Desk::open();
    for (path, message) in [
        ("/operator/v1/businesses/2", "Business 2 does not exist"),
        (
            "/operator/v1/businesses/2/campaigns/1",
            "Business 2 does not exist",
        ),
        ("/operator/v1/businesses/2/campaigns", "Business 2 does not exist"),
        (
            "/operator/v1/businesses/2/chats/1/messages",
            "Business 2 does not exist",
        ),
        (
            "/operator/v1/businesses/1/campaigns/7",
            "Campaign 7 does not exist",
        ),
        ("/operator/v1/businesses/1/orders/7", "Order 7 does not exist"),
        ("/operator/v1/businesses/1/returns/7", "Return 7 does not exist"),
        ("/operator/v1/businesses/1/chats/7", "Chat 7 does not exist"),
        (
            "/operator/v1/businesses/1/chats/7/messages",
            "Chat 7 does not exist",
        ),
        (
            "/operator/v1/businesses/1/chats/7/messages/1",
            "Chat 7 does not exist",
        ),
        ("/operator/v1/businesses/1/keys/7", "Key 7 does not exist"),
        (
            "/operator/v1/businesses/1/oauth-tokens/7",
            "OAuth token 7 does not exist",
        ),
        ("/operator/v1/customers/bob", "Customer bob does not exist"),
    ] {
        assert_eq!(desk.get(path).message(404, "NOT_FOUND"), message, "{path}");
    }
    let order = json!({"campaignId": 1, "customerId": "anna"});
    let answer = desk.put("/operator/v1/businesses/2/orders/1", &order);
    assert_eq!(
        answer.fails(404, "NOT_FOUND"),
        ["businessId: names what does not exist"]
    );
}

#[test]
fn orders_and_returns_with_chats_stay_with_their_customers() {
    let desk = Desk::open();
    desk.chat_about_order(1);
    let about_return = json!({"context": {"type": "RETURN", "id": 2}});
    desk.post(&format!("{BUSINESS}/chats"), &about_return).is(201);

    let moved = json!({"campaignId": 2, "customerId": "anna"});
    let answer = desk.put(&format!("{BUSINESS}/orders/1"), &moved);
    assert_eq!(
        answer.message(409, "CONFLICT"),
        "The order has chats: its campaign and customer can no longer change"
    );
    let answer = desk.put(&format!("{BUSINESS}/returns/2"), &json!({"orderId": 1}));
    assert_eq!(
        answer.message(409, "CONFLICT"),
        "The return has chats: its order can no longer change"
    );
    assert_eq!(desk.get(&format!("{BUSINESS}/orders/1")).is(200)["campaignId"], 1);
}

#[test]
fn states_act_on_the_partner_api_at_once() {
    let desk = Desk::open();
    let chat = desk.chat_about_order(1);
    let (_, key) = desk.key("CRM");
    let id = chat.rsplit('/').next().expect("an id");
    let path = format!("/v2/businesses/1/chat?chatId={id}");
    let ask = || Answer::to(desk.partner(reqwest::Method::GET, &path, &key)).status;
    let campaign = |number: i64, state: &str| {
        let body = json!({"domain": "romashka.example", "placement": "FBS", "state": state});
        desk.put(&format!("{BUSINESS}/campaigns/{number}"), &body).is(200);
    };
    assert_eq!(ask(), 200);
    for (state, status) in [("MIGRATING", 423), ("DISABLED", 403), ("ACTIVE", 200)] {
        desk.put(BUSINESS, &json!({"name": "Ромашка", "state": state}))
            .is(200);
        assert_eq!(ask(), status, "{state}");
    }
    campaign(1, "MANUALLY_DISABLED");
    assert_eq!(ask(), 200, "one of two campaigns is still there");
    campaign(2, "MANUALLY_DISABLED");
    assert_eq!(ask(), 403);
    campaign(2, "AVAILABLE");
    assert_eq!(ask(), 200);
}
