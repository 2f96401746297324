//! Backup beside a running server, the check of a store, and stores of newer versions.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use reqwest::{Method, StatusCode};
use rusqlite::Connection;
use serde_json::json;

use crate::binary::{Said, Server, limited, new_key, printed, run};

fn database(folder: &Path) -> PathBuf {
    folder.join("prilavok-data/prilavok.sqlite")
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).expect("made");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        match entry.file_type().expect("a type").is_dir() {
            true => copy_folder(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).expect("copied")),
        }
    }
}

/// A folder with the demo's store, and no server.
fn demo() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    Server::with(folder.path(), &["--demo"], &[]).stop();
    folder
}

#[test]
fn a_backup_under_writes_is_a_consistent_store_with_all_that_was_acknowledged_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::with(folder.path(), &["--demo", "--no-limits"], &[]);
    let key = new_key(folder.path(), "writer", "communication");
    let (acknowledged, enough) = (AtomicUsize::new(0), AtomicBool::new(false));
    let message = server.request(Method::POST, "/v2/businesses/1/chats/message?chatId=1");
    let message = message.header("Api-Key", &key);
    let before = std::thread::scope(|scope| {
        let (acknowledged, enough) = (&acknowledged, &enough);
        let writing = scope.spawn(move || {
            while !enough.load(Ordering::Relaxed) {
                let number = acknowledged.load(Ordering::Relaxed);
                let next = message.try_clone().expect("no body yet");
                let answer = next
                    .json(&json!({"message": format!("written {number:05}")}))
                    .send();
                assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
                acknowledged.store(number + 1, Ordering::Relaxed);
            }
        });
        while acknowledged.load(Ordering::Relaxed) < 20 && !writing.is_finished() {
            std::thread::yield_now();
        }
        let before = acknowledged.load(Ordering::Relaxed);
        printed(folder.path(), &["backup", "copy.sqlite"]);
        enough.store(true, Ordering::Relaxed);
        before
    });

    let restored = folder.path().join("restored");
    copy_folder(&folder.path().join("prilavok-data/files"), &{
        fs::create_dir(&restored).expect("made");
        restored.join("files")
    });
    let copy = restored.join("prilavok.sqlite");
    fs::rename(folder.path().join("copy.sqlite"), &copy).expect("moved");
    let report = printed(folder.path(), &["check", "--data", "restored"]);
    assert!(report.ends_with("no problems\n"), "{report}");

    let conn = Connection::open(&copy).expect("the copy");
    let mut texts = conn
        .prepare("SELECT text FROM message WHERE text LIKE 'written %' ORDER BY message_id")
        .expect("a query");
    let found = texts
        .query_map([], |row| row.get::<_, String>(0))
        .expect("messages");
    let found: Vec<_> = found.map(|text| text.expect("a text")).collect();
    let expected: Vec<_> = (0..found.len())
        .map(|number| format!("written {number:05}"))
        .collect();
    assert_eq!(found, expected, "the first ones without a gap");
    assert!(found.len() >= before, "{} of {before}", found.len());
    drop(server);
    // What was copied can be served.
    let server = Server::with(folder.path(), &["--data", "restored"], &[]);
    assert_eq!(server.status_for(&key), StatusCode::OK);
}

#[test]
fn a_backup_overwrites_nothing() {
    let folder = demo();
    fs::write(folder.path().join("kept"), "an older copy").expect("written");
    let said = run(folder.path(), &["backup", "kept"]);
    assert_eq!((said.code, &*said.out), (Some(1), ""), "{said:?}");
    assert!(said.err.contains("kept exists already"), "{said:?}");
    let kept = fs::read_to_string(folder.path().join("kept")).expect("text");
    assert_eq!(kept, "an older copy");
    let said = run(folder.path(), &["backup", "nowhere/copy"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("not copied to nowhere/copy"), "{said:?}");
}

#[test]
fn a_backup_that_fails_leaves_nothing_that_looks_like_one() {
    let folder = demo();
    // Enough for what SQLite needs beside the store, and not for the copy.
    let output = limited(folder.path(), 48, &["backup", "copy"])
        .output()
        .expect("it runs");
    let said = Said::from(output);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("not copied to copy"), "{said:?}");
    let names = fs::read_dir(folder.path()).expect("a folder");
    let names: Vec<_> = names.map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(names, ["prilavok-data"]);
    printed(folder.path(), &["backup", "copy"]);
}

