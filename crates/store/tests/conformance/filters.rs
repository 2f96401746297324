//! Filters of chat lists: any mixture shows what a plain look at every chat would let through.

use prilavok_domain::rules::WaitFor;
use prilavok_domain::{Chat, ChatStatus, ChatType, ContextType, Sender};
use prilavok_store::{ChatChange, ChatFilter, NewMessage, Store};

use crate::chat_lists::{many_chats, walk};
use crate::places::on_every_store;
use crate::population::*;

/// Chats of every type, context and status that exist together.
async fn a_mixture(store: &dyn Store) {
    populate(store).await;
    let of_order = new_chat(store, order(100)).await;
    arbitration(store, of_order.id).await;
    let of_return = new_chat(store, returned(200)).await;
    let over = arbitration(store, of_return.id).await;
    change(store, over.id, ChatChange::Finish).await;
    let second = arbitration(store, of_return.id).await;
    let support = NewMessage {
        wait_for: Some(WaitFor::Customer),
        ..says(Sender::Support, "send photos")
    };
    write(store, second.id, support, at(5)).await;
    let dbs = new_chat(store, returned(202)).await;
    write(store, dbs.id, customer_says("broken"), at(3)).await;
    let question = new_chat(store, direct("anna")).await;
    write(store, question.id, says(Sender::Partner, "yes?"), at(4)).await;
    let another = new_chat(store, direct("boris")).await;
    change(store, another.id, ChatChange::Escalate).await;
    let over = new_chat(store, order(101)).await;
    change(store, over.id, ChatChange::Finish).await;
    many_chats(store, 4).await;
}

/// What the filter's documentation says, one chat at a time.
fn passes(filter: &ChatFilter, chat: &Chat) -> bool {
    fn any<T>(wanted: &[T], matches: impl Fn(&T) -> bool) -> bool {
        wanted.is_empty() || wanted.iter().any(matches)
    }
    let order = chat.context.order().map(|it| it.get());
    let exactly = match chat.context.kind() {
        ContextType::Order => order,
        ContextType::Return => chat.context.returned().map(|it| it.get()),
        ContextType::Direct => None,
    };
    any(&filter.orders, |it| order == Some(*it))
        && any(&filter.contexts, |(kind, number)| {
            *kind == chat.context.kind() && exactly == Some(*number)
        })
        && any(&filter.context_types, |it| *it == chat.context.kind())
        && any(&filter.types, |it| *it == chat.kind)
        && any(&filter.statuses, |it| *it == chat.status)
}

/// None, each one, and a pair of the elements.
fn choices<T: Clone>(all: &[T]) -> Vec<Vec<T>> {
    let mut choices = vec![Vec::new(), vec![all[all.len() - 1].clone(), all[0].clone()]];
    choices.extend(all.iter().map(|one| vec![one.clone()]));
    choices
}

/// Shows what passes the filter in pages of every size, and answers how many that are.
async fn shows_what_passes(store: &dyn Store, all: &[Chat], filter: &ChatFilter) -> usize {
    let expected: Vec<_> = all.iter().filter(|chat| passes(filter, chat)).cloned().collect();
    for size in [1, 3, 100] {
        let found = walk(store, filter, size).await;
        assert_eq!(found, expected, "{filter:?}, pages of {size}");
    }
    expected.len()
}

#[test]
fn every_mixture_of_kinds_shows_the_chats_that_match_all_of_it() {
    on_every_store(async |site| {
        let store = &*site.store;
        a_mixture(store).await;
        let all = all_chats(store, shop(), &ChatFilter::default()).await;
        let mut with_some = 0;
        for types in choices(ChatType::ALL) {
            for statuses in choices(ChatStatus::ALL) {
                for context_types in choices(ContextType::ALL) {
                    let filter = ChatFilter {
                        types: types.clone(),
                        statuses: statuses.clone(),
                        context_types,
                        ..ChatFilter::default()
                    };
                    let shown = shows_what_passes(store, &all, &filter).await;
                    with_some += usize::from(shown > 0);
                }
            }
        }
        assert!(with_some > 40, "only {with_some} mixtures show anything");
    });
}

#[test]
fn orders_and_contexts_are_found_together_with_the_rest_of_the_filter() {
    on_every_store(async |site| {
        let store = &*site.store;
        a_mixture(store).await;
        let all = all_chats(store, shop(), &ChatFilter::default()).await;
        let order = ContextType::Order;
        let returned = ContextType::Return;
        let mut sizes = Vec::new();
        for (orders, contexts, expected_size) in [
            // A return's chats are found by its order as well: two of the order, three of the return.
            (vec![100], vec![], 5),
            (vec![], vec![(order, 100)], 2),
            (vec![], vec![(returned, 200)], 3),
            (vec![], vec![(returned, 100), (order, 200)], 0),
            (vec![100, 103], vec![], 6),
            (vec![100], vec![(returned, 200), (returned, 202)], 3),
            (vec![7, i64::MAX, -1], vec![], 0),
            (vec![1000, 1001, 1002], vec![], 3),
        ] {
            for types in choices(ChatType::ALL) {
                for statuses in choices(ChatStatus::ALL) {
                    let filter = ChatFilter {
                        orders: orders.clone(),
                        contexts: contexts.clone(),
                        types: types.clone(),
                        statuses,
                        ..ChatFilter::default()
                    };
                    shows_what_passes(store, &all, &filter).await;
                }
            }
            let alone = ChatFilter {
                orders,
                contexts,
                ..ChatFilter::default()
            };
            sizes.push((walk(store, &alone, 4).await.len(), expected_size));
        }
        assert!(
            sizes.iter().all(|(found, expected)| found == expected),
            "{sizes:?}"
        );
    });
}

#[test]
fn what_is_asked_for_twice_is_shown_once() {
    on_every_store(async |site| {
        let store = &*site.store;
        a_mixture(store).await;
        let order = (ContextType::Order, 100);
        for (repeated, plain) in [
            (
                ChatFilter {
                    types: vec![ChatType::Chat; 2],
                    statuses: vec![ChatStatus::WaitingForPartner; 3],
                    context_types: vec![ContextType::Order, ContextType::Return, ContextType::Order],
                    ..ChatFilter::default()
                },
                ChatFilter {
                    types: vec![ChatType::Chat],
                    statuses: vec![ChatStatus::WaitingForPartner],
                    context_types: vec![ContextType::Order, ContextType::Return],
                    ..ChatFilter::default()
                },
            ),
            (
                ChatFilter {
                    orders: vec![100, 100],
                    contexts: vec![order, order],
                    ..ChatFilter::default()
                },
                ChatFilter {
                    orders: vec![100],
                    contexts: vec![order],
                    ..ChatFilter::default()
                },
            ),
        ] {
            let expected = walk(store, &plain, 100).await;
            assert!(expected.len() > 1, "{plain:?} shows too little");
            for size in [1, 3, 100] {
                assert_eq!(
                    walk(store, &repeated, size).await,
                    expected,
                    "{repeated:?}, pages of {size}"
                );
            }
        }
    });
}
