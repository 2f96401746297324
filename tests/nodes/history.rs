//! Who writes and who reads, what each of them was told, and what must be true of it.
//!
//! A writer sends a message until it is acknowledged, under one idempotency key, so that it must be there once. A reader
//! reads whole chats through one node or another. Afterwards everything that was recorded is compared.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::node::wait_until;

/// A message that was acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    chat: i64,
    text: String,
    acknowledged: Instant,
}

/// What one look at a chat showed.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    chat: i64,
    begun: Instant,
    ended: Instant,
    messages: Vec<(i64, String)>,
}

/// How a request ended that was not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Failure {
    /// Nobody answered, or not wholly.
    Broken,
    /// 503, from a node or from the load balancer (which says 502 and 504 as well).
    Unavailable,
}

/// What went on.
#[derive(Default)]
pub(crate) struct History {
    written: Vec<Written>,
    read: Vec<Read>,
    pub(crate) failures: HashMap<Failure, u64>,
}

/// Writers and readers at work.
pub(crate) struct Traffic {
    threads: Vec<JoinHandle<History>>,
    enough: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
}

impl Traffic {
    /// So many writers through the load balancer, and so many readers, each of whom asks one node after the other.
    pub(crate) fn start(fleet: &Fleet, writers: usize, readers: usize) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(AtomicU64::new(0));
        let traffic = fastrand::u64(..);
        let mut addresses: Vec<_> = fleet.nodes.iter().map(|node| node.address.clone()).collect();
        addresses.push(fleet.balancer.address.clone());
        let caller = |number: usize, addresses: Vec<String>| Caller {
            number,
            traffic,
            client: Client::builder()
                .timeout(Duration::from_secs(20))
                .build()
                .expect("a client"),
            addresses,
            key: fleet.shop.key.clone(),
            chats: fleet.shop.chats.clone(),
            history: History::default(),
        };
        let mut threads = Vec::new();
        for number in 0..writers {
            let mut caller = caller(number, vec![fleet.balancer.address.clone()]);
            let (enough, acknowledged) = (Arc::clone(&enough), Arc::clone(&acknowledged));
            threads.push(std::thread::spawn(move || {
                for message in 0.. {
                    if enough.load(Ordering::Relaxed) {
                        break;
                    }
                    caller.write(message);
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                caller.history
            }));
        }
        for number in 0..readers {
            let mut caller = caller(number, addresses.clone());
            let enough = Arc::clone(&enough);
            threads.push(std::thread::spawn(move || {
                for turn in 0.. {
                    if enough.load(Ordering::Relaxed) {
                        break;
                    }
                    caller.read(turn);
                }
                caller.history
            }));
        }
        Self {
            threads,
            enough,
            acknowledged,
        }
    }

    /// Messages acknowledged so far.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Waits until so many more were acknowledged; answers how long that took.
    pub(crate) fn wait_for(&self, more: u64) -> Duration {
        let begun = Instant::now();
        let target = self.acknowledged() + more;
        wait_until("messages are acknowledged", || {
            let is_over = self.threads.iter().any(JoinHandle::is_finished);
            assert!(!is_over, "a caller has panicked");
            self.acknowledged() >= target
        });
        begun.elapsed()
    }

    /// Ends the work when each has done what it is at; answers what went on.
    pub(crate) fn join(self) -> History {
        self.enough.store(true, Ordering::Relaxed);
        let mut all = History::default();
        for thread in self.threads {
            let one = thread.join().expect("a caller does not panic");
            all.written.extend(one.written);
            all.read.extend(one.read);
            for (failure, count) in one.failures {
                *all.failures.entry(failure).or_default() += count;
            }
        }
        all
    }
}

/// One who calls.
struct Caller {
    number: usize,
    /// Tells the callers of one traffic from those of another.
    traffic: u64,
    client: Client,
    addresses: Vec<String>,
    key: String,
    chats: Vec<i64>,
    history: History,
}

impl Caller {
    fn failed(&mut self, failure: Failure) {
        *self.history.failures.entry(failure).or_default() += 1;
        std::thread::sleep(Duration::from_millis(20));
    }

    /// The answer's status and body, if it is one that a node gave on purpose.
    fn answered(
        &mut self,
        answer: reqwest::Result<reqwest::blocking::Response>,
    ) -> Option<(StatusCode, Value)> {
        let Ok(answer) = answer else {
            self.failed(Failure::Broken);
            return None;
        };
        let status = answer.status();
        if matches!(status.as_u16(), 502..=504) {
            self.failed(Failure::Unavailable);
            return None;
        }
        match answer.json() {
            Ok(body) => Some((status, body)),
            Err(_) => {
                self.failed(Failure::Broken);
                None
            }
        }
    }

