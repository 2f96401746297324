//! Ids in answers: plain integers.

use serde::Serialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::fields::id_schema;

/// An id in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct JsonId(pub(crate) i64);

impl PartialSchema for JsonId {
    fn schema() -> RefOr<Schema> {
        id_schema()
    }
}

impl ToSchema for JsonId {
    fn name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }
}
