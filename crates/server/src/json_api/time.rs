//! Times of the Operator API: RFC 3339 in UTC with milliseconds, always of the same length.

use prilavok_domain::Timestamp;
use prilavok_wire::time;
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// An instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Utc(pub(crate) Timestamp);

impl Serialize for Utc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        time::Utc(self.0).serialize(serializer)
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
