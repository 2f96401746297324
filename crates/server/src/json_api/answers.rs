//! How documents describe what is refused: one answer for each status, which stands among the document's components.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::{Components, ContentBuilder, Ref, RefOr};

use super::envelope::ErrorAnswer;
use super::error::Code;

/// The codes as a list for people.
pub(crate) fn list(codes: &[Code]) -> String {
    let line = |code: &Code| {
        format!(
            "- `{}` ({}):{}\n",
            code.as_str(),
            code.status().as_u16(),
            code.meaning()
        )
    };
    codes.iter().map(line).collect()
}

/// Says which codes there are in an API.
pub(crate) fn name_codes(components: &mut Components, codes: &[Code]) {
    components
        .schemas
        .insert(Code::name().into_owned(), Code::schema_of(codes));
}

/// Puts the answers of these codes among a document's components.
pub(crate) fn describe(components: &mut Components, codes: &[&[Code]]) {
    let answers = by_status(codes)
        .into_values()
        .map(|codes| (response_name(&codes), RefOr::T(response(&codes))));
    components.responses.extend(answers);
}

/// The answers of these codes, which stand among the document's components.
pub(crate) fn references(codes: &[&[Code]]) -> BTreeMap<String, RefOr<Response>> {
    let reference = |(status, codes): (StatusCode, Vec<Code>)| {
        (
            status.as_str().to_owned(),
            Ref::from_response_name(response_name(&codes)).into(),
        )
    };
    by_status(codes).into_iter().map(reference).collect()
}

fn by_status(codes: &[&[Code]]) -> BTreeMap<StatusCode, Vec<Code>> {
    let mut by_status: BTreeMap<StatusCode, Vec<Code>> = BTreeMap::new();
    for code in codes.iter().copied().flatten() {
        by_status.entry(code.status()).or_default().push(*code);
    }
    by_status
}

/// An answer is called by its code; where a status has several, by what they have in common.
fn response_name(codes: &[Code]) -> String {
    match codes {
        [only] => format!("{only:?}"),
        codes if codes.contains(&Code::PingFailed) => "RefusedOrPingFailed".to_owned(),
        _ => "Refused".to_owned(),
    }
}

fn response(codes: &[Code]) -> Response {
    let described: Vec<String> = codes
        .iter()
        .map(|code| format!("`{}`:{}", code.as_str(), code.meaning()))
        .collect();
    let example = codes.first().map(|code| example(*code));
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(ErrorAnswer::name())))
        .example(example)
        .build();
    ResponseBuilder::new()
        .description(described.join(" "))
        .content("application/json", content)
        .build()
}

fn example(code: Code) -> serde_json::Value {
    let (message, details) = match code {
        Code::ValidationFailed => {
            let rule = "must have 1 to 256 characters and no control characters";
            (
                format!("name {rule}"),
                json!([{"field": "name", "message": rule}]),
            )
        }
        Code::NotFound => {
            let details = json!([{"field": "businessId", "message": "names what does not exist"}]);
            ("Business 7 does not exist".to_owned(), details)
        }
        other => (other.meaning().trim().to_owned(), json!([])),
    };
    json!({"error": {
        "code": code.as_str(), "message": message, "details": details, "requestId": "4f1d0a7be2c93586",
    }})
}
