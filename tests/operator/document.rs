//! The OpenAPI document: whole, true to the routes, and served to anybody.

use std::collections::BTreeSet;

use prilavok_domain::{BusinessId, SubscriptionId};
use prilavok_store::Switch;
use reqwest::Method;
use serde_json::Value;

use crate::desk::{Answer, Desk};

fn document(desk: &Desk) -> Value {
    Answer::to(desk.anonymous(Method::GET, "/operator/v1/openapi.json")).is(200)
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let of_path = |path: &String, item: &Value| {
        let methods = item.as_object().expect("methods").clone();
        methods
            .into_iter()
            .map(|(method, operation)| (path.clone(), method, operation))
            .collect::<Vec<_>>()
    };
    paths
        .iter()
        .flat_map(|(path, item)| of_path(path, item))
        .collect()
}

#[test]
fn every_operation_is_described() {
    let desk = Desk::empty();
    let document = document(&desk);
    let tags: BTreeSet<&str> = document["tags"]
        .as_array()
        .expect("tags")
        .iter()
        .filter_map(|it| it["name"].as_str())
        .collect();
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let at = format!("{method} {path}");
        assert!(
            operation["summary"].as_str().is_some_and(|it| !it.is_empty()),
            "{at}"
        );
        assert!(
            names.insert(operation["operationId"].as_str().expect("a name").to_owned()),
            "{at}"
        );
        assert!(
            tags.contains(operation["tags"][0].as_str().expect("a tag")),
            "{at}"
        );
        let responses = operation["responses"].as_object().expect("answers");
        for status in ["400", "401", "500", "503"] {
            assert!(responses.contains_key(status), "{at}: {status}");
        }
        assert!(responses.keys().any(|status| status.starts_with('2')), "{at}");
        if operation.get("requestBody").is_some() {
            for status in ["408", "413", "415"] {
                assert!(responses.contains_key(status), "{at}: {status}");
            }
        }
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        for parameter in &parameters {
            assert!(
                parameter["description"].as_str().is_some_and(|it| !it.is_empty()),
                "{at}"
            );
        }
        let in_path: BTreeSet<&str> = parameters
            .iter()
            .filter(|it| it["in"] == "path")
            .filter_map(|it| it["name"].as_str())
            .collect();
        let placeholders: BTreeSet<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
        assert_eq!(in_path, placeholders, "{at}");
    }
    assert_eq!(names.len(), 55);
    assert_eq!(
        document["components"]["securitySchemes"]["operatorToken"]["scheme"],
        "bearer"
    );
    assert_eq!(document["security"][0]["operatorToken"], serde_json::json!([]));
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
                fields.values().for_each(|it| references(it, found));
            }
            Value::Array(items) => items.iter().for_each(|it| references(it, found)),
            _ => {}
        }
    }
    let desk = Desk::empty();
    let document = document(&desk);
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100, "{}", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("inside");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn every_operation_is_there_and_needs_a_token() {
    let desk = Desk::empty();
    for (path, method, _) in operations(&document(&desk)) {
        let mut path = path;
        for name in [
            "businessId",
            "campaignId",
            "orderId",
            "returnId",
            "chatId",
            "messageId",
            "keyId",
            "tokenId",
            "subscriptionId",
            "deliveryId",
            "requestId",
            "publicId",
        ] {
            path = path.replace(&format!("{{{name}}}"), "1");
        }
        let method: Method = method.to_uppercase().parse().expect("a method");
        let answer = Answer::to(desk.anonymous(method.clone(), &path));
        answer.fails(401, "UNAUTHORIZED");
        if method == Method::GET {
            // HEAD, since the stream of events has no end to wait for.
            let status = Answer::to(desk.request(Method::HEAD, &path)).status;
            assert!(status == 200 || status == 404, "{path}: {status}");
        }
    }
}

#[test]
fn the_codes_that_are_answered_are_the_ones_described() {
    let desk = Desk::open();
    let document = document(&desk);
    let described = document["components"]["schemas"]["ErrorCode"]["enum"]
        .as_array()
        .expect("codes");
    for answer in [
        desk.get("/operator/v1/businesses/0"),
        desk.get("/operator/v1/businesses/77"),
        desk.get("/operator/v1/nothing"),
        Answer::to(desk.anonymous(Method::GET, "/operator/v1/businesses")),
    ] {
        let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
        let code = &body["error"]["code"];
        assert!(described.contains(code), "{code} is none of {described:?}");
    }
}

