//! What a file is, found from its first bytes: what its sender says of it is not believed.

const TEXT: &str = "text/plain; charset=utf-8";
const UNKNOWN: &str = "application/octet-stream";

/// The media type of a file that begins with `head`.
pub(super) fn of(head: &[u8]) -> &'static str {
    if let Some(found) = infer::get(head) {
        return found.mime_type();
    }
    if !head.is_empty() && is_text(head) {
        TEXT
    } else {
        UNKNOWN
    }
}

/// Whether it reads as UTF-8 without control characters; a last character may be cut off.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides() {
        for (head, expected) in [
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "image/png"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
            (b"%PDF-1.7\n", "application/pdf"),
            ("Добрый день".as_bytes(), TEXT),
            (&"Добрый день".as_bytes()[..5], TEXT),
            (b"MZ\x90\0\x03", "application/vnd.microsoft.portable-executable"),
            (b"\x00\x01\x02\x03", UNKNOWN),
            (b"", UNKNOWN),
        ] {
            assert_eq!(of(head), expected, "{head:?}");
        }
    }
}
