//! The OpenAPI document: whole, true to the routes, and served to anybody.

use std::collections::BTreeSet;

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
    assert_eq!(names.len(), 37);
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
            "publicId",
        ] {
            path = path.replace(&format!("{{{name}}}"), "1");
        }
        let method: Method = method.to_uppercase().parse().expect("a method");
        let answer = Answer::to(desk.anonymous(method.clone(), &path));
        answer.fails(401, "UNAUTHORIZED");
        if method == Method::GET {
            let status = desk.get(&path).status;
            assert!(status == 200 || status == 404, "{path}: {status}");
        }
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
