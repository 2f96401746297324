//! The Postman collection and the `.http` file are files of the project, made from the OpenAPI document.

use std::collections::BTreeSet;

use prilavok_wire::Operation;
use prilavok_wire::openapi::{partner_http, partner_postman};
use serde_json::{Value, json};

/// What Postman needs of a collection: the format's version, folders of requests, and addresses in their parts.
fn structure() -> Value {
    let pairs = json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["key", "value"],
            "properties": { "key": { "type": "string", "minLength": 1 }, "value": { "type": "string" } },
        },
    });
    let strings = json!({ "type": "array", "minItems": 1, "items": { "type": "string", "minLength": 1 } });
    json!({
        "type": "object",
        "required": ["info", "item", "auth", "variable"],
        "properties": {
            "info": {
                "type": "object",
                "required": ["name", "schema"],
                "properties": {
                    "name": { "type": "string", "minLength": 1 },
                    "schema": { "const": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json" },
                },
            },
            "auth": {
                "type": "object",
                "required": ["type", "apikey"],
                "properties": { "type": { "const": "apikey" }, "apikey": pairs },
            },
            "variable": pairs,
            "item": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["name", "item"],
                    "properties": { "item": { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/request" } } },
                },
            },
        },
        "$defs": {
            "request": {
                "type": "object",
                "required": ["name", "request"],
                "properties": {
                    "name": { "type": "string", "minLength": 1 },
                    "response": { "type": "array" },
                    "request": {
                        "type": "object",
                        "required": ["method", "url", "header"],
                        "properties": {
                            "method": { "enum": ["GET", "POST"] },
                            "header": pairs,
                            "url": {
                                "type": "object",
                                "required": ["raw", "host", "path"],
                                "properties": {
                                    "raw": { "type": "string", "pattern": "^\\{\\{baseUrl\\}\\}/v2/" },
                                    "host": strings,
                                    "path": strings,
                                    "query": pairs,
                                },
                            },
                            "body": {
                                "oneOf": [
                                    {
                                        "required": ["mode", "raw"],
                                        "properties": { "mode": { "const": "raw" }, "raw": { "type": "string" } },
                                    },
                                    {
                                        "required": ["mode", "formdata"],
                                        "properties": {
                                            "mode": { "const": "formdata" },
                                            "formdata": { "type": "array", "minItems": 1, "items": {
                                                "required": ["key", "type"],
                                                "properties": { "type": { "enum": ["text", "file"] } },
                                            } },
                                        },
                                    },
                                ],
                            },
                        },
                    },
                },
            },
        },
    })
}

fn requests(collection: &Value) -> impl Iterator<Item = &Value> {
    let folders = collection["item"].as_array().expect("folders");
    folders
        .iter()
        .flat_map(|folder| folder["item"].as_array().expect("requests"))
}

/// The names between `{{` and `}}`.
fn variables(text: &str) -> BTreeSet<&str> {
    let opened = text.split("{{").skip(1);
    opened.filter_map(|rest| rest.split("}}").next()).collect()
}

/// The operations by their names, and the stream beside them.
fn operations() -> BTreeSet<&'static str> {
    let operations = Operation::ALL.iter().map(|operation| operation.as_str());
    operations.chain([prilavok_wire::live::NAME]).collect()
}

#[test]
fn the_files_in_the_project_are_those_that_the_code_yields() {
    let kept: Value =
        serde_json::from_str(include_str!("../../../openapi/partner.postman_collection.json")).expect("JSON");
    assert!(
        kept == partner_postman(),
        "openapi/partner.postman_collection.json is out of date: run `just openapi`"
    );
    assert!(
        include_str!("../../../openapi/partner.http") == partner_http(),
        "openapi/partner.http is out of date: run `just openapi`"
    );
}

#[test]
fn the_collection_is_one_that_postman_reads_and_has_every_operation() {
    let collection = partner_postman();
    let validator = jsonschema::validator_for(&structure()).expect("a schema");
    let wrong: Vec<_> = validator
        .iter_errors(&collection)
        .map(|it| it.to_string())
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let names: Vec<_> = requests(&collection)
        .map(|item| item["name"].as_str().expect("a name"))
        .map(|name| name.split(':').next().expect("an operation"))
        .collect();
    assert_eq!(names.len(), operations().len(), "{names:?}");
    assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), operations());
    for item in requests(&collection) {
        let body = &item["request"]["body"];
        if body["mode"] == "raw" {
            let raw = body["raw"].as_str().expect("a text");
            let sent: Value = serde_json::from_str(raw).expect("JSON");
            assert!(sent.is_object(), "{item}");
        }
    }
}

#[test]
fn the_http_file_has_every_operation() {
    let text = partner_http();
    let titles = text.lines().filter_map(|line| line.strip_prefix("### "));
    let names: Vec<_> = titles.filter_map(|title| title.split(':').next()).collect();
    assert_eq!(names.len(), operations().len(), "{names:?}");
    assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), operations());
}

#[test]
fn every_variable_has_a_value_and_each_is_used() {
    let collection = partner_postman();
    let declared = collection["variable"].as_array().expect("variables");
    let declared: BTreeSet<_> = declared.iter().filter_map(|it| it["key"].as_str()).collect();
    assert!(declared.is_superset(&BTreeSet::from(["baseUrl", "apiKey", "businessId"])));
    let text = collection.to_string();
    assert_eq!(variables(&text), declared);
    let text = partner_http();
    let at_the_top = text.lines().filter_map(|line| line.strip_prefix('@'));
    let at_the_top: BTreeSet<_> = at_the_top.filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(at_the_top, declared);
    assert_eq!(variables(&text), declared);
}
