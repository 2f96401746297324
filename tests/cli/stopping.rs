//! SIGTERM and SIGINT: what runs may finish, and nothing new begins.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::binary::{Server, new_key};

/// A message whose body is still to come.
struct Begun {
    stream: TcpStream,
    rest: String,
}

impl Begun {
    fn new(server: &Server, key: &str, chat: i64, text: &str) -> Self {
        let address = server.address.trim_start_matches("http://");
        let body = format!("{{\"message\":\"{text}\"}}");
        let (first, rest) = body.split_at(5);
        let head = format!(
            "POST /v2/businesses/1/chats/message?chatId={chat} HTTP/1.1\r\nHost: {address}\r\nApi-Key: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{first}",
            body.len()
        );
        let mut stream = TcpStream::connect(address).expect("connected");
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).expect("a socket");
        stream.write_all(head.as_bytes()).expect("sent");
        Self {
            stream,
            rest: rest.to_owned(),
        }
    }

    fn finish(mut self) -> String {
        self.stream.write_all(self.rest.as_bytes()).expect("sent");
        let mut answer = String::new();
        self.stream
            .read_to_string(&mut answer)
            .expect("an answer, then the end");
        answer
    }
}

/// Waits until so many connections are open.
fn wait_for_connections(server: &Server, wanted: &str) {
    let began = Instant::now();
    loop {
        let text = server
            .get("/metrics")
            .send()
            .expect("an answer")
            .text()
            .expect("text");
        if text
            .lines()
            .any(|line| line == format!("prilavok_connections {wanted}"))
        {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{text}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_runs_is_finished_and_nothing_new_begins() {
    for signal in ["TERM", "INT"] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut server = Server::start(folder.path());
        let (token, chat) = server.set_up();
        let key = new_key(folder.path(), "crm", "communication");
        let begun = Begun::new(&server, &key, chat, "the last word");
        // The begun one, and the one that asks.
        wait_for_connections(&server, "2");
        let address: SocketAddr = server
            .address
            .trim_start_matches("http://")
            .parse()
            .expect("an address");
        server.signal(signal);
        server.logged(|line| {
            line["message"]
                .as_str()
                .is_some_and(|text| text.starts_with("stopping"))
        });
        let began = Instant::now();
        while TcpStream::connect(address).is_ok() {
            assert!(began.elapsed() < Duration::from_secs(5), "it goes on listening");
        }
        let answer = begun.finish();
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with("{\"status\":\"OK\"}"),
            "{answer}"
        );
        assert!(server.ended().success());

        let server = Server::start(folder.path());
        let messages = server.get(&format!("/operator/v1/businesses/1/chats/{chat}/messages"));
        let answer = messages.bearer_auth(&token).send().expect("an answer");
        let page: Value = answer.json().expect("JSON");
        assert_eq!(page["items"][0]["message"], "the last word", "{page}");
    }
}

#[test]
fn what_takes_too_long_is_cut_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::with(folder.path(), &[], &[("PRILAVOK_SERVER__SHUTDOWN_SECONDS", "1")]);
    let (_, chat) = server.set_up();
    let key = new_key(folder.path(), "crm", "communication");
    let begun = Begun::new(&server, &key, chat, "never finished");
    wait_for_connections(&server, "2");
    let stopped = Instant::now();
    server.signal("TERM");
    assert!(server.ended().success());
    let took = stopped.elapsed();
    assert!(
        (Duration::from_secs(1)..Duration::from_secs(6)).contains(&took),
        "{took:?}"
    );
    let mut answer = Vec::new();
    let mut stream = begun.stream;
    // Whether the end comes as such or as a reset is the system's affair.
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    let (_, lines) = (String::new(), server.logged(|line| line["level"] == "WARN"));
    assert!(
        lines["message"]
            .as_str()
            .is_some_and(|text| text.contains("cut off")),
        "{lines}"
    );
}

#[test]
fn hourly_counts_survive_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut key = String::new();
    let mut remaining = Vec::new();
    for start in 0..2 {
        let server = Server::start(folder.path());
        if start == 0 {
            server.set_up();
            key = new_key(folder.path(), "crm", "communication");
        }
        let request = server
            .get("/v2/businesses/1/chat?chatId=1")
            .header("Api-Key", &key);
        let answer = request.send().expect("an answer");
        let header = |name: &str| answer.headers()[name].to_str().expect("ASCII").to_owned();
        remaining.push((
            header("x-ratelimit-resource-until"),
            header("x-ratelimit-resource-remaining"),
        ));
        server.stop();
    }
    let same_hour = remaining[0].0 == remaining[1].0;
    let expected = if same_hour { "998" } else { "999" };
    assert_eq!((&*remaining[0].1, &*remaining[1].1), ("999", expected));
}
