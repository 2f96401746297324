//! The operator's pages.

use reqwest::Method;
use serde_json::json;

use crate::browser::{Browser, Reader};
use crate::market::Market;
use crate::receiver::{Behaviour, Receiver};

/// The status of a seller's call with a key.
fn call(market: &Market, key: &str) -> u16 {
    let request = market.request(Method::POST, "/v2/businesses/1/chats");
    let answer = request.header("Api-Key", key).json(&json!({})).send();
    answer.expect("an answer").status().as_u16()
}

#[test]
fn a_key_is_created_shown_once_and_revoked() {
    let market = Market::open();
    let browser = Browser::of_operator(&market, Reader::default(), "/ui/operator");
    browser
        .find("a[href='/ui/operator/businesses/1']")
        .click(&browser);
    browser.find("#key-name").fill(&browser, "<i>crm</i>");
    browser.find("form[action$='/keys'] button").click(&browser);
    browser.find("#new-secret");
    let key = browser.run("return document.getElementById('new-secret').value");
    let key = key.as_str().expect("a key").to_owned();
    assert_eq!(call(&market, &key), 200);
    browser.find("main .button").click(&browser);
    browser.wait_for_text("[data-keys] li", "<i>crm</i>");
    assert!(!browser.text("main").contains(&key));
    browser
        .find("[data-keys] button[aria-label='Revoke: <i>crm</i>']")
        .click(&browser);
    browser.wait(
        "return [...document.querySelectorAll('[data-keys] li')].some((one) =>
             one.innerText.includes('<i>crm</i>') && one.innerText.includes('Revoked'))",
    );
    assert_ne!(call(&market, &key), 200);
    browser.find("nav a[href='/ui/operator/audit']").click(&browser);
    browser.wait_for_text("[data-audit] li:nth-child(1)", "Revoked a key: <i>crm</i>");
    browser.wait_for_text("[data-audit] li:nth-child(2)", "Created a key: <i>crm</i>");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_key_without_a_name_or_a_use_is_refused_and_says_why() {
    let market = Market::open();
    let browser = Browser::of_operator(&market, Reader::default(), "/ui/operator/businesses/1");
    browser.find("#key-name").fill(&browser, "crm");
    browser.run("document.querySelector('[name=scope]:checked').checked = false");
    browser.find("form[action$='/keys'] button").click(&browser);
    browser.wait_for_text("main", "A key needs a name");
    browser.go("/ui/operator/businesses/1");
    browser.find("#key-name").fill(&browser, "demo");
    browser.find("form[action$='/keys'] button").click(&browser);
    browser.wait_for_text("main", "Another key of this business has this name");
}

#[test]
fn a_business_is_switched_off_and_on() {
    let market = Market::open();
    let browser = Browser::of_operator(&market, Reader::default(), "/ui/operator/businesses/1");
    for (state, shown, answer) in [("DISABLED", "Switched off", 403), ("ACTIVE", "Active", 200)] {
        browser.run(&format!("document.getElementById('state').value = '{state}'"));
        browser.find("form[action$='/state'] button").click(&browser);
        browser.wait_for_text("[data-state]", shown);
        assert_eq!(call(&market, &market.key), answer);
    }
}

