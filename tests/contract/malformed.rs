//! Requests that no client should send, drawn at random: each gets a 4xx in the envelope, none a 5xx, a
//! hang or an effect.

use std::time::{Duration, Instant};

use crate::counter::Counter;

const REQUESTS: usize = 1_000;
/// Slower than this is a hang: every request is sent whole.
const PATIENCE: Duration = Duration::from_secs(5);

/// Operations that read parameters or a body, so that these can be wrong.
const ADDRESSES: [(&str, &str); 7] = [
    ("GET", "/v2/businesses/1/chat"),
    ("POST", "/v2/businesses/1/chats"),
    ("POST", "/v2/businesses/1/chats/history"),
    ("GET", "/businesses/1/chats/message.json"),
    ("POST", "/v2/businesses/1/chats/message"),
    ("POST", "/v2/businesses/1/chats/new"),
    ("POST", "/v2/businesses/1/chats/file/send"),
];

/// Each is wrong for every operation that has the parameter.
const QUERIES: [&str; 16] = [
    "chatId=&limit=-0x1",
    "chatId=abc&limit=abc",
    "chatId=-1&limit=-1",
    "chatId=99999999999999999999999999&limit=99999999999999999999999999",
    "chatId=1e3&limit=1e1",
    "chatId=1.5&limit=1.5",
    "chatId=0x1&limit=0x1",
    "chatId=%FF%FE&limit=%FF",
    "chatId=%&limit=%",
    "chatId=0&chatId=1&limit=0&limit=1",
    "chatId=4000000&messageId=4000000&limit=2147483648",
    "limit=99999&chatId=nine",
    "pageToken=%00%01&limit=0&chatId[]=1",
    "chatId=1%00&limit=1%00",
    "chatId=one&chatId=1&limit=x&messageId=x&messageId=1",
    "pageToken=AAAA&page_token=BBBB&chatId=+",
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

/// A body that no operation takes.
fn body(random: &mut fastrand::Rng) -> Vec<u8> {
    match random.u8(0..14) {
        0 => Vec::new(),
        1 => b"{".to_vec(),
        2 => "[".repeat(random.usize(1..20_000)).into_bytes(),
        3 => format!("{{\"message\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000)).into_bytes(),
        4 => b"{\"message\":\"\xff\xfe\xc3\x28\"}".to_vec(),
        5 => {
            let huge = "9".repeat(random.usize(20..4_000));
            format!("{{\"messageIdFrom\":{huge},\"orderIds\":[{huge}],\"orderId\":{huge}}}").into_bytes()
        }
        6 => b"{\"contexts\":[null,{\"type\":5}],\"messageIdFrom\":[],\"statuses\":[]}".to_vec(),
        7 => b"\xff\xfe{\0\"\0m\0\"\0".to_vec(),
        8 => b"{\"message\":\"\\ud800\"}".to_vec(),
        9 => b"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nno end".to_vec(),
        10 => format!("{{\"message\":\"{}\"}}", "a".repeat(600_000)).into_bytes(),
        // Of a repeated field the last one counts, and it is wrong.
        11 => b"{\"types\":[\"CHAT\"],\"types\":5,\"messageIdFrom\":1,\"messageIdFrom\":{}}".to_vec(),
        12 => "{\"message\":\"привет\"}"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect(),
        _ => {
            let length = random.usize(1..4_000);
            // Nothing that begins so is JSON or a form.
            let mut bytes = vec![0x80];
            bytes.extend(std::iter::repeat_with(|| random.u8(..)).take(length));
            bytes
        }
    }
}

/// A request whose head is right HTTP and whose rest is wrong in one way at least.
fn request(random: &mut fastrand::Rng, key: &str) -> Vec<u8> {
    let (method, path) = ADDRESSES[random.usize(..ADDRESSES.len())];
    let method = match random.u8(..8) {
        0 => ["PUT", "DELETE", "PATCH", "BREW"][random.usize(..4)],
        _ => method,
    };
    // With a right query, only a body can be wrong.
    let query = match (method, random.bool()) {
        ("POST", true) => "chatId=1",
        _ => QUERIES[random.usize(..QUERIES.len())],
    };
    let content_type = CONTENT_TYPES[random.usize(..CONTENT_TYPES.len())];
    let key = if random.u8(..8) == 0 { "ACMA:x" } else { key };
    let body = body(random);
    let mut request =
        format!("{method} {path}?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nApi-Key: {key}\r\n");
    if !content_type.is_empty() {
        request.push_str(&format!("Content-Type: {content_type}\r\n"));
    }
    if random.u8(..4) == 0 {
        // A chunked body that says it ends, though with a chunk that may not be what it says.
        let size = if random.bool() {
            format!("{:x}", body.len())
        } else {
            "xyz".to_owned()
        };
        let head = format!("{request}Transfer-Encoding: chunked\r\n\r\n{size}\r\n");
        [head.as_bytes(), &body, b"\r\n0\r\n\r\n"].concat()
    } else {
        let head = format!("{request}Content-Length: {}\r\n\r\n", body.len());
        [head.as_bytes(), &body].concat()
    }
}

/// Bytes that are hardly HTTP: a request with something in its head overwritten, cut out or put in.
fn broken_http(random: &mut fastrand::Rng, key: &str) -> Vec<u8> {
    let lines = [
        "GET /v2/campaigns\r\nHost: x",
        "GET /v2/campaigns HTTP/7.3\r\nHost: x",
        "GET /v2/ campaigns HTTP/1.1\r\nHost: x",
        "GET /v2/<campaigns> HTTP/1.1\r\nHost: x",
        "G\u{0}T /v2/campaigns HTTP/1.1\r\nHost: x",
        "GET /v2/campaigns HTTP/1.1\r\nHost x",
        "GET /v2/campaigns HTTP/1.1\r\n: x",
        "GET /v2/campaigns HTTP/1.1\r\nHost : x",
        "GET /v2/campaigns HTTP/1.1\r\nX: a\u{1}b",
        "GET /v2/campaigns HTTP/1.1\r\nX: a\r\n b",
        "POST /v2/auth/token HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2",
        "POST /v2/auth/token HTTP/1.1\r\nContent-Length: -1",
        "POST /v2/auth/token HTTP/1.1\r\nContent-Length: 99999999999999999999999",
        "POST /v2/auth/token HTTP/1.1\r\nTransfer-Encoding: deflate",
        "POST /v2/auth/token HTTP/1.0\r\nTransfer-Encoding: chunked",
    ];
    let line = lines[random.usize(..lines.len())];
    let mut bytes = format!("{line}\r\nApi-Key: {key}\r\nConnection: close\r\n").into_bytes();
    if random.u8(..4) == 0 {
        bytes.extend_from_slice("X: y\r\n".repeat(random.usize(100..3_000)).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    let rest = random.usize(..2_000);
    bytes.extend(std::iter::repeat_with(|| random.u8(..)).take(rest));
    bytes
}

#[test]
fn a_thousand_malformed_requests_change_nothing() {
    let counter =
        Counter::with(|settings| settings.limits = prilavok_server::limits::LimitSettings::lifted());
    let state = || {
        let chats = counter
            .post("/v2/businesses/1/chats?limit=20", "{}")
            .succeeded()
            .body;
        let history = (1..=4).map(|chat| {
            let path = format!("/v2/businesses/1/chats/history?chatId={chat}&limit=100");
            counter.post(&path, "{}").succeeded().body
        });
        (chats, history.collect::<Vec<_>>(), counter.stored_files())
    };
    let before = state();
    let mut random = fastrand::Rng::with_seed(20_261_124);
    for number in 0..REQUESTS {
        let request = match number % 4 {
            0 => broken_http(&mut random, &counter.keys.all),
            _ => request(&mut random, &counter.keys.all),
        };
        let head = String::from_utf8_lossy(&request[..request.len().min(300)]).into_owned();
        let started = Instant::now();
        let answer = counter.raw(&request);
        assert!(started.elapsed() < PATIENCE, "request {number} hung: {head}");
        let (answer_head, answer_body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = answer_head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse::<u16>().ok());
        assert!(
            status.is_some_and(|status| (400..500).contains(&status)),
            "request {number}: {answer}\n{head}"
        );
        let body: serde_json::Value = serde_json::from_str(answer_body)
            .unwrap_or_else(|error| panic!("request {number}: {error}: {answer}\n{head}"));
        assert_eq!(body["status"], "ERROR", "request {number}");
        assert!(
            body["errors"].as_array().is_some_and(|errors| !errors.is_empty()),
            "request {number}: {answer}"
        );
    }
    assert_eq!(state(), before, "nothing was lost or written");
}
