//! Rates beside the bars.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use prilavok_bench::seed::{CHATS, LONG_CHATS};
use prilavok_store::sqlite::FILE_NAME;

use crate::load::{Answered, Load};
use crate::process::{SERVER_CORE, Server, on_core};
use crate::report::{Line, Wanted, median};
use crate::{Place, progress};

const PORT: u16 = 18_473;

/// Starts Prilavok over a store, its limits lifted and everything else on but the search: making an index of ten million
/// messages would take half a processor while the rest is measured.
pub fn prilavok(place: &Place, data: &Path) -> anyhow::Result<Server> {
    let mut command = on_core(SERVER_CORE, &place.server);
    command
        .args([
            "serve",
            "--no-limits",
            "--listen",
            &format!("127.0.0.1:{PORT}"),
            "--data",
        ])
        .arg(data)
        .env("PRILAVOK_SEARCH__ENABLED", "false");
    Server::start(command, PORT, "/readyz")
}

fn bare_axum(place: &Place) -> anyhow::Result<Server> {
    let mut command = on_core(SERVER_CORE, &place.program("bare_axum"));
    command.arg(format!("127.0.0.1:{PORT}"));
    Server::start(command, PORT, "/v2/businesses/1/chat?chatId=1")
}

/// nginx with a file of the size of an answer, where it is installed.
fn nginx(place: &Place) -> anyhow::Result<Option<Server>> {
    if Command::new("nginx").arg("-v").output().is_err() {
        return Ok(None);
    }
    let folder = place.data.join("nginx");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("chat"), "x".repeat(400))?;
    let at = folder.display();
    let settings = format!(
        "worker_processes 1; daemon off; master_process off; pid {at}/pid; error_log {at}/errors;
         events {{ worker_connections 1024; }}
         http {{ access_log off; keepalive_requests 1000000000;
           server {{ listen 127.0.0.1:{PORT}; location / {{ root {at}; try_files /chat =404; }} }} }}"
    );
    std::fs::write(folder.join("nginx.conf"), settings)?;
    let mut command = on_core(SERVER_CORE, Path::new("nginx"));
    command.arg("-c").arg(folder.join("nginx.conf"));
    Ok(Some(Server::start(command, PORT, "/")?))
}

/// Messages or pages a second of the bare SQLite program.
fn bare_sqlite(place: &Place, what: &str, at_once: u32, seconds: u32) -> anyhow::Result<f64> {
    let output = on_core(SERVER_CORE, &place.program("bare_sqlite"))
        .arg(place.large().join(FILE_NAME))
        .args([what, &at_once.to_string(), &seconds.to_string()])
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    text.trim().parse().context("bare_sqlite tells no rate")
}

/// Reads a store's file once, so that the machine has it in memory: what is measured is not the disk's reading.
pub fn read_through(data: &Path) -> anyhow::Result<()> {
    let mut file = std::fs::File::open(data.join(FILE_NAME))?;
    std::io::copy(&mut file, &mut std::io::sink())?;
    Ok(())
}

/// What one round of a workload gave.
#[derive(Default)]
pub struct Rounds {
    /// Answers a second.
    pub rates: Vec<f64>,
    p99: Vec<f64>,
}

impl Rounds {
    /// Adds a round.
    pub fn add(&mut self, answered: &Answered) {
        self.rates.push(answered.rate());
        self.p99
            .push(f64::from(u32::try_from(answered.p99).unwrap_or(u32::MAX)));
    }

    /// What it reached of a bar, round by round.
    pub fn over(&self, bar: &[f64]) -> Vec<f64> {
        self.rates.iter().zip(bar).map(|(one, bar)| one / bar).collect()
    }
}

/// A call that is loaded with.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    operation: &'a str,
    chats: &'a str,
    query: &'a str,
    body: &'a str,
    connections: u32,
    warm_seconds: u32,
}

impl<'a> Call<'a> {
    /// A call of chats of a file.
    pub const fn of(operation: &'a str, chats: &'a str, connections: u32) -> Self {
        Self {
            operation,
            chats,
            connections,
            query: "",
            body: "{}",
            warm_seconds: 2,
        }
    }

    /// The same after so many seconds of it that do not count: what a server keeps in memory is there.
    pub const fn warmed_for(self, warm_seconds: u32) -> Self {
        Self { warm_seconds, ..self }
    }

    /// Loads a server with it for as long as it takes until the server has in memory what it keeps there.
    pub fn warm(self, data: &Path, port: u16) -> anyhow::Result<()> {
        self.run(data, port, self.warm_seconds).map(|_| ())
    }

    /// The same with a body.
    pub const fn with_body(self, body: &'a str) -> Self {
        Self { body, ..self }
    }

    /// The same with more in its query.
    pub const fn with_query(self, query: &'a str) -> Self {
        Self { query, ..self }
    }

    /// Whether it asks for a page of chats.
    pub fn is_of_chats(self) -> bool {
        self.operation == "getChats"
    }

