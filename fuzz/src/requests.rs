//! Whole requests to the Partner API: addresses, headers, bodies.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request};

use crate::shop::{self, Answer};

/// The data is read like a request: a line with method and address, headers, an empty line, the body. `@` as a
/// header's value stands for a good key, `~` for one that may only read.
pub fn check(data: &[u8]) {
    let (head, body) = match data.windows(2).position(|two| two == b"\n\n") {
        Some(end) => (&data[..end], &data[end + 2..]),
        None => (data, &data[..0]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let Some((method, uri)) = lines.next().and_then(|line| {
        let space = line.iter().position(|byte| *byte == b' ')?;
        let method = Method::from_bytes(&line[..space]).ok()?;
        Some((method, std::str::from_utf8(&line[space + 1..]).ok()?))
    }) else {
        return;
    };
    let Ok(mut request) = Request::builder()
        .method(method)
        .uri(uri)
        .body(Body::from(body.to_vec()))
    else {
        return;
    };
    if others(request.uri().path()) {
        return;
    }
    shop::with(|shop| {
        for line in lines {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else {
                continue;
            };
            let value = match line[colon + 1..].trim_ascii() {
                b"@" => shop.keys.seller.as_bytes(),
                b"~" => shop.keys.reader.as_bytes(),
                value => value,
            };
            if let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(line[..colon].trim_ascii()),
                HeaderValue::from_bytes(value),
            ) {
                request.headers_mut().append(name, value);
            }
        }
        let head = request.method() == Method::HEAD;
        answered(&shop.answer(request), head);
    });
}

/// Addresses of other surfaces.
fn others(path: &str) -> bool {
    path == "/"
        || [
            "/operator",
            "/docs",
            "/metrics",
            "/healthz",
            "/readyz",
            "/openapi.json",
        ]
        .iter()
        .any(|other| path.starts_with(other))
}

fn answered(answer: &Answer, head: bool) {
    match answer.status.as_u16() {
        200 if answer.content_type == "application/json" && !head => {
            let json = answer.json();
            assert!(json.is_object() && json.get("errors").is_none(), "{json}");
        }
        // A stream, or a file.
        200 | 204 => {}
        400 | 401 | 403 | 404 | 405 | 415 => {
            if !head {
                answer.partner_refusal();
            }
        }
        _ => panic!("{answer:?}"),
    }
}
