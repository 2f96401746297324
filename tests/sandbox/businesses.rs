//! Test runs side by side, each with a business of its own.

use reqwest::Method;
use serde_json::json;

use crate::market::Market;

#[test]
fn one_call_gives_a_business_with_keys_that_open_nothing_else() {
    let market = Market::open();
    let given = [(); 2].map(|()| market.post("/sandbox/v1/businesses", &json!({ "placement": "EXPRESS" })));
    let [first, second] = &given;
    assert_ne!(first["businessId"], second["businessId"]);
    let key = first["apiKey"].as_str().expect("a key");
    let create = |key: &str, business: &serde_json::Value| {
        let path = format!("/v2/businesses/{business}/chats/new");
        let body = json!({ "context": { "type": "ORDER", "id": first["orderIds"][0] } });
        let request = market.request(Method::POST, &path).header("Api-Key", key);
        request.json(&body).send().expect("an answer").status().as_u16()
    };
    assert_eq!(create(key, &first["businessId"]), 200);
    assert_eq!(create(key, &second["businessId"]), 403);
    assert_eq!(
        create(
            first["readOnlyApiKey"].as_str().expect("a key"),
            &first["businessId"]
        ),
        403
    );
}

#[test]
fn what_a_business_cannot_be_is_named() {
    let market = Market::open();
    for (body, expected) in [
        (json!({ "placement": "FBX" }), "'placement' must be one of FBS"),
        (json!({ "name": "" }), "'name' "),
        (json!({ "size": 1 }), "unknown field `size`"),
    ] {
        let (status, answer) = market.send(Method::POST, "/sandbox/v1/businesses", &body);
        let message = answer["error"]["message"].as_str().expect("a message");
        assert!(status == 400 && message.contains(expected), "{body}: {message}");
    }
}
