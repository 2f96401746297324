//! What every refusal of a partner's parameters or body keeps to.

use prilavok_wire::{ApiError, Failure};

/// A 400 in the envelope whose every error names one of `fields`, or says what is wrong with the body as a whole.
pub(crate) fn check(failure: &Failure, fields: &[&str]) {
    assert_eq!(failure.status().as_u16(), 400, "{failure}");
    let json: serde_json::Value = serde_json::from_slice(&failure.to_json()).expect("an answer is JSON");
    assert_eq!(json["status"], "ERROR");
    let shown = json["errors"].as_array().expect("a list");
    assert!((1..=100).contains(&shown.len()), "{} errors", shown.len());
    assert!(shown.iter().all(|error| error["code"] == "BAD_REQUEST"), "{json}");
    for error in failure.errors() {
        let field = match error {
            ApiError::ParameterMissing(field) => field,
            ApiError::LimitTooGreat { .. } => "limit",
            ApiError::TooSmall { field, .. }
            | ApiError::TooGreat { field, .. }
            | ApiError::TooShort { field, .. }
            | ApiError::TooLong { field, .. }
            | ApiError::Empty { field, .. }
            | ApiError::NullElement { field, .. }
            | ApiError::Null(field)
            | ApiError::IllegalInput(field) => field.as_str(),
            ApiError::ContextContradicted => "context",
            ApiError::BadPageToken => "pageToken",
            ApiError::LastEventId(_) => "lastEventId",
            // The contract has these repeat the value alone, or tell of the body as a whole.
            ApiError::TypeMismatch(_)
            | ApiError::BodyMissing
            | ApiError::Json(_)
            | ApiError::UnexpectedEnd => continue,
            other => panic!("no parser answers: {other:?}"),
        };
        let root = field.split(['.', '[']).next().unwrap_or_default();
        assert!(
            root == "$" || fields.contains(&root),
            "{field} is none of {fields:?}"
        );
    }
}
