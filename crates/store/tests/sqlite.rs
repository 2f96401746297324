//! What is SQLite's own: which files are taken, how they are opened, and what is left when they are
//! closed. What every store must do is in `conformance`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use prilavok_domain::rules::Initiator;
use prilavok_domain::{
    Business, BusinessId, BusinessState, Chat, ChatId, Customer, IdSequence, MessageId, MessageText, Name,
    PublicId, Sender, Timestamp,
};
use prilavok_store::sqlite::{FILE_NAME, OpenError, SqliteStore};
use prilavok_store::{ChatFilter, NewMessage, Registration, StartChat, Store, Subject};
use rusqlite::Connection;
use tempfile::TempDir;

fn open(path: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(path, IdSequence::clocked(1, 0))
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE_NAME);
    (folder, path)
}

/// A file with our schema, closed.
async fn a_store(path: &Path) {
    let store = open(path).expect("a store");
    let business = Business {
        id: BusinessId::new(1).expect("an id"),
        name: Name::new("Лавка").expect("a name"),
        state: BusinessState::Active,
    };
    let put = store.register(vec![Registration::Business(business)]).await;
    put.expect("a business");
    store.close().await;
}

fn pragma(conn: &Connection, name: &str) -> i64 {
    conn.pragma_query_value(None, name, |row| row.get(0)).expect(name)
}

/// The files of a folder with their content.
fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a file");
        files.push((path, bytes));
    }
    files.sort();
    files
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_left_as_it_was() {
    // As a running server leaves it, and as a backup is: not in write-ahead mode.
    for journal in ["WAL", "DELETE"] {
        let (folder, path) = folder();
        a_store(&path).await;
        let conn = Connection::open(&path).expect("a file");
        let known = pragma(&conn, "user_version");
        conn.pragma_update(None, "user_version", known + 7)
            .expect("a version");
        conn.pragma_update(None, "journal_mode", journal).expect("a mode");
        drop(conn);
        let before = content(folder.path());
        let refused = open(&path).err().expect("refused");
        let OpenError::Newer {
            found, known: ours, ..
        } = &refused
        else {
            panic!("{journal}: {refused}")
        };
        assert_eq!((*found as i64, *ours as i64), (known + 7, known), "{journal}");
        let message = refused.to_string();
        assert!(message.contains("newer version of Prilavok"), "{message}");
        assert!(message.contains("restore a backup"), "{message}");
        assert!(message.contains(&path.display().to_string()), "{message}");
        assert!(
            content(folder.path()) == before,
            "{journal}: the file was changed"
        );
    }
}

#[test]
fn a_file_of_another_program_is_refused_and_left_as_it_was() {
    for (what, sql) in [
        (
            "with tables",
            "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)",
        ),
        ("with an id", "PRAGMA application_id = 7"),
    ] {
        let (folder, path) = folder();
        let conn = Connection::open(&path).expect("a file");
        conn.execute_batch(sql).expect(what);
        drop(conn);
        let before = content(folder.path());
        let refused = open(&path).err().expect("refused");
        assert!(matches!(refused, OpenError::Foreign { .. }), "{what}: {refused}");
        assert!(refused.to_string().contains("another program"), "{refused}");
        assert!(content(folder.path()) == before, "{what}: the file was changed");
    }
}

#[test]
fn a_file_that_is_not_sqlite_is_refused_and_left_as_it_was() {
    let (folder, path) = folder();
    std::fs::write(
        &path,
        "somebody's notes, longer than any header of SQLite's would be\n".repeat(99),
    )
    .expect("a file");
    let before = content(folder.path());
    let refused = open(&path).err().expect("refused");
    assert!(matches!(refused, OpenError::Sqlite { .. }), "{refused}");
    assert!(refused.to_string().contains("not a database"), "{refused}");
    assert!(content(folder.path()) == before, "the file was changed");
}

#[tokio::test]
async fn a_new_file_carries_our_mark_and_version_and_a_write_ahead_log() {
    let (_folder, path) = folder();
    a_store(&path).await;
    let conn = Connection::open(&path).expect("a file");
    assert_eq!(
        pragma(&conn, "application_id"),
        i64::from(u32::from_be_bytes(*b"PRIL"))
    );
    assert!(pragma(&conn, "user_version") >= 2);
    let mode: String = conn
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .expect("a mode");
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn a_backup_is_one_file_complete_in_itself() {
    let (folder, path) = folder();
    a_store(&path).await;
    let store = open(&path).expect("a store");
    let copies = folder.path().join("copies");
    std::fs::create_dir(&copies).expect("a folder");
    let copy = copies.join("copy");
    store.backup(&copy, Box::new(|_, _| {})).await.expect("a backup");
    store.close().await;
    let files: Vec<_> = content(&copies).into_iter().map(|(path, _)| path).collect();
    assert_eq!(files, [copy]);
}

#[tokio::test]
async fn a_closed_store_leaves_no_write_ahead_log_behind() {
    let (folder, path) = folder();
    a_store(&path).await;
    let store = open(&path).expect("a store");
    store.ready().await.expect("a ready store");
    let found = store.business(BusinessId::new(1).expect("an id")).await;
    assert!(found.expect("a read").is_some());
    store.close().await;
    let files: Vec<_> = content(folder.path()).into_iter().map(|(path, _)| path).collect();
    assert_eq!(files, [path]);
}

fn shop() -> BusinessId {
    BusinessId::new(1).expect("an id")
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000).expect("in range")
}

