//! Requests as clients send them: what is read, what is forgiven, and every message about what is not.

use prilavok_domain::{BusinessId, ChatId, ChatStatus, ChatType, ContextType, MessageId, Timestamp};
use prilavok_wire::page_token::ChatPlace;
use prilavok_wire::request::{
    CampaignsPage, ChatFilters, CreateChat, GetCampaigns, GetChat, GetChatHistory, GetChatMessage, GetChats,
    Identified, SendMessage,
};
use prilavok_wire::{Errors, Failure};
use proptest::prelude::*;

fn business() -> BusinessId {
    BusinessId::new(1).expect("an id")
}

fn messages<T>(result: Result<T, Failure>) -> Vec<String> {
    match result {
        Ok(_) => Vec::new(),
        Err(failure) => failure.errors().map(ToString::to_string).collect(),
    }
}

fn chats(query: &str, body: &str) -> Result<GetChats, Failure> {
    GetChats::parse(Errors::new(), business(), query, Ok(body.as_bytes()))
}

fn history(query: &str, body: &str) -> Result<GetChatHistory, Failure> {
    GetChatHistory::parse(Errors::new(), business(), query, Ok(body.as_bytes()))
}

#[test]
fn filters_are_read_leniently() {
    let empty = ChatFilters::default();
    for body in [
        "{}",
        r#"{"types":null,"statuses":null,"contexts":null,"contextTypes":null,"orderIds":null}"#,
        r#"{"unknown":[{"x":1}]}"#,
    ] {
        assert_eq!(chats("", body).expect(body).filters, empty);
    }
    let request = chats(
        "limit=20",
        r#"{"orderIds":["7",3,7.0],"contexts":[{"type":"RETURN","id":"2"},{"type":"ORDER","id":5},{"id":2,"type":"RETURN"}],
            "contextTypes":["DIRECT","ORDER"],"types":["CHAT","CHAT"],"statuses":["FINISHED"]}"#,
    )
    .expect("a request");
    assert_eq!(request.limit, 20);
    assert_eq!(
        request.filters,
        ChatFilters {
            orders: vec![3, 7],
            contexts: vec![Identified::Order(5), Identified::Return(2)],
            context_types: vec![ContextType::Order, ContextType::Direct],
            types: vec![ChatType::Chat],
            statuses: vec![ChatStatus::Finished],
        }
    );
}

