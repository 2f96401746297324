//! Looking for words.

use std::time::{Duration, Instant};

use crate::browser::{Browser, Reader, key};
use crate::market::{Market, PATIENCE};
use crate::requests::{get, sign_in};

/// The list of a seller who looks for words, once it has `expected` in it.
fn list(market: &Market, secret: &str, query: &str, expected: &str) -> String {
    let (cookie, _) = sign_in(market, secret);
    let began = Instant::now();
    loop {
        let list = get(market, &format!("/ui/list?{query}"), &cookie)
            .text()
            .expect("text");
        if list.contains(expected) {
            return list;
        }
        assert!(began.elapsed() < PATIENCE, "{expected} is not in {list}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn words_are_typed_found_filtered_and_opened() {
    let market = Market::open();
    market.customer_writes(1, "Верните деньги за <b>самовар</b>, пожалуйста");
    market.customer_writes(2, "Два самовара, оба целы");
    list(&market, &market.key, "q=самовар", "<mark>самовара</mark>");

    let browser = Browser::signed_in(&market, Reader::default(), "/ui/");
    browser.find(".chats a");
    browser.press("/");
    browser.press("самоваров");
    browser.press(key::ENTER);
    browser.wait("return location.search.includes('q=')");
    browser.wait_for_text(".chats mark", "самовара");
    assert_eq!(browser.count(".chats li"), 2);
    assert_eq!(
        browser.text("[data-chat='1'] .last"),
        "Верните деньги за <b>самовар</b>, пожалуйста"
    );
    assert_eq!(browser.text("[data-chat='1'] mark"), "самовар");
    assert_eq!(
        browser.run("return document.querySelector('input[name=q]').value"),
        "самоваров"
    );
    // A chat that is opened leaves the words where they are.
    browser.find("[data-chat='1']").click(&browser);
    browser.wait_for_text(".message .text", "самовар");
    assert!(browser.path().contains("?q=%D1%81"), "{}", browser.path());
    assert_eq!(browser.count(".chats li"), 2);

    // The other filters hold as well.
    browser.run("document.querySelector('select[name=status]').value = 'FINISHED'");
    browser.find(".filter button").click(&browser);
    browser.wait_for_text(".none", "Nothing was found");
    assert_eq!(browser.count(".chats li"), 0);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn sellers_find_what_is_theirs() {
    let market = Market::open();
    market.customer_writes(1, "Где самовар?");
    list(&market, &market.key, "q=самовара", "<mark>самовар</mark>");
    for hostile in [
        "q=самовар",
        "q=%22",
        "q=%22+OR+*+NEAR(+-+%5E",
        "q=word:x",
        "q=%00",
        "q=%F0%9F%98%80",
    ] {
        let found = list(&market, &market.other, hostile, "class=\"none\"");
        assert!(!found.contains("data-chat"), "{found}");
    }
    // By the number of an order.
    let page = list(&market, &market.key, "", "class=\"name\"");
    let order = page
        .split("<span class=\"subject\">Order ")
        .nth(1)
        .expect("an order");
    let order = order.split('<').next().expect("a number").to_owned();
    list(
        &market,
        &market.key,
        &format!("q={order}"),
        &format!("Order {order}<"),
    );
}

#[test]
fn it_can_be_switched_off() {
    let market = Market::with(&[("SEARCH__ENABLED", "false")]);
    let (cookie, _) = sign_in(&market, &market.key);
    let page = get(&market, "/ui/?q=x", &cookie).text().expect("text");
    assert!(
        page.contains("data-chat") && !page.contains("type=\"search\""),
        "{page}"
    );
}
