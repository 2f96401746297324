//! A backup taken while everybody writes.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use crate::server::{self, Server};
use crate::writers::{Refused, Writers};

#[test]
fn a_backup_under_load_restores_what_was_acknowledged_before_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, restored) = (folder.path().join("data"), folder.path().join("restored"));
    let server = Server::start(&data);
    let setting = server.set_up(32);
    let before = Writers::that(Refused::GoOn, &server.address, &setting, 1);
    before.wait_for(500);
    let before: HashMap<_, _> = before.join().into_iter().collect();
    let meanwhile = Writers::that(Refused::GoOn, &server.address, &setting, 2);
    meanwhile.wait_for(100);
    fs::create_dir(&restored).expect("a folder");
    let copy = restored.join("prilavok.sqlite");
    let (code, said) = server::run(&data, &["backup", copy.to_str().expect("text")]);
    assert_eq!(code, Some(0), "{said}");
    meanwhile.wait_for(100);
    copy_files(&data.join("files"), &restored.join("files"));
    let meanwhile: HashMap<_, _> = meanwhile.join().into_iter().collect();
    drop(server);

    server::check(&restored);
    let server = Server::start(&restored);
    let mut of_meanwhile = 0;
    for chat in &setting.chats {
        let found = server.messages(&setting, *chat);
        let (before, meanwhile) = (&before[chat], &meanwhile[chat]);
        assert!(before.iter().all(|sent| sent.acknowledged));
        assert!(
            found.len() >= before.len(),
            "chat {chat}: {} of {}",
            found.len(),
            before.len()
        );
        // All from before, then the first ones of those meanwhile without a gap.
        let expected = before.iter().chain(meanwhile);
        for (found, sent) in found.iter().zip(expected) {
            assert!(
                server.is(found, &sent.what),
                "chat {chat}: {found} is not {:?}",
                sent.what
            );
        }
        of_meanwhile += found.len() - before.len();
    }
    assert!(
        of_meanwhile >= 100,
        "{of_meanwhile}: what was acknowledged before it began is in it"
    );
}

/// As an operator's tool does that leaves out uploads under way.
fn copy_files(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let (entry, name) = entry
            .map(|entry| (entry.path(), entry.file_name()))
            .expect("an entry");
        let to = to.join(&name);
        if entry.is_dir() {
            copy_files(&entry, &to);
        } else if !name.to_string_lossy().contains('#') {
            fs::copy(&entry, &to).expect("copied");
        }
    }
}
