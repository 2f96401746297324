//! What many streams cost. `LIVE_STREAMS=10000` opens ten thousand, which takes a limit of open files above that.

use std::time::{Duration, Instant};

use crate::listener::Listener;
use crate::market::Market;

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
