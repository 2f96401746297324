//! What was erased or removed is in no file any more: not in the database, its write-ahead log or the search index.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use prilavok_domain::rules::Initiator;
use prilavok_domain::{
    Business, BusinessId, BusinessState, ChatId, Customer, IdSequence, MessageText, Name, PublicId, Sender,
    Timestamp,
};
use prilavok_store::search::{self, Follower, Search, Words};
use prilavok_store::sqlite::{FILE_NAME, SqliteStore};
use prilavok_store::{ChatChange, NewMessage, Registration, StartChat, Store, Subject};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// A word that only one customer's chats have.
const ERASED: &str = "quokka7731";
const REMOVED: &str = "wombat7732";
const KEPT: &str = "ocelot7733";

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + millis).expect("in range")
}

fn shop() -> BusinessId {
    BusinessId::new(1).expect("an id")
}

fn person(word: &str) -> PublicId {
    PublicId::new(format!(
        "c-{}",
        word.len() + word.bytes().map(usize::from).sum::<usize>()
    ))
    .expect("an id")
}

/// How often a word is in the files of a folder.
fn traces(folder: &Path, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a file");
        let count = bytes
            .windows(word.len())
            .filter(|it| *it == word.as_bytes())
            .count();
        if count > 0 {
            found.push(format!(
                "{}: {count}",
                path.file_name().expect("a name").display()
            ));
        }
    }
    found
}

async fn say(store: &dyn Store, chat: ChatId, text: String, now: i64) {
    let new = NewMessage {
        sender: Sender::Customer,
        text: Some(MessageText::new(text).expect("a text")),
        files: Vec::new(),
        wait_for: None,
    };
    let said = store.append_message(shop(), chat, new, None, at(now)).await;
    said.expect("a message");
}

/// Chats of three customers among those of others, written side by side, so that pages are split and overflow.
async fn fill(store: &dyn Store) -> Vec<ChatId> {
    let mut items = vec![Registration::Business(Business {
        id: shop(),
        name: Name::new("Shop").expect("a name"),
        state: BusinessState::Active,
    })];
    let mut words: Vec<_> = (0..40).map(|number| format!("somebody{number}")).collect();
    for (place, word) in [(3, ERASED), (17, REMOVED), (31, KEPT)] {
        words[place] = word.to_owned();
    }
    items.extend(words.iter().map(|word| {
        Registration::Customer(Customer {
            public_id: person(word),
            name: Name::new(format!("Mx {word}")).expect("a name"),
            erased_at: None,
        })
    }));
    store.register(items).await.expect("a population");
    let mut chats = Vec::new();
    for word in &words {
        let new = StartChat {
            initiator: Initiator::Customer,
            subject: Subject::Direct,
            customer: Some(person(word)),
        };
        let started = store.start_chat(shop(), new, None, at(0)).await;
        chats.push(started.expect("a chat").value.chat.id);
    }
    for round in 0..60_usize {
        let said = words.iter().zip(&chats).map(|(word, chat)| {
            let long = if round % 7 == 0 { 3_000 } else { round * 5 };
            let filler = "and so on ".repeat(long / 10);
            say(store, *chat, format!("{word} {filler}{word}"), 1)
        });
        join_all(said).await;
    }
    [3, 17, 31].map(|place| chats[place]).to_vec()
}

async fn finds(follower: &Follower, word: &str) -> usize {
    let words = Words::new(word);
    let found = follower.search().find(shop(), &words, None, 100);
    found.await.expect("an answer").hits.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_what_was_erased_or_removed_is_left_in_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let store =
        SqliteStore::open(&folder.path().join(FILE_NAME), IdSequence::clocked(1, 0)).expect("a store");
    let store: Arc<dyn Store> = Arc::new(store);
    let index = Arc::new(Search::new(&folder.path().join(search::FILE_NAME)));
    let follower = Follower::start(index, Arc::clone(&store)).expect("a thread");
    let chats = fill(&*store).await;
    let began = Instant::now();
    for word in [ERASED, REMOVED, KEPT] {
        while finds(&follower, word).await == 0 || !follower.search().is_complete() {
            assert!(began.elapsed() < PATIENCE, "{word} is not found");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(
            !traces(folder.path(), word).is_empty(),
            "this test looks at nothing"
        );
    }

    let finished = store.change_chat(shop(), chats[1], ChatChange::Finish, None, at(2));
    finished.await.expect("a finished chat");
    while store
        .forget_chats(shop(), at(3), at(3))
        .await
        .expect("a step")
        .more
    {}
    let removed = store.erase_customer(&person(REMOVED), at(3)).await;
    removed.expect("an erasure of the name");
    store
        .erase_customer(&person(ERASED), at(3))
        .await
        .expect("an erasure");
    for word in [REMOVED, ERASED] {
        while store.erase_some(&person(word), at(4)).await.expect("a step").more {}
    }
    while store.clear_traces().await.expect("a step") {}
    assert_eq!(store.chat(shop(), chats[1]).await.expect("a read"), None);
    let began = Instant::now();
    loop {
        let mut left = traces(folder.path(), ERASED);
        left.extend(traces(folder.path(), REMOVED));
        if left.is_empty() {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "left: {left:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for word in [ERASED, REMOVED] {
        assert_eq!(finds(&follower, word).await, 0);
    }
    assert_eq!(finds(&follower, KEPT).await, 1);
    assert!(
        traces(folder.path(), KEPT).len() >= 2,
        "in the database and in the index"
    );
    follower.stop();
    store.close().await;
    for word in [ERASED, REMOVED] {
        assert_eq!(traces(folder.path(), word), Vec::<String>::new());
    }
}