/// A chat in a store that `a_store` has made.
async fn a_chat(store: &SqliteStore) -> ChatId {
    a_chat_with(store, "anna").await
}

async fn a_chat_with(store: &SqliteStore, customer: &str) -> ChatId {
    let id = PublicId::new(customer).expect("an id");
    let customer = Customer {
        public_id: id.clone(),
        name: Name::new("Анна").expect("a name"),
        erased_at: None,
    };
    let put = store.register(vec![Registration::Customer(customer)]).await;
    put.expect("a customer");
    let start = StartChat {
        initiator: Initiator::Customer,
        customer: Some(id),
        subject: Subject::Direct,
    };
    let started = store.start_chat(shop(), start, None, now()).await;
    started.expect("a chat").value.chat.id
}

async fn read(store: &SqliteStore, chat: ChatId) -> Chat {
    store.chat(shop(), chat).await.expect("a read").expect("a chat")
}

async fn say(store: &SqliteStore, chat: ChatId, text: String) -> MessageId {
    say_at(store, chat, text, now()).await
}

async fn say_at(store: &SqliteStore, chat: ChatId, text: String, at: Timestamp) -> MessageId {
    let new = NewMessage {
        sender: Sender::Customer,
        text: Some(MessageText::new(text).expect("a text")),
        files: Vec::new(),
        wait_for: None,
    };
    let written = store.append_message(shop(), chat, new, None, at).await;
    written.expect("a message").value.id
}

/// The chat that a list of so many shows first.
async fn newest_of(store: &SqliteStore, limit: usize) -> Chat {
    let page = store.chats(shop(), &ChatFilter::default(), None, limit).await;
    page.expect("a page").items.remove(0)
}

#[tokio::test]
async fn who_reads_without_a_pause_sees_what_others_commit() {
    let (_folder, path) = folder();
    a_store(&path).await;
    let (ours, theirs) = (open(&path).expect("a store"), open(&path).expect("a store"));
    let chat = a_chat(&ours).await;
    assert_eq!(read(&ours, chat).await.last_message, None);
    say(&ours, chat, "ours".to_owned()).await;
    let first = read(&ours, chat).await.last_message;
    assert!(first.is_some(), "our own is seen at once");
    say(&theirs, chat, "theirs".to_owned()).await;
    let begun = Instant::now();
    while read(&ours, chat).await.last_message == first {
        assert!(begun.elapsed() < Duration::from_secs(60), "never seen");
    }
    ours.close().await;
    theirs.close().await;
}

#[tokio::test]
async fn a_customer_that_another_process_renames_is_seen_by_its_new_name() {
    let (_folder, path) = folder();
    a_store(&path).await;
    let (ours, theirs) = (open(&path).expect("a store"), open(&path).expect("a store"));
    let chat = a_chat(&ours).await;
    assert_eq!(read(&ours, chat).await.customer.name.as_str(), "Анна");
    let renamed = Customer {
        public_id: PublicId::new("anna").expect("an id"),
        name: Name::new("Анна К.").expect("a name"),
        erased_at: None,
    };
    let put = theirs.register(vec![Registration::Customer(renamed)]).await;
    put.expect("a customer");
    assert_eq!(read(&theirs, chat).await.customer.name.as_str(), "Анна К.");
    let begun = Instant::now();
    while read(&ours, chat).await.customer.name.as_str() == "Анна" {
        assert!(begun.elapsed() < Duration::from_secs(60), "never seen");
    }
    ours.close().await;
    theirs.close().await;
}

#[tokio::test]
async fn a_list_that_another_process_changes_is_seen_in_its_new_order() {
    let (_folder, path) = folder();
    a_store(&path).await;
    let (ours, theirs) = (open(&path).expect("a store"), open(&path).expect("a store"));
    let chats = [a_chat(&ours).await, a_chat_with(&ours, "boris").await];
    for (number, chat) in (1..).zip(chats.iter().cycle().take(4)) {
        say_at(&theirs, *chat, "theirs".to_owned(), now().plus_millis(number)).await;
        assert_eq!(newest_of(&theirs, 2).await.id, *chat, "their own is seen at once");
        let begun = Instant::now();
        while newest_of(&ours, 2).await.id != *chat {
            assert!(begun.elapsed() < Duration::from_secs(60), "never seen");
        }
    }
    ours.close().await;
    theirs.close().await;
}

#[tokio::test]
async fn what_another_process_writes_just_after_the_start_is_seen() {
    let (_folder, path) = folder();
    a_store(&path).await;
    let theirs = open(&path).expect("a store");
    let chats = [a_chat(&theirs).await, a_chat_with(&theirs, "boris").await];
    for (number, chat) in (1..).zip(chats.iter().cycle().take(100)) {
        let ours = open(&path).expect("a store");
        // Kept from here on.
        assert_ne!(newest_of(&ours, 2).await.id, *chat);
        say_at(&theirs, *chat, "theirs".to_owned(), now().plus_millis(number)).await;
        let begun = Instant::now();
        while newest_of(&ours, 2).await.id != *chat {
            assert!(begun.elapsed() < Duration::from_secs(5), "never seen");
            std::thread::yield_now();
        }
        ours.close().await;
    }
    theirs.close().await;
}

