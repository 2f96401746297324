//! getChatHistory, getChatMessage and sendMessageToChat.

use reqwest::Method;

use crate::counter::{Answer, Counter};

const SEND: &str = "/v2/businesses/1/chats/message?chatId=1";

fn history(counter: &Counter, query: &str, body: &str) -> Answer {
    counter.post(&format!("/v2/businesses/1/chats/history?chatId=1{query}"), body)
}

fn texts(answer: &Answer) -> Vec<String> {
    let messages = &answer.json()["result"]["messages"];
    messages
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["message"].as_str().expect("text").to_owned())
        .collect()
}

fn status(counter: &Counter, chat: i64) -> String {
    let chat = counter
        .get(&format!("/v2/businesses/1/chat?chatId={chat}"))
        .succeeded()
        .json();
    chat["result"]["status"].as_str().expect("text").to_owned()
}

fn send(counter: &Counter, text: &str, key: Option<&str>) -> Answer {
    let request = counter
        .request(Method::POST, SEND)
        .json(&serde_json::json!({ "message": text }));
    Answer::of(match key {
        Some(key) => request.header("Idempotency-Key", key),
        None => request,
    })
}

#[test]
fn the_history_of_a_chat() {
    let counter = Counter::open();
    insta::assert_snapshot!(history(&counter, "", "{}").snapshot());
    let direct = counter.post("/v2/businesses/1/chats/history?chatId=3", "{}");
    insta::assert_snapshot!("history_of_a_direct_chat", direct.snapshot());
    let missing = counter.post("/v2/businesses/1/chats/history?chatId=99", "{}");
    missing.refused(404, "Can't find chat by id: '99'");
}

