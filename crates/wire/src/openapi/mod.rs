//! The Partner API as an OpenAPI document, made from the table of operations and the types of answers,
//! so that it cannot say anything else than the code does.

use http::Method;
use utoipa::ToSchema;
use utoipa::openapi::info::{InfoBuilder, LicenseBuilder};
use utoipa::openapi::path::{HttpMethod, PathItem, Paths};
use utoipa::openapi::schema::{AllOfBuilder, ComponentsBuilder, Object, ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, OpenApi, OpenApiBuilder, Ref, RefOr, Schema, SecurityRequirement};

use crate::Operation;
use crate::answer::{
    CampaignsDto, ChatDto, ChatsDto, CreatedDto, HistoryDto, MessageDto, OneCampaignDto, TokenDto,
};
use crate::failure::ErrorBody;

mod bodies;
mod collections;
mod live;
mod operations;

pub use collections::{partner_http, partner_postman};
pub use live::StreamedEvent;

const JSON: &str = "application/json";
const KEY: &str = "ApiKey";
const OAUTH: &str = "OAuth";

/// The Partner API as an OpenAPI document.
#[must_use]
pub fn partner_openapi() -> OpenApi {
    let mut paths = Paths::new();
    for operation in Operation::ALL {
        let row = operation.row();
        let method = match row.method {
            Method::GET => HttpMethod::Get,
            _ => HttpMethod::Post,
        };
        let item = PathItem::new(method, operations::describe(*operation));
        let path = format!("/v2{}", row.path);
        match paths.paths.get_mut(&path) {
            Some(known) => known.merge_operations(item),
            None => _ = paths.paths.insert(path, item),
        }
    }
    paths
        .paths
        .insert(format!("/v2{}", crate::live::PATH), live::path_item());
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Prilavok Partner API")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(include_str!("intro.md")))
                .license(Some(
                    LicenseBuilder::new()
                        .name("Apache-2.0")
                        .identifier(Some("Apache-2.0"))
                        .build(),
                )),
        )
        .paths(paths)
        .components(Some(components()))
        .security(Some([requirement(KEY), requirement(OAUTH)]))
        .tags(Some([
            TagBuilder::new()
                .name("chats")
                .description(Some("Talking to customers"))
                .build(),
            TagBuilder::new()
                .name("campaigns")
                .description(Some("The stores of the business"))
                .build(),
            TagBuilder::new().name("auth").description(Some("Keys")).build(),
            TagBuilder::new()
                .name(live::TAG)
                .description(Some(
                    "Events as they happen: Prilavok's own, beside the upstream API",
                ))
                .build(),
        ]))
        .build()
}

fn requirement(scheme: &str) -> SecurityRequirement {
    SecurityRequirement::new(scheme, std::iter::empty::<&str>())
}

fn components() -> Components {
    let key = "A key of the business: `ACMA:`, 40 letters and digits, `:`, 8 hex digits.";
    let oauth = "A token of a user of the business: `Authorization: Bearer <token>`, or `Authorization: OAuth \
                 oauth_token=\"<token>\", oauth_client_id=\"<client>\"`.";
    let mut components = ComponentsBuilder::new()
        .security_scheme(
            KEY,
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("Api-Key", key))),
        )
        .security_scheme(
            OAUTH,
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .description(Some(oauth))
                    .build(),
            ),
        );
    let mut schemas = Vec::new();
    add::<ErrorBody>(&mut schemas);
    for operation in Operation::ALL {
        add_answer(*operation, &mut schemas);
    }
    for (name, schema) in schemas {
        components = components.schema(name, schema);
    }
    components.build()
}

fn add<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

/// The schema of an operation's answer.
fn answer(operation: Operation) -> RefOr<Schema> {
    match operation {
        Operation::GetChat => envelope::<ChatDto>(),
        Operation::GetChats => envelope::<ChatsDto>(),
        Operation::GetChatHistory => envelope::<HistoryDto>(),
        Operation::GetChatMessage => envelope::<MessageDto>(),
        Operation::SendMessageToChat | Operation::SendFileToChat => ok().into(),
        Operation::CreateChat => envelope::<CreatedDto>(),
        Operation::GetAuthTokenInfo => envelope::<TokenDto>(),
        Operation::GetCampaigns => reference::<CampaignsDto>(),
        Operation::GetCampaign => reference::<OneCampaignDto>(),
    }
}

fn add_answer(operation: Operation, schemas: &mut Vec<(String, RefOr<Schema>)>) {
    match operation {
        Operation::GetChat => add::<ChatDto>(schemas),
        Operation::GetChats => add::<ChatsDto>(schemas),
        Operation::GetChatHistory => add::<HistoryDto>(schemas),
        Operation::GetChatMessage => add::<MessageDto>(schemas),
        Operation::SendMessageToChat | Operation::SendFileToChat => {}
        Operation::CreateChat => add::<CreatedDto>(schemas),
        Operation::GetAuthTokenInfo => add::<TokenDto>(schemas),
        Operation::GetCampaigns => add::<CampaignsDto>(schemas),
        Operation::GetCampaign => add::<OneCampaignDto>(schemas),
    }
}

fn reference<T: ToSchema>() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(T::name()))
}

fn ok() -> Object {
    ObjectBuilder::new()
        .property(
            "status",
            ObjectBuilder::new()
                .schema_type(Type::String)
                .enum_values(Some(["OK"])),
        )
        .required("status")
        .build()
}

fn envelope<T: ToSchema>() -> RefOr<Schema> {
    let result = ObjectBuilder::new()
        .property("result", reference::<T>())
        .required("result");
    AllOfBuilder::new().item(ok()).item(result).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value {
                        Value::String(target) if name == "$ref" => _ = found.insert(target.clone()),
                        other => references(other, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_operation_is_described_and_every_reference_leads_somewhere() {
        let document = serde_json::to_value(partner_openapi()).expect("JSON");
        for operation in Operation::ALL {
            let row = operation.row();
            let path = format!("/v2{}", row.path);
            let described = &document["paths"][path][row.method.as_str().to_lowercase()];
            assert_eq!(described["operationId"], row.name);
            let parameters = described["parameters"].as_array().map_or(0, Vec::len);
            let headers = 1 + usize::from(row.idempotency);
            assert_eq!(parameters, row.parameters.len() + headers, "{operation}");
        }
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(found.len() > 10, "{found:?}");
        for target in found {
            let name = target.strip_prefix("#/components/schemas/").expect(&target);
            assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
        }
    }
}
