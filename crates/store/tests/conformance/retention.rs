//! Chats and files whose time is over: what goes with them, what stays, and what a cut-off run leaves behind.

use futures_util::future::join_all;
use prilavok_domain::{ChatId, DecidedFor, FileName, MessageText, Timestamp};
use prilavok_store::files::FileStore;
use prilavok_store::{
    Act, Again, ChatChange, Entity, Idempotency, NewMessage, Refusal, Store, StoredFile, Surface, Switch,
    Taken,
};

use crate::places::{Site, on_every_populated_store, on_every_store};
use crate::population::*;

pub(crate) fn a_file(object: &str) -> StoredFile {
    StoredFile {
        object: object.to_owned(),
        name: FileName::from_client("passport.jpg"),
        size: 3,
        media_type: "image/jpeg".to_owned(),
    }
}

pub(crate) fn with_file(object: &str) -> NewMessage {
    NewMessage {
        files: vec![a_file(object)],
        ..customer_says("look")
    }
}

/// A finished chat about an order whose last message is of `last`.
async fn finished(store: &dyn Store, about: i64, last: Timestamp) -> ChatId {
    let chat = new_chat(store, order(about)).await.id;
    write(store, chat, customer_says("hello"), last).await;
    change(store, chat, ChatChange::Finish).await;
    chat
}

/// Takes steps until there is none.
async fn forget_all(store: &dyn Store, before: Timestamp) -> Taken {
    let mut all = Taken::default();
    loop {
        let step = store
            .forget_chats(shop(), before, at(HOUR))
            .await
            .expect("a step");
        all.count += step.count;
        all.objects.extend(step.objects);
        if !step.more {
            return all;
        }
    }
}

async fn is_there(store: &dyn Store, chat: ChatId) -> bool {
    store.chat(shop(), chat).await.expect("a read").is_some()
}

pub(crate) async fn check(store: &dyn Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let files = FileStore::local(folder.path()).expect("a file store");
    let mut problems = store.check(&files).await.expect("a report").problems;
    // The files of these cases have no bytes.
    problems.retain(|problem| !problem.ends_with("it is not in the file store"));
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn only_finished_chats_go_and_each_by_its_own_last_message() {
    on_every_populated_store(async |store| {
        let old = finished(store, 100, at(10)).await;
        let young = finished(store, 101, at(30)).await;
        let open = new_chat(store, order(103)).await.id;
        write(store, open, customer_says("hello"), at(10)).await;
        let silent = new_chat(store, direct("anna")).await.id;
        change(store, silent, ChatChange::Finish).await;
        start(store, other(), order(100), at(0)).await;
        assert_eq!(
            forget_all(store, at(10)).await.count,
            1,
            "nobody ever wrote into one"
        );
        assert!(!is_there(store, silent).await);
        assert!(is_there(store, old).await, "it is just not old enough");
        assert_eq!(forget_all(store, at(11)).await.count, 1);
        assert!(!is_there(store, old).await);
        assert_eq!(forget_all(store, at(11)).await, Taken::default());
        for chat in [young, open] {
            assert!(is_there(store, chat).await);
            assert_eq!(all_messages(store, chat).await.len(), 1);
        }
        assert_eq!(all_chats(store, other(), &Default::default()).await.len(), 1);
        check(store).await;
    });
}

#[test]
fn with_a_chat_goes_all_that_it_has() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        let dispute = arbitration(store, chat).await.id;
        let carrying = write(store, dispute, with_file("1/a"), at(1)).await;
        write(store, chat, customer_says("beside"), at(1)).await;
        let settle = Act::Settle {
            dispute,
            decided_for: DecidedFor::Buyer,
            text: MessageText::new("Pay back").expect("a text"),
        };
        let token = store.create_operator_token(prilavok_store::SecretHash([7; 32]), at(0));
        let by = token.await.expect("a token").id;
        store
            .act(shop(), settle, by, None, at(2))
            .await
            .expect("a verdict");
        store.mark_seen(shop(), dispute, carrying.id).await.expect("seen");
        let before = store.marks().await.expect("marks");

        let taken = forget_all(store, at(HOUR)).await;
        assert_eq!((taken.count, taken.objects), (1, vec!["1/a".to_owned()]));
        assert!(!is_there(store, dispute).await);
        assert_eq!(all_messages(store, dispute).await, []);
        let file = carrying.files[0].id;
        assert_eq!(store.file(shop(), file).await.expect("a read"), None);
        assert_eq!(store.chat_of_file(shop(), file).await.expect("a read"), None);
        assert_eq!(
            store.named_files(vec!["1/a".to_owned()]).await.expect("a read"),
            [false]
        );
        assert_eq!(store.seen(shop(), &[dispute]).await.expect("a read"), [None]);
        assert_eq!(store.verdict(shop(), dispute).await.expect("a read"), None);
        let events = store.events(Some(shop()), 0, 100).await.expect("events");
        assert!(!events.is_empty() && events.iter().all(|event| event.chat == chat));
        let missing = store.append_message(shop(), dispute, customer_says("?"), None, at(3));
        assert_eq!(refusal(missing.await), Refusal::NotFound(Entity::Chat(dispute)));
        check(store).await;

        let told = store.taken_from(before.taken, 10).await.expect("a list");
        let told: Vec<_> = told
            .iter()
            .map(|from| (from.business, from.chat, from.at))
            .collect();
        assert_eq!(told, [(shop(), dispute, at(HOUR))]);
        assert!(is_there(store, chat).await, "the chat beside it is not finished");
        assert!(
            arbitration(store, chat).await.id > dispute,
            "ids never come again"
        );
    });
}

