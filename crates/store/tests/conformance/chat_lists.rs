//! Pages of chats: every chat once and in order, whatever the page's size and whatever happens
//! between two pages.

use std::collections::HashSet;

use prilavok_domain::{
    Chat, ChatId, ChatStatus, ChatType, ContextType, CredentialId, DecidedFor, MessageText, Sender,
};
use prilavok_store::{Act, ChatChange, ChatCursor, ChatFilter, Registration, Store};

use crate::places::on_every_populated_store;
use crate::population::*;

/// Registers so many further orders (from number 1000 on), starts a chat about each and has each
/// updated at its own time, in an order that is neither that of ids nor its reverse.
pub(crate) async fn many_chats(store: &dyn Store, count: i64) -> Vec<ChatId> {
    let orders = (0..count).map(|number| Registration::Order(an_order(SHOP, 1000 + number, 10, "anna")));
    store.register(orders.collect()).await.expect("orders");
    let mut chats = Vec::new();
    for number in 0..count {
        let chat = new_chat(store, order(1000 + number)).await;
        write(store, chat.id, customer_says("?"), at(number * 7 % count + 1)).await;
        chats.push(chat.id);
    }
    chats
}

pub(crate) fn cursor(chat: &Chat) -> ChatCursor {
    ChatCursor {
        updated_at: chat.updated_at,
        id: chat.id,
    }
}

/// Walks all pages of a size.
pub(crate) async fn walk(store: &dyn Store, filter: &ChatFilter, size: usize) -> Vec<Chat> {
    let mut found: Vec<Chat> = Vec::new();
    loop {
        let after = found.last().map(cursor);
        let page = store.chats(shop(), filter, after, size).await.expect("a page");
        assert!(page.items.len() <= size);
        assert!(
            !page.more || page.items.len() == size,
            "a page that is not the last is full"
        );
        assert!(
            found.is_empty() || !page.items.is_empty(),
            "more was promised than there is"
        );
        found.extend(page.items);
        if !page.more {
            return found;
        }
        assert!(found.len() < 10_000, "it goes round in circles");
    }
}

fn ids(chats: &[Chat]) -> Vec<ChatId> {
    chats.iter().map(|chat| chat.id).collect()
}

#[test]
fn pages_of_any_size_show_every_chat_once_newest_first() {
    on_every_populated_store(async |store| {
        let made = many_chats(store, 13).await;
        let all = all_chats(store, shop(), &ChatFilter::default()).await;
        assert_eq!(
            ids(&all).into_iter().collect::<HashSet<_>>(),
            made.into_iter().collect()
        );
        assert!(
            all.is_sorted_by(|a, b| (a.updated_at, a.id) > (b.updated_at, b.id)),
            "{all:?}"
        );
        for size in [1, 2, 5, 12, 13, 14] {
            assert_eq!(
                walk(store, &ChatFilter::default(), size).await,
                all,
                "pages of {size}"
            );
        }
    });
}

#[test]
fn chats_of_the_same_instant_are_listed_by_id_and_paged_between() {
    on_every_populated_store(async |store| {
        let mut made = Vec::new();
        for subject in [order(100), order(101), returned(200), direct("anna")] {
            made.push(new_chat(store, subject).await.id);
        }
        made.reverse();
        for size in 1..=5 {
            let found = walk(store, &ChatFilter::default(), size).await;
            assert_eq!(ids(&found), made, "pages of {size}");
        }
    });
}

#[test]
fn lists_and_sweeps_are_right_after_each_of_many_messages() {
    on_every_populated_store(async |store| {
        let made = many_chats(store, 7).await;
        for number in 0..80 {
            let sender = match number % 3 {
                0 => Sender::Partner,
                _ => Sender::Customer,
            };
            let chat = made[number * 3 % made.len()];
            let now = 100 + i64::try_from(number).expect("small");
            write(store, chat, says(sender, "?"), at(now)).await;
            let mut expected = Vec::new();
            for id in &made {
                expected.push(read_chat(store, *id).await);
            }
            expected.sort_by_key(|chat| std::cmp::Reverse((chat.updated_at, chat.id)));
            assert_eq!(walk(store, &ChatFilter::default(), 3).await, expected, "{number}");
            for status in ChatStatus::ALL {
                let filter = ChatFilter {
                    statuses: vec![*status],
                    ..ChatFilter::default()
                };
                let mut of_status = expected.clone();
                of_status.retain(|chat| chat.status == *status);
                assert_eq!(
                    walk(store, &filter, 2).await,
                    of_status,
                    "{status:?} after {number}"
                );
            }
            let before = at(now - 2);
            let old = expected.iter().filter(|chat| chat.updated_at < before);
            let idle = store.idle_chats(shop(), before, 100).await.expect("a list");
            assert_eq!(
                idle.into_iter().collect::<HashSet<_>>(),
                old.clone().map(|chat| chat.id).collect(),
                "idle after {number}"
            );
            let owed = old.filter(|chat| chat.status == ChatStatus::WaitingForPartner);
            let unanswered = store.unanswered_chats(shop(), before, 100).await.expect("a list");
            assert_eq!(unanswered.len(), owed.clone().count(), "each once");
            assert_eq!(
                unanswered.into_iter().collect::<HashSet<_>>(),
                owed.map(|chat| chat.id).collect(),
                "unanswered after {number}"
            );
        }
    });
}