#[test]
fn a_planted_corruption_is_found_and_named() {
    let whole = demo();
    for (planted, named) in [
        (
            "UPDATE chat SET status = 'WAITING_FOR_CUSTOMER', (updated_at, last_message_id) =
                 (SELECT created_at, message_id FROM message m WHERE m.business_id = 1 AND m.chat_id = 1
                  ORDER BY message_id DESC LIMIT 1)
             WHERE business_id = 1 AND chat_id = 1",
            "business 1, chat 1: the status contradicts the last message",
        ),
        (
            "UPDATE chat SET status = 'ASLEEP' WHERE business_id = 1 AND chat_id = 2",
            "business 1, chat 2: there is no such type or status",
        ),
        (
            "UPDATE chat SET last_message_id = 9000000000000000 WHERE business_id = 1 AND chat_id = 1",
            "business 1, chat 1: the last message is not the newest one",
        ),
        (
            "UPDATE chat SET updated_at = updated_at + 1, last_message_id =
                 (SELECT max(message_id) FROM message m WHERE m.business_id = 1 AND m.chat_id = 3)
             WHERE business_id = 1 AND chat_id = 3",
            "business 1, chat 3: updated_at is not the time of the last message",
        ),
        (
            "UPDATE chat SET last_message_id = NULL WHERE business_id = 1 AND chat_id = 1;
             INSERT INTO event_of_business SELECT business_id, event_id FROM event WHERE true ON CONFLICT DO NOTHING;
             DELETE FROM recent",
            "business 1, chat 1: lists have it at another place than its own",
        ),
        (
            "UPDATE message_row SET head = head + 1 WHERE place IN
                 (SELECT place FROM message WHERE business_id = 1 AND chat_id = 2 AND files = 1)",
            "business 1, chat 2: a message counts other files than it has",
        ),
        (
            "INSERT INTO verdict VALUES (1, 1, 'BUYER', 'x', 0, 1)",
            "business 1, chat 1: it has a verdict and is no finished dispute",
        ),
        (
            "UPDATE message_row SET text = NULL WHERE place IN
                 (SELECT place FROM message WHERE business_id = 1 AND chat_id = 1 AND files = 0)",
            "business 1, chat 1: a message has neither text nor files",
        ),
        (
            "PRAGMA foreign_keys = OFF; DELETE FROM customer WHERE customer_id = 'customer-0002'",
            "a row of purchase names a row that is not there",
        ),
        (
            "UPDATE message_row SET head = head | 7 << 8 WHERE place IN
                 (SELECT place FROM message WHERE business_id = 1 AND chat_id = 1)",
            "business 1, chat 1: there is no such sender",
        ),
        (
            "UPDATE message_row SET head = head + (1000000000 << 11) WHERE message_id =
                 (SELECT min(message_id) FROM message WHERE business_id = 1 AND chat_id = 1)",
            "business 1, chat 1: a message is older than the one before it",
        ),
        (
            "UPDATE chat SET status = 'WAITING_FOR_CUSTOMER' WHERE last_message_id IS NULL",
            ": nobody wrote, and the status says that somebody did",
        ),
        (
            "INSERT INTO message_row SELECT (number << 24) + 1000, message_id, head, text
                 FROM message_row, chat WHERE business_id = 1 AND chat_id = 3 AND place =
                     (SELECT min(place) FROM message WHERE business_id = 1 AND chat_id = 1 AND files = 0)",
            "business 1, chat 1: two chats have a message with the same id",
        ),
        (
            "UPDATE message_row SET place = place + 1000 WHERE place =
                 (SELECT min(place) FROM message WHERE business_id = 1 AND chat_id = 1)",
            "business 1, chat 1: a message has no higher id than the one before it",
        ),
        (
            "UPDATE message_row SET place = place + (1000000 << 24) WHERE place IN
                 (SELECT place FROM message WHERE business_id = 1 AND chat_id = 2)",
            "messages lie where no chat has any",
        ),
        (
            "DELETE FROM message_row WHERE place =
                 (SELECT min(place) FROM message WHERE business_id = 1 AND chat_id = 2 AND files = 1)",
            "business 1, chat 2: a file is of a message that is not there",
        ),
        (
            "UPDATE message_file SET object = (SELECT min(object) FROM message_file)",
            ": a file is another message's as well",
        ),
        (
            "UPDATE meta SET value = 1 WHERE name = 'last_id'",
            "business 1, chat 1: its id, or one of a message or an event of it, was never handed out",
        ),
        (
            "DELETE FROM event WHERE message_id =
                 (SELECT max(message_id) FROM message WHERE business_id = 1 AND chat_id = 1)",
            "business 1, chat 1: a message has no event",
        ),
        (
            "DELETE FROM event WHERE type = 'CHAT_CREATED' AND business_id = 1 AND chat_id =
                 (SELECT max(chat_id) FROM chat WHERE business_id = 1 AND type = 'CHAT')",
            ": its beginning has no event",
        ),
        (
            "UPDATE chat SET status = 'FINISHED' WHERE type = 'ARBITRAGE'",
            ": its end has no event",
        ),
        (
            "UPDATE event SET message_id = message_id + 1000 WHERE business_id = 1 AND chat_id = 1",
            ": it is about a chat or a message that is not there",
        ),
        (
            "UPDATE event SET at = at + 1 WHERE business_id = 1 AND message_id IS NOT NULL",
            "tells another time than the message",
        ),
        (
            "INSERT INTO event SELECT business_id, 1000000 + event_id, type, chat_id, message_id, at, NULL, NULL FROM event
                 WHERE business_id = 1 AND chat_id = 1 AND message_id IS NOT NULL",
            "business 1, event 10000",
        ),
        (
            "UPDATE recent SET newest_event_id = NULL",
            ": its business does not find it, or finds one that is not there",
        ),
        (
            "INSERT INTO event_of_business VALUES (1, 770000)",
            "business 1, event 770000: its business does not find it, or finds one that is not there",
        ),
        (
            "UPDATE event SET event_id = -event_id WHERE business_id = 1 AND chat_id = 1",
            ": it is older than what it tells",
        ),
        (
            "INSERT INTO subscription VALUES
                 (1, 9, 'crm', 'http://x/', '', 'HAND', 1, NULL, 0, 9007199254740000, NULL, NULL)",
            "business 1, subscription 9: it is past events that have not happened yet",
        ),
        (
            "INSERT INTO again VALUES (1, 9, 10, (SELECT min(event_id) FROM event WHERE business_id = 1))",
            "business 1, subscription 9: an event is to be sent again that is not there, or to nobody",
        ),
        (
            "UPDATE message_file SET size = size + 1 WHERE business_id = 1 AND chat_id = 2",
            "bytes instead of",
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        copy_folder(
            &whole.path().join("prilavok-data"),
            &folder.path().join("prilavok-data"),
        );
        let conn = Connection::open(database(folder.path())).expect("the store");
        conn.execute_batch(planted).expect("planted");
        assert!(conn.changes() > 0, "{planted}");
        conn.close().expect("closed");
        is_found(folder.path(), named);
    }
}

#[test]
fn a_file_that_is_missing_is_found_and_named() {
    let folder = demo();
    let conn = Connection::open(database(folder.path())).expect("the store");
    let object: String = conn
        .query_row("SELECT object FROM message_file", [], |row| row.get(0))
        .expect("a file");
    conn.close().expect("closed");
    fs::remove_file(folder.path().join("prilavok-data/files").join(&object)).expect("removed");
    is_found(folder.path(), &format!("file {object}"));
}

#[test]
fn a_damaged_page_is_found_and_named() {
    const PAGE: usize = 4096;
    let folder = demo();
    let conn = Connection::open(database(folder.path())).expect("the store");
    let page: i64 = conn
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'message_row'",
            [],
            |row| row.get(0),
        )
        .expect("a table");
    conn.close().expect("closed");
    let mut bytes = fs::read(database(folder.path())).expect("the store");
    let page = usize::try_from(page).expect("a page");
    bytes[(page - 1) * PAGE..page * PAGE].fill(0xA5);
    fs::write(database(folder.path()), bytes).expect("damaged");
    is_found(folder.path(), &format!("page {page}"));
}