    /// Loads a server with it.
    pub fn run(self, data: &Path, port: u16, seconds: u32) -> anyhow::Result<Answered> {
        let chats: PathBuf = data.join(self.chats);
        let load = Load {
            operation: self.operation,
            chats: &chats,
            connections: self.connections,
            seconds,
            query: self.query,
            body: self.body,
        };
        load.run(port)
    }
}

/// A call of the comparison.
pub const GET_CHAT: Call = Call::of("getChat", CHATS, 32).warmed_for(20);
/// A call of the comparison.
pub const GET_CHATS: Call = Call::of("getChats", CHATS, 32).warmed_for(10);
/// A call of the comparison.
pub const GET_HISTORY: Call = Call::of("getChatHistory", LONG_CHATS, 32).warmed_for(15);
/// A call of the comparison.
pub const SEND: Call = Call::of("sendMessageToChat", CHATS, 64);
/// Until most keys were seen.
const SEND_ALONE: Call = Call::of("sendMessageToChat", CHATS, 1).warmed_for(6);

/// Prilavok beside the bars, each round with all of them in turn.
pub fn compare(place: &Place, rounds: u32, seconds: u32) -> anyhow::Result<Vec<Line>> {
    let large = place.large();
    read_through(&large)?;
    let bar = progress(rounds)?;
    let (mut axum, mut static_file) = (Rounds::default(), Rounds::default());
    let mut calls =
        [GET_CHAT, GET_CHATS, GET_HISTORY, SEND, SEND_ALONE].map(|call| (call, Rounds::default()));
    let bars = [("row", 32), ("row", 1), ("whole", 32), ("whole", 1), ("page", 50)];
    let mut sqlite = bars.map(|bar| (bar, Vec::new()));
    for _ in 0..rounds {
        bar.set_message("bare axum");
        axum.add(&GET_CHAT.run(&large, bare_axum(place)?.port, seconds)?);
        bar.set_message("nginx");
        if let Some(nginx) = nginx(place)? {
            static_file.add(&GET_CHAT.run(&large, nginx.port, seconds)?);
        }
        for ((what, at_once), rates) in &mut sqlite {
            bar.set_message(format!("bare SQLite, {what}, {at_once}"));
            rates.push(bare_sqlite(place, what, *at_once, seconds)?);
        }
        for (call, of_call) in &mut calls {
            bar.set_message(call.operation);
            let server = prilavok(place, &large)?;
            call.warm(&large, server.port)?;
            of_call.add(&call.run(&large, server.port, seconds)?);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let [(_, chat), (_, chats), (_, history), (_, send), (_, alone)] = &calls;
    let [(_, rows), (_, row), (_, wholes), (_, whole), (_, pages)] = &sqlite;
    let line = |name: &str, of_call: &Rounds, bar: &[f64], unit: &str, wanted| Line {
        name: name.to_owned(),
        figures: format!("{:.0} of {:.0} {unit}", median(&of_call.rates), median(bar)),
        ratios: of_call.over(bar),
        wanted,
    };
    let requests = "requests/s";
    let mut lines = vec![
        line(
            "getChat, of bare axum",
            chat,
            &axum.rates,
            requests,
            Wanted::AtLeast(0.6),
        ),
        line(
            "getChats, 20, of bare axum",
            chats,
            &axum.rates,
            requests,
            Wanted::AtLeast(0.25),
        ),
        line(
            "getChatHistory, 50, of bare axum",
            history,
            &axum.rates,
            requests,
            Wanted::AtLeast(0.25),
        ),
        line(
            "getChatHistory, 50, of pages",
            history,
            pages,
            "pages/s",
            Wanted::Nothing,
        ),
        line(
            "64 senders, of rows, 32 in a commit",
            send,
            rows,
            "messages/s",
            Wanted::AtLeast(0.6),
        ),
        line(
            "64 senders, of whole messages, 32",
            send,
            wholes,
            "messages/s",
            Wanted::Nothing,
        ),
        line(
            "one sender, of rows, 1 in a commit",
            alone,
            row,
            "messages/s",
            Wanted::AtLeast(0.6),
        ),
        line(
            "one sender, of whole messages, 1",
            alone,
            whole,
            "messages/s",
            Wanted::Nothing,
        ),
        Line {
            name: "getChat, p99 over bare axum's".to_owned(),
            figures: format!("{:.0} over {:.0} µs", median(&chat.p99), median(&axum.p99)),
            ratios: chat
                .p99
                .iter()
                .zip(&axum.p99)
                .map(|(one, bar)| one / bar)
                .collect(),
            wanted: Wanted::AtMost(3.0),
        },
    ];
    if !static_file.rates.is_empty() {
        lines.push(line(
            "bare axum, of nginx",
            &axum,
            &static_file.rates,
            requests,
            Wanted::Nothing,
        ));
    }
    Ok(lines)
}
