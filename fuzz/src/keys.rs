//! Api-Keys, and the signatures of links to files.

use prilavok_domain::{BusinessId, FileId, Timestamp};
use prilavok_server::file_links::FileLinks;
use prilavok_server::secrets::{KeyError, check_api_key};

use crate::choose;

/// What must hold of any bytes.
pub fn check(data: &[u8]) {
    let Some((which, rest)) = choose(data, 4) else {
        return;
    };
    let text = String::from_utf8_lossy(rest);
    match which {
        0 => told_apart(&text),
        // Texts that come close.
        1 => told_apart(&format!("ACMA:{text}")),
        2 => made(rest),
        _ => link(rest, &text),
    }
}

fn told_apart(text: &str) {
    let expected = if !text.starts_with("ACMA:") {
        Err(KeyError::PrefixInvalid)
    } else if text.chars().count() != 54 {
        Err(KeyError::LengthInvalid)
    } else if is_key(text) {
        Ok(())
    } else {
        Err(KeyError::FormatInvalid)
    };
    assert_eq!(check_api_key(text), expected, "{text}");
}

/// The form of a key, read off the contract.
fn is_key(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 54
        && bytes[5..45].iter().all(u8::is_ascii_alphanumeric)
        && bytes[45] == b':'
        && bytes[46..].iter().all(u8::is_ascii_hexdigit)
        && text[46..].to_ascii_lowercase() == format!("{:08x}", crc32fast::hash(&bytes[..45]))
}

/// A key made of the data is one, and none any more with one character changed, or with its check sum written in
/// another way.
fn made(data: &[u8]) {
    let random: String = (0..40)
        .map(|at| {
            let byte = data.get(at).copied().unwrap_or(b'0');
            if byte.is_ascii_alphanumeric() {
                char::from(byte)
            } else {
                char::from(b'a' + byte % 26)
            }
        })
        .collect();
    let body = format!("ACMA:{random}");
    let sum = crc32fast::hash(body.as_bytes());
    let key = format!("{body}:{sum:08x}");
    assert_eq!(check_api_key(&key), Ok(()), "{key}");
    let ([.., at, to], mut bytes) = (data, key.clone().into_bytes()) else {
        return;
    };
    let at = usize::from(*at) % bytes.len();
    bytes[at] = to % 128;
    if !bytes.eq_ignore_ascii_case(key.as_bytes()) || (at < 45 && bytes != key.as_bytes()) {
        let changed = String::from_utf8(bytes).expect("ASCII");
        assert!(check_api_key(&changed).is_err(), "{changed} passes for {key}");
    }
    told_apart(&format!("{body}:{sum:>+8x}"));
    told_apart(&format!("{body}:{sum:>8x}"));
}

/// Only the link that was made opens, and only until it ends.
fn link(data: &[u8], text: &str) {
    let number = |at: usize| i64::from(data.get(at).copied().unwrap_or(0));
    let (business, file) = (
        BusinessId::new(1 + number(0)).expect("in range"),
        FileId::new(1 + number(1)).expect("in range"),
    );
    let links = FileLinks::new(&[7; 32], 60);
    let now = Timestamp::from_millis(number(2) * 1_000 + number(3)).expect("in range");
    let url = links.url("https://chat.example", business, file, now);
    let (_, query) = url.split_once('?').expect("a query");
    let parts: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let [(_, expires), (_, signature)] = &parts[..] else {
        panic!("{url}")
    };
    let expires: i64 = expires.parse().expect("a number");
    let verify =
        |expires, signature: &str, now| links.verify(business, file, expires, signature, now).is_ok();
    assert!(verify(expires, signature, now), "{url}");
    assert!(
        !verify(expires, signature, now.plus_millis(61_000)),
        "{url} never ends"
    );
    assert!(!verify(expires + 1, signature, now), "{url} can be prolonged");
    if !text.eq_ignore_ascii_case(signature) {
        assert!(!verify(expires, text, now), "{text} passes for {signature}");
    }
    let [.., at, to] = data else { return };
    let mut bytes = signature.clone().into_bytes();
    let at = usize::from(*at) % bytes.len();
    bytes[at] = to % 128;
    if !bytes.eq_ignore_ascii_case(signature.as_bytes()) {
        let changed = String::from_utf8(bytes).expect("ASCII");
        assert!(
            !verify(expires, &changed, now),
            "{changed} passes for {signature}"
        );
    }
}
