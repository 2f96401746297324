//! Replies: shown at once, kept until they are taken, sent once.

use serde_json::json;

use crate::browser::{Browser, Reader, key};
use crate::market::Market;

fn texts(market: &Market) -> Vec<String> {
    let messages = market.messages(1);
    let texts = messages.iter().filter_map(|message| message["message"].as_str());
    texts.map(str::to_owned).collect()
}

#[test]
fn a_reply_is_sent_by_the_keyboard_and_its_draft_is_gone() {
    let market = Market::open();
    let browser = Browser::signed_in(&market, Reader::default(), "/ui/chats/1");
    browser
        .find("textarea")
        .fill(&browser, "Уже в пути: https://track.example/1?a=1&b=2");
    browser.reload();
    browser.wait("return document.querySelector('textarea').value.startsWith('Уже в пути')");
    browser.find("textarea").click(&browser);
    browser.press(&format!("{}{}", key::CONTROL, key::ENTER));
    browser.wait_for_text(".message.own:not(.pending) .text", "Уже в пути");
    assert_eq!(browser.run("return document.querySelector('textarea').value"), "");
    assert_eq!(browser.run("return localStorage.length"), 0);
    let link = browser.run("const a = document.querySelector('.message.own:last-child .text a'); return [a.href, a.rel, a.target]");
    assert_eq!(
        link,
        json!([
            "https://track.example/1?a=1&b=2",
            "noopener noreferrer nofollow",
            "_blank"
        ])
    );
    assert_eq!(
        texts(&market).last().expect("a text"),
        "Уже в пути: https://track.example/1?a=1&b=2"
    );
    browser.wait_for_text(".chats a[aria-current] .last", "You: Уже в пути");
    browser.wait_for_text("#chat-head", "Waiting for the customer");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_reply_that_fails_says_so_and_is_sent_again_once() {
    let mut market = Market::open();
    let browser = Browser::signed_in(&market, Reader::default(), "/ui/chats/1");
    let before = texts(&market).len();
    market.kill();
    browser.find("[data-offline]");
    browser.find("textarea").fill(&browser, "Сейчас посмотрим");
    browser.find(".reply .actions button").click(&browser);
    browser.wait_for_text(".message.failed", "Not sent. The server did not answer.");
    assert!(
        browser
            .run("return localStorage.getItem('prilavok-draft-1')")
            .as_str()
            .is_some()
    );
    market.start_again();
    // A restart ends no session, and what was not sent is in the box.
    browser.go("/ui/chats/1");
    browser.wait("return document.querySelector('textarea')?.value === 'Сейчас посмотрим'");
    browser.find(".reply .actions button").click(&browser);
    browser.wait_for_text(".message.own:not(.pending) .text", "Сейчас посмотрим");
    assert_eq!(texts(&market).len(), before + 1);
}

#[test]
fn a_reply_whose_answer_got_lost_is_not_sent_twice() {
    let market = Market::open();
    let browser = Browser::signed_in(&market, Reader::default(), "/ui/chats/1");
    let before = texts(&market).len();
    // The first answer is taken for none.
    browser.run(
        "const send = XMLHttpRequest.prototype.send; XMLHttpRequest.prototype.send = function (body) {
           XMLHttpRequest.prototype.send = send; const fail = this.onerror; this.onload = fail; send.call(this, body); }",
    );
    browser.find("textarea").fill(&browser, "Один раз");
    browser.find(".reply .actions button").click(&browser);
    browser.find(".message.failed .state button").click(&browser);
    browser.wait("return !document.querySelector('.pending, .failed')");
    assert_eq!(texts(&market).len(), before + 1);
    assert_eq!(browser.run("return [...document.querySelectorAll('.message .text')].filter((one) => one.innerText === 'Один раз').length"), 1);
}

#[test]
fn a_finished_chat_takes_no_reply_and_says_why() {
    let market = Market::open();
    let browser = Browser::signed_in(&market, Reader::default(), "/ui/chats/1");
    browser.find("textarea").fill(&browser, "Поздно");
    market.operator(reqwest::Method::POST, "/businesses/1/chats/1/finish", &json!({}));
    browser.find(".reply .actions button").click(&browser);
    browser.wait_for_text(".message.failed", "The chat is finished");
    // A chat's end is no event; the next look at the page shows it.
    browser.reload();
    browser.wait_for_text("[data-closed]", "It goes on when the customer writes again");
    market.customer_writes(1, "Ещё вопрос");
    browser.find("textarea");
}

#[test]
fn a_saved_reply_is_filled_in() {
    let market = Market::open();
    let browser = Browser::signed_in(&market, Reader::default(), "/ui/replies");
    browser.find("#name").fill(&browser, "Hello");
    browser
        .find("#text")
        .fill(&browser, "{customer}, order {order} is on its way, {customer}.");
    browser.find("form[action='/ui/replies'] button").click(&browser);
    browser.wait_for_text(".plain-list", "{customer}, order {order}");
    browser.go("/ui/chats/1");
    browser.run(
        "const saved = document.querySelector('[data-saved]');
         saved.selectedIndex = 1; saved.dispatchEvent(new Event('change'))",
    );
    let name = browser.text("#chat-title");
    let filled = browser.wait("return document.querySelector('textarea').value || null");
    assert_eq!(filled, json!(format!("{name}, order 1 is on its way, {name}.")));
    browser.go("/ui/replies");
    browser.find(".plain-list a").click(&browser);
    browser.find("button[value=delete]").click(&browser);
    browser.find(".none");
}
