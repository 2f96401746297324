//! The widget for whoever reads it: in three languages, with the keyboard alone, light and dark, without barriers that axe
//! finds; and its pictures.

use prilavok_domain::Sender;
use serde_json::json;

use crate::browser::{Browser, Reader, key};
use crate::market::*;
use crate::widget::{at_chat, market, order, phone};

#[test]
fn axe_finds_no_barrier_in_the_widget() {
    let market = market();
    let (browser, _) = at_chat(&market, "en");
    for dark in [false, true] {
        browser.look(Reader { dark, ..phone("en") });
        assert_eq!(browser.barriers(), Vec::<String>::new(), "a chat, dark: {dark}");
    }
    browser.click("#dispute");
    browser.until("document.getElementById('confirm').open");
    assert_eq!(browser.barriers(), Vec::<String>::new(), "a question");
    browser.click("#no");
    browser.press(key::ESCAPE);
    browser.until("document.querySelector('#chats button')");
    assert_eq!(browser.barriers(), Vec::<String>::new(), "the list");
    browser.run("document.querySelector('#chats').setAttribute('role', 'img-x'); document.documentElement.removeAttribute('lang')");
    assert_ne!(browser.barriers(), Vec::<String>::new(), "axe looks at all");
}

#[test]
#[ignore = "writes docs/screenshots anew"]
fn screenshots_of_the_widget() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/screenshots");
    let take = |browser: &Browser, name: &str| {
        std::fs::write(folder.join(format!("{name}.png")), browser.screenshot()).expect("written");
    };
    let market = market();
    let (browser, chat) = at_chat(&market, "en");
    market.says(1, chat, Sender::Customer, "Hello! Is the vase packed well?");
    market.says(
        1,
        chat,
        Sender::Partner,
        "It is: in two boxes, with straw between them.",
    );
    browser.until("document.querySelectorAll('.message').length === 3");
    take(&browser, "widget");
    browser.look(Reader {
        dark: true,
        ..phone("en")
    });
    take(&browser, "widget-dark");
    let shop = Browser::open(
        &format!("http://{}", market.address),
        Reader {
            height: 720,
            ..Reader::default()
        },
    );
    shop.go(&format!("/ui/widget/example#token={}", token(1, "anna")));
    shop.click("body > button");
    shop.until("document.querySelector('iframe')");
    shop.enter_frame();
    shop.until("document.querySelector('#chats button')");
    take(&shop, "widget-example");
}

#[test]
fn it_speaks_the_browsers_language_or_the_one_chosen() {
    let market = market();
    let chat = market.start(1, order(1), None);
    market.says(1, chat, Sender::Partner, "你好");
    for (language, says) in [("ru-RU", "Заказ 1"), ("zh-CN", "订单 1"), ("de", "Order 1")] {
        let browser = market.browser(language);
        browser.go(&format!("/ui/widget#token={}", token(1, "anna")));
        browser.until(&format!(
            "document.querySelector('#chats button')?.textContent.startsWith('{says}')"
        ));
        browser.run(
            "const s = document.getElementById('language'); s.value = 'ru'; s.dispatchEvent(new Event('change'))",
        );
        browser.until("document.querySelector('#chats button').textContent.startsWith('Заказ 1')");
        assert_eq!(browser.run("return document.documentElement.lang"), "ru");
        browser.run("location.reload()");
        assert_eq!(browser.run("return document.documentElement.scrollWidth"), 360);
    }
}

#[test]
fn the_keyboard_alone_is_enough() {
    let market = market();
    let chat = market.start(1, order(1), None);
    market.says(1, chat, Sender::Partner, "Добрый день!");
    let browser = market.browser("en");
    browser.go(&format!("/ui/widget#token={}", token(1, "anna")));
    browser.until("document.querySelector('#chats button')");
    for _ in 0..10 {
        browser.press(key::TAB);
        if browser.run("return Boolean(document.activeElement.dataset.chat)") == true {
            break;
        }
    }
    browser.press(key::ENTER);
    browser.until("document.activeElement.id === 'text'");
    browser.press(&format!("typed{}", key::ENTER));
    browser.until("document.querySelector('.message.own[data-id]')");
    browser.press(key::ESCAPE);
    browser.until("document.activeElement.dataset.chat");
    let nameless = browser.run(
        "return [...document.querySelectorAll('button, select, textarea')].filter((it) =>
             !it.hidden && !it.getAttribute('aria-label') && !it.textContent.trim()).map((it) => it.outerHTML)",
    );
    assert_eq!(nameless, json!([]));
    assert_eq!(
        browser.run("const log = document.getElementById('log'); return [log.getAttribute('role'), log.getAttribute('aria-live')]"),
        json!(["log", "polite"])
    );
    assert_eq!(market.texts(chat), ["Добрый день!", "typed"]);
}