/// The check finds one problem at least, and names it.
fn is_found(folder: &Path, named: &str) {
    let said = run(folder, &["check"]);
    assert_eq!(said.code, Some(1), "{named}: {said:?}");
    let problems: Vec<_> = said
        .out
        .lines()
        .filter(|line| line.starts_with("problem: "))
        .collect();
    assert!(
        problems.iter().any(|line| line.contains(named)),
        "{named}: {said:?}"
    );
    assert!(said.err.contains("restore a backup"), "{said:?}");
}

#[test]
fn a_store_of_a_newer_version_is_refused_by_every_command_and_stays_as_it_is() {
    let folder = demo();
    // As a restored backup is: without a write-ahead log.
    printed(folder.path(), &["backup", "copy"]);
    let database = database(folder.path());
    fs::rename(folder.path().join("copy"), &database).expect("restored");
    let conn = Connection::open(&database).expect("the store");
    conn.execute_batch("PRAGMA user_version = 99").expect("newer");
    conn.close().expect("closed");
    let before = fs::read(&database).expect("the store");
    let key = [
        "keys",
        "create",
        "--business",
        "1",
        "--name",
        "crm",
        "--scope",
        "communication",
    ];
    for arguments in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["serve", "--listen", "127.0.0.1:0", "--demo"],
        &key,
        &["keys", "list", "--business", "1"],
        &["keys", "revoke", "--business", "1", "demo"],
        &["operator-token", "create"],
        &["backup", "another"],
        &["check"],
    ] {
        let said = run(folder.path(), arguments);
        assert_eq!((said.code, &*said.out), (Some(1), ""), "{arguments:?}: {said:?}");
        for told in ["newer version of Prilavok", "schema 99", "start that version"] {
            assert!(said.err.contains(told), "{arguments:?}: {said:?}");
        }
        assert!(
            fs::read(&database).expect("the store") == before,
            "{arguments:?} changed it"
        );
    }
    assert!(!folder.path().join("another").exists());
}
