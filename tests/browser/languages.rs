//! Three languages, by the browser's wish and by hand; times in the reader's zone.

use serde_json::json;

use crate::browser::{Browser, Reader};
use crate::market::Market;

#[test]
fn pages_speak_the_browsers_language_until_another_one_is_chosen() {
    let market = Market::open();
    for (language, tag, sign_in, chats) in [
        ("ru-RU,ru", "ru", "Войти", "Чаты"),
        ("zh-CN,zh", "zh-Hans", "登录", "会话"),
        ("de,en", "en", "Sign in", "Chats"),
    ] {
        let browser = Browser::open(
            &market.url,
            Reader {
                language,
                ..Reader::default()
            },
        );
        browser.go("/ui/sign-in");
        assert_eq!(browser.run("return document.documentElement.lang"), tag);
        assert_eq!(browser.text("form.box button"), sign_in);
        browser.sign_in(&market.key);
        browser.wait_for_text(".top nav a", chats);
        browser.find(".menu summary").click(&browser);
        browser.run("document.querySelector('select[name=language]').value = 'zh-Hans'");
        browser
            .find("form[action='/ui/preferences'] button")
            .click(&browser);
        browser.wait_for_text(".top nav a", "会话");
        assert_eq!(browser.path(), "/ui/");
    }
}

#[test]
fn times_are_the_readers_own() {
    let market = Market::open();
    let browser = Browser::open(&market.url, Reader::default());
    browser.devtools(
        "Emulation.setTimezoneOverride",
        &json!({"timezoneId": "Asia/Vladivostok"}),
    );
    browser.go("/ui/sign-in");
    browser.sign_in(&market.key);
    browser.go("/ui/chats/1");
    browser.wait(
        "const time = document.querySelector('.message time');
         const own = new Intl.DateTimeFormat('en', {dateStyle: 'medium', timeStyle: 'short', timeZone: 'Asia/Vladivostok'});
         return time.innerText === own.format(new Date(time.dateTime))",
    );
}

#[test]
fn the_theme_is_the_systems_until_another_one_is_chosen() {
    let market = Market::open();
    let reader = Reader {
        dark: true,
        ..Reader::default()
    };
    let browser = Browser::signed_in(&market, reader, "/ui/");
    let dark = browser.run("return getComputedStyle(document.body).backgroundColor");
    browser.find(".menu summary").click(&browser);
    browser.run("document.querySelector('select[name=theme]').value = 'light'");
    browser
        .find("form[action='/ui/preferences'] button")
        .click(&browser);
    browser.find("[data-theme=light]");
    assert_ne!(
        browser.run("return getComputedStyle(document.body).backgroundColor"),
        dark
    );
}
