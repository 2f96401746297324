//! What the people share who answer the chats of a business: how far chats are read, saved replies, the newest messages.

use prilavok_domain::{MessageId, MessageText, SavedReplyId};
use prilavok_store::counter::MAX_SAVED_REPLIES;
use prilavok_store::{Conflict, Entity, Refusal, ReplyContent, SavedReply, Store};

use crate::places::{on_every_populated_store, on_every_store};
use crate::population::*;

fn content(called: &str, text: &str) -> ReplyContent {
    ReplyContent {
        name: name(called),
        text: MessageText::new(text).expect("a text"),
    }
}

async fn add(store: &dyn Store, called: &str) -> SavedReply {
    let added = store.add_reply(shop(), content(called, "text"), at(0)).await;
    added.expect("a reply")
}

#[test]
fn the_newest_messages_are_read_page_by_page_towards_the_oldest() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await;
        let other = new_chat(store, order(101)).await;
        let mut written = Vec::new();
        for number in 0..7 {
            let text = customer_says(&format!("message {number}"));
            written.push(write(store, chat.id, text, at(number)).await);
            write(store, other.id, customer_says("elsewhere"), at(number)).await;
        }
        let page = async |before: Option<MessageId>, limit| {
            let page = store.latest_messages(shop(), chat.id, before, limit).await;
            let page = page.expect("a page");
            (page.items, page.more)
        };
        assert_eq!(page(None, 7).await, (written.clone(), false));
        assert_eq!(page(None, 3).await, (written[4..].to_vec(), true));
        assert_eq!(page(Some(written[4].id), 3).await, (written[1..4].to_vec(), true));
        assert_eq!(page(Some(written[1].id), 3).await, (written[..1].to_vec(), false));
        assert_eq!(page(Some(written[0].id), 3).await, (Vec::new(), false));
        let foreign = store
            .latest_messages(crate::population::other(), chat.id, None, 3)
            .await;
        assert_eq!(foreign.expect("a page").items, Vec::new());
    });
}

#[test]
fn what_was_seen_stays_seen() {
    on_every_store(async |mut site| {
        populate(&*site.store).await;
        let store = &*site.store;
        let (one, two) = (
            new_chat(store, order(100)).await.id,
            new_chat(store, order(101)).await.id,
        );
        let first = write(store, one, customer_says("a"), at(1)).await.id;
        let second = write(store, one, customer_says("b"), at(2)).await.id;
        for message in [second, first] {
            store.mark_seen(shop(), one, message).await.expect("a mark");
        }
        let missing = store.mark_seen(other(), one, first).await;
        assert_eq!(refusal(missing), Refusal::NotFound(Entity::Chat(one)));
        site.reopen().await;
        let seen = site.store.seen(shop(), &[two, one, two]).await.expect("marks");
        assert_eq!(seen, [None, Some(second), None]);
        assert_eq!(site.store.seen(other(), &[one]).await.expect("marks"), [None]);
        assert!(site.store.seen(shop(), &[]).await.expect("marks").is_empty());
    });
}

#[test]
fn saved_replies_are_listed_by_name_changed_and_removed() {
    on_every_populated_store(async |store| {
        let [b, a] = [add(store, "b").await, add(store, "a").await];
        let listed = async || store.saved_replies(shop()).await.expect("replies");
        assert_eq!(listed().await, [a.clone(), b.clone()]);
        assert!(store.saved_replies(other()).await.expect("replies").is_empty());

        let changed = content("c", "Здравствуйте, {customer}!");
        store
            .change_reply(shop(), a.id, changed.clone())
            .await
            .expect("a change");
        let changed = SavedReply {
            content: changed,
            ..a
        };
        assert_eq!(listed().await, [b.clone(), changed.clone()]);
        // Its own name is free for it.
        let same = store.change_reply(shop(), b.id, content("b", "other")).await;
        same.expect("a change");

        for business in [other(), shop(), shop()] {
            store
                .delete_reply(business, b.id)
                .await
                .expect("removed, or gone");
        }
        assert_eq!(listed().await, [changed]);
        let gone = store.change_reply(shop(), b.id, content("d", "x")).await;
        assert_eq!(refusal(gone), Refusal::NotFound(Entity::SavedReply(b.id)));
        let never: SavedReplyId = id(77);
        let foreign = store.change_reply(other(), never, content("d", "x")).await;
        assert_eq!(refusal(foreign), Refusal::NotFound(Entity::SavedReply(never)));
    });
}

#[test]
fn names_of_saved_replies_are_unique_and_their_number_is_bounded() {
    on_every_populated_store(async |store| {
        let first = add(store, "0").await;
        let again = store.add_reply(shop(), content("0", "x"), at(0)).await;
        assert_eq!(refusal(again), Refusal::Conflict(Conflict::NameTaken));
        store
            .add_reply(other(), content("0", "x"), at(0))
            .await
            .expect("another business's");
        for number in 1..MAX_SAVED_REPLIES {
            add(store, &number.to_string()).await;
        }
        let renamed = store.change_reply(shop(), first.id, content("1", "x")).await;
        assert_eq!(refusal(renamed), Refusal::Conflict(Conflict::NameTaken));
        let one_more = store.add_reply(shop(), content("more", "x"), at(0)).await;
        assert_eq!(refusal(one_more), Refusal::Conflict(Conflict::TooManyReplies));
        store.delete_reply(shop(), first.id).await.expect("removed");
        add(store, "more").await;
        let nobody = store.add_reply(id(77), content("x", "x"), at(0)).await;
        assert_eq!(refusal(nobody), Refusal::NotFound(Entity::Business(id(77))));
    });
}
