//! Signing in and out.

use reqwest::Method;
use serde_json::json;

use crate::browser::{Browser, Reader};
use crate::market::Market;

#[test]
fn one_signs_in_with_a_key_and_out_again() {
    let market = Market::open();
    let browser = Browser::open(&market.url, Reader::default());
    browser.go("/ui/chats/1?status=WAITING_FOR_PARTNER");
    assert!(browser.path().starts_with("/ui/sign-in?next="));

    browser.sign_in("ACMA:wrong");
    browser.wait_for_text("[role=alert]", "Check that all 54 characters were copied");
    browser.sign_in(&market.key);
    browser.wait_for_text(".who", "Лавка у моста");
    assert_eq!(browser.path(), "/ui/chats/1?status=WAITING_FOR_PARTNER");
    assert_eq!(
        browser.run("return document.cookie"),
        "",
        "scripts must not see the session"
    );

    browser.find(".menu summary").click(&browser);
    browser.find("form[action='/ui/sign-out'] button").click(&browser);
    browser.find("#secret");
    browser.go("/ui/");
    assert!(browser.path().starts_with("/ui/sign-in"));
}

#[test]
fn a_key_that_is_revoked_ends_its_session() {
    let market = Market::open();
    let browser = Browser::signed_in(&market, Reader::default(), "/ui/chats/1");
    browser.find("textarea").fill(&browser, "half an ans");
    let keys = market.operator(Method::GET, "/businesses/1/keys", &json!({}));
    let keys = keys["items"].as_array().expect("keys");
    let key = keys
        .iter()
        .find(|key| key["name"] == "demo" && key["revokedAt"].is_null());
    let id = &key.expect("the key")["keyId"];
    market.operator(
        Method::POST,
        &format!("/businesses/1/keys/{id}/revoke"),
        &json!({}),
    );
    // The page finds out with the next thing that it asks for.
    market.customer_writes(1, "?");
    browser.find("#secret");
    assert!(
        browser.path().starts_with("/ui/sign-in?next=%2Fui%2Fchats%2F1"),
        "{}",
        browser.path()
    );
    browser.wait_for_text("[role=alert]", "Sign in again");
}

#[test]
fn a_key_that_may_only_read_sees_chats_and_no_box_to_reply_in() {
    let market = Market::open();
    let browser = Browser::open(&market.url, Reader::default());
    browser.go("/ui/sign-in");
    browser.sign_in(&market.reader);
    browser.go("/ui/chats/1");
    browser.wait_for_text(".closed", "may read but not write");
    assert_eq!(browser.count("textarea"), 0);
    assert!(browser.count(".message") > 0);
}
