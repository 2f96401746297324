//! The stream of live events, which the upstream API does not have, described.

use serde_json::json;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn, PathItem,
};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use super::operations::{business_header, parameter};
use super::{JSON, reference};
use crate::failure::ErrorBody;
use crate::live;

/// The tag of what is ours beside the upstream groups.
pub(super) const TAG: &str = "live events";

// OpenAPI 3.1 has no word for a stream's parts; tools that read streams hold each event against the schema of the whole.
/// One event of the stream, as its reader sees it.
#[derive(Debug, ToSchema)]
#[schema(example = json!({
    "id": "1037849190236160",
    "event": "CHAT_MESSAGE_SENT",
    "data": "{\"notificationType\":\"CHAT_MESSAGE_SENT\",\"businessId\":1,\"chatId\":2,\"messageId\":3,\"sentAt\":\"2025-01-16T10:09:49.759Z\"}",
}))]
#[expect(dead_code, reason = "describes what `live::write_event` writes")]
pub struct StreamedEvent {
    /// What to resume after; a `gap` has none of its own.
    #[schema(required = false)]
    id: String,
    /// The event's type, or `gap`: events were missed that are not kept any more.
    event: String,
    /// JSON: the body of the notification about the event, or where the stream goes on after a `gap`.
    #[schema(content_media_type = "application/json")]
    data: String,
}

const ERRORS: [(&str, &str); 8] = [
    ("400", "The last event id or the header `X-Business-Id` is wrong"),
    ("401", "The credential is missing or wrong"),
    ("403", "The credential is not for this"),
    ("405", "The address has no such method"),
    (
        "420",
        "As many streams of the business are open as the server allows",
    ),
    ("423", "The business is being moved"),
    ("500", "The server failed; the message has the request's id"),
    ("503", "The server cannot take it now; try again later"),
];

/// The path; the mark that it is ours stands at it, and not at the operation, whose own extensions would be written in
/// an order of chance.
pub(super) fn path_item() -> PathItem {
    let ours = ExtensionsBuilder::new().add("x-prilavok-extension", json!(true));
    let mut item = PathItem::new(HttpMethod::Get, describe());
    item.extensions = Some(ours.build());
    item
}

fn describe() -> Operation {
    let scopes: Vec<_> = live::scopes().iter().map(|scope| scope.as_str()).collect();
    let named: Vec<_> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
    let description = format!(
        "{}\n\nScopes, one of which the key needs: {}.",
        include_str!("live.md").trim_end(),
        named.join(", ")
    );
    let stream = ContentBuilder::new().schema(Some(StreamedEvent::schema()));
    let mut described = OperationBuilder::new()
        .tag(TAG)
        .operation_id(Some(live::NAME))
        .summary(Some("Stream live events (not in the upstream API)"))
        .description(Some(description))
        .extensions(Some(
            ExtensionsBuilder::new()
                .add("x-auth-scopes", json!(scopes))
                .build(),
        ))
        .response(
            "200",
            ResponseBuilder::new()
                .description("The stream, which goes on until one side ends it")
                .content(live::MEDIA_TYPE, stream.build()),
        );
    for one in &live::PARAMETERS {
        described = described.parameter(parameter(one));
    }
    let id = ObjectBuilder::new()
        .schema_type(Type::String)
        .examples(["1037849190236160"]);
    let resume = ParameterBuilder::new()
        .name("Last-Event-ID")
        .parameter_in(ParameterIn::Header)
        .description(Some(
            "The id of the last event seen, as browsers send it by themselves; counts before `lastEventId`.",
        ))
        .schema(Some(id));
    described = described.parameter(resume).parameter(business_header());
    for (status, meaning) in ERRORS {
        let content = ContentBuilder::new()
            .schema(Some(reference::<ErrorBody>()))
            .build();
        described = described.response(
            status,
            ResponseBuilder::new().description(meaning).content(JSON, content),
        );
    }
    described.build()
}
