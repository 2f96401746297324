//! The list of chats, and opening one.

use crate::browser::{Browser, Reader};
use crate::market::Market;

#[test]
fn chats_are_filtered_and_opened() {
    let market = Market::open();
    let browser = Browser::signed_in(&market, Reader::default(), "/ui/");
    let all = browser.count(".chats li");
    assert!(all > 20, "{all}");
    browser.run("document.querySelector('select[name=status]').value = 'WAITING_FOR_PARTNER'");
    browser.run("document.querySelector('select[name=context]').value = 'ORDER'");
    browser.find(".filter button").click(&browser);
    browser.wait("return location.search.includes('ORDER')");
    let filtered = browser.count(".chats li");
    assert!(filtered > 0 && filtered < all, "{filtered} of {all}");
    assert_eq!(browser.count(".chats .WAITING_FOR_PARTNER"), filtered);
    browser.wait("return [...document.querySelectorAll('.chats .subject')].every((one) => one.innerText.startsWith('Order'))");

    browser.find(".chats a").click(&browser);
    browser.find(".conversation .message");
    assert!(
        browser
            .path()
            .contains("status=WAITING_FOR_PARTNER&context=ORDER"),
        "{}",
        browser.path()
    );
    assert_eq!(browser.count(".chats a[aria-current]"), 1);
    let name = browser.text(".chats a[aria-current] .name");
    assert_eq!(browser.text("#chat-title"), name);
    assert!(browser.text(".card").contains(&name));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_chat_is_unread_until_it_was_looked_at() {
    let market = Market::open();
    market.customer_writes(1, "Вы тут?");
    let browser = Browser::signed_in(&market, Reader::default(), "/ui/");
    browser.find("li.unread [data-chat='1']").click(&browser);
    browser.wait_for_text(".message .text", "Вы тут?");
    browser.go("/ui/");
    browser.find("li:not(.unread) [data-chat='1']");
    // Another of the business's people sees the same.
    let colleague = Browser::signed_in(&market, Reader::default(), "/ui/");
    colleague.find("li:not(.unread) [data-chat='1']");
}

#[test]
fn a_dispute_is_shown_beside_its_chat() {
    let market = Market::open();
    market.operator(
        reqwest::Method::POST,
        "/businesses/1/chats/1/arbitration",
        &serde_json::json!({}),
    );
    let browser = Browser::signed_in(&market, Reader::default(), "/ui/chats/1");
    browser.wait_for_text(".beside", "Waiting for the arbiter");
    browser.find(".beside a").click(&browser);
    browser.wait_for_text(".chat-head", "Dispute");
    browser.wait_for_text(".beside", "Chat with the customer");
}

#[test]
fn earlier_messages_come_on_demand() {
    let market = Market::open();
    for number in 0..60 {
        market.customer_writes(1, &format!("message {number}"));
    }
    let browser = Browser::signed_in(&market, Reader::default(), "/ui/chats/1");
    assert_eq!(browser.count(".message"), 50);
    browser.find("[data-earlier] a").click(&browser);
    let all = u64::try_from(market.messages(1).len()).expect("a number");
    browser.wait(&format!(
        "return document.querySelectorAll('.message').length === {all}"
    ));
    assert_eq!(browser.count("[data-earlier]"), 0);
    let ids =
        browser.run("return [...document.querySelectorAll('.message')].map((one) => +one.dataset.message)");
    let ids: Vec<i64> = serde_json::from_value(ids).expect("numbers");
    assert!(ids.is_sorted());
}
