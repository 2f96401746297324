//! A crowd: calm callers all the time, and for a while many more. Tells of those that were answered and of those
//! that were turned away apart from each other, which `wrk` does not.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use prilavok_bench::seed;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Parser)]
struct Arguments {
    /// The server
    address: SocketAddr,
    /// getChat or sendMessageToChat
    operation: String,
    /// The file of chats
    chats: PathBuf,
    /// Callers all the time
    calm: usize,
    /// Callers for a while
    crowd: usize,
    /// For so many seconds
    seconds: u64,
}

/// Calm before and after the crowd.
const CALM: Duration = Duration::from_secs(3);
/// Of the first half second nothing is counted: keys and businesses are read into memory.
const WARM: Duration = Duration::from_millis(500);
/// It has recovered when it is as quick as before for so long. Longer than the pause that writing the log back makes, which
/// there is in calm times as well.
const WINDOW: Duration = Duration::from_millis(250);

/// One answer.
#[derive(Clone, Copy)]
struct Answer {
    at: Duration,
    took: Duration,
    status: u16,
}

struct Shared {
    requests: Vec<Vec<u8>>,
    next: AtomicUsize,
    began: Instant,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let text = std::fs::read_to_string(&arguments.chats)?;
    let requests = text.lines().map(|line| request(&arguments.operation, line));
    let shared = Arc::new(Shared {
        requests: requests.collect::<anyhow::Result<_>>()?,
        next: AtomicUsize::default(),
        began: Instant::now(),
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let answers = runtime.block_on(run(&arguments, &shared))?;
    println!("{}", told(&arguments, &answers));
    Ok(())
}

fn request(operation: &str, line: &str) -> anyhow::Result<Vec<u8>> {
    let [business, key, chat] = seed::parts(line)?;
    let head = format!("HTTP/1.1\r\nHost: 127.0.0.1\r\nApi-Key: {key}\r\n");
    Ok(match operation {
        "getChat" => format!("GET /v2/businesses/{business}/chat?chatId={chat} {head}\r\n"),
        "sendMessageToChat" => {
            let body = json!({"message": seed::TEXTS[0]}).to_string();
            format!(
                "POST /v2/businesses/{business}/chats/message?chatId={chat} {head}Content-Type: application/json\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            )
        }
        other => anyhow::bail!("{other} is not known here"),
    }
    .into_bytes())
}

async fn run(arguments: &Arguments, shared: &Arc<Shared>) -> anyhow::Result<Vec<Answer>> {
    let crowd = Duration::from_secs(arguments.seconds);
    let mut callers = Vec::new();
    for number in 0..arguments.calm + arguments.crowd {
        let (from, until) = match number < arguments.calm {
            true => (Duration::ZERO, CALM + crowd + CALM),
            false => (CALM, CALM + crowd),
        };
        callers.push(tokio::spawn(call(
            Arc::clone(shared),
            arguments.address,
            from,
            until,
        )));
    }
    let mut answers = Vec::new();
    for caller in callers {
        answers.extend(caller.await??);
    }
    Ok(answers)
}

/// A caller that asks again as soon as it is answered; answers how it was.
async fn call(
    shared: Arc<Shared>,
    address: SocketAddr,
    from: Duration,
    until: Duration,
) -> anyhow::Result<Vec<Answer>> {
    let mut answers = Vec::new();
    let began = shared.began;
    tokio::time::sleep_until((began + from).into()).await;
    let mut socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let mut buffer = vec![0; 16 << 10];
    while began.elapsed() < until {
        let number = shared.next.fetch_add(1, Ordering::Relaxed) % shared.requests.len();
        let asked = Instant::now();
        socket.write_all(&shared.requests[number]).await?;
        let status = answered(&mut socket, &mut buffer).await?;
        answers.push(Answer {
            at: began.elapsed(),
            took: asked.elapsed(),
            status,
        });
    }
    Ok(answers)
}

/// Reads one answer; gives its status.
async fn answered(socket: &mut TcpStream, buffer: &mut [u8]) -> anyhow::Result<u16> {
    let mut filled = 0;
    loop {
        let read = socket.read(&mut buffer[filled..]).await?;
        ensure!(read > 0, "the connection ended");
        filled += read;
        let Some(head) = head_end(&buffer[..filled]) else {
            continue;
        };
        let text = std::str::from_utf8(&buffer[..head])?;
        let length = text
            .split("\r\n")
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.context("an answer with a length")?.parse()?;
        if filled >= head + length {
            return Ok(text.get(9..12).context("a status")?.parse()?);
        }
    }
}

/// Where the head of an answer ends.
fn head_end(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(end + 4)
}

fn told(arguments: &Arguments, answers: &[Answer]) -> serde_json::Value {
    let end = CALM + Duration::from_secs(arguments.seconds);
    let within = |from: Duration, until: Duration| {
        let those = answers.iter().filter(move |one| from <= one.at && one.at < until);
        those.copied().collect::<Vec<_>>()
    };
    let (calm, crowd) = (within(WARM, CALM), within(CALM, end));
    let (served, refused): (Vec<_>, Vec<_>) = crowd.iter().partition(|one| one.status == 200);
    let usual = percentile(&calm, 50);
    // The last moment at which it was not yet as before.
    let mut recovered = Duration::ZERO;
    let mut from = end;
    while from < end + CALM {
        let window = within(from, from + WINDOW);
        from += WINDOW;
        if window.is_empty()
            || percentile(&window, 50) > 2 * usual
            || window.iter().any(|one| one.status != 200)
        {
            recovered = from - end;
        }
    }
    json!({
        "calm": {"rate": rate(calm.len(), CALM - WARM), "p50": usual, "p99": percentile(&calm, 99)},
        "served": {
            "rate": rate(served.len(), end - CALM),
            "p50": percentile(&served, 50),
            "p99": percentile(&served, 99),
        },
        "refused": {"rate": rate(refused.len(), end - CALM), "p99": percentile(&refused, 99)},
        "other": answers.iter().filter(|one| !matches!(one.status, 200 | 503)).count(),
        "recovered_ms": recovered.as_millis(),
    })
}

/// The time that so many of a hundred do not exceed, in microseconds.
fn percentile(answers: &[Answer], percent: usize) -> u128 {
    let mut took: Vec<_> = answers.iter().map(|one| one.took).collect();
    took.sort_unstable();
    let at = (took.len() * percent / 100).min(took.len().saturating_sub(1));
    took.get(at).map_or(0, Duration::as_micros)
}

fn rate(number: usize, time: Duration) -> u128 {
    number as u128 * 1000 / time.as_millis().max(1)
}
