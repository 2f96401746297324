//! A Postman collection, format 2.1.

use serde_json::{Value, json};

use super::{BASE, Body, Document, KEY, Place, Request, variable};

const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";

/// The Partner API as a Postman collection.
#[must_use]
pub fn partner_postman() -> Value {
    let document = Document::of_partner();
    let folders: Vec<_> = document
        .folders()
        .map(|(tag, requests)| {
            let items: Vec<_> = requests.iter().map(item).collect();
            json!({ "name": tag.name, "description": tag.description, "item": items })
        })
        .collect();
    let variables: Vec<_> = document
        .variables()
        .into_iter()
        .map(|(name, value)| json!({ "key": name, "value": value, "type": "string" }))
        .collect();
    let text = |key: &str, value: &str| json!({ "key": key, "value": value, "type": "string" });
    json!({
        "info": {
            "name": document.info.title,
            "description": document.info.description,
            "schema": SCHEMA,
        },
        "auth": {
            "type": "apikey",
            "apikey": [text("key", "Api-Key"), text("value", &variable(KEY)), text("in", "header")],
        },
        "variable": variables,
        "item": folders,
    })
}

fn item(request: &Request<'_>) -> Value {
    let described = request.described;
    let mut sent = json!({
        "method": request.method,
        "description": described.description,
        "url": url(request),
        "header": headers(request),
    });
    match request.body() {
        Body::None => {}
        Body::Json(raw) => {
            sent["body"] = json!({
                "mode": "raw",
                "raw": raw,
                "options": { "raw": { "language": "json" } },
            });
        }
        Body::File => {
            sent["body"] = json!({
                "mode": "formdata",
                "formdata": [{ "key": "file", "type": "file", "src": [] }],
            });
        }
    }
    json!({
        "name": format!("{}: {}", described.operation_id, described.summary),
        "request": sent,
        "response": [],
    })
}

fn url(request: &Request<'_>) -> Value {
    let path: Vec<_> = request.path.split('/').skip(1).collect();
    let mut url = json!({ "raw": request.url(), "host": [variable(BASE)], "path": path });
    let query: Vec<_> = request
        .parameters(Place::Query)
        .map(|parameter| {
            json!({
                "key": parameter.name,
                "value": if parameter.required { variable(&parameter.name) } else { String::new() },
                "description": parameter.description,
                "disabled": !parameter.required,
            })
        })
        .collect();
    if !query.is_empty() {
        url["query"] = query.into();
    }
    url
}

fn headers(request: &Request<'_>) -> Vec<Value> {
    let content = match request.body() {
        Body::Json(_) => Some(json!({ "key": "Content-Type", "value": super::super::JSON })),
        Body::None | Body::File => None,
    };
    let optional = request.parameters(Place::Header).map(|parameter| {
        json!({
            "key": parameter.name,
            "value": "",
            "description": parameter.description,
            "disabled": true,
        })
    });
    content.into_iter().chain(optional).collect()
}