#[test]
fn a_context_can_have_a_new_chat_and_what_was_removed_is_answered_as_never_there() {
    on_every_populated_store(async |store| {
        let once = |key: &str| {
            Some(Idempotency {
                surface: Surface::Operator,
                key: key.to_owned(),
                fingerprint: [1; 32],
            })
        };
        let started = store.start_chat(shop(), order(100), once("start"), at(0)).await;
        let chat = started.expect("a chat").value.chat.id;
        let said = store.append_message(shop(), chat, customer_says("hello"), once("write"), at(1));
        said.await.expect("a message");
        let finish = || store.change_chat(shop(), chat, ChatChange::Finish, once("finish"), at(2));
        finish().await.expect("a finished chat");
        assert_eq!(forget_all(store, at(HOUR)).await.count, 1);
        let missing = Refusal::NotFound(Entity::Chat(chat));
        assert_eq!(refusal(finish().await), missing);
        let again = store.append_message(shop(), chat, customer_says("hello"), once("write"), at(3));
        assert_eq!(refusal(again.await), missing);
        let anew = store.start_chat(shop(), order(100), once("start"), at(4)).await;
        let anew = anew.expect("a chat");
        assert!(anew.value.created && !anew.replayed);
        assert!(anew.value.chat.id > chat);
        assert_eq!(all_messages(store, anew.value.chat.id).await, []);
        check(store).await;
    });
}

#[test]
fn a_chat_whose_events_a_subscription_waits_for_stays_until_it_does_not() {
    on_every_populated_store(async |store| {
        let crm = subscribed(store, a_subscription("crm")).await.id;
        let chat = finished(store, 100, at(10)).await;
        let events = store.events(Some(shop()), 0, 100).await.expect("events");
        let (first, last) = (events[0].id.get(), events.last().expect("events").id.get());
        for seen in [0, first] {
            store.skip_events(shop(), crm, seen).await.expect("settled");
            assert_eq!(forget_all(store, at(HOUR)).await, Taken::default());
            assert_eq!(all_messages(store, chat).await.len(), 1, "not even in part");
        }
        store.skip_events(shop(), crm, last).await.expect("settled");
        let again = store.send_again(shop(), crm, Again::Event(id(last)), at(20));
        assert_eq!(again.await.expect("queued"), 1);
        assert_eq!(forget_all(store, at(HOUR)).await, Taken::default());
        let waiting = store.waiting(shop(), crm, 0, 10).await.expect("what waits");
        assert_eq!(waiting.deliveries.len(), 1);
        let off = Switch::Off(prilavok_domain::event::DisabledBy::Hand);
        store
            .switch_subscription(shop(), crm, off)
            .await
            .expect("disabled");
        store.delete_subscription(shop(), crm).await.expect("gone");
        assert_eq!(forget_all(store, at(HOUR)).await.count, 1);
        check(store).await;
    });
}

