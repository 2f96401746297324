//! Secrets in what is recorded: keys and tokens by their form, the call's own ones by their value, anything by a name
//! that says so, and the signatures of links to files. Each becomes `***`.

use std::borrow::Cow;
use std::ops::Range;

use axum::http::{HeaderMap, HeaderName, header};
use percent_encoding::percent_decode_str;

/// What stands in a secret's place.
pub const MASK: &str = "***";

/// What comes before the secret part of a token that we make.
const TOKENS: [&str; 3] = ["y0_", "pop_", "whsec_"];
/// Shorter texts after these are no tokens, unless they are cut off.
const LEAST_TOKEN: usize = 16;
/// What comes before the secret part of a key, and how its colons may be written.
const KEY: &str = "ACMA";
const COLONS: [&str; 5] = [":", "%3A", "%3a", "\\u003a", "\\u003A"];
/// What comes before the signature of a link.
const SIGNATURE: &str = "signature";
const EQUALS: [&str; 5] = ["=", "%3D", "%3d", "\\u003d", "\\u003D"];
/// Pieces of the call's own secret that are shorter could stand for anything.
const LEAST_KNOWN: usize = 16;

/// Names that say that a secret follows, without `-` and `_`.
const SECRET_NAMES: [&str; 9] = [
    "token",
    "secret",
    "password",
    "passwd",
    "apikey",
    "authorization",
    "cookie",
    "credential",
    "signature",
];
/// The token of a page is no secret, and repeating a call needs it.
const PAGE_TOKEN: &str = "pagetoken";

/// The secrets that a call was made with, in pieces of letters and digits: however they are encoded elsewhere, these
/// stay as they are.
#[derive(Debug, Clone, Default)]
pub struct Known(Vec<String>);

impl Known {
    /// Those in the headers of a call.
    #[must_use]
    pub fn in_headers(headers: &HeaderMap) -> Self {
        let secret = headers.iter().filter(|(name, _)| is_secret(name.as_str()));
        let mut pieces = Vec::new();
        for (_, value) in secret {
            let text = String::from_utf8_lossy(value.as_bytes());
            let long = text
                .split(|c: char| !c.is_ascii_alphanumeric())
                .filter(|piece| piece.len() >= LEAST_KNOWN);
            pieces.extend(long.map(str::to_owned));
        }
        Self(pieces)
    }
}

/// A text without its secrets.
#[must_use]
pub fn text<'t>(text: &'t str, known: &Known) -> Cow<'t, str> {
    let mut secrets = Vec::new();
    for piece in &known.0 {
        secrets.extend(
            text.match_indices(piece.as_str())
                .map(|(at, it)| at..at + it.len()),
        );
    }
    find_tokens(text, &mut secrets);
    find_keys(text, &mut secrets);
    find_signatures(text, &mut secrets);
    find_named(text, &mut secrets);
    without(text, secrets)
}

/// Path and query without their secrets.
#[must_use]
pub fn target(target: &str, known: &Known) -> String {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let has_secret = |encoded: &str| {
        let decoded = percent_decode_str(encoded).decode_utf8_lossy();
        matches!(text(&decoded, known), Cow::Owned(_))
    };
    let segment = |segment| if has_secret(segment) { MASK } else { segment };
    let mut masked = path.split('/').map(segment).collect::<Vec<_>>().join("/");
    if let Some(query) = query {
        let pair = |pair: &str| match pair.split_once('=') {
            Some((name, _)) if has_secret(name) => format!("{MASK}={MASK}"),
            Some((name, value)) if is_secret_encoded(name) || has_secret(value) => format!("{name}={MASK}"),
            None if has_secret(pair) => MASK.to_owned(),
            _ => pair.to_owned(),
        };
        masked.push('?');
        masked += &query.split('&').map(pair).collect::<Vec<_>>().join("&");
    }
    text(&masked, known).into_owned()
}

/// A header's value without its secrets. Of credentials it is left how they are presented, since repeating a call needs
/// that.
#[must_use]
pub fn header(name: &HeaderName, value: &str, known: &Known) -> String {
    if *name == header::CONTENT_DISPOSITION {
        // Files are not kept, and so are their names not.
        return value.split(';').next().unwrap_or_default().to_owned();
    }
    if *name == header::AUTHORIZATION {
        let scheme = value.split(' ').next().unwrap_or_default();
        return match scheme.to_ascii_lowercase().as_str() {
            "bearer" => format!("Bearer {MASK}"),
            "oauth" => format!("OAuth oauth_token=\"{MASK}\""),
            "basic" => format!("Basic {MASK}"),
            _ => MASK.to_owned(),
        };
    }
    if is_secret(name.as_str()) {
        return MASK.to_owned();
    }
    text(value, known).into_owned()
}

