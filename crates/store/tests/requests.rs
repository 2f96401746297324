//! The request log's file: what comes back, what goes, and how large it grows.

use std::path::Path;

use prilavok_domain::{BusinessId, ChatId, CredentialId, CredentialKind, Timestamp};
use prilavok_store::TakenFrom;
use prilavok_store::requests::{
    Caller, Exchange, FILE_NAME, LoggedBody, LoggedMessage, LoggedRequest, RequestFilter, RequestLog,
    RequestLogReader,
};

const NO_LIMIT: u64 = u64::MAX;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).expect("in range")
}

fn entry(number: i64, body: &str) -> (LoggedRequest, Exchange) {
    let request = LoggedRequest {
        at: at(number),
        took_us: 7,
        request_id: number.to_string(),
        method: "GET".to_owned(),
        target: "/v2/x?y=1".to_owned(),
        operation: Some("getChat".to_owned()),
        business: BusinessId::new(1).ok(),
        caller: Some(Caller {
            kind: CredentialKind::OAuthToken,
            id: CredentialId(3),
            name: "crm".to_owned(),
        }),
        status: 420,
        rule: Some("HOURLY_LIMIT".to_owned()),
    };
    let message = |text: &str| LoggedMessage {
        headers: vec![
            ("a".to_owned(), "1: 2".to_owned()),
            ("a".to_owned(), String::new()),
        ],
        body: LoggedBody {
            text: Some(text.to_owned()),
            cut: true,
            bytes: Some(9_999),
        },
    };
    let exchange = Exchange {
        request: message(body),
        answer: LoggedMessage::default(),
    };
    (request, exchange)
}

async fn numbers(reader: &RequestLogReader) -> Vec<i64> {
    let all = reader
        .after(RequestFilter::default(), 0, 100_000)
        .await
        .expect("read");
    all.iter()
        .map(|(_, request)| request.request_id.parse().expect("a number"))
        .collect()
}

fn log(folder: &Path) -> RequestLog {
    RequestLog::open(&folder.join(FILE_NAME)).expect("a log")
}

#[tokio::test]
async fn entries_come_back_as_they_went() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(folder.path());
    let stranger = LoggedRequest {
        business: None,
        caller: None,
        operation: None,
        rule: None,
        ..entry(2, "").0
    };
    let all = [entry(1, "{\"a\":1}"), (stranger, Exchange::default())];
    log.append(&all, NO_LIMIT).expect("written");
    for one in all {
        let found = log.reader().by_id(one.0.request_id.clone()).await.expect("read");
        assert_eq!(found, Some(one));
    }
    assert_eq!(log.reader().by_id("3".to_owned()).await.expect("read"), None);
}

#[tokio::test]
async fn old_entries_are_forgotten_step_by_step_and_places_are_not_given_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(folder.path());
    let all: Vec<_> = (0..2_500).map(|number| entry(number, "x")).collect();
    log.append(&all, NO_LIMIT).expect("written");
    let steps: Vec<u64> = std::iter::repeat_with(|| log.forget(at(2_400)).expect("forgotten"))
        .take_while(|forgotten| *forgotten > 0)
        .collect();
    assert_eq!(steps, [1_000, 1_000, 400]);
    assert_eq!(numbers(log.reader()).await, (2_400..2_500).collect::<Vec<_>>());
    while log.forget(at(9_999)).expect("forgotten") > 0 {}
    log.append(&[entry(1, "x")], NO_LIMIT).expect("written");
    let found = log.reader().after(RequestFilter::default(), 2_500, 10).await;
    assert_eq!(
        found.expect("read").len(),
        1,
        "who follows the log does not miss it"
    );
}

#[tokio::test]
async fn the_oldest_make_room_and_the_file_stays_small() {
    const MAX: u64 = 2 * 1024 * 1024;
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(folder.path());
    let body = "x".repeat(8 * 1024);
    for batch in 0..20 {
        let all: Vec<_> = (0..100)
            .map(|number| entry(batch * 100 + number, &body))
            .collect();
        log.append(&all, MAX).expect("written");
    }
    let left = numbers(log.reader()).await;
    assert!(left.last() == Some(&1_999) && left.len() < 256, "{}", left.len());
    assert!(left.windows(2).all(|two| two[1] == two[0] + 1), "{left:?}");
    log.close();
    let size = std::fs::metadata(folder.path().join(FILE_NAME))
        .expect("a file")
        .len();
    assert!(size < 2 * MAX, "{size}");
}

#[tokio::test]
async fn what_cannot_be_read_is_begun_anew_and_what_is_there_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE_NAME);
    let reader = RequestLogReader::new(&path);
    assert_eq!(numbers(&reader).await, [0; 0], "no file is an empty log");
    let first = log(folder.path());
    first.append(&[entry(1, "x")], NO_LIMIT).expect("written");
    first.close();
    assert!(first.append(&[entry(2, "x")], NO_LIMIT).is_err(), "it is closed");
    log(folder.path()).close();
    assert_eq!(numbers(&reader).await, [1]);
    let of_another_version = rusqlite::Connection::open(&path).expect("the file");
    of_another_version
        .pragma_update(None, "user_version", 99)
        .expect("changed");
    drop(of_another_version);
    assert_eq!(
        numbers(&reader).await,
        [0; 0],
        "of another version nothing is read"
    );
    log(folder.path()).close();
    assert_eq!(numbers(&reader).await, [0; 0]);
    std::fs::write(&path, "no database").expect("broken");
    let anew = log(folder.path());
    anew.append(&[entry(5, "x")], NO_LIMIT).expect("written");
    assert_eq!(numbers(&reader).await, [5]);
}

#[tokio::test]
async fn calls_that_name_a_chat_go_with_what_was_said_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = log(folder.path());
    let of = |number: i64, target: &str, body: &str, business: i64| {
        let (request, exchange) = entry(number, body);
        let request = LoggedRequest {
            target: target.to_owned(),
            business: BusinessId::new(business).ok(),
            ..request
        };
        (request, exchange)
    };
    let entries = [
        of(1, "/v2/x?chatId=4711", "quokka", 1),
        of(
            2,
            "/v2/x",
            "{\"chats\":[{\"chatId\":4711,\"name\":\"quokka\"}]}",
            1,
        ),
        of(3, "/v2/x?chatId=4711", "of another business", 2),
        of(4, "/v2/x?chatId=47110", "of another chat", 1),
        of(5, "/v2/x?chatId=14711&y=4712", "of another chat", 1),
    ];
    log.append(&entries, NO_LIMIT).expect("written");
    assert_eq!(log.taken().expect("a place"), 0);
    let from = [TakenFrom {
        place: 7,
        at: at(1),
        business: BusinessId::new(1).expect("an id"),
        chat: ChatId::new(4711).expect("an id"),
    }];
    let mut after = 0;
    while let Some(looked) = log.forget_chats(&from, after).expect("a step") {
        after = looked;
    }
    log.keep_taken(7).expect("kept");
    assert_eq!(log.taken().expect("a place"), 7);
    assert_eq!(numbers(log.reader()).await, [3, 4, 5]);
    for file in std::fs::read_dir(folder.path()).expect("a folder") {
        let bytes = std::fs::read(file.expect("an entry").path()).expect("a file");
        assert!(
            !bytes.windows(6).any(|it| it == b"quokka"),
            "it is in the file still"
        );
    }
}
