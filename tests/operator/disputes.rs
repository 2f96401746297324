//! The whole life of a dispute: from a return that was refused to the arbiter's decision.

use insta::assert_json_snapshot;
use serde_json::json;

use crate::desk::{BUSINESS, Desk};

#[test]
fn a_dispute_from_beginning_to_end() {
    let desk = Desk::open();
    let about = json!({"context": {"type": "RETURN", "id": 1}});
    let ordinary = desk.post(&format!("{BUSINESS}/chats"), &about).is(201);
    let ordinary = format!("{BUSINESS}/chats/{}", ordinary["chatId"]);
    let say = |chat: &str, body: serde_json::Value| desk.post(&format!("{chat}/messages"), &body);
    say(
        &ordinary,
        json!({"sender": "CUSTOMER", "message": "Возврат отклонён без причины"}),
    )
    .is(201);

    desk.advance(60_000);
    let begun = desk.act(&format!("{ordinary}/arbitration")).is(201);
    let dispute = format!("{BUSINESS}/chats/{}", begun["chatId"]);
    assert_ne!(dispute, ordinary);
    assert_eq!(desk.get(&dispute).is(200), begun);
    assert_json_snapshot!(begun);

    let second = desk.act(&format!("{ordinary}/arbitration"));
    assert_eq!(
        second.message(400, "RULE_VIOLATED"),
        "The context has an unfinished arbitration already"
    );
    let nested = desk.act(&format!("{dispute}/arbitration"));
    assert_eq!(
        nested.message(400, "RULE_VIOLATED"),
        "An arbitration starts from a chat of type CHAT"
    );
    let escalated = desk.act(&format!("{dispute}/escalate"));
    assert_eq!(
        escalated.message(400, "RULE_VIOLATED"),
        "An arbitration cannot be escalated: only a chat of type CHAT can"
    );

    let status = |chat: &str| {
        desk.get(chat).is(200)["status"]
            .as_str()
            .expect("a status")
            .to_owned()
    };
    let ask = json!({"sender": "SUPPORT", "message": "Пришлите фото", "waitFor": "CUSTOMER"});
    say(&dispute, ask).is(201);
    assert_eq!(status(&dispute), "WAITING_FOR_CUSTOMER");
    say(&dispute, json!({"sender": "CUSTOMER", "message": "Вот оно"})).is(201);
    assert_eq!(status(&dispute), "WAITING_FOR_ARBITER");
    assert_eq!(
        status(&ordinary),
        "WAITING_FOR_PARTNER",
        "the ordinary chat goes on beside it"
    );

    let finished = desk.act(&format!("{dispute}/finish")).is(200);
    assert_eq!(finished["status"], "FINISHED");
    assert_eq!(finished["type"], "ARBITRAGE");
    let late = say(&dispute, json!({"sender": "CUSTOMER", "message": "Но!"}));
    assert_eq!(
        late.message(400, "RULE_VIOLATED"),
        "The arbitration is finished: CUSTOMER cannot write to it"
    );
    assert_eq!(
        desk.act(&format!("{dispute}/finish"))
            .message(400, "RULE_VIOLATED"),
        "The chat is already finished"
    );
    let another = desk.act(&format!("{ordinary}/arbitration")).is(201);
    assert_ne!(
        another["chatId"], begun["chatId"],
        "a finished dispute does not stand in the way"
    );
}

#[test]
fn nobody_disputes_a_direct_question() {
    let desk = Desk::open();
    let about = json!({"context": {"type": "DIRECT", "customerId": "anna"}});
    let chat = desk.post(&format!("{BUSINESS}/chats"), &about).is(201);
    let answer = desk.act(&format!("{BUSINESS}/chats/{}/arbitration", chat["chatId"]));
    assert_eq!(
        answer.message(400, "RULE_VIOLATED"),
        "An arbitration is about an ORDER or a RETURN, not about a DIRECT chat"
    );
    let nowhere = desk.act(&format!("{BUSINESS}/chats/77/arbitration"));
    assert_eq!(
        nowhere.fails(404, "NOT_FOUND"),
        ["chatId: names what does not exist"]
    );
}
