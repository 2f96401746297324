//! The index beside a store has what the store has, whatever became of it or of the store.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use prilavok_domain::{BusinessId, ChatId, MessageId, Timestamp};
use prilavok_store::search::{FILE_NAME, Follower, Found, Search, Words};
use prilavok_store::{ForgetBefore, Registration, Store};

use crate::places::{Site, on_every_store};
use crate::population::*;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn file(site: &Site) -> PathBuf {
    site.folder.path().join(FILE_NAME)
}

fn follow(site: &Site) -> Follower {
    let search = Arc::new(Search::new(&file(site)));
    Follower::start(search, Arc::clone(&site.store)).expect("a thread")
}

async fn find(follower: &Follower, business: BusinessId, words: &str) -> Found {
    let words = Words::new(words);
    let found = follower.search().find(business, &words, None, 100);
    found.await.expect("an answer")
}

type Places = Vec<(ChatId, Option<MessageId>)>;

async fn places(follower: &Follower, business: BusinessId, words: &str) -> Places {
    let found = find(follower, business, words).await.hits;
    found.iter().map(|hit| (hit.chat, hit.message)).collect()
}

/// Waits until exactly these places are found.
async fn finds(follower: &Follower, words: &str, expected: &Places) {
    let began = Instant::now();
    loop {
        let found = places(follower, shop(), words).await;
        if found == *expected {
            return;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "{words}: {found:?} and not {expected:?}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn becomes_complete(follower: &Follower) {
    let began = Instant::now();
    while !follower.search().is_complete() {
        assert!(began.elapsed() < PATIENCE, "never complete");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn rename(store: &dyn Store, public_id: &str, called: &str) {
    let customer = Registration::Customer(a_customer(public_id, called));
    store.register(vec![customer]).await.expect("a put");
}

async fn forget_events(store: &dyn Store, before: Timestamp) {
    let before = ForgetBefore {
        attempts: before,
        events: before,
    };
    let forgotten = store
        .forget_notifications(shop(), before)
        .await
        .expect("a number");
    assert!(forgotten > 0);
}

#[test]
fn messages_names_and_numbers_are_found_in_their_own_business() {
    on_every_store(async |site| {
        populate(&*site.store).await;
        let store = &*site.store;
        let before = start(store, shop(), order(100), at(1)).await.chat.id;
        let asked = write(store, before, customer_says("Где моя посылка?"), at(2))
            .await
            .id;
        let follower = follow(&site);
        finds(&follower, "посылку", &vec![(before, Some(asked))]).await;
        // What comes while it follows.
        let after = start(store, shop(), order(101), at(3)).await.chat.id;
        let again = write(store, after, customer_says("ПОСЫЛКОЙ доволен, ещё раз"), at(4))
            .await
            .id;
        let both = vec![(after, Some(again)), (before, Some(asked))];
        finds(&follower, "посылк", &both).await;
        finds(&follower, "раз посылка", &vec![(after, Some(again))]).await;
        finds(&follower, "еще", &vec![(after, Some(again))]).await;
        finds(&follower, "anna", &vec![]).await;
        finds(&follower, "Анна", &vec![(before, None)]).await;
        finds(&follower, "BORIS", &vec![(after, None)]).await;
        finds(&follower, "101", &vec![(after, None)]).await;
        finds(&follower, "1", &vec![]).await;
        finds(&follower, "10", &vec![]).await;
        for hostile in [
            "\"",
            "посылка OR NEAR(",
            "* ^ -",
            "word:посылка\" OR \"",
            "😀",
            "",
        ] {
            finds(&follower, hostile, &vec![]).await;
        }
        becomes_complete(&follower).await;
        for words in ["посылка", "Анна", "100", "раз"] {
            assert_eq!(places(&follower, other(), words).await, [], "{words}");
        }
        follower.stop();
    });
}

#[test]
fn a_chat_is_found_once_by_its_newest_place_on_whichever_page() {
    on_every_store(async |site| {
        populate(&*site.store).await;
        let store = &*site.store;
        let mut newest = Vec::new();
        let (first, second) = (
            start(store, shop(), order(100), at(1)).await.chat.id,
            start(store, shop(), order(101), at(1)).await.chat.id,
        );
        let third = start(store, shop(), order(103), at(1)).await.chat.id;
        for chat in [third, first, second, first, second, first] {
            let id = write(store, chat, customer_says("one order"), at(2)).await.id;
            newest.retain(|(known, _)| *known != chat);
            newest.insert(0, (chat, Some(id)));
        }
        let follower = follow(&site);
        finds(&follower, "orders", &newest).await;
        let words = Words::new("order");
        for size in [1, 2] {
            let (mut paged, mut before) = (Vec::new(), None);
            loop {
                let page = follower.search().find(shop(), &words, before, size);
                let page = page.await.expect("an answer");
                paged.extend(page.hits.iter().map(|hit| (hit.chat, hit.message)));
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
            assert_eq!(paged, newest, "pages of {size}");
        }
        follower.stop();
    });
}

#[test]
fn a_customer_is_found_by_the_new_name_and_no_more_by_the_old_one() {
    on_every_store(async |mut site| {
        populate(&*site.store).await;
        let chat = start(&*site.store, shop(), order(100), at(1)).await.chat.id;
        let follower = follow(&site);
        finds(&follower, "Анна", &vec![(chat, None)]).await;
        rename(&*site.store, "anna", "Мария").await;
        finds(&follower, "Мария", &vec![(chat, None)]).await;
        finds(&follower, "Анна", &vec![]).await;
        follower.stop();
        // While nobody follows.
        rename(&*site.store, "anna", "Ольга").await;
        site.reopen().await;
        let follower = follow(&site);
        finds(&follower, "Ольга", &vec![(chat, None)]).await;
        finds(&follower, "Мария", &vec![]).await;
        follower.stop();
    });
}

#[test]
fn a_file_that_is_lost_or_damaged_is_made_anew() {
    on_every_store(async |site| {
        populate(&*site.store).await;
        let store = &*site.store;
        let mut all = Places::new();
        for number in [100, 101, 103] {
            let chat = start(store, shop(), order(number), at(1)).await.chat.id;
            for _ in 0..20 {
                write(store, chat, customer_says("something else"), at(2)).await;
            }
            let id = write(store, chat, customer_says("one order"), at(2)).await.id;
            all.insert(0, (chat, Some(id)));
        }
        let follower = follow(&site);
        finds(&follower, "orders", &all).await;
        becomes_complete(&follower).await;
        follower.stop();
        let whole = std::fs::read(file(&site)).expect("the index");
        let zeroed = |from: usize| {
            let mut damaged = whole.clone();
            damaged[from..].fill(0xA5);
            damaged
        };
        let damages: [Option<Vec<u8>>; 6] = [
            None,
            Some(Vec::new()),
            Some(b"no database".to_vec()),
            Some(whole[..whole.len() / 2].to_vec()),
            Some(zeroed(4_096)),
            Some(zeroed(whole.len() / 2)),
        ];
        for (which, damage) in damages.into_iter().enumerate() {
            match damage {
                None => std::fs::remove_file(file(&site)).expect("removed"),
                Some(bytes) => std::fs::write(file(&site), bytes).expect("written"),
            }
            println!("damage {which}");
            let follower = follow(&site);
            finds(&follower, "orders", &all).await;
            becomes_complete(&follower).await;
            follower.stop();
        }
        // Taken away while it is followed.
        let follower = follow(&site);
        finds(&follower, "orders", &all).await;
        std::fs::remove_file(file(&site)).expect("removed");
        finds(&follower, "orders", &all).await;
        let began = Instant::now();
        while !file(&site).exists() {
            assert!(began.elapsed() < PATIENCE);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        finds(&follower, "orders", &all).await;
        follower.stop();
    });
}

#[test]
fn events_that_were_forgotten_unseen_are_made_up_for() {
    on_every_store(async |site| {
        populate(&*site.store).await;
        let store = &*site.store;
        let chat = start(store, shop(), order(100), at(1)).await.chat.id;
        let follower = follow(&site);
        finds(&follower, "100", &vec![(chat, None)]).await;
        becomes_complete(&follower).await;
        follower.stop();
        let missed = write(store, chat, customer_says("missed"), at(2)).await.id;
        forget_events(store, at(3)).await;
        assert_eq!(store.events(None, 0, 10).await.expect("events"), []);
        let follower = follow(&site);
        finds(&follower, "missed", &vec![(chat, Some(missed))]).await;
        // What was seen before it was forgotten is no reason to begin anew.
        becomes_complete(&follower).await;
        let seen = write(store, chat, customer_says("seen"), at(4)).await.id;
        finds(&follower, "seen", &vec![(chat, Some(seen))]).await;
        let before = follower.search().indexed();
        forget_events(store, at(5)).await;
        let next = write(store, chat, customer_says("next"), at(6)).await.id;
        finds(&follower, "next", &vec![(chat, Some(next))]).await;
        assert_eq!(follower.search().indexed(), before + 1);
        follower.stop();
    });
}

#[test]
fn an_index_of_another_state_of_the_store_is_made_anew() {
    on_every_store(async |site| {
        populate(&*site.store).await;
        let chat = start(&*site.store, shop(), order(100), at(1)).await.chat.id;
        let kept = write(&*site.store, chat, customer_says("kept word"), at(2))
            .await
            .id;
        let copy = site.folder.path().join("copy.sqlite");
        let Some(restored) = site.copied(&copy, |_, _| {}).await else {
            return;
        };
        let lost = write(&*site.store, chat, customer_says("lost word"), at(3))
            .await
            .id;
        let follower = follow(&site);
        finds(&follower, "lost", &vec![(chat, Some(lost))]).await;
        follower.stop();
        let search = Arc::new(Search::new(&file(&site)));
        let follower = Follower::start(search, Arc::clone(&restored)).expect("a thread");
        finds(&follower, "lost", &vec![]).await;
        finds(&follower, "word", &vec![(chat, Some(kept))]).await;
        follower.stop();
        restored.close().await;
    });
}

#[test]
fn marks_chats_and_names_are_told_to_those_who_follow() {
    on_every_store(async |site| {
        populate(&*site.store).await;
        let store = &*site.store;
        let marks = store.marks().await.expect("marks");
        assert_eq!((marks.event, marks.forgotten_event, marks.renamed), (0, 0, 0));
        let mut chats = Vec::new();
        for (business, what) in [(other(), order(100)), (shop(), order(101)), (shop(), order(100))] {
            let chat = start(store, business, what, at(1)).await.chat;
            chats.push((chat.business, chat.id));
        }
        chats.sort_unstable();
        all_events(store).await;
        let newest = store.newest_event(None).await.expect("a number");
        forget_events(store, at(2)).await;
        let marks = store.marks().await.expect("marks");
        assert_eq!(marks.event, newest);
        assert_eq!(marks.forgotten_event, newest);
        let (mut paged, mut after) = (Vec::new(), None);
        while let Some(chat) = store.chats_by_id(after, 1).await.expect("chats").first() {
            after = Some((chat.business, chat.id));
            paged.extend(after);
        }
        assert_eq!(paged, chats);

        for (public_id, called) in [("anna", "A"), ("boris", "B"), ("boris", "B"), ("anna", "C")] {
            rename(store, public_id, called).await;
        }
        let renamed = store.renamed_customers(0, 10).await.expect("names");
        let expected = [(2, person("boris")), (3, person("anna"))];
        assert_eq!(renamed, expected);
        assert_eq!(
            store.renamed_customers(2, 10).await.expect("names"),
            expected[1..]
        );
        assert_eq!(store.marks().await.expect("marks").renamed, 3);
    });
}

#[test]
fn what_was_erased_or_removed_is_not_found() {
    on_every_store(async |site| {
        populate(&*site.store).await;
        let store = &*site.store;
        let follower = follow(&site);
        let erased = start(store, shop(), order(100), at(0)).await.chat.id;
        let secret = write(store, erased, customer_says("Мой адрес: Тверская"), at(1)).await;
        let removed = start(store, shop(), order(101), at(0)).await.chat.id;
        let gone = write(store, removed, customer_says("Адрес прежний"), at(1)).await;
        let both = vec![(removed, Some(gone.id)), (erased, Some(secret.id))];
        finds(&follower, "адрес", &both).await;
        finds(&follower, "Анна", &vec![(erased, None)]).await;

        change(store, removed, prilavok_store::ChatChange::Finish).await;
        while store
            .forget_chats(shop(), at(HOUR), at(2))
            .await
            .expect("a step")
            .more
        {}
        store
            .erase_customer(&person("anna"), at(2))
            .await
            .expect("an erasure");
        while store
            .erase_some(&person("anna"), at(3))
            .await
            .expect("a step")
            .more
        {}
        for words in ["адрес", "Тверская", "Анна", "Boris", "101"] {
            finds(&follower, words, &vec![]).await;
        }
        finds(&follower, "100", &vec![(erased, None)]).await;
        finds(&follower, "erased", &vec![(erased, None)]).await;
        rename(store, "anna", "Анна").await;
        let anew = write(store, erased, customer_says("Новый адрес"), at(4)).await;
        finds(&follower, "адрес", &vec![(erased, Some(anew.id))]).await;
        finds(&follower, "Анна", &vec![(erased, None)]).await;
        follower.stop();
    });
}

#[test]
fn an_index_that_was_not_told_what_was_removed_is_made_anew() {
    on_every_store(async |site| {
        populate(&*site.store).await;
        let store = &*site.store;
        let chat = start(store, shop(), order(100), at(0)).await.chat.id;
        let said = write(store, chat, customer_says("посылка"), at(1)).await;
        let follower = follow(&site);
        finds(&follower, "посылка", &vec![(chat, Some(said.id))]).await;
        becomes_complete(&follower).await;
        follower.stop();
        change(store, chat, prilavok_store::ChatChange::Finish).await;
        while store
            .forget_chats(shop(), at(HOUR), at(2))
            .await
            .expect("a step")
            .more
        {}
        assert_eq!(store.forget_taken(at(HOUR)).await.expect("a number"), 1);
        let follower = follow(&site);
        finds(&follower, "посылка", &vec![]).await;
        becomes_complete(&follower).await;
        follower.stop();
    });
}
