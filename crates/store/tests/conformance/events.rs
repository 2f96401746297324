//! Events: one for each thing that sellers are told of, in the transaction of what caused it, read
//! in one order by business or for all.

use std::time::Duration;

use prilavok_domain::rules::NotificationType::{
    self, ChatArbitrageFinished, ChatArbitrageStarted, ChatCreated, ChatMessageSent,
};
use prilavok_domain::{BusinessId, ChatId, Event, MessageId, Sender, Timestamp};
use prilavok_store::{ChatChange, Store};

use crate::places::on_every_populated_store;
use crate::population::*;

async fn events(store: &dyn Store, business: Option<BusinessId>) -> Vec<Event> {
    match business {
        Some(_) => store.events(business, 0, 1_000).await.expect("events"),
        None => all_events(store).await,
    }
}

fn told(events: &[Event]) -> Vec<(NotificationType, ChatId, Option<MessageId>, Timestamp)> {
    events
        .iter()
        .map(|it| (it.kind, it.chat, it.message, it.at))
        .collect()
}

#[test]
fn what_happens_in_chats_is_told_in_order() {
    on_every_populated_store(async |store| {
        let chat = start(store, shop(), order(100), at(1)).await.chat.id;
        let asked = write(store, chat, customer_says("where is it?"), at(2)).await.id;
        let dispute = store.start_arbitration(shop(), chat, None, at(3)).await;
        let dispute = dispute.expect("an arbitration").value.id;
        let answered = write(store, dispute, says(Sender::Support, "we look"), at(4))
            .await
            .id;
        let finish = store
            .change_chat(shop(), dispute, ChatChange::Finish, None, at(5))
            .await;
        finish.expect("a finished arbitration");
        let reminded = write(store, chat, says(Sender::Market, "automatic"), at(6))
            .await
            .id;
        let all = events(store, Some(shop())).await;
        let expected = [
            (ChatCreated, chat, None, at(1)),
            (ChatMessageSent, chat, Some(asked), at(2)),
            (ChatArbitrageStarted, dispute, None, at(3)),
            (ChatMessageSent, dispute, Some(answered), at(4)),
            (ChatArbitrageFinished, dispute, None, at(5)),
            (ChatMessageSent, chat, Some(reminded), at(6)),
        ];
        assert_eq!(told(&all), expected);
        assert!(all.is_sorted_by(|a, b| a.id < b.id));
        assert!(all.iter().all(|it| it.business == shop()));
    });
}

#[test]
fn what_is_not_told_or_did_not_happen_leaves_no_event() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        let before = events(store, None).await;
        start(store, shop(), order(100), at(1)).await;
        change(store, chat, ChatChange::Escalate).await;
        change(store, chat, ChatChange::Finish).await;
        refusal(
            store
                .append_message(shop(), chat, says(Sender::Partner, "x"), None, at(2))
                .await,
        );
        refusal(
            store
                .change_chat(shop(), chat, ChatChange::Finish, None, at(2))
                .await,
        );
        refusal(store.start_chat(shop(), order(999), None, at(2)).await);
        assert_eq!(events(store, None).await, before);
        assert_eq!(before.len(), 1);
    });
}

#[test]
fn events_are_read_by_business_or_for_all_and_after_any_of_them() {
    on_every_populated_store(async |store| {
        assert_eq!(store.newest_event(None).await.expect("a number"), 0);
        let mut started = Vec::new();
        for (business, what) in [
            (shop(), order(100)),
            (other(), order(100)),
            (other(), returned(200)),
            (shop(), returned(200)),
            (other(), direct("anna")),
        ] {
            let chat = start(store, business, what, at(1)).await.chat;
            started.push((business, chat.id));
        }
        let all = events(store, None).await;
        let found: Vec<_> = all.iter().map(|it| (it.business, it.chat)).collect();
        assert_eq!(found, started, "one order for all businesses");
        for business in [None, Some(shop()), Some(other())] {
            let mine = |it: &&Event| business.is_none_or(|business| it.business == business);
            let mine: Vec<_> = all.iter().filter(mine).copied().collect();
            assert_eq!(events(store, business).await, mine);
            let newest = store.newest_event(business).await.expect("a number");
            assert_eq!(newest, mine.last().map_or(0, |it| it.id.get()));
            // After any event, be it another business's or none at all.
            for last in &all {
                let rest = store.events(business, last.id.get(), 2).await.expect("events");
                let later: Vec<_> = mine
                    .iter()
                    .filter(|it| it.id > last.id)
                    .take(2)
                    .copied()
                    .collect();
                assert_eq!(rest, later, "{business:?} after {}", last.id);
            }
            let rest = store.events(business, newest + 1, 10).await.expect("events");
            assert_eq!(rest, []);
        }
        assert_eq!(store.newest_event(Some(id(9))).await.expect("a number"), 0);
    });
}

#[test]
fn a_page_of_events_is_the_same_however_many_there_are_and_wherever_it_begins() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        start(store, other(), order(100), at(1)).await;
        for number in 1..=70 {
            let message = write(store, chat, customer_says("hello"), at(number)).await;
            let all = events(store, Some(shop())).await;
            assert_eq!(all.len(), 1 + usize::try_from(number).expect("few"));
            assert!(all.is_sorted_by_key(|event| event.id), "{number}");
            let newest = all.last().expect("one");
            assert_eq!(newest.message, Some(message.id), "{number}");
            let told = store.newest_event(Some(shop())).await.expect("a number");
            assert_eq!(told, newest.id.get(), "{number}");
            for begin in (0..all.len()).step_by(5) {
                let after = all[begin].id.get();
                let page = store.events(Some(shop()), after, 7).await.expect("events");
                let rest = &all[begin + 1..];
                assert_eq!(page, rest[..rest.len().min(7)], "{number} after {begin}");
            }
        }
    });
}

#[test]
fn a_listener_is_told_of_a_business_once_its_events_can_be_read() {
    on_every_populated_store(async |store| {
        let mut changes = store.changes();
        let mut next = async || {
            let change = tokio::time::timeout(Duration::from_secs(5), changes.recv()).await;
            change.expect("told within five seconds").expect("a change")
        };
        for (business, what) in [(shop(), order(100)), (other(), order(100)), (shop(), order(101))] {
            let newest = store.newest_event(Some(business)).await.expect("a number");
            let started = start(store, business, what, at(1)).await.chat;
            assert_eq!(&*next().await, [business]);
            let fresh = store.events(Some(business), newest, 10).await.expect("events");
            assert_eq!(fresh.iter().map(|it| it.chat).collect::<Vec<_>>(), [started.id]);
        }
    });
}
