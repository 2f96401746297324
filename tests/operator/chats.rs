//! Chats: started once for each context, listed by filters, read, escalated and finished.

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::desk::{BUSINESS, Desk};

const CHATS: &str = "/operator/v1/businesses/1/chats";

fn start(desk: &Desk, context: &Value) -> Value {
    desk.post(CHATS, &json!({"context": context})).is(201)
}

#[test]
fn each_context_has_one_chat() {
    let desk = Desk::open();
    let mut shown = Vec::new();
    for context in [
        json!({"type": "DIRECT", "customerId": "li"}),
        json!({"type": "ORDER", "id": 1}),
        json!({"type": "RETURN", "id": 2, "customerId": "li"}),
    ] {
        let chat = start(&desk, &context);
        let again = desk.post(CHATS, &json!({"context": context})).is(200);
        assert_eq!(again, chat, "the chat that was there");
        assert_eq!(desk.get(&format!("{CHATS}/{}", chat["chatId"])).is(200), chat);
        shown.push(chat);
    }
    assert_json_snapshot!(shown);
}

#[test]
fn contexts_that_cannot_be() {
    let desk = Desk::open();
    for (context, problems) in [
        (
            json!({"type": "DIRECT"}),
            vec!["context.customerId: is required for DIRECT"],
        ),
        (
            json!({"type": "DIRECT", "id": 1, "customerId": "li"}),
            vec!["context.id: is not allowed for DIRECT"],
        ),
        (json!({"type": "ORDER"}), vec!["context.id: is required"]),
        (
            json!({"type": "RETURN", "id": 0, "customerId": ""}),
            vec![
                "context.customerId: must have 1 to 100 characters and no control characters",
                "context.id: must be an integer from 1 to 9007199254740991",
            ],
        ),
        (
            json!({"type": "PARCEL", "id": 1}),
            vec!["context.type: must be one of ORDER, RETURN, DIRECT"],
        ),
        (
            json!({"type": "ORDER", "id": 77}),
            vec!["context.id: names what does not exist: order 77"],
        ),
        (
            json!({"type": "RETURN", "id": 77}),
            vec!["context.id: names what does not exist: return 77"],
        ),
        (
            json!({"type": "DIRECT", "customerId": "bob"}),
            vec!["context.customerId: names what does not exist: customer bob"],
        ),
        (json!([]), vec!["context: must be an object"]),
        (Value::Null, vec!["context: is required"]),
    ] {
        let answer = desk.post(CHATS, &json!({"context": context}));
        assert_eq!(answer.fails(400, "VALIDATION_FAILED"), problems, "{context}");
    }
    let other = desk.post(
        CHATS,
        &json!({"context": {"type": "ORDER", "id": 1, "customerId": "li"}}),
    );
    assert_eq!(
        other.fails(409, "CONFLICT"),
        ["context.customerId: the order belongs to another customer"]
    );
    assert_eq!(
        desk.get(CHATS).is(200),
        json!({"items": []}),
        "nothing was started"
    );
}

#[test]
fn test_orders_may_have_chats_and_their_returns_may_not() {
    let desk = Desk::open();
    start(&desk, &json!({"type": "ORDER", "id": 3}));
    let answer = desk.post(CHATS, &json!({"context": {"type": "RETURN", "id": 3}}));
    assert_eq!(
        answer.message(400, "RULE_VIOLATED"),
        "A return of a test order cannot have a chat"
    );
}

#[test]
fn customers_ask_about_returns_of_any_placement() {
    let desk = Desk::open();
    // Order 2 is of a DBS campaign, for whose returns partners may start no chat.
    start(&desk, &json!({"type": "RETURN", "id": 2}));
}

#[test]
fn filters() {
    let desk = Desk::open();
    let direct = start(&desk, &json!({"type": "DIRECT", "customerId": "anna"}));
    let order = start(&desk, &json!({"type": "ORDER", "id": 1}));
    let returned = start(&desk, &json!({"type": "RETURN", "id": 1}));
    let other = start(&desk, &json!({"type": "ORDER", "id": 2}));
    let arbitration = desk
        .act(&format!("{CHATS}/{}/arbitration", returned["chatId"]))
        .is(201);
    desk.act(&format!("{CHATS}/{}/finish", other["chatId"])).is(200);
    let [direct, order, returned, other, arbitration] =
        [direct, order, returned, other, arbitration].map(|it| it["chatId"].as_i64().expect("an id"));
    for (query, expected) in [
        ("", vec![arbitration, other, returned, order, direct]),
        ("type=ARBITRAGE", vec![arbitration]),
        ("type=CHAT&status=NEW", vec![returned, order, direct]),
        ("status=WAITING_FOR_ARBITER,FINISHED", vec![arbitration, other]),
        (
            "status=WAITING_FOR_ARBITER&status=FINISHED",
            vec![arbitration, other],
        ),
        ("contextType=DIRECT", vec![direct]),
        ("contextType=ORDER,%20DIRECT", vec![other, order, direct]),
        ("orderId=1", vec![arbitration, returned, order]),
        ("orderId=1,2&contextType=ORDER", vec![other, order]),
        ("returnId=1", vec![arbitration, returned]),
        ("returnId=1&type=CHAT", vec![returned]),
        ("returnId=2", vec![]),
        ("orderId=2&returnId=1", vec![]),
    ] {
        let page = desk.get(&format!("{CHATS}?{query}")).is(200);
        let items = page["items"].as_array().expect("a list").iter();
        let found: Vec<i64> = items
            .map(|chat| chat["chatId"].as_i64().expect("an id"))
            .collect();
        assert_eq!(found, expected, "{query}");
    }
}

#[test]
fn wrong_filters_are_named() {
    let desk = Desk::open();
    let answer = desk.get(&format!(
        "{CHATS}?type=chat&orderId=1,x&state=NEW&limit=0&cursor=x&limit=5"
    ));
    assert_eq!(
        answer.fails(400, "VALIDATION_FAILED"),
        [
            "type: must be one of CHAT, ARBITRAGE",
            "orderId: must be an integer from 1 to 9007199254740991",
            "limit: must be given once",
            "cursor: is not a cursor of this list",
            "state: is not a parameter of this operation",
        ]
    );
    let many = vec!["1"; 101].join(",");
    let answer = desk.get(&format!("{CHATS}?orderId={many}"));
    assert_eq!(
        answer.fails(400, "VALIDATION_FAILED"),
        ["orderId: must have at most 100 values"]
    );
}

#[test]
fn escalated_and_finished() {
    let desk = Desk::open();
    let chat = desk.chat_about_order(1);
    assert_eq!(
        desk.act(&format!("{chat}/escalate")).is(200)["status"],
        "WAITING_FOR_MARKET"
    );
    let finished = desk.act(&format!("{chat}/finish")).is(200);
    assert_eq!(finished["status"], "FINISHED");
    assert_eq!(desk.get(&chat).is(200), finished);
    let answer = desk.act(&format!("{chat}/finish"));
    assert_eq!(
        answer.message(400, "RULE_VIOLATED"),
        "The chat is already finished"
    );
    let answer = desk.act(&format!("{chat}/escalate"));
    assert_eq!(
        answer.message(400, "RULE_VIOLATED"),
        "The chat is finished: it cannot be escalated"
    );
    let nobody = desk.act(&format!("{BUSINESS}/chats/77/finish"));
    assert_eq!(nobody.message(404, "NOT_FOUND"), "Chat 77 does not exist");
}
