//! What uploads cost in memory while their senders are slow.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::ensure;
use prilavok_bench::seed::{self, CHATS};

use crate::Place;
use crate::speed::prilavok;

const FILE_BYTES: usize = 5 << 20;
/// So much of each has come when the memory is looked at.
const SENT: usize = FILE_BYTES - (64 << 10);
const END: &[u8] = b"\r\n--b--\r\n";

/// Measures it over the large store; answers a list.
pub fn measure(place: &Place) -> anyhow::Result<String> {
    let (large, mut text) = (place.large(), String::new());
    let chats = std::fs::read_to_string(large.join(CHATS))?;
    for uploads in [1, 10, 100] {
        let server = prilavok(place, &large)?;
        // The first one shows what a server has that has served one.
        let warm: anyhow::Result<Vec<_>> = chats
            .lines()
            .take(1)
            .map(|line| begin(server.port, line))
            .collect();
        finish(warm?)?;
        let before = server.memory_kib("VmRSS")?;
        let held: anyhow::Result<Vec<_>> = chats
            .lines()
            .skip(1)
            .take(uploads)
            .map(|line| begin(server.port, line))
            .collect();
        let held = held?;
        // What is still on its way is read.
        std::thread::sleep(Duration::from_secs(1));
        let during = server.memory_kib("VmRSS")?;
        finish(held)?;
        let most = server.memory_kib("VmHWM")?;
        // Writing into a text does not fail.
        let _ = writeln!(
            text,
            "- {uploads} uploads of 5 MiB, nearly sent: {before} KiB before, {during} KiB while they are held, {most} KiB at \
             the most: {} KiB for each",
            during.saturating_sub(before) / uploads as u64
        );
    }
    Ok(text)
}

/// An upload of which most has come.
fn begin(port: u16, line: &str) -> anyhow::Result<TcpStream> {
    let [business, key, chat] = seed::parts(line)?;
    let form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"photo.bin\"\r\n\r\n";
    let mut socket = TcpStream::connect(("127.0.0.1", port))?;
    write!(
        socket,
        "POST /v2/businesses/{business}/chats/file/send?chatId={chat} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Api-Key: {key}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\r\n{form}",
        form.len() + FILE_BYTES + END.len()
    )?;
    socket.write_all(&vec![7; SENT])?;
    Ok(socket)
}

/// Sends the rest of each; all must be accepted.
fn finish(uploads: Vec<TcpStream>) -> anyhow::Result<()> {
    for mut socket in uploads {
        socket.write_all(&vec![7; FILE_BYTES - SENT])?;
        socket.write_all(END)?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    Ok(())
}