#[test]
fn operations_are_counted_by_their_names() {
    let desk = Desk::open();
    desk.get("/operator/v1/businesses/1");
    desk.get("/operator/v1/businesses/1/orders/77");
    let metrics = Answer::to(desk.anonymous(Method::GET, "/metrics"));
    let metrics = String::from_utf8(metrics.body).expect("text");
    for line in [
        r#"prilavok_requests_total{operation="getBusiness",status="200"} 1"#,
        r#"prilavok_requests_total{operation="getOrder",status="404"} 1"#,
        r#"prilavok_requests_total{operation="bulk",status="200"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
}

#[test]
fn the_document_in_the_project_is_the_one_that_the_code_yields() {
    let kept = include_str!("../../openapi/operator.json");
    let kept: Value = serde_json::from_str(kept).expect("JSON");
    let yielded = serde_json::to_value(prilavok_server::operator::openapi()).expect("JSON");
    assert!(
        kept == yielded,
        "openapi/operator.json is out of date: run `just openapi` and review the change"
    );
}

/// The operations that take JSON, with their schemas.
fn bodies(document: &Value) -> Vec<(String, Method, Value)> {
    let of_operation = |(path, method, operation): (String, String, Value)| {
        let reference = operation.pointer("/requestBody/content/application~1json/schema/$ref")?;
        let schema = document.pointer(reference.as_str()?.strip_prefix('#')?)?.clone();
        Some((path, method.to_uppercase().parse().expect("a method"), schema))
    };
    operations(document)
        .into_iter()
        .filter_map(of_operation)
        .collect()
}

/// A path with its ids filled in.
fn filled(path: &str) -> String {
    let ids = [
        ("businessId", "1"),
        ("campaignId", "1"),
        ("orderId", "7"),
        ("returnId", "3"),
        ("chatId", "1"),
        ("keyId", "2"),
        ("tokenId", "3"),
        ("subscriptionId", "4"),
        ("publicId", "c-4711"),
    ];
    ids.iter().fold(path.to_owned(), |path, (name, id)| {
        path.replace(&format!("{{{name}}}"), id)
    })
}

#[test]
fn bodies_have_the_fields_that_the_document_says() {
    let desk = Desk::open();
    let bodies = bodies(&document(&desk));
    assert_eq!(bodies.len(), 16);
    for (path, method, schema) in bodies {
        let send = |body: Value| Answer::to(desk.request(method.clone(), &filled(&path)).json(&body));
        let properties = schema["properties"].as_object().expect("properties");
        let mut body = serde_json::json!({"surplus": 1});
        for name in properties.keys() {
            body[name] = serde_json::json!({"of": "the wrong type"});
        }
        let details = send(body).fails(400, "VALIDATION_FAILED");
        for name in properties.keys() {
            let known = details.iter().any(|it| it.starts_with(name.as_str()));
            assert!(
                known && !details.contains(&format!("{name}: is not known here")),
                "{path}: {name}: {details:?}"
            );
        }
        assert!(
            details.contains(&"surplus: is not known here".to_owned()),
            "{path}: {details:?}"
        );

        let required: Vec<&str> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if !required.is_empty() {
            let missing: BTreeSet<String> = send(serde_json::json!({}))
                .fails(400, "VALIDATION_FAILED")
                .into_iter()
                .collect();
            let expected = required
                .iter()
                .map(|name| format!("{name}: is required"))
                .collect();
            assert_eq!(missing, expected, "{path}");
        }
    }
}

#[test]
fn the_examples_work() {
    let desk = Desk::open();
    let mut bodies = bodies(&document(&desk));
    // Bulk registers what the other examples name; keys, tokens, subscriptions and chats are made before they are
    // changed.
    let order = |path: &str, method: &Method| match method {
        _ if path.ends_with("/bulk") => 0,
        &Method::PUT => 1,
        _ if path.ends_with("/keys") => 2,
        _ if path.ends_with("/oauth-tokens") => 3,
        _ if path.ends_with("/subscriptions") => 4,
        _ if path.ends_with("/chats") => 5,
        _ => 6,
    };
    bodies.sort_by_key(|(path, method, _)| order(path, method));
    for (path, method, schema) in bodies {
        let example = schema
            .get("example")
            .unwrap_or_else(|| panic!("{path} has an example"));
        let answer = Answer::to(desk.request(method, &filled(&path)).json(example));
        assert!(matches!(answer.status, 200 | 201), "{path}: {:#}", answer.json());
        if path.ends_with("/subscriptions") {
            // Nobody answers PINGs at the example's URL.
            let id = answer.json()["subscriptionId"].as_i64().expect("an id");
            let (business, id) = (
                BusinessId::new(1).expect("an id"),
                SubscriptionId::new(id).expect("an id"),
            );
            let enabled = desk.store.switch_subscription(business, id, Switch::On);
            desk.block_on(enabled).expect("enabled");
        }
    }
}
