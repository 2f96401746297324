//! One business with another one's key, ids and links: it gets nothing, and learns nothing.

use prilavok_wire::Operation;
use prilavok_wire::operation::{Area, BodyKind};
use reqwest::Method;
use reqwest::blocking::multipart::{Form, Part};

use crate::counter::{Answer, Counter};

/// A chat and a message of business 1, and ids that nobody has.
const THEIRS: (i64, i64) = (1, 1);
const NOBODYS: (i64, i64) = (4_000_000, 4_000_000);

/// A call of `operation` on business 1, made with `key`.
fn call(counter: &Counter, operation: Operation, (chat, message): (i64, i64), key: &str) -> Answer {
    let row = operation.row();
    let path = row.path.replace("{businessId}", "1").replace("{campaignId}", "1");
    let url = format!("/v2{path}?chatId={chat}&messageId={message}");
    let method = Method::from_bytes(row.method.as_str().as_bytes()).expect("a method");
    let request = counter.anonymous(method, &url).header("Api-Key", key);
    Answer::of(match row.body {
        BodyKind::None => request,
        BodyKind::Json => request.body(r#"{"message":"let me in","context":{"type":"ORDER","id":1}}"#),
        BodyKind::Multipart => {
            request.multipart(Form::new().part("file", Part::bytes(b"content".to_vec()).file_name("a.txt")))
        }
    })
}

#[test]
fn another_business_gets_the_same_403_whether_or_not_the_chat_exists() {
    let counter = Counter::open();
    let before = counter
        .post("/v2/businesses/1/chats?limit=20", "{}")
        .succeeded()
        .body;
    let of_business = Operation::ALL
        .iter()
        .filter(|operation| operation.row().area == Area::Business);
    for operation in of_business {
        let theirs = call(&counter, *operation, THEIRS, &counter.keys.other);
        theirs.refused(403, "Access denied");
        let nobodys = call(&counter, *operation, NOBODYS, &counter.keys.other);
        assert_eq!(theirs.body, nobodys.body, "{}", operation.as_str());
        // The caller pays for both alike.
        let left = |answer: &Answer| answer.header("x-ratelimit-resource-remaining").to_owned();
        let limit = operation.row().hourly_limit;
        assert_eq!(
            (left(&theirs), left(&nobodys)),
            ((limit - 1).to_string(), (limit - 2).to_string()),
            "{}",
            operation.as_str()
        );
    }
    let after = counter
        .post("/v2/businesses/1/chats?limit=20", "{}")
        .succeeded()
        .body;
    assert_eq!(before, after, "nothing was written");
}

#[test]
fn campaigns_of_another_business_are_not_there() {
    let counter = Counter::open();
    for id in [1, 99] {
        let request = counter.anonymous(Method::GET, &format!("/v2/campaigns/{id}"));
        let answer = Answer::of(request.header("Api-Key", &counter.keys.other));
        answer.refused(404, &format!("Campaign not found '{id}'"));
    }
    let listed = counter
        .anonymous(Method::GET, "/v2/campaigns")
        .header("Api-Key", &counter.keys.other);
    let listed = Answer::of(listed).succeeded().json();
    let ids: Vec<_> = listed["campaigns"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["id"])
        .collect();
    assert_eq!(ids, [4]);
}

#[test]
fn ids_of_another_business_in_ones_own_address_are_not_there() {
    let counter = Counter::open();
    let own = |method: Method, path: &str, body: &'static str| {
        let request = counter.anonymous(method, &format!("/v2/businesses/2{path}"));
        Answer::of(request.header("Api-Key", &counter.keys.other).body(body))
    };
    own(Method::GET, "/chat?chatId=1", "").refused(404, "Can't find chat by id: '1'");
    own(Method::POST, "/chats/history?chatId=1", "{}").refused(404, "Can't find chat by id: '1'");
    own(Method::POST, "/chats/message?chatId=1", r#"{"message":"hi"}"#)
        .refused(404, "Can't find chat by id: '1'");
    own(
        Method::POST,
        "/chats/new",
        r#"{"context":{"type":"ORDER","id":2}}"#,
    )
    .refused(404, "Order not found: '2'");
    own(
        Method::POST,
        "/chats/new",
        r#"{"context":{"type":"RETURN","id":1}}"#,
    )
    .refused(404, "Return not found: '1'");
    let filtered = own(
        Method::POST,
        "/chats",
        r#"{"contexts":[{"type":"ORDER","id":2},{"type":"RETURN","id":1}]}"#,
    )
    .succeeded()
    .json();
    assert_eq!(filtered["result"]["chats"], serde_json::json!([]));
    let page = counter
        .post("/v2/businesses/1/chats?limit=1", "{}")
        .succeeded()
        .json();
    let token = page["result"]["paging"]["nextPageToken"]
        .as_str()
        .expect("a second page")
        .to_owned();
    own(Method::POST, &format!("/chats?limit=1&pageToken={token}"), "{}").refused(400, "Bad page token");
}

#[test]
fn files_of_another_business_stay_closed() {
    let counter = Counter::open();
    let form = Form::new().part("file", Part::bytes(b"a secret".to_vec()).file_name("secret.txt"));
    let send = counter.request(Method::POST, "/v2/businesses/1/chats/file/send?chatId=1");
    Answer::of(send.multipart(form)).succeeded();
    let history = counter
        .post("/v2/businesses/1/chats/history?chatId=1", "{}")
        .succeeded()
        .json();
    let messages = history["result"]["messages"].as_array().expect("a list");
    let url = messages
        .iter()
        .find_map(|one| one["payload"][0]["url"].as_str())
        .expect("a file")
        .to_owned();
    let signed = url
        .split_once(&counter.address.to_string())
        .expect("this server")
        .1;
    let (path, query) = signed.split_once('?').expect("a signed link");

    let open = |path: &str, key: Option<&str>| {
        let request = counter.anonymous(Method::GET, path);
        Answer::of(match key {
            Some(key) => request.header("Api-Key", key),
            None => request,
        })
    };
    assert_eq!(open(signed, None).body, "a secret");
    assert_eq!(open(path, Some(&counter.keys.communication)).body, "a secret");
    open(path, None).refused(401, "Credentials are not specified");
    open(path, Some(&counter.keys.other)).refused(403, "Access denied");
    open(path, Some(&counter.keys.pricing)).refused(403, "Access denied");
    // The same answer for a file that nobody has.
    open("/files/1/4000000", Some(&counter.keys.other)).refused(403, "Access denied");
    // The signature is for this file of this business and nothing else.
    let file = path.rsplit('/').next().expect("an id");
    open(&format!("/files/2/{file}?{query}"), None).refused(403, "Access denied");
    open(&format!("/files/1/4000000?{query}"), None).refused(403, "Access denied");
    open(&format!("/files/2/{file}"), Some(&counter.keys.other)).refused(404, "Resource not found");
}
