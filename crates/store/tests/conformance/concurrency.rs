//! Many at once: nothing is lost, nothing is done twice, and readers see whole operations.

use std::collections::HashSet;

use futures_util::future::join_all;
use prilavok_domain::{ChatId, ChatStatus, CredentialId, MessageText, Sender};
use prilavok_store::Act;

use crate::places::{on_every_populated_store, on_every_store};
use crate::population::*;

#[test]
fn messages_written_side_by_side_are_all_there_with_increasing_ids() {
    on_every_store(async |site| {
        let store = &*site.store;
        populate(store).await;
        let mut chats: Vec<ChatId> = Vec::new();
        for subject in [order(100), order(101), direct("anna"), returned(200)] {
            chats.push(new_chat(store, subject).await.id);
        }
        let writers = (0..16_usize).map(|writer| {
            let store = std::sync::Arc::clone(&site.store);
            let chat = chats[writer % chats.len()];
            tokio::spawn(async move {
                let mut written = Vec::new();
                for number in 0..50 {
                    let text = format!("{writer}/{number}");
                    written.push(write(&*store, chat, customer_says(&text), at(1)).await);
                }
                assert!(
                    written.is_sorted_by(|a, b| a.id < b.id),
                    "in the order of answers"
                );
                written
            })
        });
        let mut answered = HashSet::new();
        for written in join_all(writers).await {
            answered.extend(written.expect("a writer").into_iter().map(|it| it.id));
        }
        assert_eq!(answered.len(), 800, "ids are unique across chats");
        let mut kept = HashSet::new();
        for chat in chats {
            let messages = all_messages(store, chat).await;
            assert_eq!(messages.len(), 200);
            assert!(messages.is_sorted_by(|a, b| a.id < b.id));
            let texts: HashSet<_> = messages
                .iter()
                .map(|it| it.text.clone().expect("a text").as_str().to_owned())
                .collect();
            assert_eq!(texts.len(), 200, "each once");
            let last = read_chat(store, chat).await.last_message;
            assert_eq!(last, messages.last().map(|it| it.id));
            kept.extend(messages.into_iter().map(|it| it.id));
        }
        assert_eq!(kept, answered);
        let events = store.events(Some(shop()), 0, 10_000).await.expect("events");
        assert_eq!(events.len(), 804);
    });
}

#[test]
fn of_those_who_start_the_same_chat_at_once_one_starts_it() {
    on_every_populated_store(async |store| {
        let starts = (0..20).map(|_| start(store, shop(), order(100), at(1)));
        let started = join_all(starts).await;
        assert_eq!(started.iter().filter(|it| it.created).count(), 1);
        let ids: HashSet<_> = started.iter().map(|it| it.chat.id).collect();
        assert_eq!(ids.len(), 1);
        let chat = started[0].chat.id;
        let disputes = (0..20).map(|_| store.start_arbitration(shop(), chat, None, at(2)));
        let disputes = join_all(disputes).await;
        assert_eq!(disputes.iter().filter(|it| it.is_ok()).count(), 1);
        assert_eq!(all_chats(store, shop(), &Default::default()).await.len(), 2);
    });
}

#[test]
fn a_refused_write_disturbs_none_of_those_beside_it() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        let nowhere = id(chat.get() + 1);
        let writes = (0..200).map(|number| {
            let chat = if number % 3 == 0 { nowhere } else { chat };
            store.append_message(shop(), chat, customer_says("x"), None, at(1))
        });
        let answers = join_all(writes).await;
        for (number, answer) in answers.iter().enumerate() {
            assert_eq!(answer.is_ok(), number % 3 != 0, "write {number}");
        }
        assert_eq!(all_messages(store, chat).await.len(), 133);
    });
}

#[test]
fn readers_see_a_message_and_what_follows_from_it_together() {
    on_every_store(async |site| {
        let store = &*site.store;
        populate(store).await;
        let chat = new_chat(store, order(100)).await.id;
        let writer = tokio::spawn({
            let store = std::sync::Arc::clone(&site.store);
            async move {
                for now in 1..=150 {
                    let sender = if now % 2 == 0 {
                        Sender::Partner
                    } else {
                        Sender::Customer
                    };
                    write(&*store, chat, says(sender, "x"), at(now)).await;
                }
            }
        });
        let mut looks = 0;
        while !writer.is_finished() || looks == 0 {
            let seen = read_chat(store, chat).await;
            if let Some(last) = seen.last_message {
                let message = store.message(shop(), chat, last).await.expect("a read");
                let message = message.expect("the message that the chat names");
                assert_eq!(seen.updated_at, message.created_at);
                let status = match message.sender {
                    Sender::Partner => ChatStatus::WaitingForCustomer,
                    _ => ChatStatus::WaitingForPartner,
                };
                assert_eq!(seen.status, status);
                looks += 1;
            }
            tokio::task::yield_now().await;
        }
        writer.await.expect("a writer");
    });
}

#[test]
fn who_writes_into_two_chats_and_who_writes_into_one_do_not_wait_for_each_other_in_a_ring() {
    on_every_store(async |site| {
        populate(&*site.store).await;
        let chat = new_chat(&*site.store, order(100)).await.id;
        let dispute = arbitration(&*site.store, chat).await.id;
        let arbiters = (0..4).map(|_| {
            let store = std::sync::Arc::clone(&site.store);
            tokio::spawn(async move {
                for _ in 0..20 {
                    let both = Act::Write {
                        dispute,
                        text: MessageText::new("to both").expect("a text"),
                        wait_for: None,
                        beside: Some(chat),
                    };
                    let by = CredentialId(7);
                    store
                        .act(shop(), both, by, None, at(1))
                        .await
                        .expect("both are told");
                }
            })
        });
        let customers = (0..4).map(|writer| {
            let store = std::sync::Arc::clone(&site.store);
            let into = if writer % 2 == 0 { chat } else { dispute };
            tokio::spawn(async move {
                for _ in 0..20 {
                    write(&*store, into, customer_says("and now?"), at(1)).await;
                }
            })
        });
        for done in join_all(arbiters.chain(customers).collect::<Vec<_>>()).await {
            done.expect("a writer");
        }
        for chat in [chat, dispute] {
            assert_eq!(all_messages(&*site.store, chat).await.len(), 80 + 40);
        }
    });
}
