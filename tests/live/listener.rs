//! A client of live events that sees every byte: the answer's head, its chunks, and the blocks in them.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::market::{Market, PATIENCE, Seller};

/// One block of the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Block {
    pub(crate) id: Option<i64>,
    pub(crate) event: Option<String>,
    pub(crate) data: Option<Value>,
    pub(crate) retry: Option<String>,
    pub(crate) comments: usize,
}

impl Block {
    fn parse(text: &str) -> Self {
        let mut block = Self::default();
        for line in text.trim_end().lines() {
            match line.split_once(':').expect("a line of a stream") {
                ("", _) => block.comments += 1,
                ("id", id) => block.id = Some(id.trim().parse().expect("a number")),
                ("event", event) => block.event = Some(event.trim().to_owned()),
                ("data", data) => block.data = Some(serde_json::from_str(data).expect("JSON")),
                ("retry", retry) => block.retry = Some(retry.trim().to_owned()),
                (name, _) => panic!("{name} in {text}"),
            }
        }
        block
    }

    /// The event's type.
    pub(crate) fn kind(&self) -> &str {
        self.event.as_deref().unwrap_or_default()
    }

    /// A field of the event's body.
    pub(crate) fn field(&self, name: &str) -> i64 {
        let data = self.data.as_ref().expect("an event");
        data[name].as_i64().unwrap_or_else(|| panic!("{name} in {data}"))
    }
}

/// An open stream.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) status: u16,
    pub(crate) head: String,
    stream: TcpStream,
    raw: Vec<u8>,
    text: Vec<u8>,
    /// Whether the server said that this is all, as opposed to breaking off.
    pub(crate) finished: bool,
}

impl Listener {
    /// Opens a stream with a head of one's own, and reads the head of the answer.
    pub(crate) fn open(market: &Market, path: &str, headers: &str) -> Self {
        Self::over(
            TcpStream::connect(&market.address).expect("connected"),
            path,
            headers,
        )
    }

    pub(crate) fn over(mut stream: TcpStream, path: &str, headers: &str) -> Self {
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n").expect("sent");
        let mut listener = Self {
            status: 0,
            head: String::new(),
            stream,
            raw: Vec::new(),
            text: Vec::new(),
            finished: false,
        };
        let end = loop {
            if let Some(end) = find(&listener.raw, b"\r\n\r\n") {
                break end;
            }
            assert!(
                listener.fill(PATIENCE).expect("an answer") > 0,
                "an answer, not the end"
            );
        };
        listener.head = String::from_utf8(listener.raw.drain(..end + 4).collect()).expect("ASCII");
        let status = listener.head.split(' ').nth(1).expect("a status");
        listener.status = status.parse().expect("a number");
        listener
    }

    /// The stream of a seller, from now on or after an event.
    pub(crate) fn of_seller(market: &Market, seller: &Seller, last: Option<i64>) -> Self {
        let path = format!("/v2/businesses/{}/events", seller.business);
        let last = last.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        let listener = Self::open(market, &path, &format!("Api-Key: {}\r\n{last}", seller.key));
        assert_eq!(listener.status, 200, "{}", listener.head);
        listener
    }

    /// The stream of the marketplace.
    pub(crate) fn of_operator(market: &Market, query: &str) -> Self {
        let path = format!("/operator/v1/events{query}");
        let authorization = format!("Authorization: Bearer {}\r\n", market.operator);
        let listener = Self::open(market, &path, &authorization);
        assert_eq!(listener.status, 200, "{}", listener.head);
        listener
    }

    /// Reads the opening; answers the id in it.
    pub(crate) fn opening(&mut self) -> i64 {
        let block = self.block().expect("an opening");
        assert_eq!(block.retry.as_deref(), Some("1000"), "{block:?}");
        block.id.expect("where the stream goes on from")
    }

    /// The next event, comments passed over; `None` at the stream's end.
    pub(crate) fn event(&mut self) -> Option<Block> {
        loop {
            let block = self.block()?;
            if block.event.is_some() {
                return Some(block);
            }
        }
    }

    /// The next block; `None` at the stream's end.
    pub(crate) fn block(&mut self) -> Option<Block> {
        self.block_within(PATIENCE).expect("a block in time")
    }

    /// The next block of any kind, `Ok(None)` at the end, an error where neither comes in time.
    pub(crate) fn block_within(&mut self, patience: Duration) -> io::Result<Option<Block>> {
        let until = Instant::now() + patience;
        loop {
            self.decode();
            if let Some(end) = find(&self.text, b"\n\n") {
                let block: Vec<u8> = self.text.drain(..end + 2).collect();
                return Ok(Some(Block::parse(std::str::from_utf8(&block).expect("UTF-8"))));
            }
            if self.finished {
                return Ok(None);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            match self.fill(left) {
                Ok(0) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                read => _ = read?,
            }
        }
    }

    /// Asserts that no event comes for a while.
    pub(crate) fn is_silent_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Ok(block) = self.block_within(until.saturating_duration_since(Instant::now())) {
            let block = block.expect("an open stream");
            assert_eq!(block.event, None, "{block:?}");
        }
    }

    /// Reads bytes as they come; answers how many.
    pub(crate) fn fill(&mut self, patience: Duration) -> io::Result<usize> {
        let mut buffer = [0; 4_096];
        self.stream.set_read_timeout(Some(patience))?;
        let read = self.stream.read(&mut buffer)?;
        self.raw.extend_from_slice(&buffer[..read]);
        Ok(read)
    }

    /// Takes whole chunks out of what was read.
    fn decode(&mut self) {
        while let Some(end) = find(&self.raw, b"\r\n") {
            let size = std::str::from_utf8(&self.raw[..end]).expect("ASCII");
            let size = usize::from_str_radix(size, 16).expect("the size of a chunk");
            if self.raw.len() < end + 2 + size + 2 {
                return;
            }
            self.text.extend_from_slice(&self.raw[end + 2..end + 2 + size]);
            self.raw.drain(..end + 2 + size + 2);
            self.finished |= size == 0;
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
