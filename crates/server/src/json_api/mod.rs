//! What the JSON APIs of our own have in common, the Operator API and the Buyer API: what requests may hold ([`path`],
//! [`query`], [`body`], [`fields`], [`form`], [`last_event`]), what answers look like ([`error`], [`envelope`], [`page`], and the chats and
//! messages in them), and how documents describe it. Who may call, and what there is to call, each API says itself.

pub(crate) mod answers;
pub(crate) mod bearer;
pub(crate) mod body;
pub(crate) mod chat_json;
pub(crate) mod envelope;
pub(crate) mod error;
pub(crate) mod fields;
pub(crate) mod form;
pub(crate) mod idempotency;
pub(crate) mod json_id;
pub(crate) mod last_event;
pub(crate) mod message_json;
pub(crate) mod names;
pub(crate) mod page;
pub(crate) mod path;
pub(crate) mod query;
pub(crate) mod time;

use std::collections::HashMap;

use axum::http::Method;
use utoipa::openapi::OpenApi;

/// The names of an API's operations, by method and route.
pub(crate) struct OperationNames(HashMap<String, String>);

impl OperationNames {
    /// Those that a document has.
    pub(crate) fn of(document: OpenApi) -> Self {
        let mut names = HashMap::new();
        for (path, item) in document.paths.paths {
            let methods = [
                (Method::GET, item.get),
                (Method::PUT, item.put),
                (Method::POST, item.post),
                (Method::PATCH, item.patch),
                (Method::DELETE, item.delete),
            ];
            for (method, operation) in methods {
                if let Some(name) = operation.and_then(|operation| operation.operation_id) {
                    names.insert(format!("{method} {path}"), name);
                }
            }
        }
        Self(names)
    }

    /// The operation behind a method and a route.
    pub(crate) fn get(&self, method: &Method, route: &str) -> Option<&str> {
        let method = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        self.0.get(&format!("{method} {route}")).map(String::as_str)
    }
}
