//! A server that is killed while it erases somebody goes on when it starts again, until nothing of them is left.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use prilavok_domain::{BusinessId, ChatId, Clock, IdSequence, MessageText, Sender, SystemClock};
use prilavok_store::sqlite::{FILE_NAME, SqliteStore};
use prilavok_store::{NewMessage, Store};
use reqwest::Method;
use reqwest::blocking::Client;
use serde_json::Value;

use crate::asked;
use crate::server::{Server, Setting, check};

const KILLS: usize = 4;
const CHATS: usize = 30;
const MESSAGES: usize = 200;
const PATIENCE: Duration = Duration::from_secs(120);
/// A word that is in each message.
const WORD: &str = "quokka7731";

/// Writes so much that erasing it takes many steps.
fn fill(folder: &Path, setting: &Setting) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let store = SqliteStore::open(&folder.join(FILE_NAME), IdSequence::clocked(1, 0)).expect("a store");
        for _ in 0..MESSAGES {
            let said = setting.chats.iter().map(|chat| {
                let new = NewMessage {
                    sender: Sender::Customer,
                    text: Some(MessageText::new(format!("{WORD} {}", "x".repeat(300))).expect("a text")),
                    files: Vec::new(),
                    wait_for: None,
                };
                let chat = ChatId::new(*chat).expect("an id");
                let business = BusinessId::new(1).expect("an id");
                store.append_message(business, chat, new, None, SystemClock.now())
            });
            for said in join_all(said).await {
                said.expect("a message");
            }
        }
        store.close().await;
    });
}

fn call(server: &Server, setting: &Setting, method: Method, path: &str) -> Value {
    let url = format!("{}/operator/v1/customers/anna{path}", server.address);
    let answer = Client::new()
        .request(method, url)
        .bearer_auth(&setting.operator)
        .send();
    answer.expect("an answer").json().expect("JSON")
}

/// The files that it is in.
fn found_in(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).expect("a folder");
    let files = files.map(|entry| entry.expect("an entry").path());
    let has_it = |path: &PathBuf| {
        let bytes = std::fs::read(path).expect("a file");
        bytes.windows(WORD.len()).any(|bytes| bytes == WORD.as_bytes())
    };
    files.filter(|path| path.is_file()).filter(has_it).collect()
}

#[test]
fn a_killed_server_goes_on_erasing_where_it_was() {
    let seed: u64 = asked("DURABILITY_SEED", fastrand::u64(..));
    println!("DURABILITY_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::start(folder.path());
    let setting = server.set_up(CHATS);
    server.kill();
    fill(folder.path(), &setting);
    assert!(!found_in(folder.path()).is_empty(), "this test looks at nothing");
    let mut server = Server::start(folder.path());
    let mut done = call(&server, &setting, Method::DELETE, "");
    assert_eq!(
        (&done["status"], &done["chats"]),
        (&"UNDER_WAY".into(), &CHATS.into())
    );
    for _ in 0..KILLS {
        std::thread::sleep(Duration::from_millis(random.u64(0..300)));
        server.kill();
        check(folder.path());
        server = Server::start(folder.path());
        let now = call(&server, &setting, Method::GET, "/erasure");
        assert!(
            now["chatsDone"].as_u64() >= done["chatsDone"].as_u64(),
            "{now} after {done}"
        );
        done = now;
    }
    let began = Instant::now();
    loop {
        let now = call(&server, &setting, Method::GET, "/erasure");
        let left = found_in(folder.path());
        if now["status"] == "DONE" && left.is_empty() {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "never done: {now}, and in {left:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
    let export = call(&server, &setting, Method::GET, "/export");
    let chats = export["chats"].as_array().expect("chats");
    let messages = chats
        .iter()
        .flat_map(|chat| chat["messages"].as_array().expect("messages"));
    let erased = messages
        .filter(|message| message["message"] == "[erased]")
        .count();
    assert_eq!((chats.len(), erased), (CHATS, CHATS * MESSAGES));
    server.kill();
    check(folder.path());
}
