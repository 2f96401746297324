//! Operations described from their rows of the table.

use serde_json::json;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{
    Operation as Described, OperationBuilder, Parameter as DescribedParameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{ContentBuilder, Deprecated, RefOr, Required, Response, ResponseBuilder, Schema};

use super::{JSON, KEY, answer, bodies, reference, requirement};
use crate::Operation;
use crate::failure::ErrorBody;
use crate::operation::{Area, BodyKind, Row};
use crate::parameter::{Parameter, ParameterKind, Place};

pub(super) fn describe(operation: Operation) -> Described {
    let row = operation.row();
    let scopes: Vec<_> = row.scopes.iter().map(|scope| scope.as_str()).collect();
    let description = format!(
        "{}\n\nScopes, one of which the key needs: {}. Calls an hour: {} for each business, unless the server is \
         configured otherwise.",
        row.description,
        scopes
            .iter()
            .map(|scope| format!("`{scope}`"))
            .collect::<Vec<_>>()
            .join(", "),
        row.hourly_limit,
    );
    let mut described = OperationBuilder::new()
        .tag(match (row.area, row.oauth) {
            (Area::Business, _) => "chats",
            (Area::Key, false) => "auth",
            _ => "campaigns",
        })
        .operation_id(Some(row.name))
        .summary(Some(row.summary))
        .description(Some(description))
        .request_body(bodies::request_body(operation))
        .extensions(Some(
            ExtensionsBuilder::new()
                .add("x-auth-scopes", json!(scopes))
                .build(),
        ));
    for one in row.parameters {
        described = described.parameter(parameter(one));
    }
    described = described.parameter(business_header());
    if row.idempotency {
        described = described.parameter(idempotency_key());
    }
    if !row.oauth {
        described = described.security(requirement(KEY));
    }
    described = described.response(
        "200",
        with_headers(ResponseBuilder::new().description("Done"), answer(operation)),
    );
    for (status, meaning) in errors(row) {
        let response = ResponseBuilder::new().description(meaning);
        described = described.response(status, with_headers(response, reference::<ErrorBody>()));
    }
    described.build()
}

fn errors(row: &Row) -> impl Iterator<Item = (&'static str, &'static str)> {
    let finds = row.area != Area::Key;
    let has_body = row.body != BodyKind::None;
    [
        (
            "400",
            "A parameter or the body is wrong, or the chat rules forbid it",
            true,
        ),
        ("401", "The credential is missing or wrong", true),
        ("403", "The credential is not for this", true),
        ("404", "What is asked for does not exist", finds),
        ("405", "The address has no such method", true),
        (
            "415",
            "The body is not of a type that this operation reads",
            has_body,
        ),
        ("420", "A limit was hit", true),
        ("423", "The business is being moved", true),
        ("500", "The server failed; the message has the request's id", true),
        ("503", "The server cannot take it now; try again later", true),
    ]
    .into_iter()
    .filter_map(|(status, meaning, possible)| possible.then_some((status, meaning)))
}

fn with_headers(response: ResponseBuilder, body: RefOr<Schema>) -> Response {
    let header = |kind, description: &str, example: serde_json::Value| {
        let schema = ObjectBuilder::new().schema_type(kind).examples([example]);
        HeaderBuilder::new()
            .schema(Some(schema))
            .description(Some(description))
            .build()
    };
    response
        .content(JSON, ContentBuilder::new().schema(Some(body)).build())
        .header(
            "X-RateLimit-Resource-Limit",
            header(Type::Integer, "Calls an hour", json!(1000)),
        )
        .header(
            "X-RateLimit-Resource-Remaining",
            header(Type::Integer, "Calls left in this hour", json!(999)),
        )
        .header(
            "X-RateLimit-Resource-Until",
            header(
                Type::String,
                "The end of this hour",
                json!("Tue, 09 Jan 2024 15:00:00 GMT"),
            ),
        )
        .header(
            "X-Request-Id",
            header(
                Type::String,
                "The id of the request in the server's log",
                json!("01hkq"),
            ),
        )
        .build()
}

pub(super) fn parameter(parameter: &Parameter) -> DescribedParameter {
    let schema = ObjectBuilder::new();
    let schema = match parameter.kind {
        ParameterKind::Id => bodies::id(),
        ParameterKind::Text => schema.schema_type(Type::String),
        ParameterKind::Int32 { min, max, default } => schema
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
            .minimum(Some(min))
            .maximum(Some(max))
            .default(default.map(|default| json!(default))),
    };
    let aliases = parameter
        .aliases
        .iter()
        .map(|alias| format!(" Also understood as `{alias}`."));
    ParameterBuilder::new()
        .name(parameter.name)
        .parameter_in(match parameter.place {
            Place::Path => ParameterIn::Path,
            Place::Query => ParameterIn::Query,
        })
        .required(if parameter.required {
            Required::True
        } else {
            Required::False
        })
        .deprecated(parameter.deprecated.then_some(Deprecated::True))
        .description(Some(
            aliases.fold(parameter.description.to_owned(), |text, alias| text + &alias),
        ))
        .schema(Some(schema))
        .build()
}

pub(super) fn business_header() -> DescribedParameter {
    ParameterBuilder::new()
        .name("X-Business-Id")
        .parameter_in(ParameterIn::Header)
        .description(Some(
            "The business that the caller means. Where the address names one, it must be the same.",
        ))
        .schema(Some(bodies::id()))
        .build()
}

fn idempotency_key() -> DescribedParameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(255));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .description(Some(
            "A text of your choice. A call that is repeated with the same key within 24 hours is answered as the \
             first one was and does nothing more; with another body it is refused.",
        ))
        .schema(Some(schema.pattern(Some("^[!-~]+$")).examples(["order-17-greeting"])))
        .build()
}
