//! Every acknowledged message and file is there after a kill, once and in order, with its event.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::asked;
use crate::server::{self, Server, Setting};
use crate::writers::{Sent, Writers};

/// Rounds of a plain test run; `DURABILITY_ROUNDS` asks for more, `DURABILITY_SEED` for the same ones again.
const ROUNDS: usize = 6;
const WRITERS: usize = 32;

/// What was sent to a chat, in order; of what was not acknowledged it is open whether it was written.
type Sendings = BTreeMap<i64, Vec<Sent>>;

#[test]
fn a_killed_server_keeps_every_acknowledged_message_and_file() {
    let rounds: usize = asked("DURABILITY_ROUNDS", ROUNDS);
    let seed: u64 = asked("DURABILITY_SEED", fastrand::u64(..));
    println!("DURABILITY_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let mut sendings = Sendings::new();
    let mut seen = Seen::default();
    let setting = Server::start(folder.path()).set_up(WRITERS);
    let began = Instant::now();
    for round in 0..rounds {
        let mut server = Server::start(folder.path());
        let writers = Writers::start(&server.address, &setting, random.u64(..));
        // In the middle of the work, however slow the machine is.
        writers.wait_for(random.usize(0..400));
        std::thread::sleep(Duration::from_micros(random.u64(0..20_000)));
        server.kill();
        for (chat, sent) in writers.join() {
            sendings.entry(chat).or_default().extend(sent);
        }
        let server = Server::start(folder.path());
        for (chat, sent) in &sendings {
            seen.verify(&server, &setting, *chat, sent, round);
        }
        drop(server);
        every_message_has_its_event(folder.path());
        server::check(folder.path());
    }
    // All of it at once, those of early rounds included.
    let server = Server::start(folder.path());
    for (chat, sent) in &sendings {
        Seen::default().verify(&server, &setting, *chat, sent, rounds);
    }
    drop(server);
    let acknowledged = |is_file: bool| {
        let all = sendings.values().flatten();
        all.filter(|sent| sent.acknowledged && sent.is_file() == is_file)
            .count()
    };
    let (messages, files) = (acknowledged(false), acknowledged(true));
    let open = sendings.values().flatten().count() - messages - files;
    println!(
        "{rounds} kills in {:.1} s: {messages} messages and {files} files acknowledged and found, {} of {open} that \
         were not acknowledged found as well",
        began.elapsed().as_secs_f64(),
        seen.unacknowledged
    );
    assert!(
        messages > rounds * WRITERS && files > rounds,
        "hardly anything was acknowledged: nothing was tested"
    );
}

/// What was found so far.
#[derive(Default)]
struct Seen {
    /// How many messages of a chat were looked at, and how many sendings they are.
    of_chat: BTreeMap<i64, (usize, usize)>,
    unacknowledged: usize,
}

impl Seen {
    /// What was sent is there: once each, in order, nothing else beside it.
    fn verify(&mut self, server: &Server, setting: &Setting, chat: i64, sent: &[Sent], round: usize) {
        let found = server.messages(setting, chat);
        let (messages, sendings) = self.of_chat.entry(chat).or_default();
        let mut next = found.iter().skip(*messages).peekable();
        for sending in &sent[*sendings..] {
            let found = next.next_if(|found| server.is(found, &sending.what));
            assert!(
                found.is_some() || !sending.acknowledged,
                "round {round}, chat {chat}: {:?} was acknowledged; found is {:?}",
                sending.what,
                next.peek()
            );
            self.unacknowledged += usize::from(found.is_some() && !sending.acknowledged);
        }
        assert!(
            next.next().is_none(),
            "round {round}, chat {chat}: more than was sent"
        );
        (*messages, *sendings) = (found.len(), sent.len());
    }
}

/// Each message has one event, in the messages' order.
fn every_message_has_its_event(folder: &Path) {
    let store = rusqlite::Connection::open(folder.join("prilavok.sqlite")).expect("the store");
    let ids = |sql: &str| -> Vec<i64> {
        let mut statement = store.prepare(sql).expect("a query");
        let ids = statement.query_map([], |row| row.get(0)).expect("ids");
        ids.map(|id| id.expect("an id")).collect()
    };
    let messages = ids("SELECT message_id FROM message ORDER BY message_id");
    let told = ids("SELECT message_id FROM event WHERE type = 'CHAT_MESSAGE_SENT' ORDER BY event_id");
    assert!(
        messages == told,
        "{} messages, {} events",
        messages.len(),
        told.len()
    );
}
