//! An `.http` file, as editors send requests from.

use std::fmt::Write;

use super::{Body, Document, KEY, Request, variable};
use crate::openapi::JSON;

/// Parts the fields of a form.
const BOUNDARY: &str = "prilavok-boundary";

/// The Partner API as an `.http` file.
#[must_use]
pub fn partner_http() -> String {
    let document = Document::of_partner();
    let mut text = format!(
        "# {}: made by `prilavok openapi partner --format http`.\n\n",
        document.info.title
    );
    for (name, value) in document.variables() {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{}", format!("@{name} = {value}").trim_end());
    }
    for (_, requests) in document.folders() {
        for request in &requests {
            text.push('\n');
            text.push_str(&written(request));
        }
    }
    text
}

fn written(request: &Request<'_>) -> String {
    let described = request.described;
    let mut text = format!("### {}: {}\n", described.operation_id, described.summary);
    let optional = described.parameters.iter().filter(|it| !it.required);
    let optional: Vec<_> = optional.map(|it| it.name.as_str()).collect();
    if !optional.is_empty() {
        let _ = writeln!(text, "# May be given as well: {}", optional.join(", "));
    }
    let _ = writeln!(text, "{} {}", request.method, request.url());
    let _ = writeln!(text, "Api-Key: {}", variable(KEY));
    let _ = match request.body() {
        Body::None => Ok(()),
        Body::Json(body) => write!(text, "Content-Type: {JSON}\n\n{body}\n"),
        Body::File => write!(
            text,
            "Content-Type: multipart/form-data; boundary={BOUNDARY}\n\n--{BOUNDARY}\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"note.txt\"\n\
             Content-Type: text/plain\n\nЧек придёт завтра.\n--{BOUNDARY}--\n",
        ),
    };
    text
}
