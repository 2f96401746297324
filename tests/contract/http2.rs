//! HTTP/2 in clear text, as proxies speak it that know beforehand that it is understood: the answers are those of
//! HTTP/1, and what bounds a connection there bounds each stream here.

use std::time::Duration;

use http::{HeaderName, Request, StatusCode};
use prilavok_server::settings::Settings;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::counter::Counter;

#[path = "../http2_client.rs"]
mod http2_client;
use http2_client::{Answer, Connection, more, read, within};

const CHAT: &str = "/v2/businesses/1/chat?chatId=1";

async fn connect(counter: &Counter) -> Connection {
    let stream = TcpStream::connect(counter.address).await.expect("connected");
    Connection::begin(stream).await
}

fn request(counter: &Counter, method: &str, path: &str) -> http::request::Builder {
    let url = format!("http://{}{path}", counter.address);
    Request::builder()
        .method(method)
        .uri(url)
        .header("api-key", &counter.keys.all)
}

async fn get(connection: &Connection, counter: &Counter, path: &str) -> Answer {
    let request = request(counter, "GET", path).body(String::new());
    connection.ask(request.expect("a request")).await
}

/// The value of a measure.
async fn measured(connection: &Connection, counter: &Counter, name: &str) -> String {
    let text = get(connection, counter, "/metrics").await.body;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name}: {text}"))
        .trim()
        .to_owned()
}

