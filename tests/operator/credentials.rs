//! Api-Keys and OAuth tokens: shown once, listed, changed and revoked, at once for the Partner API.

use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::{Value, json};

use crate::desk::{Answer, BUSINESS, Desk};

const KEYS: &str = "/operator/v1/businesses/1/keys";
const TOKENS: &str = "/operator/v1/businesses/1/oauth-tokens";
const YEAR_MS: i64 = 365 * 24 * 60 * 60 * 1000;

fn without_secret(mut credential: Value) -> Value {
    credential
        .as_object_mut()
        .expect("an object")
        .remove("secret")
        .expect("a secret");
    credential
}

fn campaigns_as(desk: &Desk, token: &str) -> Answer {
    let request = desk.anonymous(Method::GET, "/v2/campaigns").bearer_auth(token);
    Answer::to(request)
}

#[test]
fn a_key_is_shown_once() {
    let desk = Desk::open();
    let created = desk
        .post(
            KEYS,
            &json!({"name": "CRM", "scopes": ["communication", "pricing"]}),
        )
        .is(201);
    assert!(
        created["secret"]
            .as_str()
            .is_some_and(|key| key.starts_with("ACMA:"))
    );
    let path = format!("{KEYS}/{}", created["keyId"]);
    let created = without_secret(created);
    assert_eq!(desk.get(&path).is(200), created);
    assert_eq!(desk.get(KEYS).is(200), json!({"items": [created]}));
    assert_json_snapshot!(created);
}

#[test]
fn a_token_is_shown_once_and_lives_a_year() {
    let desk = Desk::open();
    let created = desk
        .post(TOKENS, &json!({"name": "1C", "campaignIds": [2, 1, 2]}))
        .is(201);
    let secret = created["secret"].as_str().expect("a secret").to_owned();
    let path = format!("{TOKENS}/{}", created["tokenId"]);
    let created = without_secret(created);
    assert_eq!(desk.get(&path).is(200), created);
    assert_eq!(desk.get(TOKENS).is(200), json!({"items": [created]}));
    assert_json_snapshot!(created);
    assert_eq!(campaigns_as(&desk, &secret).status, 200);
    desk.advance(YEAR_MS);
    assert_eq!(campaigns_as(&desk, &secret).status, 403);
}

#[test]
fn a_token_sees_its_campaigns_only() {
    let desk = Desk::open();
    let created = desk
        .post(TOKENS, &json!({"name": "1C", "campaignIds": [1]}))
        .is(201);
    let secret = created["secret"].as_str().expect("a secret");
    let seen = || {
        campaigns_as(&desk, secret).json()["campaigns"]
            .as_array()
            .map_or(0, Vec::len)
    };
    assert_eq!(seen(), 1);
    let path = format!("{TOKENS}/{}", created["tokenId"]);
    assert_eq!(
        desk.patch(&path, &json!({"campaignIds": []})).is(200)["campaignIds"],
        json!([])
    );
    assert_eq!(seen(), 2, "none named is all of them");
    let answer = desk.patch(&path, &json!({"campaignIds": [1, 7]}));
    assert_eq!(
        answer.fails(400, "VALIDATION_FAILED"),
        ["campaignIds: names what does not exist: campaign 7"]
    );
    let answer = desk.post(TOKENS, &json!({"name": "other", "campaignIds": [7]}));
    assert_eq!(
        answer.fails(400, "VALIDATION_FAILED"),
        ["campaignIds: names what does not exist: campaign 7"]
    );
}

