//! Files in a store that speaks S3: it may go at any moment, and what was acknowledged is there when it comes back.

use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::StatusCode;

use crate::server::{Server, Setting, run_with};
use crate::writers::{Refused, Writers};

#[path = "../s3_server.rs"]
mod s3_server;
use s3_server::S3Server;

const FILES: [&str; 2] = ["--files", "s3://prilavok/chat/files"];

fn start(folder: &Path, s3: &S3Server) -> Server {
    let variables = s3.variables();
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    Server::start_with(folder, &FILES, &variables)
}

/// `prilavok check`, which must end with this code and say this.
fn check(folder: &Path, s3: &S3Server, code: i32, told: &str) {
    let (ended, said) = run_with(folder, &[&["check"][..], &FILES].concat(), &s3.variables());
    assert_eq!(ended, Some(code), "{said}");
    assert!(said.contains(told), "{said}");
}

fn status_of_file(server: &Server, setting: &Setting, size: usize) -> StatusCode {
    server.send_file(setting, setting.chats[0], vec![7; size]).0
}

#[test]
fn a_bucket_that_goes_takes_nothing_acknowledged_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut s3 = S3Server::start(&folder.path().join("s3"));
    let data = folder.path().join("data");
    let server = start(&data, &s3);
    let setting = server.set_up(16);
    let writers = Writers::that(Refused::GoOn, &server.address, &setting, 1);
    for _ in 0..3 {
        // In the middle of uploads, at a moment that nobody chose.
        writers.wait_for(100);
        s3.kill();
        let began = Instant::now();
        for size in [10, 300 * 1024] {
            assert_eq!(
                status_of_file(&server, &setting, size),
                StatusCode::SERVICE_UNAVAILABLE
            );
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        // Messages go on, and the server is ready for them.
        let (status, body) = server.say(&setting, setting.chats[0], "still here");
        assert!(status.is_success(), "{body}");
        assert_eq!(server.get("/readyz"), StatusCode::OK);
        s3.start_again();
        assert_eq!(status_of_file(&server, &setting, 10), StatusCode::OK);
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
    drop(server);
    assert!(!data.join("files").exists(), "nothing is kept beside the bucket");
    check(&data, &s3, 0, "no problems");
    s3.kill();
    check(&data, &s3, 1, "files after it were not looked at");
    // A server starts without it, and files go on when it comes.
    let server = start(&data, &s3);
    assert_eq!(
        status_of_file(&server, &setting, 10),
        StatusCode::SERVICE_UNAVAILABLE
    );
    s3.start_again();
    assert_eq!(status_of_file(&server, &setting, 10), StatusCode::OK);
}

#[test]
fn a_killed_server_leaves_no_half_of_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let s3 = S3Server::start(&folder.path().join("s3"));
    let data = folder.path().join("data");
    let mut server = start(&data, &s3);
    let setting = server.set_up(8);
    for round in 0..3 {
        let writers = Writers::start(&server.address, &setting, round);
        writers.wait_for(60);
        server.kill();
        let sent = writers.join();
        server = start(&data, &s3);
        for (chat, sent) in sent {
            let found = server.messages(&setting, chat);
            for sent in sent.iter().filter(|sent| sent.acknowledged) {
                assert!(
                    found.iter().any(|found| server.is(found, &sent.what)),
                    "{:?}",
                    sent.what
                );
            }
        }
    }
    drop(server);
    check(&data, &s3, 0, "no problems");
    let names: Vec<_> = std::fs::read_dir(&data)
        .expect("the data folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    assert!(names.iter().all(|name| !name.starts_with(".tmp")), "{names:?}");
}

/// How much memory a server took to receive many files of the largest size at a time, in KiB; `None` where the system does
/// not tell.
fn taken_by_files(server: &Server) -> Option<u64> {
    const SENDERS: usize = 32;
    const SIZE: usize = 5 * 1024 * 1024;
    let setting = server.set_up(SENDERS);
    assert_eq!(status_of_file(server, &setting, 10), StatusCode::OK);
    let before = server.peak_memory_kib()?;
    std::thread::scope(|scope| {
        let (setting, chats) = (&setting, &setting.chats);
        let send = |chat: &i64| server.send_file(setting, *chat, vec![7; SIZE]);
        let sending = chats.iter().map(|chat| scope.spawn(move || send(chat)));
        for sent in sending.collect::<Vec<_>>() {
            let (status, body) = sent.join().expect("sent");
            assert_eq!(status, StatusCode::OK, "{body}");
        }
    });
    Some(server.peak_memory_kib()? - before)
}

#[test]
fn files_on_their_way_take_little_memory() {
    /// Eight files on their way, each once, and what connections and the disk's side copy of them all.
    const MORE_KIB: u64 = (8 * 5 + 32) * 1024;
    let folder = tempfile::tempdir().expect("a folder");
    let s3 = S3Server::start(&folder.path().join("s3"));
    let of_folder = taken_by_files(&Server::start(&folder.path().join("beside")));
    let of_bucket = taken_by_files(&start(&folder.path().join("data"), &s3));
    let (Some(of_folder), Some(of_bucket)) = (of_folder, of_bucket) else {
        return;
    };
    println!(
        "32 files of 5 MiB at a time took {} MiB into a folder, {} MiB into a bucket",
        of_folder / 1024,
        of_bucket / 1024
    );
    assert!(
        of_bucket < of_folder + MORE_KIB,
        "{of_bucket} KiB, {of_folder} KiB"
    );
}

#[test]
fn a_bucket_that_refuses_us_stops_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let s3 = S3Server::start(&folder.path().join("s3"));
    let mut variables = s3.variables();
    variables[4].1 = "wrong".to_owned();
    let serve = [&["serve"][..], &FILES].concat();
    let (code, said) = run_with(&folder.path().join("data"), &serve, &variables);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("wrong setting files.location, or variables AWS_") && !said.contains("its secret"),
        "{said}"
    );
    let elsewhere = ["serve", "--files", "s3://nowhere"];
    let (code, said) = run_with(&folder.path().join("data"), &elsewhere, &s3.variables());
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("wrong setting files.location"), "{said}");
}
