//! The name of a file in a form, which clients write in two ways.

use axum::http::header;
use multer::Field;
use percent_encoding::percent_decode_str;
use prilavok_domain::FileName;

/// The name that the client gave the file: `filename*` (RFC 5987) counts before `filename`.
#[must_use]
pub fn of(field: &Field<'_>) -> FileName {
    let disposition = field.headers().get(header::CONTENT_DISPOSITION);
    match disposition.and_then(|value| extended(value.as_bytes())) {
        Some(name) => FileName::from_client(&name),
        None => FileName::from_client(&plain(field.file_name().unwrap_or_default())),
    }
}

/// The value of `filename`. Browsers, curl and most libraries write a quotation mark in it as `%22`, as
/// the HTML standard has it; that standard escapes no other character that a name can keep.
fn plain(name: &str) -> String {
    name.replace("%22", "\"")
}

/// The value of `filename*=UTF-8'language'percent-encoded`.
fn extended(disposition: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(disposition).ok()?;
    let value = parameters(text).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("filename*")
            .then(|| value.trim())
    })?;
    let mut parts = value.splitn(3, '\'');
    let charset = parts.next()?;
    let encoded = parts.nth(1)?;
    let name = charset
        .eq_ignore_ascii_case("UTF-8")
        .then(|| percent_decode_str(encoded).decode_utf8())?;
    name.ok().map(std::borrow::Cow::into_owned)
}

/// The parts between semicolons, but for semicolons in a quoted value: a name may have one.
fn parameters(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut before = ' ';
    text.split(move |c: char| {
        match c {
            '"' if quoted => quoted = before == '\\',
            '"' => quoted = before == '=',
            _ => {}
        }
        if !c.is_ascii_whitespace() {
            before = c;
        }
        c == ';' && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_file_names() {
        for (header, expected) in [
            (
                "form-data; name=\"file\"; filename*=UTF-8''%D1%84%D0%BE%D1%82%D0%BE.jpg",
                Some("фото.jpg"),
            ),
            (
                "form-data; filename=\"a\"; FileName*=utf-8'ru'a%20b.txt",
                Some("a b.txt"),
            ),
            ("form-data; filename=\"a.txt\"", None),
            ("form-data; filename*=ISO-8859-1''%E9.txt", None),
            ("form-data; filename*=UTF-8''%FF", None),
            ("form-data; filename*=plain", None),
            ("form-data; filename=\"a; filename*=UTF-8''b\"", None),
            ("form-data; filename=\"a\\\"; filename*=UTF-8''b\"", None),
            ("form-data; filename = \"a;b\"; filename*=UTF-8''c", Some("c")),
            ("form-data; filename=a\"b; filename*=UTF-8''c", Some("c")),
        ] {
            assert_eq!(extended(header.as_bytes()).as_deref(), expected, "{header}");
        }
    }
}