/// Whether a name says that its value is a secret.
fn is_secret(name: &str) -> bool {
    let name: String = name
        .chars()
        .filter(|c| !matches!(c, '-' | '_'))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    SECRET_NAMES.iter().any(|secret| name.contains(secret)) && !name.contains(PAGE_TOKEN)
}

fn is_secret_encoded(name: &str) -> bool {
    is_secret(&percent_decode_str(name).decode_utf8_lossy())
}

/// The length of the beginning of `text` that is made of the characters and pieces given.
fn run(text: &str, is_part: impl Fn(u8) -> bool, pieces: &[&str]) -> usize {
    let bytes = text.as_bytes();
    let mut end = 0;
    while end < bytes.len() {
        let piece = pieces
            .iter()
            .find(|piece| bytes[end..].starts_with(piece.as_bytes()));
        end += match piece {
            Some(piece) => piece.len(),
            None if is_part(bytes[end]) => 1,
            None => break,
        };
    }
    end
}

const fn is_of_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

const fn is_of_token(byte: u8) -> bool {
    is_of_key(byte) || matches!(byte, b'+' | b'/' | b'=' | b'%' | b'\\')
}

fn find_tokens(text: &str, secrets: &mut Vec<Range<usize>>) {
    for prefix in TOKENS {
        for (at, _) in text.match_indices(prefix) {
            let start = at + prefix.len();
            let end = start + run(&text[start..], is_of_token, &[]);
            if end - start >= LEAST_TOKEN || end == text.len() {
                secrets.push(start..end);
            }
        }
    }
}

fn find_keys(text: &str, secrets: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices(KEY) {
        let after = &text[at + KEY.len()..];
        if let Some(colon) = COLONS.iter().find(|colon| after.starts_with(**colon)) {
            let start = at + KEY.len() + colon.len();
            secrets.push(start..start + run(&text[start..], is_of_key, &COLONS));
        }
    }
}

fn find_signatures(text: &str, secrets: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices(SIGNATURE) {
        let after = &text[at + SIGNATURE.len()..];
        if let Some(equals) = EQUALS.iter().find(|equals| after.starts_with(**equals)) {
            let start = at + SIGNATURE.len() + equals.len();
            secrets.push(start..start + run(&text[start..], is_of_key, &[]));
        }
    }
}

/// The strings that are named as secrets in JSON, which may be wrong or cut.
fn find_named(text: &str, secrets: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let skip_space = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        at
    };
    let mut at = 0;
    while let Some(quote) = bytes[at..].iter().position(|byte| *byte == b'"') {
        let start = at + quote + 1;
        let end = string_end(bytes, start);
        at = (end + 1).min(bytes.len());
        let colon = skip_space(at);
        if bytes.get(colon) != Some(&b':') || !is_secret(&text[start..end]) {
            continue;
        }
        let value = skip_space(colon + 1);
        if bytes.get(value) == Some(&b'"') {
            let end = string_end(bytes, value + 1);
            secrets.push(value + 1..end);
            at = (end + 1).min(bytes.len());
        }
    }
}

/// Where the string that begins at `start` ends: its quote, or the end of the text.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut end = start;
    while end < bytes.len() && bytes[end] != b'"' {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    end.min(bytes.len())
}