/// Waits until a measure has a value.
async fn wait_for(connection: &Connection, counter: &Counter, name: &str, value: &str) {
    let began = Instant::now();
    loop {
        let found = measured(connection, counter, name).await;
        if found == value {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{name} is {found}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn impatient(settings: &mut Settings) {
    settings.server.header_timeout_seconds = 1;
    settings.server.write_timeout_seconds = 1;
}

#[track_caller]
fn refused(answer: &Answer, status: u16, message: &str) {
    let json: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(answer.status.as_u16(), status, "{json}");
    assert_eq!(json["errors"][0]["message"], message, "{json}");
}

#[test]
fn the_answers_are_those_of_the_older_version() {
    let counter = Counter::open();
    counter.block_on(async {
        let connection = connect(&counter).await;
        for path in [
            CHAT,
            "/v2/businesses/2/chat?chatId=1",
            "/nowhere",
            "/v2/campaigns",
        ] {
            let older = reqwest::Client::new()
                .get(format!("http://{}{path}", counter.address))
                .header("api-key", &counter.keys.all)
                .send()
                .await
                .expect("an answer");
            let newer = get(&connection, &counter, path).await;
            assert_eq!(newer.status, older.status().as_u16(), "{path}");
            let names = |headers: &http::HeaderMap| {
                let of_message = |name: &&HeaderName| !matches!(name.as_str(), "connection");
                let mut names: Vec<_> = headers.keys().filter(of_message).cloned().collect();
                names.sort_by(|one, other| one.as_str().cmp(other.as_str()));
                names
            };
            assert_eq!(names(&newer.headers), names(older.headers()), "{path}");
            assert_eq!(newer.body, older.text().await.expect("text"), "{path}");
        }
        // A link begins with the address that the client itself used, which stands elsewhere here.
        let file = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--x--\r\n";
        let sent = request(&counter, "POST", "/v2/businesses/1/chats/file/send?chatId=1")
            .header("content-type", "multipart/form-data; boundary=x")
            .body(file.to_owned());
        assert_eq!(connection.ask(sent.expect("a request")).await.status, 200);
        let history = request(&counter, "POST", "/v2/businesses/1/chats/history?chatId=1").body("{}".to_owned());
        let history = connection.ask(history.expect("a request")).await;
        let json: Value = serde_json::from_str(&history.body).expect("JSON");
        let url = json["result"]["messages"][2]["payload"][0]["url"].as_str();
        let path = url.and_then(|url| url.strip_prefix(&format!("http://{}", counter.address)));
        let file = get(&connection, &counter, path.expect("this server")).await;
        assert_eq!((file.status, &*file.body), (StatusCode::OK, "hello"));
    });
}

#[test]
fn many_requests_are_answered_at_a_time() {
    let counter =
        Counter::with(|settings| settings.limits.parallel = prilavok_server::limits::Limit::Unlimited);
    counter.block_on(async {
        let connection = connect(&counter).await;
        // Now it knows how many the server takes at a time.
        assert_eq!(get(&connection, &counter, CHAT).await.status, 200);
        let all = (0..300).map(|_| get(&connection, &counter, CHAT));
        for answer in futures_util::future::join_all(all).await {
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    });
}

#[test]
fn heads_that_are_too_large_are_answered_in_the_envelope() {
    let counter = Counter::open();
    counter.block_on(async {
        let connection = connect(&counter).await;
        let long = "a".repeat(65_500);
        let answer = get(&connection, &counter, &format!("/v2/{long}")).await;
        refused(&answer, 400, "Illegal input at 'headers'");
        let with_long = request(&counter, "GET", CHAT)
            .header("x-long", &long)
            .body(String::new());
        let answer = connection.ask(with_long.expect("a request")).await;
        refused(&answer, 400, "Illegal input at 'headers'");
        assert_eq!(get(&connection, &counter, CHAT).await.status, 200);
    });
}

#[test]
fn each_request_stands_in_the_line() {
    let counter = Counter::with(|settings| settings.server.max_waiting = 0);
    counter.block_on(async {
        let connection = connect(&counter).await;
        for _ in 0..3 {
            let answer = get(&connection, &counter, CHAT).await;
            refused(
                &answer,
                503,
                "Service temporarily unavailable. Please, try again later",
            );
        }
        assert_eq!(get(&connection, &counter, "/healthz").await.status, 200);
        let shed = r#"prilavok_shed_total{waiting="requests"}"#;
        assert_eq!(measured(&connection, &counter, shed).await, "3");
    });
}

#[test]
fn a_stream_of_events_flows_and_ends_when_its_client_leaves_it() {
    const OPEN: &str = r#"prilavok_event_streams{surface="partner"}"#;
    let counter = Counter::open();
    counter.block_on(async {
        let connection = connect(&counter).await;
        let listening = request(&counter, "GET", "/v2/businesses/1/events").body(());
        let (answer, sending) = connection.send(listening.expect("a request"), true).await;
        let (head, mut body) = within(answer).await.expect("an answer").into_parts();
        assert_eq!(head.headers["content-type"], "text/event-stream");
        let opening = more(&mut body).await.expect("a part").expect("an opening");
        assert!(opening.starts_with("retry: "), "{opening}");
        let background = counter.app.start_background();
        let message = request(&counter, "POST", "/v2/businesses/1/chats/message?chatId=1");
        let message = message.body("{\"message\":\"x\"}".to_owned()).expect("a request");
        assert_eq!(connection.ask(message).await.status, 200);
        let event = more(&mut body).await.expect("a part").expect("an event");
        assert!(event.contains("event: CHAT_MESSAGE_SENT"), "{event}");
        wait_for(&connection, &counter, OPEN, "1").await;
        drop((body, sending));
        wait_for(&connection, &counter, OPEN, "0").await;
        drop(background);
    });
}

#[test]
fn a_connection_without_requests_ends() {
    let counter = Counter::with(impatient);
    counter.block_on(async {
        let began = Instant::now();
        // One that never says anything, one that only begins, and one that had its answer.
        let silent = TcpStream::connect(counter.address).await.expect("connected");
        let begun = connect(&counter).await;
        let used = connect(&counter).await;
        assert_eq!(get(&used, &counter, CHAT).await.status, 200);
        used.ended().await;
        begun.ended().await;
        let mut byte = [0];
        let read = within(tokio::io::AsyncReadExt::read(&mut { silent }, &mut byte)).await;
        assert_eq!(read.expect("an end"), 0);
        let took = began.elapsed();
        assert!(took >= Duration::from_secs(1), "{took:?}");
    });
}

#[test]
fn an_answer_that_is_not_read_is_given_up_and_others_go_on() {
    let counter = Counter::with(impatient);
    counter.block_on(async {
        let connection = connect(&counter).await;
        let content = "x".repeat(1 << 20);
        let form = format!(
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n{content}\r\n--x--\r\n"
        );
        let sent = reqwest::Client::new()
            .post(format!("http://{}/v2/businesses/1/chats/file/send?chatId=1", counter.address))
            .header("api-key", &counter.keys.all)
            .header("content-type", "multipart/form-data; boundary=x")
            .body(form);
        assert_eq!(sent.send().await.expect("an answer").status(), 200);
        let history = request(&counter, "POST", "/v2/businesses/1/chats/history?chatId=1").body("{}".to_owned());
        let history = connection.ask(history.expect("a request")).await;
        let json: Value = serde_json::from_str(&history.body).expect("JSON");
        let url = json["result"]["messages"][2]["payload"][0]["url"].as_str();
        let request = Request::get(url.expect("a link")).body(()).expect("a request");
        let (answer, _sending) = connection.send(request, true).await;
        let (_, mut body) = within(answer).await.expect("an answer").into_parts();
        let ended = loop {
            // The window is not made larger again.
            match within(body.data()).await {
                Some(Ok(_)) => assert_eq!(get(&connection, &counter, CHAT).await.status, 200),
                Some(Err(error)) => break error,
                None => panic!("all of it came"),
            }
        };
        assert_eq!(ended.reason(), Some(h2::Reason::CANCEL), "{ended}");
        assert_eq!(get(&connection, &counter, CHAT).await.status, 200);
    });
}

#[test]
fn a_client_that_takes_back_what_it_asks_for_is_sent_away() {
    let counter = Counter::open();
    counter.block_on(async {
        let connection = connect(&counter).await;
        let mut taken_back = 0;
        let began = Instant::now();
        while let Ok(mut ready) = connection.ready().await {
            // A body that never comes, so that no answer is ready before it is taken back.
            let message = request(&counter, "POST", "/v2/businesses/1/chats/message?chatId=1");
            let message = message.body(()).expect("a request");
            let (answer, mut sending) = ready.send_request(message, false).expect("sent");
            tokio::time::sleep(Duration::from_millis(2)).await;
            sending.send_reset(h2::Reason::CANCEL);
            drop(answer);
            taken_back += 1;
            assert!(began.elapsed() < Duration::from_secs(20), "it may go on for ever");
        }
        assert!(taken_back > 100, "{taken_back}: people leave pages, too");
        // Others are served.
        let other = connect(&counter).await;
        assert_eq!(get(&other, &counter, CHAT).await.status, 200);
    });
}

#[test]
fn what_is_sent_in_pieces_comes_together() {
    let counter = Counter::open();
    counter.block_on(async {
        let connection = connect(&counter).await;
        let message = request(&counter, "POST", "/v2/businesses/1/chats/message?chatId=1").body(());
        let (answer, mut sending) = connection.send(message.expect("a request"), false).await;
        for (piece, is_last) in [("{\"mess", false), ("age\":\"in ", false), ("pieces\"}", true)] {
            sending.send_data(piece.into(), is_last).expect("sent");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(within(read(answer)).await.body, "{\"status\":\"OK\"}");
    });
}
