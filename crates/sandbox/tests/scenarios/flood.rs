//! The flood in its full size.

use std::time::Instant;

use futures_util::{StreamExt, stream};
use prilavok_sandbox::scenario::{Scenario, State};

use crate::shop::{HOUR, Shop};

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_chats_and_an_answer_to_each() {
    let shop = Shop::open().await;
    let begun = Instant::now();
    let cast = shop.begin(&Scenario::shipped("flood").expect("shipped")).await;
    println!("10,000 chats were made and heard in {:?}", begun.elapsed());
    let chats = shop.chats(cast.business).await;
    assert_eq!(chats.len(), 10_001);

    let business = cast.business;
    let (lamp, crowd): (Vec<_>, Vec<_>) = chats
        .iter()
        .partition(|chat| chat.customer.name.as_str() == "Вера Орлова");
    stream::iter(crowd)
        .map(|chat| shop.partner_writes(business, chat.id, "Здравствуйте! Курьер приедет завтра."))
        .buffer_unordered(500)
        .collect::<()>()
        .await;
    let [lamp] = lamp[..] else {
        panic!("Vera asks once")
    };
    shop.run().await;
    assert_eq!(shop.report().state, State::Running);

    shop.partner_writes(business, lamp.id, "Нашли второе списание, деньги вернём сегодня.")
        .await;
    shop.run().await;
    assert_eq!(shop.report().state, State::Passed);
}

#[tokio::test]
async fn one_of_the_crowd_who_is_not_answered_is_enough() {
    let steps = "steps: [ flood: { chats: 3, says: Где заказ? } ]\nexpect: [ answered: { within: 1h } ]";
    let (shop, cast) = Shop::playing(steps).await;
    let chats = shop.chats(cast.business).await;
    for chat in &chats[..2] {
        shop.partner_writes(cast.business, chat.id, "Едет.").await;
    }
    shop.run().await;
    assert_eq!(shop.due_in(), Some(HOUR));
    shop.to_the_end().await;
    let last = chats[2].id;
    let expected = format!("in chat {last} was not answered in time");
    assert!(shop.reasons()[0].ends_with(&expected), "{:?}", shop.reasons());
}
