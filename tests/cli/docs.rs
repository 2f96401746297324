//! The reference page: it, what it loads and the documents that it shows come from the binary alone.

use std::collections::BTreeSet;

use reqwest::blocking::Response;
use reqwest::header::{ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use serde_json::Value;

use crate::binary::Server;

fn get(server: &Server, path: &str) -> Response {
    let answer = server.get(path).send().expect("an answer");
    assert_eq!(answer.status(), 200, "{path}");
    answer
}

fn header(answer: &Response, name: reqwest::header::HeaderName) -> String {
    answer.headers()[name].to_str().expect("ASCII").to_owned()
}

/// What stands in the quotes behind each `before`.
fn quoted<'t>(text: &'t str, before: &str) -> Vec<&'t str> {
    let behind = text.split(before).skip(1);
    let opened = behind.filter_map(|rest| rest.strip_prefix('"'));
    opened.filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn the_page_loads_nothing_but_what_the_server_itself_serves() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let page = get(&server, "/docs/").text().expect("text");
    let loaded: Vec<_> = [quoted(&page, "src="), quoted(&page, "href=")].concat();
    for wanted in ["swagger-ui-bundle.js", "swagger-ui.css", "prilavok.js"] {
        assert!(loaded.contains(&wanted), "{wanted}: {page}");
    }
    for name in loaded {
        let path = match name.strip_prefix('/') {
            Some(_) => name.to_owned(),
            None => format!("/docs/{name}"),
        };
        let answer = get(&server, &path);
        let expected = match name.rsplit('.').next() {
            Some("js") => "text/javascript",
            Some("css") => "text/css",
            Some("png") => "image/png",
            // Where people, not programs, go on.
            Some("/ui/") => "text/html",
            _ => "application/json",
        };
        let media_type = header(&answer, CONTENT_TYPE);
        assert!(media_type.starts_with(expected), "{name}: {media_type}");
        assert!(!answer.bytes().expect("a body").is_empty(), "{name}");
    }
    let script = get(&server, "/docs/prilavok.js").text().expect("text");
    for text in [&page, &script] {
        assert!(!text.contains("http:") && !text.contains("https:"), "{text}");
    }
    // Without it the viewer asks its makers' server about every document that is not on localhost.
    assert!(script.contains("validatorUrl: null"), "{script}");
}

#[test]
fn the_policy_lets_the_page_reach_no_other_host() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    for path in ["/docs/", "/docs/prilavok.js", "/docs/swagger-ui-bundle.js"] {
        let answer = get(&server, path);
        let policy = header(&answer, CONTENT_SECURITY_POLICY);
        let mut directives = policy.split(';').map(str::trim);
        assert_eq!(directives.next(), Some("default-src 'none'"), "{path}");
        for directive in directives {
            let mut words = directive.split(' ');
            let name = words.next().expect("a name");
            for source in words {
                let is_own = ["'self'", "'none'", "data:"].contains(&source);
                assert!(is_own, "{path}: {name} allows {source}");
            }
        }
    }
}

#[test]
fn the_page_offers_all_documents_and_each_operation_in_them_has_a_name_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let script = get(&server, "/docs/prilavok.js").text().expect("text");
    let urls = quoted(&script, "url: ");
    assert_eq!(
        urls,
        [
            "/openapi.json",
            "/operator/v1/openapi.json",
            "/buyer/v1/openapi.json"
        ]
    );
    for (url, least) in urls.into_iter().zip([10, 30, 11]) {
        let answer = get(&server, url);
        assert_eq!(header(&answer, CONTENT_TYPE), "application/json");
        let document: Value = answer.json().expect("JSON");
        assert!(
            document["openapi"]
                .as_str()
                .is_some_and(|version| version.starts_with("3.1"))
        );
        let paths = document["paths"].as_object().expect("paths").values();
        let operations: Vec<&Value> = paths
            .flat_map(|item| item.as_object().expect("a path").iter())
            .filter(|(method, _)| ["get", "put", "post", "patch", "delete"].contains(&method.as_str()))
            .map(|(_, operation)| operation)
            .collect();
        let names: BTreeSet<&str> = operations
            .iter()
            .map(|operation| operation["operationId"].as_str().expect("an operationId"))
            .collect();
        assert_eq!(names.len(), operations.len(), "{url}: {names:?}");
        assert!(names.len() >= least, "{url}: {names:?}");
    }
}

#[test]
fn the_page_is_found_from_the_root_and_from_docs() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    for path in ["/", "/docs"] {
        let answer = server
            .get(path)
            .header(ACCEPT, "text/html")
            .send()
            .expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.url().path(), "/docs/");
        assert!(answer.text().expect("text").contains("Prilavok API reference"));
    }
    for path in [
        "/docs/index.html",
        "/docs/swagger-initializer.js",
        "/docs/nothing.js",
        "/docs/%2e%2e/x",
    ] {
        let answer = server.get(path).send().expect("an answer");
        assert_eq!(answer.status(), 404, "{path}");
    }
}
