//! What arrives, when, and at whom.

use std::time::{Duration, Instant};

use prilavok_domain::{BusinessId, ChatId, Clock, MessageText, Sender, SystemClock};
use prilavok_store::{NewMessage, Store};
use serde_json::json;

use crate::listener::Listener;
use crate::market::Market;

#[test]
fn every_kind_of_event_arrives_within_a_second_and_in_order() {
    let market = Market::open(1, &[]);
    let seller = market.first();
    let mut listener = Listener::of_seller(&market, seller, None);
    let head = listener.head.to_ascii_lowercase();
    assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
    assert!(head.contains("cache-control: no-store\r\n"), "{head}");
    let mut last = listener.opening();
    assert!(last > 0, "the chat was created before");

    let chat = format!("/businesses/1/chats/{}", seller.chat);
    let mut expect = |kind: &str, chat: i64, time: &str, began: Instant| {
        let event = listener.event().expect("an event");
        let took = began.elapsed();
        assert!(took < Duration::from_secs(1), "{kind} took {took:?}");
        assert_eq!(event.kind(), kind);
        assert!(event.id > Some(last), "{event:?} after {last}");
        last = event.id.expect("an id");
        let data = event.data.clone().expect("a body");
        assert_eq!(data["notificationType"], kind);
        assert_eq!(
            (data["businessId"].as_i64(), data["chatId"].as_i64()),
            (Some(1), Some(chat))
        );
        assert!(
            data[time].as_str().is_some_and(|time| time.ends_with('Z')),
            "{data}"
        );
        event
    };
    let began = Instant::now();
    let message = market.write(seller);
    let event = expect("CHAT_MESSAGE_SENT", seller.chat, "sentAt", began);
    assert_eq!(event.field("messageId"), message);

    let began = Instant::now();
    let dispute = market.post(&format!("{chat}/arbitration"), &json!({}));
    let dispute = dispute["chatId"].as_i64().expect("an id");
    expect("CHAT_ARBITRAGE_STARTED", dispute, "startedAt", began);

    let began = Instant::now();
    market.post(&format!("/businesses/1/chats/{dispute}/finish"), &json!({}));
    expect("CHAT_ARBITRAGE_FINISHED", dispute, "finishedAt", began);

    let began = Instant::now();
    let direct = json!({"context": {"type": "DIRECT", "customerId": "anna"}});
    let direct = market.post("/businesses/1/chats", &direct);
    expect(
        "CHAT_CREATED",
        direct["chatId"].as_i64().expect("an id"),
        "createdAt",
        began,
    );
}

#[test]
fn tenants_see_their_own_events_and_operators_what_they_ask_for() {
    let market = Market::open(2, &[]);
    let [one, two] = &market.sellers[..] else {
        panic!("two sellers");
    };
    let mut of_one = Listener::of_seller(&market, one, None);
    let mut of_two = Listener::of_seller(&market, two, None);
    let mut of_all = Listener::of_operator(&market, "");
    let mut about_two = Listener::of_operator(&market, "?businessId=2");
    for listener in [&mut of_one, &mut of_two, &mut of_all, &mut about_two] {
        listener.opening();
    }
    let messages = [
        market.write(two),
        market.write(two),
        market.write(one),
        market.write(two),
    ];
    for message in [messages[0], messages[1], messages[3]] {
        assert_eq!(of_two.event().expect("an event").field("messageId"), message);
        assert_eq!(about_two.event().expect("an event").field("messageId"), message);
    }
    assert_eq!(of_one.event().expect("an event").field("messageId"), messages[2]);
    for message in messages {
        assert_eq!(of_all.event().expect("an event").field("messageId"), message);
    }
    for listener in [&mut of_one, &mut of_two, &mut of_all, &mut about_two] {
        listener.is_silent_for(Duration::from_millis(1_500));
    }
}

#[test]
fn a_silent_stream_shows_that_it_is_alive() {
    let market = Market::open(1, &[("EVENTS__HEARTBEAT_SECONDS", "1")]);
    let mut listener = Listener::of_seller(&market, market.first(), None);
    listener.opening();
    for _ in 0..3 {
        let block = listener
            .block_within(Duration::from_secs(4))
            .expect("a sign of life");
        assert_eq!(block.expect("an open stream").comments, 1);
    }
    market.write(market.first());
    assert_eq!(listener.event().expect("an event").kind(), "CHAT_MESSAGE_SENT");
}

#[test]
fn streams_of_other_businesses_sleep_on() {
    let market = Market::open(2, &[]);
    let [one, two] = &market.sellers[..] else {
        panic!("two sellers");
    };
    let mut sleeping: Vec<_> = (0..100)
        .map(|_| Listener::of_seller(&market, two, None))
        .collect();
    sleeping.iter_mut().for_each(|listener| _ = listener.opening());
    let mut listener = Listener::of_seller(&market, one, None);
    listener.opening();
    // The hub's first look at an open stream wakes all.
    std::thread::sleep(Duration::from_millis(1_500));
    let reads = || market.measured("prilavok_store_seconds_count{operation=\"read\"}");
    let before = reads();
    assert!(before > 100, "reads are counted");
    for _ in 0..50 {
        market.write(one);
        assert!(listener.event().is_some());
    }
    let woken = reads() - before;
    assert!(
        woken < 2_500,
        "{woken} reads for 50 events: a hundred sleepers were woken by them"
    );
}

#[test]
fn events_of_another_process_arrive_too() {
    let market = Market::open(1, &[]);
    let seller = market.first();
    let mut listener = Listener::of_seller(&market, seller, None);
    listener.opening();
    let elsewhere = market.store();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for _ in 0..3 {
        let text = MessageText::new("from elsewhere").expect("a text");
        let message = NewMessage {
            sender: Sender::Customer,
            text: Some(text),
            files: Vec::new(),
            wait_for: None,
        };
        let appended = elsewhere.append_message(
            BusinessId::new(seller.business).expect("an id"),
            ChatId::new(seller.chat).expect("an id"),
            message,
            None,
            SystemClock.now(),
        );
        let message = runtime.block_on(appended).expect("appended").value.id.get();
        let block = listener
            .block_within(Duration::from_secs(4))
            .expect("an event in time");
        assert_eq!(block.expect("an open stream").field("messageId"), message);
    }
}
