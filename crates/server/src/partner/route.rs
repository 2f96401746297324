//! Which operation an address and a method mean, or that they mean the stream of live events.

use std::sync::LazyLock;

use axum::http::{HeaderValue, Method};
use matchit::Router;
use prilavok_wire::{Operation, live};

/// What an address and a method mean.
pub(super) enum Route<'p> {
    /// A call of an operation.
    Operation {
        operation: Operation,
        /// The id in the path as it was written, empty where the path has none.
        id: &'p str,
    },
    /// The stream of live events.
    Events {
        /// The id in the path as it was written.
        id: &'p str,
    },
    /// A question what may be done here.
    Options { allow: &'static HeaderValue },
    /// The address exists, but not with this method.
    OtherMethod { allow: &'static HeaderValue },
    /// There is no such address.
    Unknown,
}

/// What GET and HEAD mean at an address.
#[derive(Clone, Copy)]
enum Get {
    Operation(Operation),
    Events,
}

/// What is at one address.
#[derive(Default)]
struct Address {
    get: Option<Get>,
    post: Option<Operation>,
}

struct Entry {
    address: Address,
    allow: HeaderValue,
}

static ADDRESSES: LazyLock<Router<Entry>> = LazyLock::new(|| {
    let mut router = Router::new();
    for (index, operation) in Operation::ALL.iter().enumerate() {
        let path = operation.row().path;
        let same_path = |other: &&Operation| other.row().path == path;
        if Operation::ALL[..index].iter().any(|other| same_path(&other)) {
            continue;
        }
        let mut address = Address::default();
        for operation in Operation::ALL.iter().filter(same_path) {
            match operation.row().method {
                Method::GET => address.get = Some(Get::Operation(*operation)),
                _ => address.post = Some(*operation),
            }
        }
        insert(&mut router, path, address);
    }
    let events = Address {
        get: Some(Get::Events),
        post: None,
    };
    insert(&mut router, live::PATH, events);
    router
});

fn insert(router: &mut Router<Entry>, path: &str, address: Address) {
    let allow = HeaderValue::from_static(match (address.get, address.post) {
        (Some(_), Some(_)) => "GET, HEAD, POST, OPTIONS",
        (Some(_), None) => "GET, HEAD, OPTIONS",
        (None, _) => "POST, OPTIONS",
    });
    router
        .insert(path, Entry { address, allow })
        .expect("the paths do not overlap");
}

/// Finds out what is meant. The version before the path and `.json` behind it are optional.
pub(super) fn find<'p>(method: &Method, path: &'p str) -> Route<'p> {
    let path = match path.strip_prefix("/v2") {
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    };
    let path = path.strip_suffix(".json").unwrap_or(path);
    let Ok(found) = ADDRESSES.at(path) else {
        return Route::Unknown;
    };
    let Entry { address, allow } = found.value;
    let id = found.params.iter().next().map_or("", |(_, id)| id);
    let operation = match *method {
        Method::GET | Method::HEAD => match address.get {
            Some(Get::Events) => return Route::Events { id },
            Some(Get::Operation(operation)) => Some(operation),
            None => None,
        },
        Method::POST => address.post,
        Method::OPTIONS => return Route::Options { allow },
        _ => None,
    };
    match operation {
        Some(operation) => Route::Operation { operation, id },
        None => Route::OtherMethod { allow },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &str, path: &str) -> String {
        match find(&method.parse().expect("a method"), path) {
            Route::Operation { operation, id } => format!("{operation} {id}"),
            Route::Events { id } => format!("events {id}"),
            Route::Options { allow } => format!("options {}", allow.to_str().expect("ASCII")),
            Route::OtherMethod { allow } => format!("not {}", allow.to_str().expect("ASCII")),
            Route::Unknown => "unknown".to_owned(),
        }
    }

    #[test]
    fn addresses() {
        for (method, path, expected) in [
            ("GET", "/v2/businesses/1/chat", "getChat 1"),
            ("HEAD", "/businesses/abc/chat.json", "getChat abc"),
            ("POST", "/v2/businesses/1/chats", "getChats 1"),
            ("POST", "/v2/businesses/1/chats.json", "getChats 1"),
            ("GET", "/v2/businesses/1/chats/message", "getChatMessage 1"),
            (
                "POST",
                "/v2/businesses/1/chats/message.json",
                "sendMessageToChat 1",
            ),
            ("POST", "/v2/businesses/1/chats/file/send", "sendFileToChat 1"),
            ("POST", "/auth/token", "getAuthTokenInfo "),
            ("GET", "/campaigns.json", "getCampaigns "),
            ("GET", "/v2/campaigns/7.json", "getCampaign 7"),
            ("GET", "/businesses/1/events", "events 1"),
            ("HEAD", "/v2/businesses/1/events.json", "events 1"),
            ("POST", "/v2/businesses/1/events", "not GET, HEAD, OPTIONS"),
            ("GET", "/v2/businesses/1/events/", "unknown"),
            ("PUT", "/v2/campaigns/7", "not GET, HEAD, OPTIONS"),
            ("GET", "/v2/businesses/1/chats", "not POST, OPTIONS"),
            (
                "BREW",
                "/v2/businesses/1/chats/message",
                "not GET, HEAD, POST, OPTIONS",
            ),
            ("OPTIONS", "/v2/businesses/1/chat", "options GET, HEAD, OPTIONS"),
            ("GET", "/v2", "unknown"),
            ("GET", "/v2businesses/1/chat", "unknown"),
            ("GET", "/v2/v2/campaigns", "unknown"),
            ("GET", "/v2/campaigns/", "unknown"),
            ("GET", "/v2/businesses/1/chat/", "unknown"),
            ("GET", "/v2/businesses//chat", "unknown"),
            ("GET", "/v2/businesses/1/chat.json.json", "unknown"),
            ("OPTIONS", "*", "unknown"),
        ] {
            assert_eq!(found(method, path), expected, "{method} {path}");
        }
    }
}
