//! Bytes on a connection: heads that are HTTP and such that are not, one after the other.

use serde_json::Value;

use crate::shop;

/// The first byte says in how large pieces the rest arrives.
pub fn check(data: &[u8]) {
    let Some((piece, bytes)) = data.split_first() else {
        return;
    };
    shop::with(|shop| {
        let answer = shop.connection(bytes, usize::from(*piece).max(1));
        // An answer to HEAD has the length of a body, and no body.
        let exact = !bytes.windows(4).any(|word| word == b"HEAD");
        let mut rest = &answer[..];
        while !rest.is_empty() {
            rest = one_answer(rest, exact);
            if !exact {
                return;
            }
        }
    });
}

/// Checks one answer and leaves what comes after it.
fn one_answer(bytes: &[u8], exact: bool) -> &[u8] {
    let shown = || String::from_utf8_lossy(bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no head: {}", shown()));
    let head = std::str::from_utf8(&bytes[..end])
        .expect("a head in ASCII")
        .to_ascii_lowercase();
    let mut rest = &bytes[end + 4..];
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let status = first
        .strip_prefix("http/1.1 ")
        .or_else(|| first.strip_prefix("http/1.0 "));
    let status: u16 = status
        .and_then(|it| it.get(..3)?.parse().ok())
        .unwrap_or_else(|| panic!("no status: {}", shown()));
    assert!((100..500).contains(&status), "{}", shown());
    if !exact || status == 100 {
        return rest;
    }
    let field = |name: &str| {
        lines
            .clone()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    let body = if let Some(length) = field("content-length") {
        let (body, after) = rest
            .split_at_checked(length.parse().expect("a length"))
            .unwrap_or_else(|| {
                panic!("cut off: {}", shown());
            });
        rest = after;
        body
    } else if status == 204 {
        &[]
    } else {
        // A stream ends with its connection.
        std::mem::take(&mut rest)
    };
    if field("content-type") == Some("application/json") && status >= 400 {
        let json: Value = serde_json::from_slice(body).expect("JSON");
        assert!(
            json["status"] == "ERROR" || json["error"]["message"].is_string(),
            "{json}"
        );
    } else {
        assert!(status < 400 || status == 405, "{}", shown());
    }
    rest
}