#[test]
fn a_chat_that_its_customer_goes_on_with_stays() {
    on_every_populated_store(async |store| {
        let chat = finished(store, 100, at(10)).await;
        write(store, chat, customer_says("one more thing"), at(20)).await;
        assert_eq!(forget_all(store, at(HOUR)).await, Taken::default());
        change(store, chat, ChatChange::Finish).await;
        assert_eq!(forget_all(store, at(20)).await, Taken::default());
        assert_eq!(forget_all(store, at(21)).await.count, 1);
    });
}

/// Writes into a chat, some messages at a time: a chat takes one after the other.
async fn write_all(store: &dyn Store, chat: ChatId, messages: &[NewMessage]) {
    for some in messages.chunks(32) {
        join_all(some.iter().map(|new| write(store, chat, new.clone(), at(1)))).await;
    }
}

/// A chat with so many messages.
pub(crate) async fn long_chat(store: &dyn Store, about: i64, messages: usize) -> ChatId {
    let chat = new_chat(store, order(about)).await.id;
    write_all(store, chat, &vec![customer_says("on and on"); messages]).await;
    chat
}

#[test]
fn a_long_chat_goes_in_steps_and_a_new_process_goes_on() {
    on_every_store(async |mut site: Site| {
        populate(&*site.store).await;
        let chat = long_chat(&*site.store, 100, 2_500).await;
        change(&*site.store, chat, ChatChange::Finish).await;
        let before = all_messages(&*site.store, chat).await;
        let step = site
            .store
            .forget_chats(shop(), at(HOUR), at(HOUR))
            .await
            .expect("a step");
        assert!(step.more && step.count == 0, "{step:?}");
        check(&*site.store).await;
        site.reopen().await;
        let left = all_messages(&*site.store, chat).await;
        assert!(!left.is_empty() && left.len() < before.len());
        assert_eq!(
            left,
            before[before.len() - left.len()..],
            "the first ones go first"
        );
        assert_eq!(forget_all(&*site.store, at(HOUR)).await.count, 1);
        assert!(!is_there(&*site.store, chat).await);
        check(&*site.store).await;
    });
}

#[test]
fn two_that_go_on_at_once_remove_each_chat_once() {
    on_every_store(async |site| {
        let (one, another) = (&*site.store, site.beside().await);
        populate(one).await;
        for about in [100, 101, 103] {
            let chat = long_chat(one, about, 400).await;
            write(one, chat, with_file(&format!("1/{about}")), at(1)).await;
            change(one, chat, ChatChange::Finish).await;
        }
        let (first, second) = tokio::join!(forget_all(one, at(HOUR)), forget_all(&*another, at(HOUR)));
        // Who finds a chat in other hands leaves it for later.
        let rest = forget_all(one, at(HOUR)).await;
        assert_eq!(first.count + second.count + rest.count, 3);
        let mut objects = [first.objects, second.objects, rest.objects].concat();
        objects.sort_unstable();
        assert_eq!(objects, ["1/100", "1/101", "1/103"]);
        assert_eq!(all_events(one).await, []);
        assert_eq!(one.taken_from(0, 10).await.expect("a list").len(), 3);
        check(one).await;
        another.close().await;
    });
}