#[test]
fn a_subscription_is_switched_and_what_was_refused_is_sent_again() {
    let market = Market::with(&[("NOTIFICATIONS__ALLOW_PRIVATE", "true")]);
    let receiver = Receiver::start();
    let new = json!({"name": "hook", "url": receiver.url(), "enabled": false});
    let made = market.operator(Method::POST, "/businesses/1/subscriptions", &new);
    let path = format!(
        "/ui/operator/businesses/1/subscriptions/{}",
        made["subscriptionId"]
    );
    let browser = Browser::of_operator(&market, Reader::default(), &path);
    receiver.now(Behaviour::Answers(500, "down"));
    browser.find("button[value=enable]").click(&browser);
    browser.wait_for_text("main", "The subscription stays disabled");
    receiver.now(Behaviour::Accepts);
    browser.go(&path);
    browser.find("button[value=enable]").click(&browser);
    browser.wait_for_text("[data-switched]", "Enabled");

    let refusal = r#"{"error":{"type":"UNKNOWN","message":"<b>no</b>"}}"#;
    receiver.now(Behaviour::Answers(400, refusal));
    market.customer_writes(1, "Здравствуйте");
    receiver.events(1);
    let log = "/ui/operator/businesses/1/deliveries";
    let refused = |count: usize| {
        let filter = "/businesses/1/deliveries?outcome=REFUSED";
        let begun = std::time::Instant::now();
        loop {
            let page = market.operator(Method::GET, filter, &json!({}));
            if page["items"].as_array().map_or(0, Vec::len) == count {
                return;
            }
            assert!(begun.elapsed() < crate::market::PATIENCE, "{page}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    refused(1);
    receiver.now(Behaviour::Accepts);
    browser.go(&format!("{log}?outcome=REFUSED"));
    browser.wait_for_text("[data-deliveries] li", "Refused");
    browser.find("[data-deliveries] button").click(&browser);
    browser.wait_for_text("[data-queued]", "1");
    receiver.events(2);

    receiver.now(Behaviour::Answers(400, refusal));
    market.customer_writes(1, "Вы тут?");
    refused(2);
    receiver.now(Behaviour::Accepts);
    browser.go(&path);
    browser.wait_for_text(".facts", "Last failure");
    browser.run("document.getElementById('since').value = '2020-01-01T00:00'");
    browser.find("form[action$='/again'] button").click(&browser);
    // The first one was delivered meanwhile.
    browser.wait_for_text("[data-queued]", "1");
    let events = receiver.events(4);
    assert_eq!(events[3].body["messageId"], events[2].body["messageId"]);
    browser.find("button[value=disable]").click(&browser);
    browser.wait_for_text("[data-switched]", "Disabled by hand");
    browser.go("/ui/operator/audit");
    let done = [
        "Disabled a subscription",
        "Had notifications sent again",
        "Had notifications sent again",
        "Enabled",
    ];
    for (place, deed) in done.iter().enumerate() {
        browser.wait_for_text(&format!("[data-audit] li:nth-child({})", place + 1), deed);
    }
}

#[test]
fn requests_are_filtered_and_shown_with_the_command_that_repeats_them() {
    let market = Market::open();
    assert_ne!(call(&market, "ACMA:wrong"), 200);
    let missing = market.request(Method::GET, "/v2/businesses/1/chat?chatId=999&x=<script>");
    let missing = missing.header("Api-Key", &market.key).send();
    assert_eq!(missing.expect("an answer").status(), 404);
    let browser = Browser::of_operator(&market, Reader::default(), "/ui/operator/requests");
    let begun = std::time::Instant::now();
    // The log is written a moment after the answer.
    while browser.count("[data-requests] li") < 2 {
        assert!(begun.elapsed() < crate::market::PATIENCE, "never there");
        browser.reload();
    }
    browser.find("[name=status]").fill(&browser, "404");
    browser.find(".fields button").click(&browser);
    browser.wait("return document.querySelectorAll('[data-requests] li').length === 1");
    browser.wait_for_text("[data-requests] li", "getChat");
    browser.find("[data-requests] a").click(&browser);
    browser.wait_for_text("[data-curl]", "curl");
    let shown = browser.text("main");
    assert!(
        shown.contains("NOT_FOUND") && !shown.contains(&market.key),
        "{shown}"
    );
    browser.go("/ui/operator/requests?operation=getChats&status=404");
    assert_eq!(browser.count("[data-requests] li"), 0);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn calls_of_this_hour_are_shown_with_their_limits() {
    let market = Market::open();
    let browser = Browser::of_operator(&market, Reader::default(), "/ui/operator/limits");
    browser.wait_for_text(".panel", "No calls this hour");
    // The hour may end between the calls and the look.
    let begun = std::time::Instant::now();
    loop {
        assert_eq!(call(&market, &market.key), 200);
        browser.reload();
        if browser.text(".panel").contains("getChats: 1 / ") {
            break;
        }
        assert!(
            begun.elapsed() < crate::market::PATIENCE,
            "{}",
            browser.text("main")
        );
    }
    browser.go("/ui/operator/businesses/1");
    browser.find("#limits");
}
