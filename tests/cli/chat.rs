//! `prilavok chat` against a real server: what it shows, what it sends, and what it says when it cannot.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::binary::{Said, Server, command};
use crate::demo;

/// `prilavok chat` for people who set up their shell.
pub(crate) fn chat(folder: &Path, url: &str, key: &str, arguments: &[&str]) -> Command {
    let mut command = command(folder, &["chat"]);
    command
        .args(arguments)
        .env("PRILAVOK_URL", url)
        .env("PRILAVOK_KEY", key)
        .env("TZ", "UTC");
    command
}

/// What it said; never the key.
fn say(server: &Server, key: &str, arguments: &[&str]) -> Said {
    let output = chat(&server.folder, &server.address, key, arguments).output();
    let said = Said::from(output.expect("the binary runs"));
    assert!(
        !said.out.contains("ACMA") && !said.err.contains("ACMA"),
        "{said:?}"
    );
    said
}

/// What it printed, having succeeded.
fn printed(server: &Server, key: &str, arguments: &[&str]) -> String {
    let said = say(server, key, arguments);
    assert_eq!(said.code, Some(0), "{arguments:?}: {said:?}");
    said.out
}

fn json(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn chats_are_listed_for_people_and_for_programs() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, told) = demo::start(folder.path());
    let table = printed(&server, told.seller(), &["list"]);
    let mut lines = table.lines();
    let heading = lines.next().expect("a heading");
    let columns: Vec<_> = heading.split_whitespace().collect();
    assert_eq!(columns, ["ID", "STATUS", "TYPE", "ABOUT", "CUSTOMER", "UPDATED"]);
    assert_eq!(lines.count(), 20, "{table}");
    assert!(table.lines().all(|line| line == line.trim_end()), "{table}");

    let all = json(&printed(&server, told.seller(), &["list", "--all", "--json"]));
    assert!(all.len() > 40);
    let waiting = [
        "list",
        "--all",
        "--json",
        "--status",
        "WAITING_FOR_PARTNER",
        "--type",
        "CHAT",
    ];
    let some = json(&printed(&server, told.seller(), &waiting));
    let expected: Vec<_> = all
        .iter()
        .filter(|chat| chat["status"] == "WAITING_FOR_PARTNER" && chat["type"] == "CHAT")
        .cloned()
        .collect();
    assert!(!some.is_empty());
    assert_eq!(some, expected);
    let two = json(&printed(
        &server,
        told.seller(),
        &["list", "--limit", "2", "--json"],
    ));
    assert_eq!(two, all[..2]);
    // Each key finds its own business.
    let others = json(&printed(&server, told.other_seller(), &["list", "--json"]));
    assert!(!others.is_empty() && others.iter().all(|chat| !all.contains(chat)));
}

#[test]
fn what_is_sent_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, told) = demo::start(folder.path());
    let key = told.seller();
    let said = say(
        &server,
        key,
        &["send", "1", "Добрый день!\nВсё отправили.\u{1b}[31m"],
    );
    assert_eq!(
        (said.code, &*said.out, &*said.err),
        (Some(0), "", "sent to chat 1\n")
    );
    std::fs::write(folder.path().join("чек.txt"), "Итого: 100").expect("written");
    let sent = json(&printed(&server, key, &["file", "1", "чек.txt", "--json"]));
    assert_eq!(sent[0]["chatId"], 1);

    let shown = printed(&server, key, &["show", "1", "--last", "2"]);
    let lines: Vec<_> = shown.lines().collect();
    assert!(lines[0].starts_with("CHAT 1 with ") && lines[0].contains("about order 1: WAITING_FOR_CUSTOMER"));
    assert!(lines[2].ends_with("  PARTNER   Добрый день!"), "{shown}");
    // What would command the terminal is not passed on.
    assert_eq!(lines[3].trim(), "Всё отправили.\u{fffd}[31m", "{shown}");
    assert!(lines[4].contains("[чек.txt, 15 bytes] http://"), "{shown}");
    let shown = json(&printed(&server, key, &["show", "1", "--json"])).remove(0);
    assert_eq!(shown["chat"]["chatId"], 1);
    let last = shown["messages"]
        .as_array()
        .expect("messages")
        .last()
        .expect("a message");
    assert_eq!(last["payload"][0]["name"], "чек.txt");
}

