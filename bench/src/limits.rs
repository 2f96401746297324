//! Memory, start and stop.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use prilavok_bench::seed::{self, CHATS};
use reqwest::blocking::{Client, multipart};

use crate::Place;
use crate::load::Load;
use crate::speed::prilavok;

const FILE_BYTES: usize = 5 << 20;
const UPLOADS: usize = 100;
/// Enough for every chat to have been asked for.
const EVERY_CHAT_SECONDS: u32 = 30;

/// How long after its start a server is idle: what it does then is done.
const SETTLED: Duration = Duration::from_secs(20);

/// Measures them over the large store; answers a list.
pub fn measure(place: &Place) -> anyhow::Result<String> {
    let (large, mut text) = (place.large(), String::new());
    let chats = large.join(CHATS);
    let load = |connections, seconds| Load {
        operation: "getChat",
        chats: &chats,
        connections,
        seconds,
        query: "",
        body: "{}",
    };
    let server = prilavok(place, &large)?;
    let mut note = |what: &str, figure: String| {
        // Writing into a text does not fail.
        let _ = writeln!(text, "- {what}: {figure}");
    };
    note("ready with ten million messages", millis(server.ready_after));
    std::thread::sleep(SETTLED);
    let idle = server.memory_kib("VmRSS")?;
    note("memory, idle", mib(idle));
    for uploads in [1, UPLOADS] {
        upload(&chats, server.port, uploads)?;
        note(
            &format!("memory at the most, {uploads} uploads of 5 MiB"),
            mib(server.memory_kib("VmHWM")?),
        );
    }
    server.stop()?;
    let server = prilavok(place, &large)?;
    load(32, EVERY_CHAT_SECONDS).run(server.port)?;
    note(
        "memory at the most, a million chats served",
        mib(server.memory_kib("VmHWM")?),
    );
    let port = server.port;
    let stopped = std::thread::scope(|scope| {
        let loading = scope.spawn(|| load(32, 3).run_and_be_refused(port));
        std::thread::sleep(Duration::from_secs(1));
        let stopped = server.stop();
        // The load meets a server that has gone: what it counts is of no interest.
        let _ = loading.join();
        stopped
    })?;
    note("stopped under load", millis(stopped));
    Ok(text)
}

fn millis(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

fn mib(kib: u64) -> String {
    format!("{} MiB", kib >> 10)
}

/// So many uploads at once.
fn upload(chats: &Path, port: u16, uploads: usize) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(chats)?;
    let client = Client::builder().timeout(None).build()?;
    std::thread::scope(|scope| {
        let sending: Vec<_> = text
            .lines()
            .take(uploads)
            .map(|line| {
                let client = &client;
                scope.spawn(move || {
                    let [business, key, chat] = seed::parts(line)?;
                    let file = multipart::Part::bytes(vec![7; FILE_BYTES]).file_name("photo.bin");
                    let answer = client
                        .post(format!(
                            "http://127.0.0.1:{port}/v2/businesses/{business}/chats/file/send?chatId={chat}"
                        ))
                        .header("Api-Key", key)
                        .multipart(multipart::Form::new().part("file", file))
                        .send()?;
                    ensure!(answer.status().is_success(), "{}", answer.text()?);
                    Ok(())
                })
            })
            .collect();
        for one in sending {
            one.join().map_err(|_| anyhow::anyhow!("an upload panicked"))??;
        }
        Ok(())
    })
}
