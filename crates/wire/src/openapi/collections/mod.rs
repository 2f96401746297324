//! The Partner API as requests to send from an editor or from Postman, made from its OpenAPI document. Ids,
//! address and key are variables, so that they are written once.

mod http_file;
mod postman;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

pub use http_file::partner_http;
pub use postman::partner_postman;

/// Where a server listens unless it is told otherwise.
const BASE_URL: &str = "http://127.0.0.1:8080";
/// The variables of the address and of the key.
const BASE: &str = "baseUrl";
const KEY: &str = "apiKey";
/// What the variable of an id is at first: the demo has something with this id of every kind.
const FIRST_ID: &str = "1";

/// What is used of the OpenAPI document.
#[derive(Deserialize)]
struct Document {
    info: Info,
    paths: BTreeMap<String, PathItem>,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
struct Info {
    title: String,
    description: String,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
    description: String,
}

#[derive(Deserialize)]
struct PathItem {
    get: Option<Described>,
    post: Option<Described>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    operation_id: String,
    summary: String,
    description: String,
    tags: Vec<String>,
    parameters: Vec<Parameter>,
    request_body: Option<RequestBody>,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    #[serde(rename = "in")]
    place: Place,
    description: String,
    required: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    Path,
    Query,
    Header,
}

#[derive(Deserialize)]
struct RequestBody {
    content: BTreeMap<String, Content>,
}

#[derive(Deserialize)]
struct Content {
    example: Option<Value>,
}

/// One operation as a request.
struct Request<'d> {
    method: &'static str,
    /// With variables in the place of parameters.
    path: String,
    described: &'d Described,
}

enum Body {
    None,
    /// Pretty JSON.
    Json(String),
    /// A form with a file in its part `file`.
    File,
}

impl Document {
    fn of_partner() -> Self {
        let document = serde_json::to_value(super::partner_openapi());
        document
            .and_then(serde_json::from_value)
            .expect("the document has what is described of every operation")
    }

    /// The operations under each tag.
    fn folders(&self) -> impl Iterator<Item = (&Tag, Vec<Request<'_>>)> {
        self.tags.iter().map(|tag| {
            let requests = self.paths.iter().flat_map(|(path, item)| {
                let path = path.replace('{', "{{").replace('}', "}}");
                [("GET", &item.get), ("POST", &item.post)].into_iter().filter_map(
                    move |(method, described)| {
                        described.as_ref().map(|described| Request {
                            method,
                            path: path.clone(),
                            described,
                        })
                    },
                )
            });
            let of_tag = requests.filter(|request| request.described.tags.contains(&tag.name));
            (tag, of_tag.collect())
        })
    }

    /// The variables, and what each is at first.
    fn variables(&self) -> Vec<(String, &'static str)> {
        let mut variables = vec![(BASE.to_owned(), BASE_URL), (KEY.to_owned(), "")];
        for (_, requests) in self.folders() {
            for parameter in requests.iter().flat_map(|it| &it.described.parameters) {
                let known = variables.iter().any(|(name, _)| *name == parameter.name);
                if parameter.required && !known {
                    variables.push((parameter.name.clone(), FIRST_ID));
                }
            }
        }
        variables
    }
}

impl Request<'_> {
    fn parameters(&self, place: Place) -> impl Iterator<Item = &Parameter> {
        let parameters = self.described.parameters.iter();
        parameters.filter(move |parameter| parameter.place == place)
    }

    /// The address with what must be given.
    fn url(&self) -> String {
        let query: Vec<_> = self
            .parameters(Place::Query)
            .filter(|it| it.required)
            .map(|it| format!("{}={}", it.name, variable(&it.name)))
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{}", variable(BASE), self.path, query.join("&"))
    }

    fn body(&self) -> Body {
        let Some(body) = &self.described.request_body else {
            return Body::None;
        };
        match body.content.get(super::JSON) {
            Some(content) => {
                let example = content.example.as_ref().unwrap_or(&Value::Null);
                Body::Json(format!("{example:#}"))
            }
            None => Body::File,
        }
    }
}

fn variable(name: &str) -> String {
    format!("{{{{{name}}}}}")
}