#[test]
fn a_repeated_send_under_its_key_makes_one_message() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, told) = demo::start(folder.path());
    let count = || {
        let shown = json(&printed(&server, told.seller(), &["show", "1", "--json"])).remove(0);
        shown["messages"].as_array().expect("messages").len()
    };
    let before = count();
    for _ in 0..2 {
        printed(
            &server,
            told.seller(),
            &["send", "1", "Раз", "--idempotency-key", "k-1"],
        );
    }
    assert_eq!(count(), before + 1);
    for _ in 0..2 {
        printed(&server, told.seller(), &["send", "1", "Раз"]);
    }
    assert_eq!(count(), before + 3);
}

#[test]
fn key_and_text_come_from_files_and_from_standard_input() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, told) = demo::start(folder.path());
    std::fs::write(folder.path().join("key"), format!("{}\n", told.seller())).expect("written");
    let piped = |arguments: &[&str], input: &str| {
        let mut command = command(folder.path(), arguments);
        command
            .args(["--url", &server.address])
            .env_remove("PRILAVOK_KEY");
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.expect("the binary runs");
        child
            .stdin
            .take()
            .expect("piped")
            .write_all(input.as_bytes())
            .expect("written");
        Said::from(child.wait_with_output().expect("it ends"))
    };
    let said = piped(
        &["chat", "send", "1", "-", "--key-file", "key"],
        "Первая\nВторая\n",
    );
    assert_eq!(said.code, Some(0), "{said:?}");
    let said = piped(&["chat", "show", "1", "--json", "--key-file", "-"], told.seller());
    assert_eq!(said.code, Some(0), "{said:?}");
    let shown = json(&said.out).remove(0);
    let last = shown["messages"]
        .as_array()
        .expect("messages")
        .last()
        .expect("a message");
    assert_eq!(last["message"], "Первая\nВторая");
    let said = piped(&["chat", "list", "--key-file", "nowhere"], "");
    assert_eq!(
        (said.code, said.err.contains("cannot read the key from nowhere")),
        (Some(1), true),
        "{said:?}"
    );
    let said = piped(&["chat", "list"], "");
    assert!(
        said.err.contains("PRILAVOK_KEY") && said.err.contains("prilavok keys create"),
        "{said:?}"
    );
}

#[test]
fn errors_say_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, told) = demo::start(folder.path());
    let key = told.seller();
    for (key, arguments, advice) in [
        ("ACMA:nonsense", &["list"][..], "prilavok keys list"),
        ("two words", &["list"], "was something else pasted"),
        (key, &["show", "99999"], "prilavok chat list"),
        (key, &["list", "--business", "2"], "--business"),
        (key, &["list", "--url", "nowhere"], "https://chats.example.com"),
        (
            key,
            &["list", "--url", "http://127.0.0.1:1"],
            "is the server running there?",
        ),
        (told.reader(), &["send", "1", "Раз"], "communication"),
        (key, &["send", "1", ""], "'message'"),
        (key, &["file", "1", "nothing.txt"], "cannot read nothing.txt"),
    ] {
        let said = say(&server, key, arguments);
        assert_eq!((said.code, &*said.out), (Some(1), ""), "{arguments:?}: {said:?}");
        assert!(
            said.err.starts_with("prilavok: ") && said.err.contains(advice),
            "{arguments:?}: {said:?}"
        );
    }
}

#[test]
fn a_server_starts_in_a_shell_that_is_set_up_for_chat() {
    let folder = tempfile::tempdir().expect("a folder");
    let variables = [("PRILAVOK_KEY", "ACMA:x"), ("PRILAVOK_URL", "http://127.0.0.1:1")];
    Server::with(folder.path(), &[], &variables);
}
