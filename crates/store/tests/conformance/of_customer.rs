//! What is shown to a customer: their own chats of one business, the events of those, and the files in them; and a
//! chat read from its newest message back.

use prilavok_domain::{ChatId, FileName, MessageId};
use prilavok_store::{CustomerChats, NewMessage, Store, StoredFile};

use crate::places::on_every_populated_store;
use crate::population::*;

fn all_of(customer: &str) -> CustomerChats {
    CustomerChats {
        customer: person(customer),
        order: None,
        returned: None,
    }
}

/// Chats of anna about order 100, its return 200, order 103 and nothing, of boris about order 101, and of both in
/// another business; in this order.
async fn chats(store: &dyn Store) -> Vec<ChatId> {
    let mut chats = Vec::new();
    for (business, what) in [
        (shop(), order(100)),
        (shop(), returned(200)),
        (shop(), order(101)),
        (shop(), order(103)),
        (shop(), direct("anna")),
        (other(), order(100)),
        (other(), direct("anna")),
    ] {
        chats.push(start(store, business, what, at(1)).await.chat.id);
    }
    chats
}

async fn walk(store: &dyn Store, of: &CustomerChats, size: usize) -> Vec<ChatId> {
    let mut found: Vec<ChatId> = Vec::new();
    loop {
        let page = store
            .customer_chats(shop(), of, found.last().copied(), size)
            .await;
        let page = page.expect("a page");
        assert!(page.items.iter().all(|chat| of.has(chat)));
        found.extend(page.items.iter().map(|chat| chat.id));
        assert!(page.items.len() == size || !page.more);
        if !page.more {
            return found;
        }
    }
}

#[test]
fn a_customer_has_the_chats_of_their_own_the_newest_first() {
    on_every_populated_store(async |store| {
        let made = chats(store).await;
        // A message moves nothing: the order is that of beginning.
        write(store, made[0], customer_says("?"), at(2)).await;
        for size in [1, 2, 3, 4, 5] {
            let found = walk(store, &all_of("anna"), size).await;
            assert_eq!(found, [made[4], made[3], made[1], made[0]], "pages of {size}");
        }
        assert_eq!(walk(store, &all_of("boris"), 10).await, [made[2]]);
        assert_eq!(walk(store, &all_of("nobody"), 10).await, []);
    });
}

#[test]
fn they_may_be_narrowed_to_an_order_or_a_return() {
    on_every_populated_store(async |store| {
        let made = chats(store).await;
        let about_order = |number| CustomerChats {
            order: Some(id(number)),
            ..all_of("anna")
        };
        assert_eq!(walk(store, &about_order(100), 10).await, [made[1], made[0]]);
        assert_eq!(walk(store, &about_order(103), 10).await, [made[3]]);
        assert_eq!(walk(store, &about_order(101), 10).await, [], "another's order");
        let about_return = CustomerChats {
            returned: Some(id(200)),
            ..all_of("anna")
        };
        assert_eq!(walk(store, &about_return, 10).await, [made[1]]);
    });
}

#[test]
fn events_of_others_are_passed_over_and_not_looked_at_again() {
    on_every_populated_store(async |store| {
        let made = chats(store).await;
        write(store, made[2], customer_says("boris's"), at(2)).await;
        write(store, made[0], customer_says("anna's"), at(3)).await;
        let all = store.events(Some(shop()), 0, 100).await.expect("events");
        for (of, mine) in [
            (all_of("anna"), vec![made[0], made[1], made[3], made[4]]),
            (all_of("boris"), vec![made[2]]),
            (all_of("nobody"), vec![]),
            (
                CustomerChats {
                    order: Some(id(100)),
                    ..all_of("anna")
                },
                vec![made[0], made[1]],
            ),
        ] {
            let expected: Vec<_> = all
                .iter()
                .filter(|event| mine.contains(&event.chat))
                .copied()
                .collect();
            for size in [1, 2, 100] {
                let (mut found, mut after, mut reads) = (Vec::new(), 0, 0);
                loop {
                    let page = store.customer_events(shop(), &of, after, size).await;
                    let page = page.expect("events");
                    found.extend(page.events);
                    after = page.seen;
                    reads += 1;
                    if !page.more {
                        break;
                    }
                }
                assert_eq!(found, expected, "{of:?} in pages of {size}");
                assert_eq!(Some(after), all.last().map(|event| event.id.get()));
                assert!(reads <= all.len() / size + 1);
            }
        }
    });
}

#[test]
fn a_chat_is_read_from_its_newest_message_back() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        let mut written = Vec::new();
        for number in 0..7 {
            written.push(write(store, chat, customer_says("?"), at(number)).await);
        }
        let beside = new_chat(store, order(101)).await.id;
        write(store, beside, customer_says("elsewhere"), at(9)).await;
        written.reverse();
        for size in [1, 3, 7, 8] {
            let mut found: Vec<prilavok_domain::Message> = Vec::new();
            loop {
                let before: Option<MessageId> = found.last().map(|message| message.id);
                let page = store.messages_before(shop(), chat, before, size).await;
                let page = page.expect("a page");
                found.extend(page.items);
                if !page.more {
                    break;
                }
            }
            assert_eq!(found, written, "pages of {size}");
        }
        let none = store.messages_before(other(), chat, None, 10).await;
        assert_eq!(none.expect("a page").items, [], "of another business");
    });
}

#[test]
fn a_file_knows_its_chat() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        let file = StoredFile {
            object: "1/a".to_owned(),
            name: FileName::from_client("a.png"),
            size: 1,
            media_type: "image/png".to_owned(),
        };
        let new = NewMessage {
            files: vec![file],
            ..customer_says("look")
        };
        let sent = write(store, chat, new, at(1)).await.files[0].id;
        let of = |business, file| store.chat_of_file(business, file);
        assert_eq!(of(shop(), sent).await.expect("a read"), Some(chat));
        assert_eq!(of(other(), sent).await.expect("a read"), None);
        assert_eq!(of(shop(), id(9_999_999)).await.expect("a read"), None);
    });
}
