//! Chats that wait for too long: found by what was said last, and finished or reminded only if they
//! are still waiting.

use std::collections::HashSet;

use prilavok_domain::rules::WaitFor;
use prilavok_domain::{ChatId, ChatStatus, MessageText, Sender, Timestamp};
use prilavok_store::{ChatChange, Entity, NewMessage, Refusal, Store};

use crate::places::on_every_populated_store;
use crate::population::*;

fn set(ids: impl IntoIterator<Item = ChatId>) -> HashSet<ChatId> {
    ids.into_iter().collect()
}

async fn idle(store: &dyn Store, before: Timestamp) -> HashSet<ChatId> {
    let found = store.idle_chats(shop(), before, 100).await.expect("a list");
    let distinct = set(found.iter().copied());
    assert_eq!(distinct.len(), found.len(), "one was found twice");
    distinct
}

async fn unanswered(store: &dyn Store, before: Timestamp) -> HashSet<ChatId> {
    set(store.unanswered_chats(shop(), before, 100).await.expect("a list"))
}

async fn remind(store: &dyn Store, chat: ChatId, before: Timestamp) -> bool {
    let text = MessageText::new("Please answer").expect("a text");
    store
        .remind(shop(), chat, before, text, at(HOUR))
        .await
        .expect("an answer")
}

#[test]
fn an_unfinished_ordinary_chat_in_which_nothing_was_said_for_long_is_idle() {
    on_every_populated_store(async |store| {
        let silent = new_chat(store, order(100)).await.id;
        let asked = new_chat(store, returned(200)).await.id;
        write(store, asked, customer_says("?"), at(10)).await;
        let answered = new_chat(store, direct("anna")).await.id;
        write(store, answered, says(Sender::Partner, "!"), at(20)).await;
        let escalated = new_chat(store, direct("boris")).await.id;
        change(store, escalated, ChatChange::Escalate).await;
        let finished = new_chat(store, order(101)).await.id;
        change(store, finished, ChatChange::Finish).await;
        arbitration(store, silent).await;
        start(store, other(), order(100), at(0)).await;
        for (before, expected) in [
            (at(0), set([])),
            (at(1), set([silent, escalated])),
            (at(10), set([silent, escalated])),
            (at(11), set([silent, escalated, asked])),
            (at(21), set([silent, escalated, asked, answered])),
        ] {
            assert_eq!(idle(store, before).await, expected, "before {before:?}");
        }
        let limited = store.idle_chats(shop(), at(21), 3).await.expect("a list");
        assert_eq!(limited.len(), 3);
    });
}

#[test]
fn a_chat_is_finished_only_if_it_is_idle_still() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        let dispute = arbitration(store, chat).await.id;
        write(store, chat, customer_says("?"), at(10)).await;
        let finish = async |chat, before| {
            let finished = store.finish_idle(shop(), chat, before, at(HOUR)).await;
            finished.expect("an answer")
        };
        let before = read_chat(store, chat).await;
        assert!(!finish(chat, at(10)).await, "somebody wrote meanwhile");
        assert_eq!(read_chat(store, chat).await, before);
        assert!(!finish(dispute, at(HOUR)).await, "arbitrations end by decision");
        assert!(finish(chat, at(11)).await);
        let after = read_chat(store, chat).await;
        assert_eq!(after.status, ChatStatus::Finished);
        assert_eq!(after.updated_at, at(10), "nothing was said");
        assert!(!finish(chat, at(11)).await, "it is finished already");
        let nowhere = store.finish_idle(other(), chat, at(HOUR), at(HOUR)).await;
        assert_eq!(refusal(nowhere), Refusal::NotFound(Entity::Chat(chat)));
    });
}

#[test]
fn a_chat_is_unanswered_while_the_partner_owes_an_answer_and_was_not_reminded() {
    on_every_populated_store(async |store| {
        new_chat(store, order(101)).await;
        let asked = new_chat(store, order(100)).await.id;
        write(store, asked, customer_says("?"), at(10)).await;
        let answered = new_chat(store, returned(200)).await.id;
        write(store, answered, customer_says("?"), at(10)).await;
        write(store, answered, says(Sender::Partner, "!"), at(11)).await;
        let question = new_chat(store, direct("anna")).await.id;
        write(store, question, customer_says("?"), at(20)).await;
        let dispute = arbitration(store, asked).await.id;
        let to_partner = NewMessage {
            wait_for: Some(WaitFor::Partner),
            ..says(Sender::Support, "what do you say?")
        };
        write(store, dispute, to_partner, at(10)).await;
        for (before, expected) in [
            (at(10), set([])),
            (at(11), set([asked])),
            (at(20), set([asked])),
            (at(21), set([asked, question])),
        ] {
            assert_eq!(unanswered(store, before).await, expected, "before {before:?}");
        }
        let limited = store.unanswered_chats(shop(), at(21), 1).await.expect("a list");
        assert_eq!(limited.len(), 1);
        assert!(remind(store, asked, at(11)).await);
        assert_eq!(unanswered(store, at(2 * HOUR)).await, set([question]));
        write(store, asked, customer_says("??"), at(HOUR + 1)).await;
        assert_eq!(unanswered(store, at(2 * HOUR)).await, set([question, asked]));
    });
}

#[test]
fn a_reminder_is_the_markets_message_and_is_written_once() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        assert!(!remind(store, chat, at(HOUR)).await, "nobody asked yet");
        write(store, chat, customer_says("?"), at(10)).await;
        assert!(!remind(store, chat, at(10)).await, "not for long enough");
        assert!(remind(store, chat, at(11)).await);
        assert!(!remind(store, chat, at(2 * HOUR)).await, "once is enough");
        let messages = all_messages(store, chat).await;
        let senders: Vec<_> = messages.iter().map(|it| it.sender).collect();
        assert_eq!(senders, [Sender::Customer, Sender::Market]);
        let after = read_chat(store, chat).await;
        assert_eq!(after.status, ChatStatus::WaitingForPartner);
        assert_eq!(after.last_message, Some(messages[1].id));
        write(store, chat, says(Sender::Partner, "!"), at(HOUR + 1)).await;
        assert!(!remind(store, chat, at(2 * HOUR)).await, "it was answered");
        assert_eq!(all_messages(store, chat).await.len(), 3);
    });
}
