//! A recorded call as a command that repeats it.

use prilavok_store::requests::{LoggedMessage, LoggedRequest};

use super::mask::MASK;
use crate::settings::Settings;

/// The variable that stands for the key in the command.
const KEY: &str = "$PRILAVOK_KEY";

/// Headers that curl makes itself, or that belong to the connection; and the id, since the repeated call is another.
const LEFT_OUT: [&str; 11] = [
    "host",
    "content-length",
    "connection",
    "transfer-encoding",
    "expect",
    "accept-encoding",
    "user-agent",
    "cookie",
    "te",
    "upgrade",
    "x-request-id",
];

/// The command, for a POSIX shell. It goes to the public address that is set; where there is none, to the call's own Host.
#[must_use]
pub fn command(request: &LoggedRequest, message: &LoggedMessage, settings: &Settings) -> String {
    let host = message
        .headers
        .iter()
        .find(|(name, _)| name == "host")
        .map(|(_, value)| format!("{}://{value}", settings.server.scheme()));
    let base = settings.public_url.clone().or(host);
    let url = format!("{}{}", base.unwrap_or_default(), request.target);
    let mut curl = "curl".to_owned();
    if url.contains(['[', ']', '{', '}']) {
        curl += " --globoff";
    }
    if url.contains("/.") {
        curl += " --path-as-is";
    }
    let mut lines = vec![match request.method.as_str() {
        "HEAD" => format!("{curl} -I {}", quoted(&url)),
        method => format!("{curl} -X {} {}", quoted(method), quoted(&url)),
    }];
    let mut notes = String::new();
    for (name, value) in &message.headers {
        if !LEFT_OUT.contains(&name.as_str()) {
            lines.push(header(name, value));
        }
    }
    let is_typed = message.headers.iter().any(|(name, _)| name == "content-type");
    if !is_typed && message.body.bytes.is_some_and(|bytes| bytes > 0) {
        // Otherwise curl says that it is a form.
        lines.push("-H 'content-type:'".to_owned());
    }
    match (&message.body.text, message.body.bytes) {
        (Some(text), _) if !message.body.cut => lines.push(format!("--data-raw {}", quoted(text))),
        (None, None | Some(0)) => {}
        (_, bytes) => {
            let bytes = bytes.map_or(String::new(), |bytes| format!(" ({bytes} bytes)"));
            notes = format!("# the body{bytes} is not kept as a whole: put it into the file named body\n");
            lines.push("--data-binary @body".to_owned());
        }
    }
    notes + &lines.join(" \\\n  ")
}

/// The name and value of a header; the shell puts the key where the secret was.
fn header(name: &str, value: &str) -> String {
    match value.split_once(MASK) {
        Some((before, after)) if name == "api-key" || name == "authorization" => {
            let before = quoted(&format!("{name}: {before}"));
            format!("-H {before}\"{KEY}\"{}", quoted(after).trim_end_matches("''"))
        }
        _ if value.is_empty() => format!("-H {}", quoted(&format!("{name};"))),
        _ => format!("-H {}", quoted(&format!("{name}: {value}"))),
    }
}

/// A word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