#[test]
fn wrong_filters_are_named() {
    for (body, expected) in [
        (
            r#"{"types":[]}"#,
            vec!["'types' must not be empty (rejected value: '[]')"],
        ),
        (
            r#"{"statuses":["NEW",null]}"#,
            vec![r#"'statuses' elements must be not null (rejected value: '["NEW",null]')"#],
        ),
        (
            r#"{"contexts":[null]}"#,
            vec!["'contexts' elements must be not null (rejected value: '[null]')"],
        ),
        (r#"{"contexts":{}}"#, vec!["Illegal input at 'contexts'"]),
        (r#"{"contexts":[5]}"#, vec!["Illegal input at 'contexts[0]'"]),
        (
            r#"{"contexts":[{"type":"DIRECT","id":1}]}"#,
            vec!["Illegal input at 'contexts[0].type'"],
        ),
        (
            r#"{"contexts":[{"type":"order","id":1}]}"#,
            vec!["Illegal input at 'contexts[0].type'"],
        ),
        (
            r#"{"contexts":[{"id":0},{"type":5,"id":null}]}"#,
            vec![
                "'contexts[0].type' must not be null (rejected value: null)",
                "'contexts[0].id' must be greater than or equal to '1' (rejected value: '0')",
                "Illegal input at 'contexts[1].type'",
                "'contexts[1].id' must not be null (rejected value: null)",
            ],
        ),
        (
            r#"{"types":["ARBITRATION"],"contextTypes":"ORDER","orderIds":[1.5]}"#,
            vec![
                "Illegal input at 'orderIds[0]'",
                "Illegal input at 'contextTypes'",
                "Illegal input at 'types[0]'",
            ],
        ),
        ("[]", vec!["Illegal input at '$'"]),
        ("", vec!["Required request body is missing"]),
        ("{", vec!["Unexpected end of content"]),
        ("{]", vec!["JSON: key must be a string at line 1 column 2"]),
    ] {
        assert_eq!(messages(chats("", body)), expected, "{body}");
    }
}

#[test]
fn query_and_body_are_answered_together() {
    assert_eq!(
        messages(history("limit=500&chatId=x", r#"{"messageIdFrom":"abc"}"#)),
        [
            "Type mismatch: 'x'",
            "Parameter limit must be less than or equal to '100' (rejected value: '500')",
            "Illegal input at 'messageIdFrom'",
        ]
    );
    let nobody_reads_more = format!("{{\"orderIds\":[{}\"x\"]}}", "\"x\",".repeat(5000));
    assert_eq!(messages(chats("", &nobody_reads_more)).len(), 100);
}

#[test]
fn history_begins_where_it_is_told() {
    for (body, from) in [
        ("{}", None),
        (r#"{"messageIdFrom":null}"#, None),
        (r#"{"messageIdFrom":"123"}"#, Some(123)),
        (r#"{"messageIdFrom":9223372036854775807}"#, Some(i64::MAX)),
    ] {
        let request = history("chatId=5", body).expect(body);
        assert_eq!(
            (request.chat, request.from, request.limit),
            (5, from, 50),
            "{body}"
        );
    }
    assert_eq!(
        messages(history("chatId=5", r#"{"messageIdFrom":0}"#)),
        ["'messageIdFrom' must be greater than or equal to '1' (rejected value: '0')"]
    );
}

#[test]
fn a_page_token_comes_back_with_the_same_filters_only() {
    let first = chats("", r#"{"statuses":["NEW"],"types":["CHAT"]}"#).expect("a request");
    let place = ChatPlace {
        updated_at: Timestamp::from_millis(1_732_406_400_000).expect("in range"),
        id: ChatId::new(9).expect("an id"),
    };
    let token = first.next_page(place);
    for (parameter, limit) in [("pageToken", 10), ("page_token", 3)] {
        let query = format!("{parameter}={token}&limit={limit}");
        let next = chats(&query, r#"{"types":["CHAT"],"statuses":["NEW","NEW"]}"#).expect("a request");
        assert_eq!((next.after, next.limit), (Some(place), limit));
    }
    let query = format!("pageToken={token}");
    assert_eq!(messages(chats(&query, "{}")), ["Bad page token"]);
    assert_eq!(messages(chats("pageToken=abc", "{}")), ["Bad page token"]);

    let first = history("chatId=5", r#"{"messageIdFrom":2}"#).expect("a request");
    let last = MessageId::new(60).expect("an id");
    let query = format!("chatId=5&pageToken={}", first.next_page(last));
    assert_eq!(
        history(&query, r#"{"messageIdFrom":"2"}"#)
            .expect("a request")
            .after,
        Some(last)
    );
    assert_eq!(messages(history(&query, "{}")), ["Bad page token"]);
}

#[test]
fn messages_have_a_text() {
    let send = |body: &str| SendMessage::parse(Errors::new(), "chatId=1", Ok(body.as_bytes()));
    let quoted = |text: &str| format!("{{\"message\":\"{text}\"}}");
    assert_eq!(
        send(&quoted("Привет\\n\\ud83d\\ude42"))
            .expect("a text")
            .text
            .as_str(),
        "Привет\n🙂"
    );
    assert!(send(&quoted(&"я".repeat(4096))).is_ok());
    for (body, expected) in [
        (
            "{}".to_owned(),
            "'message' must not be null (rejected value: null)",
        ),
        (
            "{\"message\":null}".to_owned(),
            "'message' must not be null (rejected value: null)",
        ),
        (
            quoted(""),
            "'message' size must be between '1' and '4096' (rejected value: '')",
        ),
        (
            quoted(&"я".repeat(5000)),
            "'message' size must be between '1' and '4096' (rejected size: '5000')",
        ),
        (quoted("a\\u0000b"), "Illegal input at 'message'"),
        ("{\"message\":5}".to_owned(), "Illegal input at 'message'"),
    ] {
        assert_eq!(messages(send(&body)), [expected], "{body:.60}");
    }
    let nothing = SendMessage::parse(Errors::new(), "", Ok(b"{}"));
    assert_eq!(
        messages(nothing),
        [
            "Required request parameter 'chatId' is not present",
            "'message' must not be null (rejected value: null)"
        ]
    );
}

#[test]
fn a_new_chat_is_about_one_thing() {
    let create = |body: &str| CreateChat::parse(Errors::new(), Ok(body.as_bytes()));
    for (body, about) in [
        (r#"{"context":{"type":"ORDER","id":2}}"#, Identified::Order(2)),
        (r#"{"context":{"type":"RETURN","id":"3"}}"#, Identified::Return(3)),
        (r#"{"orderId":4}"#, Identified::Order(4)),
        (r#"{"orderId":4,"context":null}"#, Identified::Order(4)),
        (
            r#"{"orderId":4,"context":{"type":"ORDER","id":4}}"#,
            Identified::Order(4),
        ),
    ] {
        assert_eq!(create(body).expect(body).about, about);
    }
    for (body, expected) in [
        ("{}", "'context' must not be null (rejected value: null)"),
        (
            r#"{"context":{"type":"DIRECT","id":1}}"#,
            "Illegal input at 'context.type'",
        ),
        (
            r#"{"context":{"type":"ORDER"}}"#,
            "'context.id' must not be null (rejected value: null)",
        ),
        (
            r#"{"orderId":4,"context":{"type":"ORDER","id":5}}"#,
            "'orderId' and 'context' must name the same order: send 'context' alone",
        ),
        (
            r#"{"orderId":4,"context":{"type":"RETURN","id":4}}"#,
            "'orderId' and 'context' must name the same order: send 'context' alone",
        ),
    ] {
        assert_eq!(messages(create(body)), [expected], "{body}");
    }
}

#[test]
fn campaigns_are_paged_in_two_ways() {
    let page =
        |query: &str| GetCampaigns::parse(Errors::new(), business(), query).map(|request| request.page);
    for (query, expected) in [
        ("", CampaignsPage::Numbered { page: 1, size: 50 }),
        ("page=3&pageSize=5", CampaignsPage::Numbered { page: 3, size: 5 }),
        ("page=3&limit=7", CampaignsPage::After { last: None, limit: 7 }),
    ] {
        assert_eq!(page(query), Ok(expected), "{query}");
    }
    assert_eq!(messages(page("pageToken=x")), ["Bad page token"]);
    assert_eq!(
        messages(page("page=0&limit=101")),
        [
            "Parameter limit must be less than or equal to '100' (rejected value: '101')",
            "'page' must be greater than or equal to '1' (rejected value: '0')",
        ]
    );
}

#[test]
fn ids_in_the_query_are_required() {
    let chat = GetChat::parse(Errors::new(), "chatId=5&x=y").expect("a request");
    assert_eq!(chat.chat, 5);
    assert_eq!(
        messages(GetChatMessage::parse(Errors::new(), "messageId=0")),
        [
            "Required request parameter 'chatId' is not present",
            "'messageId' must be greater than or equal to '1' (rejected value: '0')",
        ]
    );
}

/// Bytes that look a little like requests, so that they get past the first check.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "null",
        "true",
        "1",
        "-1",
        "1e99",
        "0.5",
        "\"orderId\"",
        "\"context\"",
        "\"contexts\"",
        "\"type\"",
        "\"id\"",
        "\"ORDER\"",
        "\"message\"",
        "\"messageIdFrom\"",
        "\"statuses\"",
        "\\u0000",
        "\\ud800",
        " ",
        "ё",
    ]);
    let texts = prop::collection::vec(words, 0..40).prop_map(|words| words.concat().into_bytes());
    prop_oneof![texts, prop::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    #[test]
    fn nothing_that_is_sent_makes_us_panic(query in "\\PC{0,80}|[a-zA-Z=&%+0-9_]{0,80}", body in bodies()) {
        // Whether it is accepted does not matter here, only that there is an answer.
        drop(GetChat::parse(Errors::new(), &query));
        drop(GetChatMessage::parse(Errors::new(), &query));
        drop(GetChats::parse(Errors::new(), business(), &query, Ok(&body)));
        drop(GetChatHistory::parse(Errors::new(), business(), &query, Ok(&body)));
        drop(GetCampaigns::parse(Errors::new(), business(), &query));
        drop(SendMessage::parse(Errors::new(), &query, Ok(&body)));
        drop(CreateChat::parse(Errors::new(), Ok(&body)));
    }

    #[test]
    fn every_text_that_may_be_a_message_is_one(text in "[^\0]{1,100}") {
        let body = serde_json::json!({ "message": &text }).to_string();
        let read = SendMessage::parse(Errors::new(), "chatId=1", Ok(body.as_bytes()));
        prop_assert_eq!(read.map(|it| it.text.as_str().to_owned()), Ok(text));
    }
}
