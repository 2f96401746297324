//! getChat, getChats and createChat.

use prilavok_domain::Sender;

use crate::counter::{Answer, Counter};
use crate::population;

fn chat_ids(answer: &Answer) -> Vec<i64> {
    let chats = &answer.json()["result"]["chats"];
    chats
        .as_array()
        .expect("a list")
        .iter()
        .map(|chat| chat["chatId"].as_i64().expect("an id"))
        .collect()
}

fn list(counter: &Counter, query: &str, body: &str) -> Answer {
    counter
        .post(&format!("/v2/businesses/1/chats?{query}"), body)
        .succeeded()
}

fn next_page(answer: &Answer) -> Option<String> {
    answer.json()["result"]["paging"]
        .get("nextPageToken")
        .map(|token| token.as_str().expect("text").to_owned())
}

#[test]
fn a_chat_of_each_kind() {
    let counter = Counter::open();
    for id in 1..=4 {
        let answer = counter.get(&format!("/v2/businesses/1/chat?chatId={id}"));
        insta::assert_snapshot!(format!("chat_{id}"), answer.snapshot());
    }
}

#[test]
fn a_chat_that_does_not_exist() {
    let counter = Counter::open();
    for id in ["5", "999", "9007199254740992", "9223372036854775807"] {
        let answer = counter.get(&format!("/v2/businesses/1/chat?chatId={id}"));
        answer.refused(404, &format!("Can't find chat by id: '{id}'"));
    }
}

#[test]
fn the_newest_message_comes_first() {
    let counter = Counter::open();
    let all = list(&counter, "", "{}");
    assert_eq!(chat_ids(&all), [3, 1, 4, 2]);
    insta::assert_snapshot!(all.snapshot());
}

#[test]
fn filters() {
    let counter = Counter::open();
    for (body, expected) in [
        (r#"{"orderIds":[1]}"#, vec![1, 4, 2]),
        (r#"{"orderIds":[2,3]}"#, vec![]),
        (r#"{"contexts":[{"type":"ORDER","id":1}]}"#, vec![1, 4]),
        (
            r#"{"contexts":[{"type":"RETURN","id":1},{"type":"ORDER","id":9}]}"#,
            vec![2],
        ),
        (r#"{"contextTypes":["DIRECT","RETURN"]}"#, vec![3, 2]),
        (r#"{"types":["ARBITRAGE"]}"#, vec![4]),
        (
            r#"{"statuses":["WAITING_FOR_CUSTOMER","WAITING_FOR_PARTNER"]}"#,
            vec![3, 1],
        ),
        (r#"{"statuses":["NEW"],"contextTypes":["ORDER"]}"#, vec![]),
        (r#"{"orderIds":[1],"types":["CHAT"],"statuses":["NEW"]}"#, vec![2]),
        (r#"{"orderIds":[9223372036854775807,-1]}"#, vec![]),
    ] {
        assert_eq!(chat_ids(&list(&counter, "", body)), expected, "{body}");
    }
}

#[test]
fn pages_neither_skip_nor_repeat_chats_that_stay_still() {
    let counter = Counter::open();
    let first = list(&counter, "limit=2", "{}");
    assert_eq!(chat_ids(&first), [3, 1]);
    let token = next_page(&first).expect("more");
    // A chat that was still to come moves to the top; the others stay where they were.
    counter.clock.advance(600_000);
    let writing = population::write(&*counter.app.store, &counter.clock, 1, 4, Sender::Customer, "?");
    counter.block_on(writing);
    for name in ["pageToken", "page_token"] {
        let last = list(&counter, &format!("limit=2&{name}={token}"), "{}");
        assert_eq!((chat_ids(&last), next_page(&last)), (vec![2], None));
    }
    assert_eq!(chat_ids(&list(&counter, "limit=1", "{}")), [4]);

    let with_other_filters = counter.post(
        &format!("/v2/businesses/1/chats?pageToken={token}"),
        r#"{"types":["CHAT"]}"#,
    );
    with_other_filters.refused(400, "Bad page token");
}

#[test]
fn the_chat_of_an_order_is_started_once() {
    let counter = Counter::open();
    let new = "/v2/businesses/1/chats/new";
    insta::assert_snapshot!(
        counter
            .post(new, r#"{"context":{"type":"ORDER","id":2}}"#)
            .snapshot()
    );
    for (body, id) in [
        (r#"{"context":{"type":"ORDER","id":2}}"#, 6),
        (r#"{"orderId":2}"#, 6),
        (r#"{"orderId":"2","context":{"type":"ORDER","id":2}}"#, 6),
        (r#"{"context":{"type":"ORDER","id":1}}"#, 1),
        (r#"{"context":{"type":"RETURN","id":1}}"#, 2),
        (r#"{"context":{"type":"ORDER","id":5}}"#, 7),
    ] {
        assert_eq!(
            counter.post(new, body).succeeded().json()["result"]["chatId"],
            id,
            "{body}"
        );
    }
}

#[test]
fn chats_that_cannot_be_started() {
    let counter = Counter::open();
    for (body, status, message) in [
        ("{}", 400, "'context' must not be null (rejected value: null)"),
        (r#"{"orderId":"x"}"#, 400, "Illegal input at 'orderId'"),
        (
            r#"{"orderId":1,"context":{"type":"ORDER","id":2}}"#,
            400,
            "'orderId' and 'context' must name the same order: send 'context' alone",
        ),
        (
            r#"{"context":{"type":"RETURN","id":2}}"#,
            400,
            "Campaign type is not allowed. Allowed campaign types: 'FBS, FBY, EXPRESS'",
        ),
        (
            r#"{"context":{"type":"RETURN","id":3}}"#,
            400,
            "A return of a test order cannot have a chat",
        ),
        (
            r#"{"context":{"type":"DIRECT","id":3}}"#,
            400,
            "Illegal input at 'context.type'",
        ),
        (
            r#"{"context":{"type":"ORDER","id":99}}"#,
            404,
            "Order not found: '99'",
        ),
        (r#"{"orderId":-7}"#, 404, "Order not found: '-7'"),
        (
            r#"{"orderId":9223372036854775807}"#,
            404,
            "Order not found: '9223372036854775807'",
        ),
        (
            r#"{"context":{"type":"RETURN","id":99}}"#,
            404,
            "Return not found: '99'",
        ),
    ] {
        counter
            .post("/v2/businesses/1/chats/new", body)
            .refused(status, message);
    }
    assert_eq!(chat_ids(&list(&counter, "", "{}")).len(), 4);
}

#[test]
fn times_are_shown_at_the_offset_of_the_settings() {
    let counter = Counter::with(|settings| settings.utc_offset = "-09:30".parse().expect("an offset"));
    let chat = counter.get("/v2/businesses/1/chat?chatId=1").succeeded().json();
    assert_eq!(chat["result"]["createdAt"], "2024-01-09T04:35:00-09:30");
    assert_eq!(chat["result"]["updatedAt"], "2024-01-09T04:37:01.213-09:30");
    let history = counter
        .post("/v2/businesses/1/chats/history?chatId=1", "{}")
        .succeeded()
        .json();
    assert_eq!(
        history["result"]["messages"][0]["createdAt"],
        "2024-01-09T04:36:01.213-09:30"
    );
}
