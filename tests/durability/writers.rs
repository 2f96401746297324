//! Writers: each has a connection and a chat of its own, and sends messages and files that cannot be confused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use reqwest::blocking::{Client, multipart};
use serde_json::json;

use crate::server::Setting;

/// Every so many sendings one is a file.
const FILE_EVERY: usize = 4;
/// Larger than what the server gathers before it writes to the disk.
const LARGEST: usize = 200 * 1024;

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Text(String),
    /// A file's name, which no other has, and the seed of its bytes.
    File {
        name: String,
        seed: u64,
    },
}

/// The bytes of a file.
pub(crate) fn bytes(seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let size = match random.u8(..) {
        0..16 => random.usize(1..=LARGEST),
        _ => random.usize(1..=4096),
    };
    (0..size).map(|_| random.u8(..)).collect()
}

/// A sending, and whether the server acknowledged it.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) what: What,
    pub(crate) acknowledged: bool,
}

impl Sent {
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.what, What::File { .. })
    }
}

/// What to do when a sending is not acknowledged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The server was killed: there is nobody to send to.
    Stop,
    /// The server goes on, and so does the writer.
    GoOn,
}

/// Writers at work.
pub(crate) struct Writers {
    threads: Vec<(i64, JoinHandle<Vec<Sent>>)>,
    enough: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
}

impl Writers {
    /// One writer for each chat, until the server is gone.
    pub(crate) fn start(address: &str, setting: &Setting, seed: u64) -> Self {
        Self::that(Refused::Stop, address, setting, seed)
    }

    pub(crate) fn that(refused: Refused, address: &str, setting: &Setting, seed: u64) -> Self {
        let (enough, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let threads = setting.chats.iter().map(|&chat| {
            let writer = Writer {
                client: Client::new(),
                address: address.to_owned(),
                key: setting.key.clone(),
                chat,
            };
            let (enough, acknowledged) = (Arc::clone(&enough), Arc::clone(&acknowledged));
            let work = move || {
                let mut all = Vec::new();
                while !enough.load(Ordering::Relaxed) {
                    let what = what(seed, chat, all.len());
                    let sent = writer.send(what);
                    let was_refused = !sent.acknowledged;
                    acknowledged.fetch_add(usize::from(sent.acknowledged), Ordering::Relaxed);
                    all.push(sent);
                    match refused {
                        Refused::Stop if was_refused => break,
                        Refused::GoOn if was_refused => std::thread::sleep(Duration::from_millis(5)),
                        _ => {}
                    }
                }
                all
            };
            (chat, std::thread::spawn(work))
        });
        let threads = threads.collect();
        Self {
            threads,
            enough,
            acknowledged,
        }
    }

    /// How many sendings were acknowledged so far.
    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Waits until `count` more were acknowledged.
    pub(crate) fn wait_for(&self, count: usize) {
        let target = self.acknowledged() + count;
        while self.acknowledged() < target {
            assert!(
                self.threads.iter().any(|(_, thread)| !thread.is_finished()),
                "the server is gone"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Ends the work; answers what was sent to each chat.
    pub(crate) fn join(self) -> Vec<(i64, Vec<Sent>)> {
        self.enough.store(true, Ordering::Relaxed);
        let threads = self.threads.into_iter();
        threads
            .map(|(chat, thread)| (chat, thread.join().expect("a writer does not panic")))
            .collect()
    }
}

fn what(seed: u64, chat: i64, number: usize) -> What {
    let name = format!("{seed:x} {chat} {number}");
    if number % FILE_EVERY == FILE_EVERY - 1 {
        let seed = seed ^ chat.unsigned_abs().rotate_left(20) ^ number as u64;
        What::File { name, seed }
    } else {
        What::Text(name)
    }
}

struct Writer {
    client: Client,
    address: String,
    key: String,
    chat: i64,
}

impl Writer {
    fn send(&self, what: What) -> Sent {
        let (chats, chat) = (format!("{}/v2/businesses/1/chats", self.address), self.chat);
        let request = match &what {
            What::Text(text) => self
                .client
                .post(format!("{chats}/message?chatId={chat}"))
                .json(&json!({"message": text})),
            What::File { name, seed } => {
                let part = multipart::Part::bytes(bytes(*seed)).file_name(name.clone());
                self.client
                    .post(format!("{chats}/file/send?chatId={chat}"))
                    .multipart(multipart::Form::new().part("file", part))
            }
        };
        let answer = request.header("Api-Key", &self.key).send();
        Sent {
            what,
            acknowledged: answer.is_ok_and(|answer| answer.status().is_success()),
        }
    }
}
