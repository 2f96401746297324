//! What arrives by itself.

use crate::browser::{Browser, Reader};
use crate::market::Market;

#[test]
fn a_customers_answer_arrives_by_itself() {
    let market = Market::open();
    let browser = Browser::signed_in(&market, Reader::default(), "/ui/chats/1");
    browser.find(".message");
    market.customer_writes(1, "<script>alert(1)</script> & где?");
    browser.wait_for_text(".message.customer .text", "<script>alert(1)</script> & где?");
    browser.wait_for_text(".chats li:first-child .last", "<script>alert(1)</script> & где?");
    market.customer_writes(2, "А мой заказ?");
    browser.find(".chats li.unread:first-child [data-chat='2']");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn what_was_missed_while_the_server_was_away_is_there_after_it_came_back() {
    let mut market = Market::open();
    let browser = Browser::signed_in(&market, Reader::default(), "/ui/chats/1");
    browser.devtools("Network.enable", &serde_json::json!({}));
    let network = |offline: bool| {
        let conditions = serde_json::json!({
            "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
        });
        browser.devtools("Network.emulateNetworkConditions", &conditions);
    };
    browser.find(".message");
    network(true);
    market.customer_writes(1, "Пока вас не было");
    network(false);
    browser.wait_for_text(".message.customer .text", "Пока вас не было");
    market.kill();
    browser.find("[data-offline]");
}

#[test]
fn a_second_tab_hears_of_it_as_well() {
    let market = Market::open();
    let browser = Browser::signed_in(&market, Reader::default(), "/ui/chats/1");
    browser.find(".message");
    // Both in one window: tabs that are not shown may be put to sleep by the browser.
    browser.run("const frame = window.open('/ui/chats/2'); window.second = frame");
    browser.wait("return Boolean(window.second.document.querySelector('.message'))");
    market.customer_writes(2, "Во второй вкладке");
    browser.wait("return window.second.document.body.innerText.includes('Во второй вкладке')");
    // What is not painted, because its tab is not shown, has text content only.
    browser.wait("return document.querySelector('.chats').textContent.includes('Во второй вкладке')");
}