    fn write(&mut self, message: usize) {
        let chat = self.chats[(self.number + message) % self.chats.len()];
        // Its own, and its key: no other message of any writer has it.
        let text = format!("{:x}-{}-{message}", self.traffic, self.number);
        let url = format!(
            "{}/v2/businesses/1/chats/message?chatId={chat}",
            self.addresses[0]
        );
        loop {
            let request = self.client.post(&url).header("Api-Key", &self.key);
            let request = request
                .header("Idempotency-Key", &text)
                .json(&json!({"message": text}));
            let answer = request.send();
            if let Some((status, body)) = self.answered(answer) {
                assert_eq!(status, StatusCode::OK, "{body}");
                break;
            }
        }
        self.history.written.push(Written {
            chat,
            text,
            acknowledged: Instant::now(),
        });
    }

    fn read(&mut self, turn: usize) {
        let chat = self.chats[(self.number + turn) % self.chats.len()];
        let address = &self.addresses[(self.number + turn / self.chats.len()) % self.addresses.len()];
        let path = format!("{address}/v2/businesses/1/chats/history?chatId={chat}&limit=100");
        let begun = Instant::now();
        let mut messages = Vec::new();
        let mut from = String::new();
        loop {
            let request = self
                .client
                .post(format!("{path}{from}"))
                .header("Api-Key", &self.key);
            let answer = request.json(&json!({})).send();
            let Some((status, body)) = self.answered(answer) else {
                return;
            };
            assert_eq!(status, StatusCode::OK, "{body}");
            let page = body["result"]["messages"].as_array().expect("messages");
            messages.extend(page.iter().map(|one| {
                let text = one["message"].as_str().expect("a text").to_owned();
                (one["messageId"].as_i64().expect("an id"), text)
            }));
            match body["result"]["paging"]["nextPageToken"].as_str() {
                Some(token) => from = format!("&page_token={token}"),
                None => break,
            }
        }
        self.history.read.push(Read {
            chat,
            begun,
            ended: Instant::now(),
            messages,
        });
    }
}

impl History {
    /// Fails where something that was acknowledged is missing by now, or was at any moment.
    pub(crate) fn must_be_whole(mut self, fleet: &Fleet) {
        self.read_all(fleet);
        self.must_be_one_growing_sequence_of_each_chat();
    }

    /// Fails where what was recorded is not the history of chats that grow, message by message, at one place.
    fn must_be_one_growing_sequence_of_each_chat(&self) {
        let chats: HashSet<i64> = self.written.iter().map(|one| one.chat).collect();
        for chat in chats {
            let mut reads: Vec<_> = self.read.iter().filter(|read| read.chat == chat).collect();
            reads.sort_by_key(|read| read.ended);
            for read in &reads {
                let grows = read.messages.windows(2).all(|pair| pair[0].0 < pair[1].0);
                assert!(
                    grows,
                    "ids do not increase within chat {chat}: {:?}",
                    read.messages
                );
            }
            for (at, earlier) in reads.iter().enumerate() {
                // The first that began after this one had ended; those behind it are compared with it in their turn.
                let later = reads[at + 1..].iter().find(|later| later.begun >= earlier.ended);
                let Some(later) = later else { continue };
                assert!(
                    later.messages.starts_with(&earlier.messages),
                    "chat {chat} was seen to change behind its end:\n{:?}\n{:?}",
                    earlier.messages,
                    later.messages
                );
            }
            for written in self.written.iter().filter(|written| written.chat == chat) {
                let later = reads.iter().filter(|read| read.begun >= written.acknowledged);
                for read in later {
                    let times = read
                        .messages
                        .iter()
                        .filter(|(_, text)| *text == written.text)
                        .count();
                    assert_eq!(
                        times, 1,
                        "{written:?} was acknowledged and is there {times} times"
                    );
                }
            }
        }
    }

    /// Reads every chat once more, and adds that.
    fn read_all(&mut self, fleet: &Fleet) {
        let mut caller = Caller {
            number: 0,
            traffic: 0,
            client: Client::new(),
            addresses: vec![fleet.balancer.address.clone()],
            key: fleet.shop.key.clone(),
            chats: fleet.shop.chats.clone(),
            history: History::default(),
        };
        for turn in 0..fleet.shop.chats.len() {
            caller.read(turn);
        }
        assert_eq!(caller.history.failures, HashMap::new(), "all is well by now");
        assert_eq!(caller.history.read.len(), fleet.shop.chats.len());
        self.read.append(&mut caller.history.read);
    }
}
