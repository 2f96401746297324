//! Resuming: whatever breaks, and whenever, a client that says what it saw last sees every event once, in order.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use prilavok_domain::{BusinessId, Clock, SystemClock};
use prilavok_store::{ForgetBefore, Store};
use rusqlite::Connection;

use crate::listener::Listener;
use crate::market::{Market, PATIENCE, Seller};

const WRITERS: usize = 4;
const MESSAGES: usize = 150;

/// Reads a seller's stream with random disconnects until `done` says that it saw enough; answers the ids of events and
/// of messages.
fn read_with_breaks(
    market: &Market,
    seller: &Seller,
    seed: u64,
    done: impl Fn(usize) -> bool,
) -> Vec<(i64, i64)> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut last = 0;
    let mut seen = Vec::new();
    while !done(seen.len()) {
        let mut listener = Listener::of_seller(market, seller, Some(last));
        assert_eq!(listener.opening(), last);
        for _ in 0..random.usize(0..40) {
            if done(seen.len()) {
                break;
            }
            let event = listener.event().expect("an event");
            last = event.id.expect("an id");
            if event.kind() == "CHAT_MESSAGE_SENT" {
                seen.push((last, event.field("messageId")));
            } else {
                assert_eq!(event.kind(), "CHAT_CREATED", "{event:?}");
            }
        }
    }
    seen
}

#[test]
fn readers_that_break_off_at_random_see_every_event_once_and_in_order() {
    let market = Market::open(2, &[]);
    let (one, two) = (&market.sellers[0], &market.sellers[1]);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                scope.spawn(|| -> Vec<i64> {
                    (0..MESSAGES)
                        .map(|_| {
                            market.write(two);
                            market.write(one)
                        })
                        .collect()
                })
            })
            .collect();
        let readers: Vec<_> = (0..3)
            .map(|seed| {
                let (market, total) = (&market, WRITERS * MESSAGES);
                scope.spawn(move || read_with_breaks(market, one, seed, |seen| seen == total))
            })
            .collect();
        let written: BTreeSet<i64> = writers
            .into_iter()
            .flat_map(|it| it.join().expect("a writer"))
            .collect();
        assert_eq!(written.len(), WRITERS * MESSAGES);
        for reader in readers {
            let seen = reader.join().expect("a reader");
            assert!(
                seen.is_sorted_by(|(one, _), (next, _)| one < next),
                "in the order of their ids"
            );
            // As many as were written, and all of them: none twice, none of another business.
            let messages: BTreeSet<i64> = seen.iter().map(|(_, message)| *message).collect();
            assert_eq!(messages, written);
        }
    });
}

#[test]
fn what_was_missed_is_read_without_waiting_for_news() {
    let market = Market::open(1, &[]);
    market.fill(2_500);
    let kept = kept_events(&market);
    let mut listener = Listener::of_seller(&market, market.first(), Some(0));
    listener.opening();
    // Far less than a heartbeat, which would bring the next page as well.
    let next = || {
        let block = listener
            .block_within(Duration::from_secs(4))
            .expect("an event in time");
        block.and_then(|block| block.id).expect("an id")
    };
    let seen: Vec<_> = std::iter::repeat_with(next).take(kept.len()).collect();
    assert_eq!(seen, kept);
}

#[test]
fn after_a_kill_every_acknowledged_event_is_seen_once() {
    let mut market = Market::open(1, &[("LIMITS__HOURLY__SENDMESSAGETOCHAT", "unlimited")]);
    let mut acknowledged = 0;
    let mut seen: Vec<i64> = Vec::new();
    for round in 0..3 {
        let killed = AtomicBool::new(false);
        let last = seen.last().copied();
        let mut listener = Listener::of_seller(&market, market.first(), Some(last.unwrap_or(0)));
        let (market_now, stop) = (&market, &killed);
        acknowledged += std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|_| {
                    scope.spawn(move || {
                        let mut written = 0;
                        while !stop.load(Ordering::Relaxed) && market_now.answered(market_now.first()) {
                            written += 1;
                        }
                        written
                    })
                })
                .collect();
            let reader = scope.spawn(|| {
                let mut ids = Vec::new();
                while let Ok(Some(block)) = listener.block_within(Duration::from_secs(2)) {
                    ids.extend(block.event.and(block.id));
                }
                ids
            });
            std::thread::sleep(Duration::from_millis(200 + 100 * round));
            market_now.kill();
            killed.store(true, Ordering::Relaxed);
            seen.extend(reader.join().expect("a reader"));
            writers
                .into_iter()
                .map(|it| it.join().expect("a writer"))
                .sum::<usize>()
        });
        market.start_again();
        // What the reader had not read when the server died is there still.
        let mut listener =
            Listener::of_seller(&market, market.first(), Some(seen.last().copied().unwrap_or(0)));
        let kept = kept_events(&market);
        while seen.len() < kept.len() {
            let block = listener.block().expect("an open stream");
            seen.extend(block.event.as_ref().and(block.id));
        }
        assert_eq!(seen, kept, "round {round}: all that is kept, once, in order");
        listener.is_silent_for(Duration::from_millis(300));
    }
    // The chat's creation, every acknowledged message, and those that were written and not acknowledged any more.
    assert!(
        acknowledged > 30,
        "only {acknowledged} messages: nothing was tested"
    );
    assert!(
        (acknowledged + 1..=acknowledged + 1 + 3 * WRITERS).contains(&seen.len()),
        "{} events of {acknowledged} messages",
        seen.len()
    );
}

