//! Everything can be done with the keyboard alone.

use crate::browser::{Browser, Reader, key};
use crate::market::Market;

fn focused(browser: &Browser) -> String {
    let what =
        browser.run("const a = document.activeElement; return a.dataset.chat ?? a.name ?? a.id ?? a.tagName");
    what.as_str().unwrap_or_default().to_owned()
}

#[test]
fn keys_move_open_reply_and_leave() {
    let market = Market::open();
    let browser = Browser::signed_in(&market, Reader::default(), "/ui/");
    let order =
        browser.run("return [...document.querySelectorAll('.chats a')].map((one) => one.dataset.chat)");
    let order: Vec<String> = serde_json::from_value(order).expect("ids");
    browser.press("j");
    assert_eq!(focused(&browser), order[0]);
    browser.press("jj");
    assert_eq!(focused(&browser), order[2]);
    browser.press("k");
    assert_eq!(focused(&browser), order[1]);
    browser.press(key::ENTER);
    browser.find(".conversation");
    assert_eq!(browser.path(), format!("/ui/chats/{}", order[1]));

    browser.press("/");
    assert_eq!(focused(&browser), "q");
    browser.press(key::ESCAPE);
    if browser.count("textarea") == 1 {
        browser.press("r");
        assert_eq!(focused(&browser), "text");
        browser.press("jk?");
        assert_eq!(
            browser.run("return document.querySelector('textarea').value"),
            "jk?"
        );
        browser.press(key::ESCAPE);
        browser.run("document.querySelector('textarea').value = ''");
    }
    browser.press("?");
    browser.wait("return document.getElementById('help').open");
    browser.press(key::ESCAPE);
    browser.wait("return !document.getElementById('help').open");
    browser.press(key::ESCAPE);
    browser.wait("return location.pathname === '/ui/'");
}

#[test]
fn single_keys_can_be_switched_off() {
    let market = Market::open();
    let browser = Browser::signed_in(&market, Reader::default(), "/ui/");
    browser.find("[data-help]").click(&browser);
    browser.find("[data-single-keys]").click(&browser);
    browser.press(key::ESCAPE);
    browser.reload();
    browser.find(".chats a");
    browser.press("j");
    assert_eq!(
        browser.run("return document.activeElement.matches('.chats a')"),
        false
    );
}

#[test]
fn the_focus_can_be_brought_to_the_content_at_once() {
    let market = Market::open();
    let browser = Browser::signed_in(&market, Reader::default(), "/ui/");
    browser.press(key::TAB);
    browser.wait_for_text(":focus", "Skip to content");
    browser.press(key::ENTER);
    browser.wait("return document.activeElement.id === 'main'");
}