#[test]
fn changes_act_at_once() {
    let desk = Desk::open();
    desk.chat_about_order(1);
    let (id, secret) = desk.key("CRM");
    let path = format!("{KEYS}/{id}");
    let write = || {
        let request = desk.partner(Method::POST, "/v2/businesses/1/chats/message?chatId=1", &secret);
        Answer::to(request.body(r#"{"message":"hello"}"#)).status
    };
    assert_eq!(write(), 200);

    let changed = desk
        .patch(
            &path,
            &json!({"name": "reader", "scopes": ["all-methods:read-only"]}),
        )
        .is(200);
    assert_eq!(changed["name"], "reader");
    assert_eq!(changed["scopes"], json!(["all-methods:read-only"]));
    assert_eq!(write(), 403);
    let unchanged = desk.patch(&path, &json!({"scopes": ["communication"]})).is(200);
    assert_eq!(unchanged["name"], "reader", "what is absent stays");
    assert_eq!(write(), 200);

    let revoked = desk.act(&format!("{path}/revoke")).is(200);
    assert_eq!(revoked["revokedAt"], "2025-01-16T10:09:49.759Z");
    assert_eq!(write(), 401);
    desk.advance(1_000);
    assert_eq!(
        desk.act(&format!("{path}/revoke")).is(200),
        revoked,
        "revoking again changes nothing"
    );
    let answer = desk.patch(&path, &json!({"name": "again"}));
    assert_eq!(
        answer.message(409, "CONFLICT"),
        "It is revoked and can no longer be changed"
    );
}

#[test]
fn a_revoked_token_opens_nothing() {
    let desk = Desk::open();
    let created = desk.post(TOKENS, &json!({"name": "1C"})).is(201);
    assert_eq!(created["scopes"], json!(["all-methods"]));
    let secret = created["secret"].as_str().expect("a secret");
    assert_eq!(campaigns_as(&desk, secret).status, 200);
    desk.act(&format!("{TOKENS}/{}/revoke", created["tokenId"]))
        .is(200);
    assert_eq!(campaigns_as(&desk, secret).status, 403);
}

#[test]
fn thirty_keys_and_no_more() {
    let desk = Desk::open();
    let (first, _) = desk.key("key 1");
    for number in 2..=30 {
        desk.key(&format!("key {number}"));
    }
    let answer = desk.post(KEYS, &json!({"name": "key 31", "scopes": ["communication"]}));
    assert_eq!(
        answer.message(409, "CONFLICT"),
        "The business has 30 keys already: revoke one first"
    );
    desk.act(&format!("{KEYS}/{first}/revoke")).is(200);
    // Its name is free again, too.
    desk.key("key 1");
    assert_eq!(desk.get(KEYS).is(200)["items"].as_array().map(Vec::len), Some(31));
}

#[test]
fn names_are_unique_among_the_living() {
    let desk = Desk::open();
    desk.key("CRM");
    let (other, _) = desk.key("other");
    let answer = desk.post(KEYS, &json!({"name": "CRM", "scopes": ["communication"]}));
    assert_eq!(
        answer.fails(409, "CONFLICT"),
        ["name: another one of this business has this name"]
    );
    let answer = desk.patch(&format!("{KEYS}/{other}"), &json!({"name": "CRM"}));
    assert_eq!(
        answer.fails(409, "CONFLICT"),
        ["name: another one of this business has this name"]
    );
    desk.post(TOKENS, &json!({"name": "CRM"})).is(201);
}

#[test]
fn keys_are_no_tokens() {
    let desk = Desk::open();
    let (id, secret) = desk.key("CRM");
    desk.get(&format!("{TOKENS}/{id}")).fails(404, "NOT_FOUND");
    desk.act(&format!("{TOKENS}/{id}/revoke")).fails(404, "NOT_FOUND");
    desk.put("/operator/v1/businesses/2", &json!({"name": "other"}))
        .is(201);
    desk.act(&format!("/operator/v1/businesses/2/keys/{id}/revoke"))
        .fails(404, "NOT_FOUND");
    assert_eq!(
        Answer::to(desk.partner(Method::POST, "/v2/auth/token", &secret)).status,
        200
    );
}

#[test]
fn wrong_fields_are_named() {
    let desk = Desk::open();
    for (body, problems) in [
        (json!({}), vec!["name: is required", "scopes: is required"]),
        (
            json!({"name": "x", "scopes": []}),
            vec!["scopes: must have at least one element"],
        ),
        (
            json!({"name": "", "scopes": ["communication", "chats", 7], "campaignIds": []}),
            vec![
                "name: must have 1 to 100 characters and no control characters",
                "scopes[1]: must be one of all-methods",
                "scopes[2]: must be a string",
                "campaignIds: is not known here",
            ],
        ),
    ] {
        let found = desk.post(KEYS, &body).fails(400, "VALIDATION_FAILED");
        assert_eq!(found.len(), problems.len(), "{found:?}");
        for (found, expected) in found.iter().zip(problems) {
            assert!(found.starts_with(expected), "{found}");
        }
    }
    assert_eq!(
        desk.get(&format!("{BUSINESS}/keys")).is(200),
        json!({"items": []})
    );
}
