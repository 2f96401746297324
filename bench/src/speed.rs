//! Rates beside the bars, and how they change with the store.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use prilavok_bench::seed::{CHATS, LONG_CHATS};

use crate::load::{Answered, Load};
use crate::process::{SERVER_CORE, Server, on_core};
use crate::report::{Line, Wanted, median};
use crate::{Place, progress};

const PORT: u16 = 18_473;

/// Starts Prilavok over a store, its limits lifted and everything else on.
pub fn prilavok(place: &Place, data: &Path) -> anyhow::Result<Server> {
    let mut command = on_core(SERVER_CORE, &place.program("prilavok"));
    command
        .args([
            "serve",
            "--no-limits",
            "--listen",
            &format!("127.0.0.1:{PORT}"),
            "--data",
        ])
        .arg(data);
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

/// Messages a second of the bare SQLite program.
fn bare_sqlite(place: &Place, what: &str, in_commit: u32, seconds: u32) -> anyhow::Result<f64> {
    let output = on_core(SERVER_CORE, &place.program("bare_sqlite"))
        .arg(place.large().join("prilavok.sqlite"))
        .args([what, &in_commit.to_string(), &seconds.to_string()])
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    text.trim().parse().context("bare_sqlite tells no rate")
}

/// What one round of a workload gave.
#[derive(Default)]
struct Rounds {
    rates: Vec<f64>,
    p99: Vec<f64>,
}

impl Rounds {
    fn add(&mut self, answered: &Answered) {
        self.rates.push(answered.rate());
        self.p99
            .push(f64::from(u32::try_from(answered.p99).unwrap_or(u32::MAX)));
    }

    fn over(&self, bar: &[f64]) -> Vec<f64> {
        self.rates.iter().zip(bar).map(|(one, bar)| one / bar).collect()
    }
}

/// A call that is loaded with.
#[derive(Clone, Copy)]
struct Call {
    operation: &'static str,
    chats: &'static str,
    query: &'static str,
    body: &'static str,
    connections: u32,
}

impl Call {
    const fn of(operation: &'static str, chats: &'static str, connections: u32) -> Self {
        Self {
            operation,
            chats,
            connections,
            query: "",
            body: "{}",
        }
    }

    const fn with_body(self, body: &'static str) -> Self {
        Self { body, ..self }
    }

    fn run(self, data: &Path, port: u16, seconds: u32) -> anyhow::Result<Answered> {
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

const GET_CHAT: Call = Call::of("getChat", CHATS, 32);
const GET_CHATS: Call = Call::of("getChats", CHATS, 32);
const GET_HISTORY: Call = Call::of("getChatHistory", LONG_CHATS, 32);
const SEND: Call = Call::of("sendMessageToChat", CHATS, 64);
const SEND_ALONE: Call = Call::of("sendMessageToChat", CHATS, 1);

/// Prilavok beside the bars, each round with all of them in turn.
pub fn compare(place: &Place, rounds: u32, seconds: u32) -> anyhow::Result<Vec<Line>> {
    let large = place.large();
    let bar = progress(rounds)?;
    let (mut axum, mut static_file) = (Rounds::default(), Rounds::default());
    let mut calls =
        [GET_CHAT, GET_CHATS, GET_HISTORY, SEND, SEND_ALONE].map(|call| (call, Rounds::default()));
    let bars = [("row", 32), ("row", 1), ("whole", 32), ("whole", 1)];
    let mut sqlite = bars.map(|bar| (bar, Vec::new()));
    for _ in 0..rounds {
        bar.set_message("bare axum");
        axum.add(&GET_CHAT.run(&large, bare_axum(place)?.port, seconds)?);
        bar.set_message("nginx");
        if let Some(nginx) = nginx(place)? {
            static_file.add(&GET_CHAT.run(&large, nginx.port, seconds)?);
        }
        for ((what, in_commit), rates) in &mut sqlite {
            bar.set_message(format!("bare SQLite, {in_commit} in a commit"));
            rates.push(bare_sqlite(place, what, *in_commit, seconds)?);
        }
        for (call, of_call) in &mut calls {
            bar.set_message(call.operation);
            let server = prilavok(place, &large)?;
            // Keys and businesses are read into memory first.
            call.run(&large, server.port, 2)?;
            of_call.add(&call.run(&large, server.port, seconds)?);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let [(_, chat), (_, chats), (_, history), (_, send), (_, alone)] = &calls;
    let [(_, rows), (_, row), (_, wholes), (_, whole)] = &sqlite;
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

/// What a call costs with ten million messages over what it costs with a hundred thousand.
pub fn growth(place: &Place, rounds: u32, seconds: u32) -> anyhow::Result<Vec<Line>> {
    let calls = [
        ("getChat", GET_CHAT),
        ("getChats", GET_CHATS),
        ("getChats by type", GET_CHATS.with_body(r#"{"types":["CHAT"]}"#)),
        (
            "getChats by status",
            GET_CHATS.with_body(r#"{"statuses":["FINISHED"]}"#),
        ),
        (
            "getChats by kind of context",
            GET_CHATS.with_body(r#"{"contextTypes":["ORDER"]}"#),
        ),
        ("getChats by order", GET_CHATS.with_body(r#"{"orderIds":[7]}"#)),
        ("getChatHistory", GET_HISTORY),
        ("sendMessageToChat", SEND),
    ];
    let mut lines = Vec::new();
    let bar = progress(rounds * u32::try_from(calls.len())?)?;
    for (name, call) in calls {
        bar.set_message(name);
        let (mut small, mut large) = (Rounds::default(), Rounds::default());
        for _ in 0..rounds {
            for (data, of_size) in [(place.small(), &mut small), (place.large(), &mut large)] {
                let server = prilavok(place, &data)?;
                call.run(&data, server.port, 2)?;
                of_size.add(&call.run(&data, server.port, seconds)?);
            }
            bar.inc(1);
        }
        lines.push(Line {
            name: format!("growth: {name}"),
            figures: format!(
                "{:.0} after {:.0} a second",
                median(&large.rates),
                median(&small.rates)
            ),
            ratios: small.over(&large.rates),
            wanted: Wanted::AtMost(1.3),
        });
    }
    bar.finish_and_clear();
    Ok(lines)
}
