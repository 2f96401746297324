//! Requests that no client should send, drawn at random: each gets a 4xx in the envelope, none a 5xx, a
//! hang or an effect.

use std::time::{Duration, Instant};

use crate::counter::Counter;

const REQUESTS: usize = 1_000;
/// Slower than this is a hang: every request is sent whole.
const PATIENCE: Duration = Duration::from_secs(5);

const PATHS: [&str; 8] = [
    "/v2/businesses/1/chat",
    "/v2/businesses/1/chats",
    "/v2/businesses/1/chats/history",
    "/v2/businesses/1/chats/message",
    "/v2/businesses/1/chats/new",
    "/v2/businesses/1/chats/file/send",
    "/v2/campaigns/1",
    "/v2/auth/token",
];

const QUERIES: [&str; 14] = [
    "chatId=",
    "chatId=abc",
    "chatId=-1",
    "chatId=99999999999999999999999999",
    "chatId=1e3",
    "chatId=1.5",
    "chatId=0x1",
    "chatId=%FF%FE",
    "chatId=%",
    "chatId=0&chatId=1",
    "chatId=4000000&messageId=4000000&limit=5",
    "limit=99999&chatId=nine",
    "pageToken=%00%01&limit=0",
    "chatId=1%00",
];

const CONTENT_TYPES: [&str; 7] = [
    "application/json",
    "application/json; charset=utf-8",
    "text/xml",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "\u{fffd}",
    "",
];

fn body(random: &mut fastrand::Rng) -> Vec<u8> {
    match random.u8(0..12) {
        0 => Vec::new(),
        1 => b"{".to_vec(),
        2 => "[".repeat(random.usize(1..20_000)).into_bytes(),
        3 => format!("{{\"message\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000)).into_bytes(),
        4 => b"{\"message\":\"\xff\xfe\xc3\x28\"}".to_vec(),
        5 => format!("{{\"messageIdFrom\":{}}}", "9".repeat(random.usize(20..4_000))).into_bytes(),
        6 => b"{\"contexts\":[null,{\"type\":5}],\"types\":\"CHAT\",\"statuses\":[]}".to_vec(),
        7 => b"\xff\xfe{\0\"\0m\0\"\0".to_vec(),
        8 => b"{\"message\":\"\\ud800\"}".to_vec(),
        9 => b"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nno end".to_vec(),
        10 => format!("{{\"message\":\"{}\"}}", "a".repeat(600_000)).into_bytes(),
        _ => {
            let length = random.usize(1..4_000);
            std::iter::repeat_with(|| random.u8(..)).take(length).collect()
        }
    }
}

/// A request whose head is right HTTP and whose rest is not what anybody asked for.
fn request(random: &mut fastrand::Rng, key: &str) -> Vec<u8> {
    let path = PATHS[random.usize(..PATHS.len())];
    let query = QUERIES[random.usize(..QUERIES.len())];
    let method = ["GET", "POST", "PUT", "DELETE", "PATCH", "BREW"][random.usize(..6)];
    let content_type = CONTENT_TYPES[random.usize(..CONTENT_TYPES.len())];
    let key = if random.u8(..8) == 0 { "ACMA:x" } else { key };
    let body = body(random);
    let mut request =
        format!("{method} {path}?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nApi-Key: {key}\r\n");
    if !content_type.is_empty() {
        request.push_str(&format!("Content-Type: {content_type}\r\n"));
    }
    let mut request = match random.u8(..4) {
        // A chunked body that says it ends, though with a chunk that is not what it says.
        0 => format!("{request}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len()).into_bytes(),
        _ => format!("{request}Content-Length: {}\r\n\r\n", body.len()).into_bytes(),
    };
    let chunked = request.ends_with(b"\r\n") && !request.ends_with(b"\r\n\r\n");
    request.extend_from_slice(&body);
    if chunked {
        request.extend_from_slice(b"\r\n0\r\n\r\n");
    }
    request
}

#[test]
fn a_thousand_malformed_requests_change_nothing() {
    let counter =
        Counter::with(|settings| settings.limits = prilavok_server::limits::LimitSettings::lifted());
    let state = || {
        counter
            .post("/v2/businesses/1/chats?limit=20", "{}")
            .succeeded()
            .body
    };
    let history = || {
        counter
            .post("/v2/businesses/1/chats/history?chatId=1", "{}")
            .succeeded()
            .body
    };
    let (chats_before, history_before) = (state(), history());
    let mut random = fastrand::Rng::with_seed(20_261_124);
    let mut refused = 0;
    for number in 0..REQUESTS {
        let request = request(&mut random, &counter.keys.all);
        let head = String::from_utf8_lossy(&request[..request.len().min(300)]).into_owned();
        let started = Instant::now();
        let answer = counter.raw(&request);
        assert!(started.elapsed() < PATIENCE, "request {number} hung: {head}");
        let (answer_head, answer_body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status: u16 = answer_head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap_or(0);
        // Operations without parameters or body have nothing that could be wrong with them.
        let harmless = status == 200 && answer_body.starts_with("{\"");
        assert!(
            (400..500).contains(&status) || harmless,
            "request {number}: {answer}\n{head}"
        );
        if status != 200 {
            refused += 1;
            let body: serde_json::Value = serde_json::from_str(answer_body)
                .unwrap_or_else(|error| panic!("request {number}: {error}: {answer}\n{head}"));
            assert_eq!(body["status"], "ERROR", "request {number}");
        }
    }
    assert!(refused > REQUESTS / 2, "only {refused} were refused");
    assert_eq!(
        (state(), history()),
        (chats_before, history_before),
        "nothing was lost or written"
    );
}
