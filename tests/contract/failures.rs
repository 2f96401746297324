//! What partners see when the store fails: nothing of the inside, and no cost.

use crate::counter::Counter;

const CHAT: &str = "/v2/businesses/1/chat?chatId=1";

#[test]
fn a_defect_is_told_by_the_request_s_id_alone() {
    let counter = Counter::open();
    counter.get(CHAT).succeeded();
    counter.place.execute("ALTER TABLE chat RENAME TO chat_gone");
    // What others do to the store is seen within milliseconds.
    let mut paid = 1;
    let answer = loop {
        let answer = counter.get(CHAT);
        if answer.status != 200 {
            break answer;
        }
        paid += 1;
    };
    let left = |paid: u32| (1_000 - paid).to_string();
    let id = answer.header("x-request-id").to_owned();
    assert!(!id.is_empty(), "an answer has a request id");
    answer.refused(500, &format!("Internal server error. Request id: {id}"));
    // It cost nothing: the next one is the first that is paid after those that succeeded.
    assert_eq!(answer.header("x-ratelimit-resource-limit"), "1000");
    assert_eq!(answer.header("x-ratelimit-resource-remaining"), left(paid));
    assert_eq!(
        answer.header("x-ratelimit-resource-until"),
        "Tue, 09 Jan 2024 15:00:00 GMT"
    );
    counter.place.execute("ALTER TABLE chat_gone RENAME TO chat");
    assert_eq!(
        counter
            .get(CHAT)
            .succeeded()
            .header("x-ratelimit-resource-remaining"),
        left(paid + 1)
    );
}

#[test]
fn a_store_that_is_held_by_another_is_unavailable() {
    let counter = Counter::with(|settings| settings.postgres.statement_seconds = 1);
    let held = counter.place.lock();
    let send = || counter.post("/v2/businesses/1/chats/message?chatId=1", "{\"message\":\"x\"}");
    let answer = send();
    answer.refused(503, "Service temporarily unavailable. Please, try again later");
    assert_eq!(answer.header("x-ratelimit-resource-remaining"), "1000");
    // Who only reads is not held up.
    counter.get(CHAT).succeeded();
    drop(held);
    send().succeeded();
}