#[test]
fn chats_that_nobody_touches_are_neither_skipped_nor_repeated_while_others_come_and_move() {
    on_every_populated_store(async |store| {
        many_chats(store, 20).await;
        let before = ids(&all_chats(store, shop(), &ChatFilter::default()).await);
        let mut seen: Vec<Chat> = Vec::new();
        let mut moved = HashSet::new();
        let mut now = 1_000;
        loop {
            let after = seen.last().map(cursor);
            let page = store.chats(shop(), &ChatFilter::default(), after, 3).await;
            let page = page.expect("a page");
            seen.extend(page.items);
            if !page.more {
                break;
            }
            // One that was shown and one that was not go to the top; a new one comes.
            for chat in [before[seen.len() - 1], before[before.len() - 2]] {
                now += 1;
                write(store, chat, customer_says("still there?"), at(now)).await;
                moved.insert(chat);
            }
            let number = 2_000 + now;
            let another = Registration::Order(an_order(SHOP, number, 10, "anna"));
            store.register(vec![another]).await.expect("an order");
            start(store, shop(), order(number), at(now)).await;
        }
        let shown = ids(&seen);
        let distinct: HashSet<_> = shown.iter().copied().collect();
        assert_eq!(distinct.len(), shown.len(), "a chat was shown twice");
        let untouched = |chat: &&ChatId| !moved.contains(*chat);
        let expected: Vec<_> = before.iter().filter(untouched).collect();
        let found: Vec<_> = shown.iter().filter(untouched).collect();
        assert_eq!(found, expected);
        assert!(moved.len() > 3, "something moved at all");
    });
}

/// First pages of all sizes are the beginning of the whole list.
async fn first_pages_are_true(store: &dyn Store, after: &str) {
    let filters = [
        ChatFilter::default(),
        ChatFilter {
            statuses: vec![ChatStatus::WaitingForPartner, ChatStatus::Finished],
            ..ChatFilter::default()
        },
        ChatFilter {
            types: vec![ChatType::Arbitrage],
            ..ChatFilter::default()
        },
        ChatFilter {
            context_types: vec![ContextType::Direct],
            ..ChatFilter::default()
        },
    ];
    for filter in &filters {
        let all = all_chats(store, shop(), filter).await;
        for size in [1, 2, 20] {
            let page = store.chats(shop(), filter, None, size).await.expect("a page");
            assert_eq!(
                page.items,
                all[..size.min(all.len())],
                "{after}: {size} of {filter:?}"
            );
            assert_eq!(page.more, all.len() > size, "{after}: {size} of {filter:?}");
        }
    }
}

#[test]
fn a_first_page_that_was_shown_before_shows_what_happened_since() {
    on_every_populated_store(async |store| {
        let chats = many_chats(store, 21).await;
        first_pages_are_true(store, "many").await;
        new_chat(store, direct("anna")).await;
        first_pages_are_true(store, "a new one").await;
        write(store, chats[3], customer_says("!"), at(500)).await;
        first_pages_are_true(store, "a message").await;
        change(store, chats[3], ChatChange::Finish).await;
        first_pages_are_true(store, "the end of one").await;
        let dispute = arbitration(store, chats[4]).await;
        first_pages_are_true(store, "a dispute").await;
        let by = CredentialId(7);
        let close = Act::Settle {
            dispute: dispute.id,
            decided_for: DecidedFor::Seller,
            text: MessageText::new("so be it").expect("a text"),
        };
        store.act(shop(), close, by, None, at(600)).await.expect("an act");
        first_pages_are_true(store, "a verdict").await;
        let renamed = Registration::Customer(a_customer("anna", "Анна К."));
        store.register(vec![renamed]).await.expect("a customer");
        first_pages_are_true(store, "another name").await;
        let gone = store.forget_chats(shop(), at(HOUR), at(HOUR)).await;
        assert!(gone.expect("a step").count > 0);
        first_pages_are_true(store, "the removal of old ones").await;
    });
}

#[test]
fn a_cursor_needs_no_chat_to_be_where_it_points() {
    on_every_populated_store(async |store| {
        let made = many_chats(store, 6).await;
        let before = all_chats(store, shop(), &ChatFilter::default()).await;
        let place = cursor(&before[2]);
        write(store, before[2].id, customer_says("gone from here"), at(500)).await;
        let rest = store.chats(shop(), &ChatFilter::default(), Some(place), 10).await;
        assert_eq!(rest.expect("a page").items, before[3..]);
        assert_eq!(made.len(), 6);
    });
}

#[test]
fn the_list_of_a_business_shows_its_own_chats_only() {
    on_every_populated_store(async |store| {
        let mine = new_chat(store, order(100)).await;
        let theirs = start(store, other(), order(100), at(1)).await.chat;
        for (business, expected) in [(shop(), mine), (other(), theirs)] {
            let found = all_chats(store, business, &ChatFilter::default()).await;
            assert_eq!(found, std::slice::from_ref(&expected));
            let by_order = ChatFilter {
                orders: vec![100],
                ..ChatFilter::default()
            };
            assert_eq!(all_chats(store, business, &by_order).await, [expected]);
        }
    });
}
