//! Names of files, as clients write them in forms.

use std::convert::Infallible;

use futures_util::{FutureExt, stream};
use multer::Multipart;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use prilavok_domain::FileName;
use prilavok_server::form_file_name;

use crate::choose;

/// What must hold of any bytes.
pub fn check(data: &[u8]) {
    let Some((which, rest)) = choose(data, 3) else {
        return;
    };
    match which {
        0 => kept(&String::from_utf8_lossy(rest)),
        1 => {
            let mut header = b"form-data; name=\"file\"; ".to_vec();
            header.extend(rest.iter().filter(|byte| !matches!(byte, b'\r' | b'\n')));
            if let Some(name) = read(&header) {
                within_rules(&name);
            }
        }
        _ => round_trip(&FileName::from_client(&String::from_utf8_lossy(rest))),
    }
}

/// What is kept of a name is within the rules, and what is within the rules is kept.
fn kept(given: &str) {
    let name = FileName::from_client(given);
    within_rules(&name);
    assert_eq!(FileName::from_client(name.as_str()), name, "{given:?}");
    assert_eq!(
        FileName::from_client(&format!("C:\\x/{}", name.as_str())),
        name,
        "{given:?}"
    );
}

fn within_rules(name: &FileName) {
    let text = name.as_str();
    assert!((1..=255).contains(&text.chars().count()), "{text:?}");
    assert!(
        !text.contains(['/', '\\']) && !text.chars().any(char::is_control),
        "{text:?}"
    );
    assert!(!text.chars().all(|c| c == '.') && text.trim() == text, "{text:?}");
    let turning = |c| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    assert!(!text.contains(turning), "{text:?}");
}

/// However a client writes a name, it is read as it was.
fn round_trip(name: &FileName) {
    let text = name.as_str();
    let exact = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let extended = format!("form-data; name=\"file\"; filename*=UTF-8''{exact}");
    assert_eq!(read(extended.as_bytes()).as_ref(), Some(name), "{extended}");
    let both = format!("form-data; name=\"file\"; filename=\"a.txt\"; filename*=utf-8'en'{exact}");
    assert_eq!(read(both.as_bytes()).as_ref(), Some(name), "{both}");
    // Browsers do not say whether it was they who wrote `%22`.
    if !text.contains("%22") {
        let plain = format!(
            "form-data; name=\"file\"; filename=\"{}\"",
            text.replace('"', "%22")
        );
        assert_eq!(read(plain.as_bytes()).as_ref(), Some(name), "{plain}");
    }
}

/// The name that a part with this `Content-Disposition` has; `None` where it is no part.
fn read(disposition: &[u8]) -> Option<FileName> {
    let mut form = b"--b\r\nContent-Disposition: ".to_vec();
    form.extend(disposition);
    form.extend(b"\r\n\r\nx\r\n--b--\r\n");
    let content = stream::iter([Ok::<_, Infallible>(form)]);
    let mut form = Multipart::new(content, "b");
    // All of it is there: nothing is waited for.
    let field = form.next_field().now_or_never().expect("ready").ok()??;
    Some(form_file_name::of(&field))
}
