//! The bodies of requests, described.

use prilavok_domain::message::MAX_TEXT_CHARS;
use prilavok_domain::{ChatStatus, ChatType, ContextType};
use serde_json::json;
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{ContentBuilder, Deprecated, RefOr, Required};

use super::JSON;
use crate::Operation;

const FORM: &str = "multipart/form-data";

pub(super) fn request_body(operation: Operation) -> Option<RequestBody> {
    let (schema, example) = match operation {
        Operation::GetChats => (chats_body(), json!({"statuses": ["WAITING_FOR_PARTNER"]})),
        Operation::GetChatHistory => (
            ObjectBuilder::new().property(
                "messageIdFrom",
                describe_field(id(), "This message and all after it."),
            ),
            json!({}),
        ),
        Operation::SendMessageToChat => {
            let text = ObjectBuilder::new()
                .schema_type(Type::String)
                .min_length(Some(1))
                .max_length(Some(MAX_TEXT_CHARS));
            let body = ObjectBuilder::new()
                .property("message", describe_field(text, "The text."))
                .required("message");
            (body, json!({"message": "Здравствуйте! Заказ уже в пути."}))
        }
        Operation::CreateChat => {
            let order = describe_field(integer(), "Use `context`.").deprecated(Some(Deprecated::True));
            let body = ObjectBuilder::new()
                .property("context", identified())
                .property("orderId", order);
            (body, json!({"context": {"type": "ORDER", "id": 2}}))
        }
        Operation::SendFileToChat => return Some(file_body()),
        Operation::GetChat | Operation::GetChatMessage | Operation::GetAuthTokenInfo => return None,
        Operation::GetCampaigns | Operation::GetCampaign => return None,
    };
    let content = ContentBuilder::new().schema(Some(schema)).example(Some(example));
    Some(
        RequestBodyBuilder::new()
            .content(JSON, content.build())
            .required(Some(Required::True))
            .build(),
    )
}

fn file_body() -> RequestBody {
    let file = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
    let schema = ObjectBuilder::new()
        .property(
            "file",
            describe_field(file, "The file, with its name; up to 5 MB."),
        )
        .required("file");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    RequestBodyBuilder::new()
        .content(FORM, content)
        .required(Some(Required::True))
        .build()
}

fn describe_field(field: ObjectBuilder, description: &str) -> ObjectBuilder {
    field.description(Some(description))
}

/// An order or a return.
fn identified() -> ObjectBuilder {
    let kinds = [ContextType::Order, ContextType::Return].map(|kind| kind.as_str());
    ObjectBuilder::new()
        .description(Some("An order or a return by its id."))
        .property(
            "type",
            ObjectBuilder::new()
                .schema_type(Type::String)
                .enum_values(Some(kinds)),
        )
        .property("id", id())
        .required("type")
        .required("id")
}

fn chats_body() -> ObjectBuilder {
    let names = |names: Vec<&'static str>| {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(names))
    };
    let filter = |items: ObjectBuilder, description: &str| {
        ArrayBuilder::new()
            .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
            .items(RefOr::T(Schema::Object(items.build())))
            .min_items(Some(1))
            .unique_items(true)
            .description(Some(description))
    };
    let orders = filter(
        integer(),
        "Chats about these orders and their returns. Use `contexts`.",
    );
    ObjectBuilder::new()
        .property(
            "contexts",
            filter(identified(), "Chats about exactly these orders and returns."),
        )
        .property(
            "contextTypes",
            filter(
                names(ContextType::ALL.iter().map(|it| it.as_str()).collect()),
                "Chats about this kind of thing.",
            ),
        )
        .property(
            "types",
            filter(
                names(ChatType::ALL.iter().map(|it| it.as_str()).collect()),
                "Chats of these types.",
            ),
        )
        .property(
            "statuses",
            filter(
                names(ChatStatus::ALL.iter().map(|it| it.as_str()).collect()),
                "Chats in these statuses.",
            ),
        )
        .property("orderIds", orders.deprecated(Some(Deprecated::True)))
}

pub(super) fn id() -> ObjectBuilder {
    integer().minimum(Some(1))
}

fn integer() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
}
