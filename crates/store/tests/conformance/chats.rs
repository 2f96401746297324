//! Chats: one for each context, moved by the rules, unseen by other businesses.

use std::sync::Arc;

use prilavok_domain::rules::{Initiator, RuleViolation};
use prilavok_domain::{Chat, ChatStatus, ChatType, Context, Customer, Sender};
use prilavok_store::{ChatChange, Conflict, Entity, Refusal, Registration, StartChat};

use crate::places::on_every_populated_store;
use crate::population::*;

fn by_partner(start: StartChat) -> StartChat {
    StartChat {
        initiator: Initiator::Partner,
        ..start
    }
}

#[test]
fn a_new_chat_carries_what_it_is_about() {
    on_every_populated_store(async |store| {
        let of_order = Context::Order {
            order: id(100),
            campaign: id(10),
        };
        let of_return = Context::Return {
            returned: id(200),
            order: id(100),
            campaign: id(10),
        };
        for (subject, context, customer) in [
            (order(100), of_order, a_customer("anna", "Анна")),
            (returned(200), of_return, a_customer("anna", "Анна")),
            (direct("boris"), Context::Direct, a_customer("boris", "Boris")),
        ] {
            let chat = new_chat(store, subject).await;
            let expected = Chat {
                business: shop(),
                id: chat.id,
                context,
                customer: Arc::new(customer),
                kind: ChatType::Chat,
                status: ChatStatus::New,
                created_at: at(0),
                updated_at: at(0),
                last_message: None,
            };
            assert_eq!(chat, expected);
            assert_eq!(read_chat(store, chat.id).await, expected);
        }
    });
}

#[test]
fn a_context_has_one_chat_which_is_answered_unchanged() {
    on_every_populated_store(async |store| {
        for subject in [order(100), returned(200), direct("anna")] {
            let chat = new_chat(store, subject.clone()).await;
            write(store, chat.id, customer_says("hello"), at(1)).await;
            let finished = change(store, chat.id, ChatChange::Finish).await;
            for asked in [subject.clone(), by_partner(subject)] {
                let again = start(store, shop(), asked, at(9)).await;
                assert!(!again.created);
                assert_eq!(again.chat, finished, "neither reopened nor touched");
            }
        }
        let other_customer = new_chat(store, direct("boris")).await;
        let elsewhere = start(store, other(), direct("anna"), at(0)).await;
        assert!(
            elsewhere.created,
            "a customer asks each business in a chat of its own"
        );
        assert_ne!(elsewhere.chat.id, other_customer.id);
    });
}

#[test]
fn what_cannot_be_started_is_refused_by_name() {
    on_every_populated_store(async |store| {
        let named = |start: StartChat, customer: &str| StartChat {
            customer: Some(person(customer)),
            ..start
        };
        let rule = Refusal::Rule;
        for (start, expected) in [
            (order(999), Refusal::NotFound(Entity::Order(id(999)))),
            (returned(999), Refusal::NotFound(Entity::Return(id(999)))),
            (
                direct("nobody"),
                Refusal::NotFound(Entity::Customer(person("nobody"))),
            ),
            (
                named(order(100), "boris"),
                Refusal::Conflict(Conflict::OtherCustomer),
            ),
            (
                named(returned(200), "boris"),
                Refusal::Conflict(Conflict::OtherCustomer),
            ),
            (by_partner(direct("anna")), rule(RuleViolation::DirectByPartner)),
            (
                by_partner(returned(202)),
                rule(RuleViolation::PlacementNotAllowed),
            ),
            (by_partner(returned(201)), rule(RuleViolation::TestReturn)),
            (returned(201), rule(RuleViolation::TestReturn)),
        ] {
            let refused = store.start_chat(shop(), start.clone(), None, at(0)).await;
            assert_eq!(refusal(refused), expected, "{start:?}");
        }
        let nowhere = store.start_chat(id(9), order(100), None, at(0)).await;
        assert_eq!(refusal(nowhere), Refusal::NotFound(Entity::Business(id(9))));
        assert!(all_chats(store, shop(), &Default::default()).await.is_empty());
        // What is allowed beside the refused: a test order, and a customer's DBS return.
        for start in [by_partner(order(102)), returned(202), named(order(100), "anna")] {
            new_chat(store, start).await;
        }
    });
}

