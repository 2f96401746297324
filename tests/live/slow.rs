//! Readers that do not read, requests that are slow for good reasons, and the way out.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::listener::Listener;
use crate::market::{Market, PATIENCE};

/// Far more text than the sockets between the two take in.
const MANY: i64 = 120_000;
const SLOW_READERS: usize = 10;

/// A connection that takes in as little as the system allows.
fn narrow(market: &Market) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let address: SocketAddr = market.address.parse().expect("an address");
    socket.connect(&address.into()).expect("connected");
    socket.into()
}

#[test]
fn readers_that_do_not_read_are_cut_off_and_cost_nothing() {
    let market = Market::open(2, &[("SERVER__WRITE_TIMEOUT_SECONDS", "5")]);
    let (one, two) = (&market.sellers[0], &market.sellers[1]);
    market.fill(MANY);
    let mut healthy = Listener::of_seller(&market, two, None);
    healthy.opening();
    let before = market.resident_kib();
    let began = Instant::now();
    let path = "/v2/businesses/1/events?lastEventId=0";
    let key = format!("Api-Key: {}\r\n", one.key);
    let mut slow: Vec<_> = (0..SLOW_READERS)
        .map(|_| Listener::over(narrow(&market), path, &key))
        .collect();
    // One that reads slowly, but reads: it is not cut off.
    let mut steady = Listener::over(narrow(&market), path, &key);
    market.wait_for_streams(SLOW_READERS as u64 + 2);
    let mut highest = before;
    while market.measured("prilavok_event_streams{surface=\"partner\"}") > 2 {
        highest = highest.max(market.resident_kib());
        let message = market.write(two);
        let arrived = healthy
            .block_within(Duration::from_secs(2))
            .expect("others go on");
        assert_eq!(arrived.expect("an open stream").field("messageId"), message);
        assert!(
            steady.fill(PATIENCE).expect("more") > 0,
            "it reads, and is served"
        );
        assert!(began.elapsed() < PATIENCE, "they are not cut off");
        std::thread::sleep(Duration::from_millis(50));
    }
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(5), "cut off too early: {took:?}");
    println!(
        "{SLOW_READERS} slow readers cut off after {took:?}; resident memory {before} KiB before, {highest} KiB at \
         the most"
    );
    // All that was kept for them would be some 20 MiB for each.
    assert!(
        highest < before + 16 * 1_024,
        "{before} KiB grew to {highest} KiB"
    );
    // What a slow reader finds in the end is the beginning of the stream, and no proper end.
    let cut = &mut slow[0];
    while cut.fill(PATIENCE).is_ok_and(|read| read > 0) {}
    while let Ok(Some(_)) = cut.block_within(PATIENCE) {}
    assert!(!cut.finished);
    assert!(steady.block_within(PATIENCE).expect("a block").is_some());
}

#[test]
fn slow_uploads_are_not_disturbed() {
    let market = Market::open(1, &[("SERVER__WRITE_TIMEOUT_SECONDS", "1")]);
    let seller = market.first();
    let boundary = "boundary";
    let file = vec![b'x'; 2 * 1_024 * 1_024];
    let begin = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"photo.txt\"\r\n\
         Content-Type: text/plain\r\n\r\n"
    );
    let end = format!("\r\n--{boundary}--\r\n");
    let head = format!(
        "Api-Key: {}\r\nContent-Type: multipart/form-data; boundary={boundary}\r\nContent-Length: {}\r\n",
        seller.key,
        begin.len() + file.len() + end.len()
    );
    let mut stream = TcpStream::connect(&market.address).expect("connected");
    let chat = seller.chat;
    write!(
        stream,
        "POST /v2/businesses/1/chats/file/send?chatId={chat} HTTP/1.1\r\nHost: x\r\n{head}\r\n{begin}"
    )
    .expect("sent");
    for part in file.chunks(file.len() / 4) {
        std::thread::sleep(Duration::from_millis(800));
        stream.write_all(part).expect("sent");
    }
    // The answer to the upload and, on the same connection, the stream that is asked for next.
    stream.write_all(end.as_bytes()).expect("sent");
    let listener = Listener::over(
        stream,
        "/v2/businesses/1/events",
        &format!("Api-Key: {}\r\n", seller.key),
    );
    assert_eq!(listener.status, 200, "{}", listener.head);
    let mut events = Listener::of_seller(&market, seller, Some(0));
    let kinds = [events.event(), events.event()].map(|event| event.expect("an event").kind().to_owned());
    assert_eq!(
        kinds,
        ["CHAT_CREATED", "CHAT_MESSAGE_SENT"],
        "the file is in the chat"
    );
}

#[test]
fn streams_end_at_once_when_the_server_stops() {
    let mut market = Market::open(1, &[]);
    market.fill(MANY);
    let mut listeners: Vec<_> = (0..50)
        .map(|_| Listener::of_seller(&market, market.first(), None))
        .collect();
    listeners.push(Listener::of_operator(&market, ""));
    listeners.iter_mut().for_each(|listener| _ = listener.opening());
    let (status, took) = market.stop();
    assert!(status.success());
    assert!(took < Duration::from_secs(1), "{took:?}");
    for listener in &mut listeners {
        assert_eq!(listener.block(), None);
        assert!(listener.finished, "the server says that this is all");
    }

    // One that does not read cannot be told, and does not hold the others up.
    market.start_again();
    let path = "/v2/businesses/1/events?lastEventId=0";
    let key = format!("Api-Key: {}\r\n", market.first().key);
    let stuck = Listener::over(narrow(&market), path, &key);
    assert_eq!(stuck.status, 200);
    std::thread::sleep(Duration::from_millis(500));
    let (status, took) = market.stop();
    assert!(status.success());
    assert!(took < Duration::from_secs(4), "{took:?}");
    println!("stopped with a reader that does not read in {took:?}");
}
