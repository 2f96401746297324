//! The arbiter's desk.

use reqwest::Method;
use serde_json::json;

use crate::browser::{Browser, Reader, key};
use crate::market::Market;

fn seller_says(market: &Market, chat: i64, text: &str) {
    let answer = market
        .request(
            Method::POST,
            &format!("/v2/businesses/1/chats/message?chatId={chat}"),
        )
        .header("Api-Key", &market.key)
        .json(&json!({"message": text}))
        .send();
    let answer = answer.expect("an answer");
    assert!(answer.status().is_success(), "{}", answer.text().expect("text"));
}

fn status(market: &Market, chat: i64) -> String {
    let path = format!("/businesses/1/chats/{chat}");
    let chat = market.operator(Method::GET, &path, &json!({}));
    chat["status"].as_str().expect("a status").to_owned()
}

#[test]
fn a_dispute_is_seen_settled_and_both_sides_see_it() {
    let market = Market::open();
    let desk = Browser::of_operator(&market, Reader::default(), "/ui/arbiter");
    desk.find(".empty");
    // It arrives by itself.
    let dispute = market.dispute(1);
    desk.find(&format!(".chats [data-chat='{dispute}']")).click(&desk);
    desk.find("[data-decide]");
    market.customer_writes(dispute, "<b>Деньги</b> назад!");
    desk.wait_for_text(".message.customer .text", "<b>Деньги</b> назад!");
    seller_says(&market, dispute, "Товар без брака");
    desk.wait_for_text("#messages .message.seller .text", "Товар без брака");
    let in_chat = market.messages(1).len();
    assert_eq!(
        u64::try_from(in_chat).expect("a number"),
        desk.count(".card .message")
    );
    market.customer_writes(1, "Вы обещали");
    desk.wait_for_text(".card .message .text", "Вы обещали");

    desk.find(".settle summary").click(&desk);
    desk.find("input[value=BUYER]").click(&desk);
    desk.find("#verdict-text")
        .fill(&desk, "Вернуть деньги до пятницы");
    desk.find(".settle button").click(&desk);
    desk.wait_for_text(".verdict", "Decided for: the buyer");
    desk.wait_for_text(".verdict", "Вернуть деньги до пятницы");
    desk.wait_for_text("#card", "Settled the dispute: Decided for the buyer");
    desk.wait("return document.querySelector('[data-decide]').hidden");
    desk.wait_for_text(".chat-head", "Finished");
    assert_eq!(desk.count(&format!(".chats [data-chat='{dispute}']")), 0);
    assert_eq!(status(&market, dispute), "FINISHED");

    // The buyer reads the messages; the seller sees the verdict as well.
    let last = market.messages(dispute).pop().expect("a message");
    assert_eq!(last["sender"], "SUPPORT");
    assert_eq!(last["message"], "Вернуть деньги до пятницы");
    let seller = Browser::signed_in(&market, Reader::default(), &format!("/ui/chats/{dispute}"));
    seller.wait_for_text("[data-verdict]", "Decided for: the buyer");
    seller.wait_for_text(".message.market .text", "Вернуть деньги до пятницы");
    assert_eq!(desk.complaints(), Vec::<String>::new());
}

#[test]
fn a_verdict_of_somebody_else_closes_the_page_that_is_open() {
    let market = Market::open();
    let dispute = market.dispute(1);
    let desk = Browser::of_operator(&market, Reader::default(), &format!("/ui/arbiter/1/{dispute}"));
    desk.find("[data-decide]");
    let finish = format!("/businesses/1/chats/{dispute}/finish");
    market.operator(Method::POST, &finish, &json!({}));
    desk.wait("return document.querySelector('[data-decide]').hidden");
    desk.wait_for_text("#verdict", "without a verdict");
}

#[test]
fn the_arbiter_writes_to_both_and_says_whom_the_dispute_waits_for() {
    let market = Market::open();
    let dispute = market.dispute(1);
    let before = market.messages(1).len();
    let desk = Browser::of_operator(&market, Reader::default(), &format!("/ui/arbiter/1/{dispute}"));
    desk.find("#text").fill(&desk, "Пришлите фото");
    desk.run("document.querySelector('[name=wait-for]').value = 'PARTNER'");
    desk.find(".reply button").click(&desk);
    desk.wait_for_text("#messages .message.own .text", "Пришлите фото");
    desk.wait_for_text(".chat-head .tag", "Waiting for the seller");
    assert_eq!(status(&market, dispute), "WAITING_FOR_PARTNER");
    assert_eq!(market.messages(1).len(), before, "the chat was not asked for");

    desk.find("#text").fill(&desk, "Это видят все");
    desk.find("[name=beside]").click(&desk);
    desk.find(".reply button").click(&desk);
    desk.wait_for_text(".card .message.own .text", "Это видят все");
    desk.wait_for_text("#messages .message.own .text", "Это видят все");
    desk.wait_for_text("#card", "Wrote into the dispute and the chat");
    assert_eq!(status(&market, dispute), "WAITING_FOR_PARTNER", "as before");
    // Going back and sending the same form again writes nothing.
    desk.run("history.back()");
    desk.wait("return document.readyState === 'complete'");
    assert_eq!(market.messages(1).len(), before + 1);
}

#[test]
fn the_dispute_that_waits_longest_comes_first() {
    let market = Market::open();
    // The demo has one already.
    let disputes = [1, 5].map(|chat| market.dispute(chat));
    market.customer_writes(disputes[0], "Я всё ещё жду");
    let desk = Browser::of_operator(&market, Reader::default(), "/ui/arbiter");
    let order = || {
        let order =
            desk.run("return [...document.querySelectorAll('.chats a')].map((one) => +one.dataset.chat)");
        serde_json::from_value::<Vec<i64>>(order).expect("ids")
    };
    assert_eq!(order()[1..], [disputes[1], disputes[0]]);
    market.customer_writes(disputes[1], "И я");
    desk.wait(&format!(
        "return [...document.querySelectorAll('.chats a')].pop().dataset.chat === '{}'",
        disputes[1]
    ));
    assert_eq!(order()[1..], disputes);
}

#[test]
fn a_dispute_is_settled_with_the_keyboard_alone() {
    let market = Market::open();
    let dispute = market.dispute(1);
    let desk = Browser::of_operator(&market, Reader::default(), "/ui/arbiter");
    let row = format!(".chats [data-chat='{dispute}']");
    desk.find(&row);
    let tab_to = |what: &str| {
        for _ in 0..60 {
            if desk.run(&format!("return document.activeElement.matches({what:?})")) == true {
                return;
            }
            desk.press(key::TAB);
        }
        panic!("{what} is not reached");
    };
    tab_to(&row);
    desk.press(key::ENTER);
    desk.find("[data-decide]");
    tab_to(".settle summary");
    desk.press(key::ENTER);
    tab_to("[name=decided-for]");
    desk.press(" ");
    tab_to("#verdict-text");
    desk.press("Done");
    tab_to(".settle button");
    desk.press(key::ENTER);
    desk.wait_for_text(".verdict", "Done");
    assert_eq!(status(&market, dispute), "FINISHED");
}