fn without(text: &str, mut secrets: Vec<Range<usize>>) -> Cow<'_, str> {
    // What is masked already stays as it is.
    secrets.retain(|secret| !secret.is_empty() && &text[secret.clone()] != MASK);
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    secrets.sort_by_key(|secret| secret.start);
    let mut masked = String::with_capacity(text.len());
    let mut done = 0;
    for secret in secrets {
        if secret.start >= done {
            masked += &text[done..secret.start];
            masked += MASK;
        }
        done = done.max(secret.end);
    }
    masked += &text[done..];
    Cow::Owned(masked)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secrets;

    fn shown(this: &str) -> String {
        text(this, &Known::default()).into_owned()
    }

    #[test]
    fn secrets_go_and_the_rest_stays() {
        for (given, expected) in [
            ("", ""),
            ("{\"message\":\"Добрый день\"}", "{\"message\":\"Добрый день\"}"),
            ("my key is ACMA:abc:12345678, so", "my key is ACMA:***, so"),
            ("{\"m\":\"ACMA\\u003aabc\"}", "{\"m\":\"ACMA\\u003a***\"}"),
            ("y0_0123456789abcdef.", "y0_***."),
            ("pop_art", "pop_***"),
            ("pop_art and y0_short are short", "pop_art and y0_short are short"),
            (
                "http://x/files/1/2?expires=5&signature=0a1b\"",
                "http://x/files/1/2?expires=5&signature=***\"",
            ),
            (
                "{\"clientSecret\" : \"a\\\"b\", \"n\": 1}",
                "{\"clientSecret\" : \"***\", \"n\": 1}",
            ),
            (
                "{\"apiKey\":{\"name\":\"crm\"}}",
                "{\"apiKey\":{\"name\":\"crm\"}}",
            ),
            ("{\"nextPageToken\":\"abc\"}", "{\"nextPageToken\":\"abc\"}"),
            ("{\"token\":\"cut o", "{\"token\":\"***"),
            ("{\"token\":\"cut\\", "{\"token\":\"***"),
            ("ACMA", "ACMA"),
        ] {
            assert_eq!(shown(given), expected, "{given}");
        }
    }

    #[test]
    fn addresses() {
        for (given, expected) in [
            ("/v2/businesses/1/chat?chatId=1", "/v2/businesses/1/chat?chatId=1"),
            ("/v2/chats?page_token=abc", "/v2/chats?page_token=abc"),
            (
                "/files/1/2?expires=5&signature=0a",
                "/files/1/2?expires=5&signature=***",
            ),
            ("/v2/x?api_key=1&a=2", "/v2/x?api_key=***&a=2"),
            ("/v2/x?a=ACMA%3Aabc", "/v2/x?a=***"),
            ("/v2/x?%41CMA:abc", "/v2/x?***"),
            ("/%41CMA:abc/y", "/***/y"),
            ("*", "*"),
        ] {
            assert_eq!(target(given, &Known::default()), expected, "{given}");
        }
    }

    #[test]
    fn headers_of_credentials() {
        for (name, given, expected) in [
            ("api-key", "ACMA:abc", "***"),
            ("authorization", "Bearer abc", "Bearer ***"),
            (
                "authorization",
                "OAuth oauth_token=\"a\"",
                "OAuth oauth_token=\"***\"",
            ),
            ("authorization", "abc", "***"),
            ("cookie", "session=abc", "***"),
            ("x-auth-token", "abc", "***"),
            ("idempotency-key", "order-7", "order-7"),
            (
                "content-disposition",
                "attachment; filename=\"passport.jpg\"",
                "attachment",
            ),
            ("user-agent", "crm/1 (ACMA:abc)", "crm/1 (ACMA:***)"),
        ] {
            let name: HeaderName = name.parse().expect("a name");
            assert_eq!(
                header(&name, given, &Known::default()),
                expected,
                "{name}: {given}"
            );
        }
    }

    fn secret() -> impl Strategy<Value = String> {
        (0..3_u8).prop_perturb(|kind, _| match kind {
            0 => secrets::new_api_key(),
            1 => secrets::new_oauth_token(),
            _ => secrets::new_operator_token(),
        })
    }

    /// Whether some of the random part of a secret can be read; its few first characters do not matter.
    fn leaks(text: &str, secret: &str) -> bool {
        let random = secret.trim_start_matches("ACMA:").trim_start_matches("pop_");
        let random = random.trim_start_matches("y0_").as_bytes();
        random[..40]
            .windows(8)
            .any(|part| text.contains(std::str::from_utf8(part).expect("ASCII")))
    }

    proptest! {
        #[test]
        fn no_secret_is_left_wherever_it_stands(
            before in ".{0,40}", secret in secret(), after in ".{0,40}", cut in 0..200_usize,
        ) {
            let none = Known::default();
            let plain = format!("{before}{secret}{after}");
            let json = serde_json::json!({"message": plain, &plain: [plain]}).to_string();
            let query: String = form_urlencoded::Serializer::new(String::new())
                .append_pair("a", &plain).append_pair(&plain, "b").finish();
            for given in [&plain, &json, &query] {
                // Bodies are cut, and then masked.
                let cut = &given[..given.floor_char_boundary(given.len().saturating_sub(cut))];
                for given in [given, cut] {
                    let masked = text(given, &none).into_owned();
                    prop_assert!(!leaks(&masked, &secret), "{masked}");
                    prop_assert_eq!(text(&masked, &none), &*masked, "once more changes nothing");
                }
            }
            let target = target(&format!("/v2/{query}?{query}"), &none);
            prop_assert!(!leaks(&target, &secret), "{target}");
            let name = HeaderName::from_static("user-agent");
            prop_assert!(!leaks(&header(&name, &plain, &none), &secret));
        }

        #[test]
        fn what_a_call_was_made_with_is_known_in_any_disguise(
            own in "[A-Za-z0-9]{16,60}", before in ".{0,20}", after in "[^A-Za-z0-9].{0,20}",
        ) {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, format!("Bearer {own}").parse().expect("a value"));
            let masked = text(&format!("{before}{own}{after}"), &Known::in_headers(&headers)).into_owned();
            prop_assert!(!masked.contains(&own), "{masked}");
        }

        #[test]
        fn ordinary_text_is_left_alone(given in "[a-zа-я0-9 .,!?:;/(){}\\[\\]-]{0,200}") {
            prop_assert!(matches!(text(&given, &Known::default()), Cow::Borrowed(_)));
        }
    }
}
