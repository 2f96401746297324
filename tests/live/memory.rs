//! What many streams and uploads cost. `LIVE_STREAMS=10000` opens ten thousand, which takes a limit of open files above that.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::listener::Listener;
use crate::market::{Market, PATIENCE};

/// Streams of a plain test run.
const STREAMS: usize = 500;
const PER_BUSINESS: usize = 100;
/// Ten thousand streams have to fit into 1 GiB beside the server; this leaves half of it to the server.
const MOST_BYTES: u64 = 1_073_741_824 / 2 / 10_000;

#[test]
fn a_stream_costs_little() {
    let streams = std::env::var("LIVE_STREAMS")
        .ok()
        .and_then(|text| text.parse().ok());
    let streams: usize = streams.unwrap_or(STREAMS);
    let open_files = rlimit::increase_nofile_limit(u64::MAX).expect("a limit");
    assert!(
        open_files > streams as u64 + 100,
        "only {open_files} open files are allowed: ulimit -Hn"
    );
    let businesses = streams.div_ceil(PER_BUSINESS);
    let market = Market::open(i64::try_from(businesses).expect("few"), &[]);
    market.write(market.first());
    let before = market.resident_kib();
    let began = Instant::now();
    let mut listeners: Vec<_> = (0..streams)
        .map(|number| Listener::of_seller(&market, &market.sellers[number % businesses], None))
        .collect();
    listeners.iter_mut().for_each(|listener| _ = listener.opening());
    let opened = began.elapsed();
    market.wait_for_streams(streams as u64);
    let idle = market.resident_kib();

    // All of them are told something, twice.
    let began = Instant::now();
    for _ in 0..2 {
        for seller in &market.sellers {
            market.write(seller);
        }
    }
    let written = began.elapsed();
    for listener in &mut listeners {
        for _ in 0..2 {
            assert_eq!(listener.event().expect("an event").kind(), "CHAT_MESSAGE_SENT");
        }
    }
    let told = began.elapsed();
    let busy = market.resident_kib();
    let each = (idle.max(busy).saturating_sub(before)) * 1_024 / streams as u64;
    println!(
        "{streams} streams of {businesses} businesses opened in {opened:?}. Resident memory: {before} KiB before, \
         {idle} KiB idle, {busy} KiB after {} events ({written:?} to write, {told:?} until all were read): {each} \
         bytes for each stream",
        2 * streams
    );
    assert!(each < MOST_BYTES, "{each} bytes for each stream");

    drop(listeners);
    market.wait_for_streams(0);
    std::thread::sleep(Duration::from_millis(200));
    println!("{} KiB after all have left", market.resident_kib());
}

/// Files that are sent at the same time, and how much of each has come.
const UPLOADS: usize = 50;
const SENT: usize = 4 << 20;
/// What all of them may take. Kept in memory, they would take four times as much.
const MOST_KIB_FOR_UPLOADS: u64 = 50 << 10;

/// How many bytes of files the server has written to the disk.
fn written(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => written(&entry.path()),
            found => found.map_or(0, |found| found.len()),
        })
        .sum()
}

#[test]
fn an_upload_costs_little_however_much_of_it_has_come() {
    // Four calls of a business may be under way at a time.
    let market = Market::open(13, &[]);
    let files = market.database().with_file_name("files");
    market.write(market.first());
    let before = market.resident_kib();
    let mut uploads = Vec::new();
    for seller in market.sellers.iter().cycle().take(UPLOADS) {
        let mut socket = TcpStream::connect(&market.address).expect("connected");
        let form = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"photo.bin\"\r\n\r\n";
        let head = format!(
            "POST /v2/businesses/{}/chats/file/send?chatId={} HTTP/1.1\r\nHost: x\r\nApi-Key: {}\r\nContent-Type: \
             multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\r\n{form}",
            seller.business,
            seller.chat,
            seller.key,
            5 << 20
        );
        socket.write_all(head.as_bytes()).expect("sent");
        socket.write_all(&vec![7; SENT]).expect("sent");
        uploads.push(socket);
        keep_alive(&mut uploads);
    }
    let began = Instant::now();
    // Up to a chunk of each has still to be written.
    while written(&files) < (UPLOADS * (SENT - (256 << 10))) as u64 {
        assert!(
            began.elapsed() < PATIENCE,
            "only {} bytes have arrived",
            written(&files)
        );
        keep_alive(&mut uploads);
        std::thread::sleep(Duration::from_millis(50));
    }
    let after = market.resident_kib();
    println!("{UPLOADS} uploads: {before} KiB before, {after} KiB with {SENT} bytes of each");
    let cost = after.saturating_sub(before);
    assert!(cost < MOST_KIB_FOR_UPLOADS, "{cost} KiB for {UPLOADS} uploads");
}

/// Sends a byte more of each, so that none is given up.
fn keep_alive(uploads: &mut [TcpStream]) {
    for socket in uploads {
        socket.write_all(&[7]).expect("still open");
    }
}
