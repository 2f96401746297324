//! Clocks that step back, as clocks of machines do: ids still increase and no message is older than
//! the one that it answers.

use prilavok_domain::{IdSequence, Sender};

use crate::places::{on_every_populated_store, on_every_store};
use crate::population::*;

#[test]
fn after_a_clock_that_steps_back_an_hour_ids_increase_and_times_stand_still() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        let mut now = 2 * HOUR;
        for number in 0..30 {
            if number == 10 {
                now -= HOUR;
            }
            now += 60_000;
            write(store, chat, says(Sender::Market, "tick"), at(now)).await;
        }
        let messages = all_messages(store, chat).await;
        assert_eq!(messages.len(), 30);
        assert!(messages.is_sorted_by(|a, b| a.id < b.id));
        assert!(messages.is_sorted_by_key(|it| it.created_at));
        assert_eq!(messages[29].created_at, messages[9].created_at);
        assert_eq!(read_chat(store, chat).await.updated_at, messages[29].created_at);
        let events = store.events(Some(shop()), 0, 100).await.expect("events");
        assert!(events.is_sorted_by(|a, b| a.id < b.id));
        assert_eq!(events.len(), 31);
    });
}

#[test]
fn a_chat_never_moves_down_the_list() {
    on_every_populated_store(async |store| {
        let below = new_chat(store, order(101)).await.id;
        let chat = new_chat(store, order(100)).await.id;
        write(store, chat, customer_says("late"), at(HOUR)).await;
        write(store, below, customer_says("between"), at(HOUR / 2)).await;
        write(store, chat, customer_says("by a clock set back"), at(1)).await;
        let listed = all_chats(store, shop(), &Default::default()).await;
        let ids: Vec<_> = listed.iter().map(|it| it.id).collect();
        assert_eq!(ids, [chat, below]);
    });
}

#[test]
fn after_a_restart_with_an_earlier_clock_ids_go_on_above_the_old_ones() {
    on_every_store(async |mut site| {
        populate(&*site.store).await;
        let chat = new_chat(&*site.store, order(100)).await.id;
        let before = write(&*site.store, chat, customer_says("a"), at(5 * HOUR)).await;
        site.reopen().await;
        let store = &*site.store;
        let after = write(store, chat, customer_says("b"), at(4 * HOUR)).await;
        assert!(after.id > before.id);
        assert_eq!(after.created_at, before.created_at);
        let another = start(store, shop(), order(101), at(4 * HOUR)).await.chat;
        assert!(another.id.get() > after.id.get(), "one sequence for all ids");
        // What a fresh sequence would have handed out by that clock.
        let fresh =
            IdSequence::clocked(1, 0).next(prilavok_domain::id_sequence::IdFor::Message, at(4 * HOUR));
        assert!(after.id.get() > fresh);
    });
}
