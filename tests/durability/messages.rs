//! Every acknowledged message and file is there after a kill, once and in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::server::{self, Server};

/// Rounds of a plain test run; `DURABILITY_ROUNDS` asks for more.
const ROUNDS: usize = 6;
const WRITERS: usize = 16;

/// What the writers were told is written: for each chat the texts, in order.
type Acknowledged = BTreeMap<i64, Vec<String>>;

#[test]
fn a_killed_server_keeps_every_acknowledged_message_and_file() {
    let rounds = std::env::var("DURABILITY_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(ROUNDS);
    let folder = tempfile::tempdir().expect("a folder");
    let mut random = fastrand::Rng::with_seed(rounds as u64);
    let mut acknowledged = Acknowledged::new();
    let server = Server::start(folder.path());
    let setting = server.set_up(WRITERS);
    drop(server);
    for round in 0..rounds {
        let mut server = Server::start(folder.path());
        let pause = Duration::from_millis(random.u64(50..450));
        for (chat, texts) in write_until_killed(&mut server, &setting, round, pause) {
            acknowledged.entry(chat).or_default().extend(texts);
        }
        let server = Server::start(folder.path());
        for (chat, texts) in &acknowledged {
            let written = server.texts(&setting, *chat);
            let kept: Vec<&String> = written.iter().filter(|text| texts.contains(text)).collect();
            assert_eq!(
                kept,
                texts.iter().collect::<Vec<_>>(),
                "round {round}, chat {chat}: once each, in order"
            );
        }
        drop(server);
        server::check(folder.path());
    }
    let messages: usize = acknowledged.values().map(Vec::len).sum();
    assert!(
        messages > rounds * WRITERS,
        "only {messages} messages were acknowledged: nothing was tested"
    );
}

/// Writes numbered messages, every fourth one with a file, until the server is killed after `pause`.
fn write_until_killed(
    server: &mut Server,
    setting: &server::Setting,
    round: usize,
    pause: Duration,
) -> Acknowledged {
    let killed = AtomicBool::new(false);
    let address = server.address.clone();
    std::thread::scope(|scope| {
        let writers: Vec<_> = setting
            .chats
            .iter()
            .map(|chat| {
                let (address, killed) = (&address, &killed);
                scope.spawn(move || {
                    let mut texts = Vec::new();
                    let mut number = 0;
                    while !killed.load(Ordering::Relaxed) {
                        let text = format!("round {round}, message {number}");
                        if !server::send(address, &setting.key, *chat, &text, number % 4 == 3) {
                            break;
                        }
                        texts.push(text);
                        number += 1;
                    }
                    (*chat, texts)
                })
            })
            .collect();
        std::thread::sleep(pause);
        server.kill();
        killed.store(true, Ordering::Relaxed);
        writers
            .into_iter()
            .map(|writer| writer.join().expect("a writer does not panic"))
            .collect()
    })
}
