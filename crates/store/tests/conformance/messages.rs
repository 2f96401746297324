//! Messages: written with all that follows from them or not at all, read one by one and in pages.

use prilavok_domain::rules::{RuleViolation, WaitFor};
use prilavok_domain::{Chat, ChatStatus, Message, MessageId, MessageText, Sender};
use prilavok_store::{ChatChange, Entity, MessageRange, NewMessage, Refusal, Store};

use crate::places::on_every_populated_store;
use crate::population::*;

async fn so_many(store: &dyn Store, count: i64) -> (Chat, Vec<Message>) {
    let chat = new_chat(store, order(100)).await;
    let mut written = Vec::new();
    for number in 0..count {
        let text = format!("message {number}");
        written.push(write(store, chat.id, customer_says(&text), at(number)).await);
    }
    (chat, written)
}

#[test]
fn a_message_moves_its_chat() {
    on_every_populated_store(async |store| {
        let before = new_chat(store, order(100)).await;
        let to_market = NewMessage {
            wait_for: Some(WaitFor::Market),
            ..says(Sender::Support, "we look into it")
        };
        for (now, new, status) in [
            (1, customer_says("hello"), ChatStatus::WaitingForPartner),
            (2, says(Sender::Partner, "hi"), ChatStatus::WaitingForCustomer),
            (
                3,
                says(Sender::Market, "a reminder"),
                ChatStatus::WaitingForCustomer,
            ),
            (4, to_market, ChatStatus::WaitingForMarket),
        ] {
            let message = write(store, before.id, new.clone(), at(now)).await;
            assert_eq!((message.sender, &message.text), (new.sender, &new.text));
            assert_eq!(message.created_at, at(now));
            let found = store.message(shop(), before.id, message.id).await;
            assert_eq!(found.expect("a read"), Some(message.clone()));
            let expected = Chat {
                status,
                updated_at: at(now),
                last_message: Some(message.id),
                ..before.clone()
            };
            assert_eq!(read_chat(store, before.id).await, expected);
        }
    });
}

#[test]
fn a_text_comes_back_to_the_last_character() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await;
        let longest = "🧾".repeat(4096);
        let texts = [
            "Добрый день!\r\n\t",
            " ",
            "' OR 1=1; --",
            "e\u{301} \u{202E}x\u{1}",
            &longest,
        ];
        for (now, text) in texts.into_iter().enumerate() {
            write(
                store,
                chat.id,
                customer_says(text),
                at(now.try_into().expect("small")),
            )
            .await;
        }
        let found = all_messages(store, chat.id).await;
        let found: Vec<_> = found
            .iter()
            .map(|it| it.text.as_ref().map(MessageText::as_str))
            .collect();
        assert_eq!(found, texts.map(Some));
    });
}

#[test]
fn pages_begin_where_they_are_asked_to_and_say_whether_there_is_more() {
    on_every_populated_store(async |store| {
        let (chat, written) = so_many(store, 7).await;
        let number = |place: usize| written[place].id.get();
        let between = number(2) + 1;
        let past = number(6) + 1;
        for (from, after, first) in [
            (None, None, 0),
            (Some(0), None, 0),
            (Some(i64::MIN), None, 0),
            (Some(number(3)), None, 3),
            (Some(between), None, 3),
            (None, Some(3), 4),
            (Some(number(1)), Some(3), 4),
            (Some(number(5)), Some(3), 5),
            (None, Some(6), 7),
            (Some(past), None, 7),
            (Some(i64::MAX), None, 7),
        ] {
            let range = MessageRange {
                from,
                after: after.map(|place: usize| written[place].id),
            };
            for limit in 1..=8 {
                let page = store
                    .messages(shop(), chat.id, range, limit)
                    .await
                    .expect("a page");
                let end = written.len().min(first + limit);
                assert_eq!(page.items, written[first..end], "{range:?}, {limit}");
                assert_eq!(page.more, end < written.len(), "{range:?}, {limit}");
                let history = store.history(shop(), chat.id, range, limit).await;
                let (of, same) = history.expect("a page").expect("the chat");
                assert_eq!(of, read_chat(store, chat.id).await);
                assert_eq!((&same.items, same.more), (&page.items, page.more));
            }
        }
    });
}

#[test]
fn messages_that_come_between_pages_are_neither_skipped_nor_repeated() {
    on_every_populated_store(async |store| {
        let (chat, mut written) = so_many(store, 5).await;
        let mut seen: Vec<Message> = Vec::new();
        for round in 0.. {
            let range = MessageRange {
                from: None,
                after: seen.last().map(|it| it.id),
            };
            let page = store.messages(shop(), chat.id, range, 2).await.expect("a page");
            seen.extend(page.items);
            if !page.more {
                break;
            }
            if round < 4 {
                written.push(write(store, chat.id, says(Sender::Market, "news"), at(100 + round)).await);
            }
        }
        assert_eq!(seen, written);
        assert_eq!(written.len(), 8);
    });
}

#[test]
fn a_refused_message_leaves_nothing_behind() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await;
        write(store, chat.id, customer_says("hello"), at(1)).await;
        let finished = change(store, chat.id, ChatChange::Finish).await;
        let messages = all_messages(store, chat.id).await;
        let events = all_events(store).await;
        let sender = Sender::Partner;
        let waiting = NewMessage {
            wait_for: Some(WaitFor::Arbiter),
            ..customer_says("call the arbiter")
        };
        let not_support = RuleViolation::WaitForNotSupport {
            sender: Sender::Customer,
        };
        for (new, violation) in [
            (says(sender, "late"), RuleViolation::ChatFinished { sender }),
            (waiting, not_support),
        ] {
            let refused = store.append_message(shop(), chat.id, new, None, at(9)).await;
            assert_eq!(refusal(refused), Refusal::Rule(violation));
        }
        let nowhere = id(chat.id.get() + 1);
        let refused = store
            .append_message(shop(), nowhere, customer_says("x"), None, at(9))
            .await;
        assert_eq!(refusal(refused), Refusal::NotFound(Entity::Chat(nowhere)));
        assert_eq!(read_chat(store, chat.id).await, finished);
        assert_eq!(all_messages(store, chat.id).await, messages);
        assert_eq!(all_events(store).await, events);
    });
}

#[test]
fn a_message_is_found_in_its_own_chat_only() {
    on_every_populated_store(async |store| {
        let (chat, written) = so_many(store, 2).await;
        let beside = new_chat(store, order(101)).await;
        let found = async |chat, message| store.message(shop(), chat, message).await.expect("a read");
        assert_eq!(found(chat.id, written[0].id).await, Some(written[0].clone()));
        assert_eq!(found(beside.id, written[0].id).await, None);
        let nothing: MessageId = id(written[1].id.get() + 1);
        assert_eq!(found(chat.id, nothing).await, None);
        assert_eq!(all_messages(store, beside.id).await, []);
    });
}
