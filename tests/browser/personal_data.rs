//! What people see of a customer who was erased.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::browser::{Browser, Reader};
use crate::market::Market;

#[test]
fn an_erased_chat_is_shown_as_such_in_three_languages() {
    let market = Market::open();
    market.customer_writes(1, "My address is 5 Main Street");
    let form = reqwest::blocking::multipart::Form::new()
        .text("sender", "CUSTOMER")
        .part(
            "file",
            reqwest::blocking::multipart::Part::bytes(b"receipt".to_vec()).file_name("receipt.txt"),
        );
    let sent = market
        .request(Method::POST, "/operator/v1/businesses/1/chats/1/files")
        .bearer_auth(&market.token)
        .multipart(form)
        .send();
    assert_eq!(sent.expect("an answer").status(), 201);
    let chat = market.operator(Method::GET, "/businesses/1/chats/1", &json!({}));
    let customer = chat["context"]["customer"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    market.operator(Method::DELETE, &format!("/customers/{customer}"), &json!({}));
    let began = Instant::now();
    while market.operator(Method::GET, &format!("/customers/{customer}/erasure"), &json!({}))["status"]
        != "DONE"
    {
        assert!(began.elapsed() < Duration::from_secs(30), "never done");
        std::thread::sleep(Duration::from_millis(100));
    }
    for (language, name, text, file, gone, closed) in [
        (
            "en",
            "Erased customer",
            "This text was erased.",
            "Erased file",
            "This file is no longer kept.",
            "Nobody can write to them",
        ),
        (
            "ru",
            "Удалённый покупатель",
            "Этот текст удалён.",
            "Удалённый файл",
            "Этот файл больше не хранится.",
            "Написать ему нельзя",
        ),
        (
            "zh-CN",
            "已删除的买家",
            "此内容已被删除。",
            "已删除的文件",
            "此文件已不再保存。",
            "无法再向其发送消息",
        ),
    ] {
        let reader = Reader {
            language,
            ..Reader::default()
        };
        let browser = Browser::signed_in(&market, reader, "/ui/chats/1");
        browser.wait_for_text("#chat-title", name);
        assert!(
            browser.text(".chats [aria-current] .name").contains(name),
            "{language}"
        );
        assert_eq!(browser.text(".message .text"), text);
        assert_eq!(browser.text(".message .file.gone"), format!("{file} {gone}"));
        assert!(browser.text("[data-closed]").contains(closed), "{language}");
        assert_eq!(
            browser.run("return document.querySelector('[data-reply]').hidden"),
            true
        );
        assert_eq!(browser.count(".file a"), 0);
        assert_eq!(browser.complaints(), Vec::<String>::new());
        assert_eq!(browser.barriers(), Vec::<String>::new());
    }
}
