//! Disks that are full or may not be written. They are small ones of the test's own, which only root may mount: for
//! others these tests say that they are skipped.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use reqwest::StatusCode;
use serde_json::json;

use crate::server::{self, Server, Setting};
use crate::writers::{Refused, Writers};

/// A disk in memory, until this is dropped.
struct Disk(PathBuf);

impl Disk {
    /// `None` where this user may not mount one.
    fn mount(at: &Path, options: &str) -> Option<Self> {
        fs::create_dir_all(at).expect("a folder");
        let mut command = Command::new("mount");
        command
            .args(["-t", "tmpfs", "-o", options, "prilavok-test"])
            .arg(at);
        match command.output() {
            Ok(output) if output.status.success() => Some(Self(at.to_owned())),
            Ok(output) => {
                println!("skipped: {}", String::from_utf8_lossy(&output.stderr).trim());
                None
            }
            Err(error) => {
                println!("skipped: mount: {error}");
                None
            }
        }
    }

    fn remount(&self, options: &str) {
        let mut command = Command::new("mount");
        let done = command
            .args(["-o", &format!("remount,{options}")])
            .arg(&self.0)
            .status();
        assert!(done.expect("mount runs").success());
    }

    /// Takes all the space that is left; the file gives it back when it is removed.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("ballast");
        let mut file = fs::File::create(&path).expect("a file");
        for size in [64 * 1024, 512] {
            let zeros = vec![0; size];
            while file.write_all(&zeros).is_ok() {}
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What is still open keeps it until it is closed.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

const UNAVAILABLE: &str = "Service temporarily unavailable. Please, try again later";

/// Both surfaces answer a write with 503, each in its envelope.
fn writes_are_refused(server: &Server, setting: &Setting) {
    let chat = setting.chats[0];
    let envelope =
        json!({"status": "ERROR", "errors": [{"code": "SERVICE_UNAVAILABLE", "message": UNAVAILABLE}]});
    file_is_refused(server, setting);
    // What was written over before the disk was full still has room in the log: that ends.
    let refused = (0..20_000).find_map(|_| {
        let answer = server.send_text(setting, chat, "over the brim");
        (answer.0 != StatusCode::OK).then_some(answer)
    });
    assert_eq!(refused, Some((StatusCode::SERVICE_UNAVAILABLE, envelope)));
    let (status, body) = server.say(setting, chat, "over the brim");
    assert_eq!(
        (status, &body["error"]["code"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("UNAVAILABLE")),
        "{body}"
    );
}

fn file_is_refused(server: &Server, setting: &Setting) {
    let (status, body) = server.send_file(setting, setting.chats[0], vec![7; 300 * 1024]);
    assert_eq!(
        (status, &body["errors"][0]["message"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!(UNAVAILABLE)),
        "{body}"
    );
}

#[test]
fn on_a_full_disk_reads_go_on_and_writes_do_when_there_is_space_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    // Room for a whole write-ahead log of 32 MiB beside the database and the files.
    let Some(disk) = Disk::mount(&data, "size=96m,mode=700") else {
        return;
    };
    // The log of the server is on the same disk, as it may be.
    let server = Server::logging_to(&data, &data.join("log"));
    let setting = server.set_up(32);
    let writers = Writers::that(Refused::GoOn, &server.address, &setting, 1);
    writers.wait_for(200);
    for _ in 0..2 {
        let ballast = disk.fill();
        writes_are_refused(&server, &setting);
        for chat in &setting.chats[..4] {
            assert!(!server.messages(&setting, *chat).is_empty());
        }
        assert_eq!(server.get("/healthz"), StatusCode::OK);
        server.becomes(StatusCode::SERVICE_UNAVAILABLE);
        fs::remove_file(ballast).expect("removed");
        // Without a restart.
        writers.wait_for(200);
        server.becomes(StatusCode::OK);
    }
    for (chat, sent) in writers.join() {
        let found = server.messages(&setting, chat);
        let mut found = found.iter();
        for sent in sent.iter().filter(|sent| sent.acknowledged) {
            assert!(
                found.any(|found| server.is(found, &sent.what)),
                "chat {chat}: {:?} was acknowledged",
                sent.what
            );
        }
    }
    let log = fs::read_to_string(data.join("log")).expect("text");
    assert!(!log.contains("panic"), "{log}");
    assert!(
        log.lines().count() < 50_000,
        "the log floods: {} lines",
        log.lines().count()
    );
    drop(server);
    server::check(&data);
}

#[test]
fn a_start_on_a_full_disk_says_so_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let Some(disk) = Disk::mount(&data, "size=8m,mode=700") else {
        return;
    };
    let ballast = disk.fill();
    told(&data, &["serve"], &["No space left|disk is full|disk I/O error"]);
    fs::remove_file(ballast).expect("removed");
    let mut server = Server::start(&data);
    let setting = server.set_up(1);
    assert_eq!(
        server.send_text(&setting, setting.chats[0], "kept").0,
        StatusCode::OK
    );
    server.kill();
    // What a killed server left behind is all that SQLite needs: what is there can be read.
    let ballast = disk.fill();
    let server = Server::start(&data);
    assert_eq!(server.messages(&setting, setting.chats[0]).len(), 1);
    drop(server);
    // Once it was closed, its log is gone, and SQLite has to make a new one.
    fs::remove_file(ballast).expect("removed");
    server::check(&data);
    let ballast = disk.fill();
    let path = data.join("prilavok.sqlite").display().to_string();
    for command in ["serve", "check"] {
        told(&data, &[command], &[&path, "is the disk full"]);
    }
    fs::remove_file(ballast).expect("removed");
    let server = Server::start(&data);
    assert_eq!(server.messages(&setting, setting.chats[0]).len(), 1);
}

#[test]
fn a_read_only_data_folder_is_told_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let Some(disk) = Disk::mount(&data, "size=8m,mode=700") else {
        return;
    };
    let mut server = Server::start(&data);
    let setting = server.set_up(1);
    assert_eq!(
        server.send_text(&setting, setting.chats[0], "kept").0,
        StatusCode::OK
    );
    server.kill();
    disk.remount("ro");
    told(
        &data,
        &["serve"],
        &["cannot write in the data folder", "Read-only file system"],
    );
    let path = data.join("prilavok.sqlite").display().to_string();
    told(&data, &["operator-token", "create"], &["readonly"]);
    // What is there can be checked and copied.
    server::check(&data);
    let copy = folder.path().join("copy");
    assert_eq!(
        server::run(&data, &["backup", copy.to_str().expect("text")]).0,
        Some(0)
    );
    // A server that was stopped leaves no log, and SQLite cannot make one.
    disk.remount("rw");
    server::check(&data);
    disk.remount("ro");
    told(&data, &["check"], &[&path, "may not be written"]);
    disk.remount("rw");
    let server = Server::start(&data);
    assert_eq!(server.messages(&setting, setting.chats[0]).len(), 1);
}

#[test]
fn where_files_cannot_be_written_messages_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let setting = server.set_up(1);
    let chat = setting.chats[0];
    let Some(disk) = Disk::mount(&folder.path().join("files"), "ro,size=1m") else {
        return;
    };
    file_is_refused(&server, &setting);
    assert_eq!(server.send_text(&setting, chat, "text").0, StatusCode::OK);
    drop(disk);
    assert_eq!(server.send_file(&setting, chat, vec![7; 10]).0, StatusCode::OK);
    assert_eq!(server.messages(&setting, chat).len(), 2);
}

/// A command fails with exit code 1 and says each of `parts`; of alternatives one.
fn told(data: &Path, arguments: &[&str], parts: &[&str]) {
    let (code, said) = server::run(data, arguments);
    assert_eq!(code, Some(1), "{arguments:?}: {said}");
    for part in parts {
        assert!(
            part.split('|').any(|one| said.contains(one)),
            "{arguments:?} does not tell {part}: {said}"
        );
    }
}
