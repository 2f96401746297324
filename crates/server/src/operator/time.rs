//! Times of the Operator API: RFC 3339 in UTC with milliseconds, always of the same length.

use prilavok_domain::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// An instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Utc(pub(super) Timestamp);

impl Serialize for Utc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Every `Timestamp` is one that jiff can show.
        let instant = jiff::Timestamp::from_millisecond(self.0.as_millis()).unwrap_or_default();
        serializer.collect_str(&format_args!("{instant:.3}"))
    }
}

impl PartialSchema for Utc {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("An instant: RFC 3339 in UTC, with milliseconds."))
            .examples(["2025-01-16T10:09:49.759Z"])
            .into()
    }
}

impl ToSchema for Utc {
    fn name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_milliseconds_always() {
        for (millis, text) in [
            (0, "\"1970-01-01T00:00:00.000Z\""),
            (1_737_022_189_759, "\"2025-01-16T10:09:49.759Z\""),
            (253_402_207_200_000, "\"9999-12-30T22:00:00.000Z\""),
        ] {
            let shown = serde_json::to_string(&Utc(Timestamp::from_millis(millis).expect("in range")));
            assert_eq!(shown.expect("serializes"), text);
        }
    }
}