#[tokio::test]
async fn chats_that_are_only_started_do_not_pile_up_to_be_looked_at() {
    let (_folder, path) = folder();
    a_store(&path).await;
    let store = open(&path).expect("a store");
    for number in 0..100 {
        a_chat_with(&store, &format!("customer-{number}")).await;
    }
    store.close().await;
    let conn = Connection::open(&path).expect("the file");
    let sql = "SELECT max(events) FROM recent";
    let waiting: i64 = conn.query_row(sql, [], |row| row.get(0)).expect("a count");
    assert!(waiting < 32, "{waiting} events tell that rows may lag behind");
}

#[tokio::test]
async fn ids_rise_in_the_order_of_writes_whichever_process_writes() {
    let (_folder, path) = folder();
    a_store(&path).await;
    let (ours, theirs) = (open(&path).expect("a store"), open(&path).expect("a store"));
    let chat = a_chat(&ours).await;
    let mut last = None;
    // A process that writes twice has room for ids of which the other knows nothing.
    for store in [&ours, &ours, &theirs, &theirs, &ours, &theirs, &ours, &ours] {
        let id = say(store, chat, "one of many".to_owned()).await;
        assert!(Some(id) > last, "{id} after {last:?}");
        last = Some(id);
    }
    ours.close().await;
    theirs.close().await;
    let again = open(&path).expect("a store");
    assert!(Some(say(&again, chat, "after a restart".to_owned()).await) > last);
    again.close().await;
}

/// Reads, one by one and in lists, until told to stop; answers how often, and fails if the newest message of two chats was
/// older than before, or than what had been acknowledged before it was asked for.
fn reads_until(
    enough: &AtomicBool,
    acknowledged: &AtomicI64,
    runtime: &tokio::runtime::Runtime,
    store: &SqliteStore,
    chats: [ChatId; 2],
) -> usize {
    let (mut reads, mut before) = (0, 0);
    while !enough.load(Ordering::Relaxed) {
        let least = acknowledged.load(Ordering::Acquire).max(before);
        let found = runtime.block_on(async {
            if reads % 2 == 0 {
                let one = read(store, chats[0]).await.last_message;
                return one.max(read(store, chats[1]).await.last_message);
            }
            newest_of(store, 1).await.last_message
        });
        before = found.map_or(0, MessageId::get);
        assert!(before >= least, "{before} was read after {least}");
        reads += 1;
    }
    reads
}

#[test]
fn what_is_acknowledged_is_seen_by_whoever_reads_and_stays_seen() {
    const MESSAGES: usize = 2_000;
    let (_folder, path) = folder();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (store, chats) = runtime.block_on(async {
        a_store(&path).await;
        let store = open(&path).expect("a store");
        let chats = [a_chat(&store).await, a_chat_with(&store, "boris").await];
        (store, chats)
    });
    let begun = now();
    let (enough, acknowledged) = (AtomicBool::new(false), AtomicI64::new(0));
    std::thread::scope(|scope| {
        let reading: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| reads_until(&enough, &acknowledged, &runtime, &store, chats)))
            .collect();
        for number in 0..MESSAGES {
            // Each later than the one before, so that its chat comes first in the list.
            let at = begun.plus_millis(number as i64 + 1);
            let id = runtime.block_on(say_at(&store, chats[number % 2], number.to_string(), at));
            acknowledged.store(id.get(), Ordering::Release);
        }
        enough.store(true, Ordering::Relaxed);
        for one in reading {
            assert!(one.join().expect("no read went back") > 0);
        }
    });
    runtime.block_on(store.close());
}

#[tokio::test]
async fn the_log_stays_bounded_although_somebody_reads_without_a_pause() {
    const MOST_BYTES: u64 = 64 << 20;
    let (_folder, path) = folder();
    a_store(&path).await;
    let store = Arc::new(open(&path).expect("a store"));
    let chat = a_chat(&store).await;
    let enough = Arc::new(AtomicBool::new(false));
    let (reading, until) = (Arc::clone(&store), Arc::clone(&enough));
    let reader = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(async {
            while !until.load(Ordering::Relaxed) {
                read(&reading, chat).await;
            }
        });
    });
    let log = path.with_file_name(format!("{FILE_NAME}-wal"));
    // Twice as much as the log may have.
    for _ in 0..128 {
        let together: Vec<_> = (0..128)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move { say(&store, chat, "я".repeat(4096)).await })
            })
            .collect();
        for one in together {
            one.await.expect("a write");
        }
    }
    enough.store(true, Ordering::Relaxed);
    reader.join().expect("reads");
    let bytes = std::fs::metadata(&log).expect("a log").len();
    assert!(bytes < MOST_BYTES, "{bytes} bytes in the log");
    store.close().await;
}