#[test]
fn an_arbitration_is_a_chat_beside_the_ordinary_one() {
    on_every_populated_store(async |store| {
        for subject in [order(100), returned(200)] {
            let chat = new_chat(store, subject).await;
            write(store, chat.id, says(Sender::Partner, "no refund"), at(1)).await;
            let ordinary = read_chat(store, chat.id).await;
            let dispute = store.start_arbitration(shop(), chat.id, None, at(2)).await;
            let dispute = dispute.expect("an arbitration").value;
            let expected = Chat {
                id: dispute.id,
                kind: ChatType::Arbitrage,
                status: ChatStatus::WaitingForArbiter,
                created_at: at(2),
                updated_at: at(2),
                last_message: None,
                ..ordinary.clone()
            };
            assert_eq!(dispute, expected);
            assert_eq!(read_chat(store, chat.id).await, ordinary, "it goes on beside it");
            let found = start(store, shop(), by_partner(order(100)), at(3)).await.chat;
            assert_eq!(
                found.kind,
                ChatType::Chat,
                "the chat of a context is the ordinary one"
            );
        }
    });
}

#[test]
fn a_context_has_one_unfinished_arbitration() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await;
        // Of another context: not in the way.
        let beside = new_chat(store, returned(200)).await;
        arbitration(store, beside.id).await;
        let first = arbitration(store, chat.id).await;
        let refused_with = async |chat, violation| {
            let result = store.start_arbitration(shop(), chat, None, at(5)).await;
            assert_eq!(refusal(result), Refusal::Rule(violation));
        };
        refused_with(chat.id, RuleViolation::ArbitrationUnfinished).await;
        refused_with(first.id, RuleViolation::ArbitrationOfArbitration).await;
        let question = new_chat(store, direct("anna")).await;
        refused_with(question.id, RuleViolation::ArbitrationOfDirect).await;
        change(store, first.id, ChatChange::Finish).await;
        let second = arbitration(store, chat.id).await;
        assert_ne!(second.id, first.id);
        let old = read_chat(store, first.id).await;
        assert_eq!(old.status, ChatStatus::Finished, "the first stays finished");
    });
}

#[test]
fn a_change_moves_the_status_and_not_the_time() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await;
        write(store, chat.id, customer_says("hello"), at(1)).await;
        let before = read_chat(store, chat.id).await;
        for (what, status) in [
            (ChatChange::Escalate, ChatStatus::WaitingForMarket),
            (ChatChange::Finish, ChatStatus::Finished),
        ] {
            let changed = store.change_chat(shop(), chat.id, what, None, at(99)).await;
            let expected = Chat {
                status,
                ..before.clone()
            };
            assert_eq!(changed.expect("a change").value, expected);
            assert_eq!(read_chat(store, chat.id).await, expected);
        }
        for (what, violation) in [
            (ChatChange::Escalate, RuleViolation::EscalatedFinished),
            (ChatChange::Finish, RuleViolation::AlreadyFinished),
        ] {
            let refused = store.change_chat(shop(), chat.id, what, None, at(99)).await;
            assert_eq!(refusal(refused), Refusal::Rule(violation));
        }
        write(store, chat.id, customer_says("one more thing"), at(2)).await;
        let reopened = read_chat(store, chat.id).await;
        assert_eq!(reopened.status, ChatStatus::WaitingForPartner);
    });
}

#[test]
fn a_chat_does_not_exist_for_another_business() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await;
        let message = write(store, chat.id, customer_says("hello"), at(1)).await;
        let before = read_chat(store, chat.id).await;
        assert_eq!(store.chat(other(), chat.id).await.expect("a read"), None);
        let found = store.message(other(), chat.id, message.id).await;
        assert_eq!(found.expect("a read"), None);
        let page = store.messages(other(), chat.id, Default::default(), 10).await;
        assert!(page.expect("a page").items.is_empty());
        let history = store.history(other(), chat.id, Default::default(), 10).await;
        assert!(history.expect("a read").is_none());
        let not_found = Refusal::NotFound(Entity::Chat(chat.id));
        let written = store.append_message(other(), chat.id, customer_says("x"), None, at(2));
        assert_eq!(refusal(written.await), not_found);
        let changed = store.change_chat(other(), chat.id, ChatChange::Finish, None, at(2));
        assert_eq!(refusal(changed.await), not_found);
        let started = store.start_arbitration(other(), chat.id, None, at(2)).await;
        assert_eq!(refusal(started), not_found);
        assert!(all_chats(store, other(), &Default::default()).await.is_empty());
        assert_eq!(read_chat(store, chat.id).await, before);
    });
}

#[test]
fn a_customer_is_shown_by_the_name_of_today() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await;
        let renamed: Customer = a_customer("anna", "Анна-Мария");
        let put = store
            .register(vec![Registration::Customer(renamed.clone())])
            .await;
        put.expect("a put");
        assert_eq!(read_chat(store, chat.id).await.customer.as_ref(), &renamed);
        let listed = all_chats(store, shop(), &Default::default()).await;
        assert_eq!(listed[0].customer.as_ref(), &renamed);
        let again = start(store, shop(), by_partner(order(100)), at(1)).await;
        assert_eq!(again.chat.customer.as_ref(), &renamed);
    });
}
