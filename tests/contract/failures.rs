//! What partners see when the store fails: nothing of the inside, and no cost.

use rusqlite::Connection;

use crate::counter::Counter;

const CHAT: &str = "/v2/businesses/1/chat?chatId=1";

#[test]
fn a_defect_is_told_by_the_request_s_id_alone() {
    let counter = Counter::open();
    counter.get(CHAT).succeeded();
    let database = Connection::open(counter.database()).expect("the store's file");
    database
        .execute_batch("PRAGMA foreign_keys = OFF; ALTER TABLE chat RENAME TO chat_gone;")
        .expect("broken");
    let answer = counter.get(CHAT);
    let id = answer.header("x-request-id").to_owned();
    assert!(!id.is_empty(), "an answer has a request id");
    answer.refused(500, &format!("Internal server error. Request id: {id}"));
    // It cost nothing: one call was paid, and the next one is the second.
    assert_eq!(answer.header("x-ratelimit-resource-limit"), "1000");
    assert_eq!(answer.header("x-ratelimit-resource-remaining"), "999");
    assert_eq!(
        answer.header("x-ratelimit-resource-until"),
        "Tue, 09 Jan 2024 15:00:00 GMT"
    );
    database
        .execute_batch("ALTER TABLE chat_gone RENAME TO chat;")
        .expect("mended");
    assert_eq!(
        counter
            .get(CHAT)
            .succeeded()
            .header("x-ratelimit-resource-remaining"),
        "998"
    );
}

#[test]
fn a_store_that_is_held_by_another_is_unavailable() {
    let counter = Counter::open();
    let database = Connection::open(counter.database()).expect("the store's file");
    database.execute_batch("BEGIN IMMEDIATE").expect("held");
    let send = || counter.post("/v2/businesses/1/chats/message?chatId=1", "{\"message\":\"x\"}");
    let answer = send();
    answer.refused(503, "Service temporarily unavailable. Please, try again later");
    assert_eq!(answer.header("x-ratelimit-resource-remaining"), "1000");
    // Who only reads is not held up.
    counter.get(CHAT).succeeded();
    database.execute_batch("ROLLBACK").expect("given back");
    send().succeeded();
}
