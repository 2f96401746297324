//! Files that were damaged: what can be read is read, what cannot be is said, and nothing is lost without a word.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use reqwest::StatusCode;
use rusqlite::Connection;
use serde_json::json;

use crate::server::{self, Server, Setting};

const PAGE: u64 = 4096;
const NOISE: [u8; 4096] = [0xA5; 4096];

fn database(folder: &Path) -> std::path::PathBuf {
    folder.join("prilavok.sqlite")
}

/// A killed server's folder with `chats` chats of 60 long messages each.
fn written(folder: &Path, chats: usize) -> Setting {
    let server = Server::start(folder);
    let setting = server.set_up(chats);
    for chat in &setting.chats {
        for number in 0..60 {
            let text = format!("{number} {}", "x".repeat(1_000));
            assert_eq!(server.send_text(&setting, *chat, &text).0, StatusCode::OK);
        }
    }
    drop(server);
    setting
}

/// Overwrites a page, past SQLite.
fn spoil(folder: &Path, page: u64) {
    let file = OpenOptions::new()
        .write(true)
        .open(database(folder))
        .expect("the store");
    file.write_all_at(&NOISE, (page - 1) * PAGE).expect("spoilt");
}

#[test]
fn a_damaged_page_costs_what_is_on_it_and_the_check_names_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let setting = written(folder.path(), 3);
    let [first, second, third] = setting.chats[..] else {
        panic!("three chats")
    };
    // The texts of the second chat fill whole pages.
    let conn = Connection::open(database(folder.path())).expect("the store");
    let marked = "UPDATE message_row SET text = 'THE PAGE TO SPOIL' || substr(text, 18) WHERE place IN
        (SELECT place FROM message WHERE chat_id = ?1 AND text LIKE '30 %')";
    assert_eq!(conn.execute(marked, [second]).expect("marked"), 1);
    conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .expect("all in one file");
    conn.close().expect("closed");
    let bytes = fs::read(database(folder.path())).expect("the store");
    let at = bytes
        .windows(17)
        .position(|window| window == b"THE PAGE TO SPOIL")
        .expect("it is there");
    let page = at as u64 / PAGE + 1;
    spoil(folder.path(), page);

    let server = Server::start(folder.path());
    for chat in [first, third] {
        assert_eq!(server.messages(&setting, chat).len(), 60);
        assert_eq!(server.send_text(&setting, chat, "and on").0, StatusCode::OK);
    }
    let (status, body) = server.history(&setting, second);
    assert_eq!(
        (status, &body["errors"][0]["code"]),
        (StatusCode::INTERNAL_SERVER_ERROR, &json!("INTERNAL_ERROR")),
        "{body}"
    );
    assert_eq!(server.get("/healthz"), StatusCode::OK);
    drop(server);
    let (code, said) = server::run(folder.path(), &["check"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(&format!("page {page}")) && said.contains("restore a backup"),
        "{said}"
    );
}

#[test]
fn a_damaged_beginning_is_told_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    written(folder.path(), 1);
    let conn = Connection::open(database(folder.path())).expect("the store");
    conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .expect("all in one file");
    conn.close().expect("closed");
    spoil(folder.path(), 1);
    let before = fs::read(database(folder.path())).expect("the store");
    for command in ["serve", "check"] {
        let (code, said) = server::run(folder.path(), &[command]);
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains("prilavok.sqlite") && said.contains("restore a backup"),
            "{command}: {said}"
        );
    }
    assert!(
        fs::read(database(folder.path())).expect("the store") == before,
        "it was changed"
    );
}

#[test]
fn a_log_that_was_cut_short_is_refused_until_the_operator_decides() {
    enum Harm {
        Removed,
        Cut(u64),
        Overwritten(u64),
    }
    use Harm::{Cut, Overwritten, Removed};
    for (number, harm) in [Removed, Cut(0), Cut(20 * PAGE), Overwritten(20 * PAGE)]
        .iter()
        .enumerate()
    {
        let folder = tempfile::tempdir().expect("a folder");
        let setting = written(folder.path(), 1);
        let log = folder.path().join("prilavok.sqlite-wal");
        let whole = fs::read(&log).expect("a log");
        assert!(whole.len() as u64 > 40 * PAGE, "{}", whole.len());
        let file = OpenOptions::new().write(true).open(&log).expect("a log");
        match harm {
            Removed => fs::remove_file(&log).expect("removed"),
            Cut(size) => file.set_len(*size).expect("cut"),
            Overwritten(at) => file.write_all_at(&NOISE[..100], *at).expect("overwritten"),
        }
        for command in ["serve", "check"] {
            let (code, said) = server::run(folder.path(), &[command]);
            assert_eq!(code, Some(1), "{number}: {said}");
            for told in [
                "prilavok.sqlite-wal has ",
                "is missing",
                "restore a backup",
                "-shm",
            ] {
                assert!(said.contains(told), "{number}: {said}");
            }
        }
        // Put back, nothing is missing.
        fs::write(&log, &whole).expect("put back");
        let server = Server::start(folder.path());
        assert_eq!(server.messages(&setting, setting.chats[0]).len(), 60);
        drop(server);
        server::check(folder.path());
    }
}

#[test]
fn who_decides_to_go_on_without_what_was_cut_off_has_a_sound_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let setting = written(folder.path(), 1);
    let log = OpenOptions::new()
        .write(true)
        .open(folder.path().join("prilavok.sqlite-wal"))
        .expect("a log");
    let size = log.metadata().expect("metadata").len();
    log.set_len(size - size / 4).expect("cut");
    fs::remove_file(folder.path().join("prilavok.sqlite-shm")).expect("removed");
    let server = Server::start(folder.path());
    let left = server.messages(&setting, setting.chats[0]).len();
    assert!((1..60).contains(&left), "{left}");
    drop(server);
    server::check(folder.path());
}

#[test]
fn what_is_written_where_nobody_would_find_it_is_not_acknowledged() {
    for name in ["prilavok.sqlite", "prilavok.sqlite-wal"] {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::start(folder.path());
        let setting = server.set_up(1);
        let chat = setting.chats[0];
        assert_eq!(server.send_text(&setting, chat, "kept").0, StatusCode::OK);
        let (path, away) = (folder.path().join(name), folder.path().join("away"));
        fs::rename(&path, &away).expect("moved");
        assert_eq!(
            server.send_text(&setting, chat, "lost").0,
            StatusCode::SERVICE_UNAVAILABLE,
            "{name}"
        );
        assert_eq!(server.get("/readyz"), StatusCode::SERVICE_UNAVAILABLE, "{name}");
        assert_eq!(server.history(&setting, chat).0, StatusCode::OK, "{name}");
        fs::rename(&away, &path).expect("put back");
        assert_eq!(
            server.send_text(&setting, chat, "and on").0,
            StatusCode::OK,
            "{name}"
        );
        drop(server);
        server::check(folder.path());
    }
}
