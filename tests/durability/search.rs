//! A server that is killed while it feeds the search index misses nothing.

use std::path::Path;
use std::time::Duration;

use prilavok_domain::BusinessId;
use prilavok_store::search::{FILE_NAME, Search, Words};
use reqwest::blocking::Client;

use crate::asked;
use crate::server::Server;
use crate::writers::{Sent, What, Writers};

const ROUNDS: usize = 5;
const WRITERS: usize = 16;

fn becomes_complete(server: &Server) {
    let metrics = || {
        let answer = Client::new().get(format!("{}/metrics", server.address)).send();
        answer.expect("an answer").text().expect("text")
    };
    while !metrics().contains("prilavok_search_complete 1") {
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn texts(sent: &[Sent]) -> impl Iterator<Item = &str> {
    let acknowledged = sent.iter().filter(|sent| sent.acknowledged);
    acknowledged.filter_map(|sent| match &sent.what {
        What::Text(text) => Some(text.as_str()),
        What::File { .. } => None,
    })
}

/// Every one of the texts is found.
fn all_are_found(folder: &Path, texts: &[String]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let search = Search::new(&folder.join(FILE_NAME));
    let business = BusinessId::new(1).expect("an id");
    for text in texts {
        let words = Words::new(text);
        let found = runtime.block_on(search.find(business, &words, None, 2));
        let hits = found.expect("an answer").hits;
        assert_eq!(hits.len(), 1, "{text}: {hits:?}");
        assert!(hits[0].message.is_some(), "{text}");
    }
}

#[test]
fn a_killed_server_goes_on_with_its_index_where_it_was() {
    let rounds: usize = asked("DURABILITY_ROUNDS", ROUNDS);
    let seed: u64 = asked("DURABILITY_SEED", fastrand::u64(..));
    println!("DURABILITY_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let setting = Server::start(folder.path()).set_up(WRITERS);
    let mut all = Vec::new();
    for round in 0..rounds {
        if round == rounds / 2 {
            // It is made anew while more is written, and killed meanwhile.
            std::fs::remove_file(folder.path().join(FILE_NAME)).expect("an index");
        }
        let mut server = Server::start(folder.path());
        let writers = Writers::start(&server.address, &setting, random.u64(..));
        writers.wait_for(random.usize(50..300));
        // At any point of a round of the index.
        std::thread::sleep(Duration::from_millis(random.u64(0..400)));
        server.kill();
        for (_, sent) in writers.join() {
            all.extend(texts(&sent).map(str::to_owned));
        }
    }
    let server = Server::start(folder.path());
    becomes_complete(&server);
    assert!(all.len() > rounds * 30, "hardly anything was written");
    all_are_found(folder.path(), &all);
    println!("{} messages found after {rounds} kills", all.len());
}
