//! Cookies: reading one, setting one.

use axum::http::{HeaderMap, HeaderValue, header};

/// How long a choice is kept: a year.
const CHOICE_SECONDS: u32 = 365 * 24 * 3600;

/// The value of a cookie.
pub(super) fn find<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| {
            let (found, value) = pair.trim().split_once('=')?;
            (found == name).then_some(value)
        })
}

/// Keeps a session until the browser is closed; scripts do not see it, and other sites' requests do not carry it.
pub(super) fn session(name: &str, value: &str, secure: bool) -> HeaderValue {
    line(
        format!("{name}={value}; HttpOnly; SameSite=Lax; Path=/ui"),
        secure,
    )
}

/// Forgets a session.
pub(super) fn forget(name: &str, secure: bool) -> HeaderValue {
    line(
        format!("{name}=; HttpOnly; SameSite=Lax; Path=/ui; Max-Age=0"),
        secure,
    )
}

/// Keeps a choice.
pub(super) fn choice(name: &str, value: &str, secure: bool) -> HeaderValue {
    line(
        format!("{name}={value}; HttpOnly; SameSite=Lax; Path=/ui; Max-Age={CHOICE_SECONDS}"),
        secure,
    )
}

fn line(mut text: String, secure: bool) -> HeaderValue {
    if secure {
        text.push_str("; Secure");
    }
    // Names and values are ours: letters, digits and dashes.
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