fn kept_events(market: &Market) -> Vec<i64> {
    let conn = Connection::open(market.database()).expect("the store");
    let mut statement = conn
        .prepare("SELECT event_id FROM event WHERE business_id = 1 ORDER BY event_id")
        .expect("a query");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("ids")
}

#[test]
fn what_is_not_kept_any_more_is_a_gap() {
    let market = Market::open(1, &[]);
    let seller = market.first();
    for _ in 0..5 {
        market.write(seller);
    }
    let kept = kept_events(&market);
    let resumed = |last: i64| {
        let mut listener = Listener::of_seller(&market, seller, Some(last));
        let opening = listener.opening();
        (listener, opening)
    };
    // In the beginning nothing is missing, and a client is told so by being told nothing.
    let (mut listener, opening) = resumed(kept[2]);
    assert_eq!(opening, kept[2]);
    assert_eq!(listener.event().expect("an event").id, Some(kept[3]));

    // The first four are older than a day; the other two were written within it.
    let age = |ids: &[i64]| {
        let conn = Connection::open(market.database()).expect("the store");
        for id in ids {
            conn.execute("UPDATE event SET at = at - 90000000 WHERE event_id = ?1", [id])
                .expect("aged");
        }
    };
    age(&kept[..4]);
    let (mut listener, opening) = resumed(kept[2]);
    assert_eq!(opening, kept[2]);
    let gap = listener.event().expect("a gap");
    assert_eq!((gap.kind(), gap.id), ("gap", None), "{gap:?}");
    assert_eq!(gap.field("lastEventId"), kept[2]);
    assert_eq!(gap.field("goesOnFromEventId"), kept[3]);
    assert_eq!(listener.event().expect("an event").id, Some(kept[3]));

    let now = SystemClock.now();
    let before = ForgetBefore {
        attempts: now,
        events: now.plus_millis(-86_400_000),
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let business = BusinessId::new(1).expect("an id");
    let forgotten = runtime.block_on(market.store().forget_notifications(business, before));
    assert_eq!(forgotten.expect("forgotten"), 4);
    let (mut listener, _) = resumed(kept[1]);
    let gap = listener.event().expect("a gap");
    assert_eq!(gap.kind(), "gap");
    assert_eq!(gap.field("goesOnFromEventId"), kept[4]);
    let from = gap.data.expect("a body")["goesOnFrom"].clone();
    assert!(from.as_str().is_some_and(|from| from.ends_with('Z')), "{from}");
    for id in &kept[4..] {
        assert_eq!(listener.event().expect("an event").id, Some(*id));
    }

    // An id from the future: the store may have been put back to an older copy.
    let (mut listener, opening) = resumed(9_007_199_254_740_991);
    assert_eq!(opening, kept[5]);
    let gap = listener.event().expect("a gap");
    assert_eq!(gap.kind(), "gap");
    assert_eq!(gap.data.expect("a body").get("goesOnFromEventId"), None);
    let message = market.write(seller);
    assert_eq!(listener.event().expect("an event").field("messageId"), message);

    // The newest event may be as old as it likes: nothing happened after it.
    age(&kept_events(&market)[2..]);
    let newest = *kept_events(&market).last().expect("an event");
    let (mut listener, _) = resumed(newest);
    let message = market.write(seller);
    let event = listener.event().expect("an event");
    assert_eq!(event.kind(), "CHAT_MESSAGE_SENT");
    assert_eq!(event.field("messageId"), message);
}

#[test]
fn clients_that_cannot_send_the_header_resume_by_the_query() {
    let market = Market::open(1, &[]);
    let seller = market.first();
    let written: Vec<i64> = (0..3).map(|_| market.write(seller)).collect();
    let kept = kept_events(&market);
    let path = |last: i64| format!("/v2/businesses/1/events?lastEventId={last}");
    let key = format!("Api-Key: {}\r\n", seller.key);
    let mut listener = Listener::open(&market, &path(kept[1]), &key);
    listener.opening();
    assert_eq!(listener.event().expect("an event").field("messageId"), written[1]);
    let mut listener = Listener::open(
        &market,
        &path(kept[1]),
        &format!("{key}Last-Event-ID: {}\r\n", kept[2]),
    );
    listener.opening();
    assert_eq!(listener.event().expect("an event").field("messageId"), written[2]);
    let mut listener = Listener::of_operator(&market, "?businessId=1&lastEventId=0");
    listener.opening();
    let first = listener.event().expect("an event");
    assert_eq!((first.kind(), first.id), ("CHAT_CREATED", Some(kept[0])));
    assert!(listener.block_within(PATIENCE).is_ok());
}