#[test]
fn a_chat_that_just_fills_a_step_goes_whole() {
    on_every_populated_store(async |store| {
        let chat = long_chat(store, 100, 1_000).await;
        change(store, chat, ChatChange::Finish).await;
        let step = store.forget_chats(shop(), at(HOUR), at(HOUR)).await;
        assert_eq!(step.expect("a step").count, 1);
        assert!(!is_there(store, chat).await);
        check(store).await;
    });
}

#[test]
fn a_file_goes_and_its_message_shows_that() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        let old = write(store, chat, with_file("1/old"), at(10)).await;
        let young = write(store, chat, with_file("1/young"), at(20)).await;
        for (before, objects) in [(at(10), vec![]), (at(11), vec!["1/old"]), (at(11), vec![])] {
            let step = store
                .forget_files(shop(), before, at(HOUR))
                .await
                .expect("a step");
            assert_eq!(step.objects, objects);
            assert_eq!(
                (step.count, step.more),
                (objects.len() as u64, !objects.is_empty())
            );
        }
        let shown = all_messages(store, chat).await;
        assert_eq!(shown[0].files[0].removed_at, Some(at(HOUR)));
        assert_eq!(shown[0].files[0].name, old.files[0].name);
        assert_eq!(shown[0].text, old.text);
        assert_eq!(shown[1], young);
        assert_eq!(store.file(shop(), old.files[0].id).await.expect("a read"), None);
        assert!(
            store
                .file(shop(), young.files[0].id)
                .await
                .expect("a read")
                .is_some()
        );
        let named = store.named_files(vec!["1/old".to_owned(), "1/young".to_owned()]);
        assert_eq!(
            named.await.expect("a read"),
            [false, true],
            "the sweep takes what is left"
        );
        let files = tempfile::tempdir().expect("a folder");
        let files = FileStore::local(files.path()).expect("a file store");
        let problems = store.check(&files).await.expect("a report").problems;
        assert_eq!(problems, ["file 1/young: it is not in the file store"]);
    });
}

#[test]
fn many_files_go_in_steps() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        let files: Vec<_> = (0..1_200).map(|file| with_file(&format!("1/{file}"))).collect();
        write_all(store, chat, &files).await;
        let (mut objects, mut steps) = (Vec::new(), 0);
        loop {
            let step = store.forget_files(shop(), at(2), at(3)).await.expect("a step");
            assert!(step.objects.len() <= 500);
            objects.extend(step.objects);
            if !step.more {
                break;
            }
            steps += 1;
        }
        objects.sort_unstable();
        objects.dedup();
        assert_eq!((objects.len(), steps), (1_200, 3));
    });
}

#[test]
fn what_was_taken_away_is_told_in_order_until_it_is_forgotten() {
    on_every_populated_store(async |store| {
        let mut chats = Vec::new();
        for about in [100, 101, 103] {
            chats.push(finished(store, about, at(about)).await);
            forget_all(store, at(about + 1)).await;
        }
        let told = store.taken_from(0, 10).await.expect("a list");
        assert_eq!(told.iter().map(|from| from.chat).collect::<Vec<_>>(), chats);
        assert!(told.is_sorted_by_key(|from| from.place));
        let marks = store.marks().await.expect("marks");
        assert_eq!((marks.taken, marks.forgotten_taken), (told[2].place, 0));
        assert_eq!(
            store.taken_from(told[0].place, 1).await.expect("a list"),
            [told[1]]
        );
        assert_eq!(store.forget_taken(at(HOUR)).await.expect("a number"), 0);
        assert_eq!(store.forget_taken(at(HOUR + 1)).await.expect("a number"), 3);
        assert_eq!(store.taken_from(0, 10).await.expect("a list"), []);
        let after = store.marks().await.expect("marks");
        assert_eq!((after.taken, after.forgotten_taken), (marks.taken, marks.taken));
        finished(store, 100, at(0)).await;
        forget_all(store, at(HOUR)).await;
        let next = store.taken_from(0, 10).await.expect("a list");
        assert!(next[0].place > marks.taken, "a place never comes again");
    });
}