#[test]
fn the_history_is_paged_and_begins_where_it_is_told() {
    let counter = Counter::open();
    for number in 3..=7 {
        send(&counter, &format!("{number}"), None).succeeded();
    }
    // Ids are the server's, not the chat's: this chat has messages 1, 2 and 5 to 9.
    let from = r#"{"messageIdFrom":"7"}"#;
    assert_eq!(texts(&history(&counter, "", from)), ["5", "6", "7"]);
    assert_eq!(texts(&history(&counter, "", r#"{"messageIdFrom":3}"#)).len(), 5);
    let mut pages = Vec::new();
    let mut query = "&limit=3".to_owned();
    loop {
        let page = history(&counter, &query, "{}").succeeded();
        pages.push(texts(&page).len());
        match page.json()["result"]["paging"].get("nextPageToken") {
            Some(token) => query = format!("&limit=3&page_token={}", token.as_str().expect("text")),
            None => break,
        }
    }
    assert_eq!(pages, [3, 3, 1]);
    assert_eq!(
        texts(&history(&counter, "", r#"{"messageIdFrom":9223372036854775807}"#)),
        [""; 0]
    );
    history(&counter, &query.replace("limit=3", "limit=101"), "{}").refused(
        400,
        "Parameter limit must be less than or equal to '100' (rejected value: '101')",
    );
    history(&counter, &query, from).refused(400, "Bad page token");
}

#[test]
fn one_message() {
    let counter = Counter::open();
    let path = "/v2/businesses/1/chats/message?chatId";
    insta::assert_snapshot!(counter.get(&format!("{path}=1&messageId=1")).snapshot());
    let other_chat = counter.get(&format!("{path}=1&messageId=3"));
    other_chat.refused(404, "Can't find message by id: '3' for chat '1'");
    let huge = counter.get(&format!("{path}=1&messageId=9223372036854775807"));
    huge.refused(
        404,
        "Can't find message by id: '9223372036854775807' for chat '1'",
    );
    let no_chat = counter.get(&format!("{path}=99&messageId=1"));
    no_chat.refused(404, "Can't find chat by id: '99'");
}

#[test]
fn a_message_is_kept_as_it_was_sent_and_moves_the_chat() {
    let counter = Counter::open();
    counter.clock.advance(3_600_000);
    let text = "Строка 1\nline 2\t🙂 \"quoted\" \\ <b>";
    let answer = counter.request(Method::POST, "/v2/businesses/1/chats/message?chatId=3");
    let answer = Answer::of(answer.json(&serde_json::json!({ "message": text })));
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"status":"OK"}"#));
    let kept = counter.post("/v2/businesses/1/chats/history?chatId=3", "{}");
    assert_eq!(texts(&kept)[1], text);
    let chat = counter.get("/v2/businesses/1/chat?chatId=3").json();
    assert_eq!(chat["result"]["status"], "WAITING_FOR_CUSTOMER");
    assert_eq!(chat["result"]["updatedAt"], "2024-01-09T18:05:00+03:00");
}

#[test]
fn a_message_of_4096_characters_of_any_size_fits() {
    let counter = Counter::open();
    let long = "🙂".repeat(4096);
    send(&counter, &long, None).succeeded();
    assert_eq!(texts(&history(&counter, "", "{}")).last(), Some(&long));
}

#[test]
fn a_partner_s_message_leaves_an_arbitration_with_the_arbiter() {
    let counter = Counter::open();
    let path = "/v2/businesses/1/chats/message?chatId=4";
    counter
        .post(path, "{\"message\":\"Мы готовы вернуть деньги\"}")
        .succeeded();
    assert_eq!(status(&counter, 4), "WAITING_FOR_ARBITER");
}

#[test]
fn what_is_finished_takes_no_message() {
    let counter = Counter::open();
    for (id, message) in [
        (1, "The chat is finished: PARTNER cannot write to it"),
        (4, "The arbitration is finished: PARTNER cannot write to it"),
    ] {
        let (store, now) = (&counter.app.store, counter.now());
        let (business, chat) = (crate::population::business(1), crate::population::chat(id));
        let finish = prilavok_store::ChatChange::Finish;
        counter
            .block_on(store.change_chat(business, chat, finish, None, now))
            .expect("finished");
        let path = format!("/v2/businesses/1/chats/message?chatId={id}");
        counter.post(&path, "{\"message\":\"x\"}").refused(400, message);
        assert_eq!(status(&counter, id), "FINISHED");
    }
    let missing = counter.post("/v2/businesses/1/chats/message?chatId=99", "{\"message\":\"x\"}");
    missing.refused(404, "Can't find chat by id: '99'");
}

#[test]
fn a_send_that_is_repeated_with_its_key_happens_once() {
    let counter = Counter::open();
    for _ in 0..3 {
        send(&counter, "once", Some("key-1")).succeeded();
    }
    send(&counter, "once", Some("key-2")).succeeded();
    send(&counter, "once", None).succeeded();
    assert_eq!(texts(&history(&counter, "", "{}")).len(), 5);

    let reused = "The Idempotency-Key was used for another request within the last 24 hours";
    send(&counter, "other", Some("key-1")).refused(400, reused);
    let other_operation = counter
        .request(Method::POST, "/v2/businesses/1/chats/new")
        .header("Idempotency-Key", "key-1");
    Answer::of(other_operation.body("{\"orderId\":2}")).refused(400, reused);

    counter.clock.advance(24 * 3_600_000 + 1);
    send(&counter, "other", Some("key-1")).succeeded();
    assert_eq!(texts(&history(&counter, "", "{}")).len(), 6);
}

#[test]
fn an_idempotency_key_belongs_to_its_business() {
    let counter = Counter::open();
    send(&counter, "once", Some("key-1")).succeeded();
    let request = counter.anonymous(Method::POST, "/v2/businesses/2/chats/message?chatId=5");
    let request = request
        .header("Api-Key", &counter.keys.other)
        .header("Idempotency-Key", "key-1");
    Answer::of(request.body("{\"message\":\"other\"}")).succeeded();
}

#[test]
fn an_idempotency_key_has_1_to_255_visible_characters() {
    let counter = Counter::open();
    let message = "Incorrect Idempotency-Key header value: it must have 1 to 255 visible ASCII characters";
    for key in ["", "a b", &"x".repeat(256), "ключ"] {
        send(&counter, "x", Some(key)).refused(400, message);
    }
    send(&counter, "x", Some(&"x".repeat(255))).succeeded();
    // Operations that change nothing do not look at it.
    let read = counter
        .request(Method::GET, "/v2/businesses/1/chat?chatId=1")
        .header("Idempotency-Key", "a b");
    Answer::of(read).succeeded();
}
