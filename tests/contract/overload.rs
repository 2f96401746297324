//! More than the server can do: some are turned away, at no cost, and it goes on answering.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use prilavok_domain::{Message, MessageText, Sender, Timestamp};
use prilavok_server::limits::Limit;
use prilavok_store::{Applied, NewMessage, Store, StoreError};
use prilavok_wire::Operation;
use reqwest::Method;

use crate::counter::{Answer, Counter};
use crate::{population, test_store};

const CHAT: &str = "/v2/businesses/1/chat?chatId=1";
const UNAVAILABLE: &str = "Service temporarily unavailable. Please, try again later";

/// A server for which each request is one too many, and one of a connection of its own.
fn crowded() -> Counter {
    Counter::with(|settings| settings.server.max_waiting = 0)
}

fn ask(counter: &Counter, method: Method, path: &str) -> Answer {
    Answer::of(counter.request(method, path).header("Connection", "close"))
}

/// Calls of getChat that business 1 still has.
fn left(counter: &Counter) -> u32 {
    let business = Some(population::business(1));
    let window = counter
        .app
        .limits
        .window(Operation::GetChat, business, counter.now());
    window.remaining
}

/// The value of a measure.
fn measured(counter: &Counter, name: &str) -> u64 {
    let text = ask(counter, Method::GET, "/metrics").body;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name}: {text}"))
        .trim()
        .parse()
        .expect("a number")
}

#[test]
fn who_is_turned_away_gets_the_envelope_of_its_surface() {
    let counter = crowded();
    for (method, path) in [
        (Method::GET, CHAT),
        (Method::POST, "/v2/businesses/1/chats/message?chatId=1"),
        (Method::GET, "/files/1/1"),
        (Method::GET, "/v2/businesses/1/events"),
        (Method::GET, "/nowhere"),
    ] {
        let answer = ask(&counter, method, path);
        answer.refused(503, UNAVAILABLE);
        assert_eq!(answer.header("retry-after"), "1", "{path}");
    }
    let answer = ask(&counter, Method::GET, CHAT);
    assert_eq!(answer.header("x-ratelimit-resource-limit"), "1000");
    assert_eq!(answer.header("x-ratelimit-resource-remaining"), "1000");

    for path in ["/operator/v1/businesses", "/buyer/v1/chats"] {
        let answer = ask(&counter, Method::GET, path);
        let error = &answer.json()["error"];
        assert_eq!(
            (answer.status, &error["code"]),
            (503, &serde_json::json!("UNAVAILABLE"))
        );
        assert_eq!(answer.header("retry-after"), "1");
        assert!(!answer.header("x-request-id").is_empty());
        assert_eq!(error["requestId"], answer.header("x-request-id"));
    }
    for (path, media_type, policy) in [
        ("/ui/", "text/html", "frame-ancestors 'none'"),
        ("/ui/widget", "text/plain", "default-src 'none'"),
        ("/ui/widget.js", "text/plain", "default-src 'none'"),
    ] {
        let answer = ask(&counter, Method::GET, path);
        assert_eq!(answer.status, 503, "{path}");
        assert_eq!(answer.header("retry-after"), "1", "{path}");
        let found = answer.header("content-type");
        assert!(found.starts_with(media_type), "{path}: {found}");
        let found = answer.header("content-security-policy");
        assert!(found.ends_with(policy), "{path}: {found}");
    }
}

#[test]
fn it_costs_nothing_of_the_hour() {
    let counter = crowded();
    ask(&counter, Method::GET, CHAT).refused(503, UNAVAILABLE);
    assert_eq!(left(&counter), 1000);
}

#[test]
fn a_body_that_is_still_sent_is_read_away() {
    let counter = crowded();
    let request = counter
        .request(Method::POST, "/v2/businesses/1/chats/message?chatId=1")
        .header("Connection", "close");
    Answer::of(request.body(vec![b'x'; 5 << 20])).refused(503, UNAVAILABLE);
}

#[test]
fn monitoring_is_always_answered_and_told() {
    let counter = crowded();
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(ask(&counter, Method::GET, path).status, 200, "{path}");
    }
    let shed = r#"prilavok_shed_total{waiting="requests"}"#;
    let refused = r#"prilavok_requests_total{operation="getChat",status="503"}"#;
    assert_eq!(measured(&counter, shed), 0);
    ask(&counter, Method::GET, CHAT).refused(503, UNAVAILABLE);
    assert_eq!((measured(&counter, shed), measured(&counter, refused)), (1, 1));
}

#[test]
fn a_crowd_is_served_in_part_and_when_it_has_gone_everybody_is() {
    const CALLERS: u32 = 64;
    let counter = Counter::with(|settings| {
        settings.server.max_waiting = 1;
        settings.limits.parallel = Limit::Unlimited;
        settings
            .limits
            .hourly
            .insert(Operation::GetChat, Limit::At(1_000_000));
    });
    let (served, shed, enough) = (AtomicU32::new(0), AtomicU32::new(0), AtomicBool::new(false));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                while !enough.load(Ordering::Relaxed) {
                    let answer = counter.get(CHAT);
                    match answer.status {
                        200 => served.fetch_add(1, Ordering::Relaxed),
                        503 => shed.fetch_add(1, Ordering::Relaxed),
                        other => panic!("{other}: {}", answer.body),
                    };
                    let both = served.load(Ordering::Relaxed) > 0 && shed.load(Ordering::Relaxed) > 0;
                    if both || began.elapsed() > Duration::from_secs(60) {
                        enough.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let (served, shed) = (served.into_inner(), shed.into_inner());
    assert!(served > 0 && shed > 0, "{served} served, {shed} turned away");
    assert_eq!(left(&counter), 1_000_000 - served);
    counter.get(CHAT).succeeded();
}

async fn write(store: Arc<dyn Store>, now: Timestamp) -> prilavok_store::Result<Applied<Message>> {
    let new = NewMessage {
        sender: Sender::Customer,
        text: Some(MessageText::new("x").expect("a text")),
        files: Vec::new(),
        wait_for: None,
    };
    store
        .append_message(population::business(1), population::chat(1), new, None, now)
        .await
}

#[test]
fn writes_that_would_wait_for_long_are_refused_and_those_of_the_server_itself_are_not() {
    const MOST: usize = 512;
    if !test_store::holds_here(
        "in PostgreSQL a write waits for a connection as a read does, not in a line of writes",
    ) {
        return;
    }
    let counter = Counter::open();
    let held = counter.place.lock();
    let (store, now) = (Arc::clone(&counter.app.store), counter.now());
    let writes: Vec<_> = (0..MOST)
        .map(|_| counter.spawn(write(Arc::clone(&store), now)))
        .collect();
    while counter.app.store.queue_depth() < MOST {
        std::thread::yield_now();
    }
    let answer = counter.post("/v2/businesses/1/chats/message?chatId=1", "{\"message\":\"x\"}");
    answer.refused(503, UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(answer.header("x-ratelimit-resource-remaining"), "1000");
    assert_eq!(measured(&counter, r#"prilavok_shed_total{waiting="writes"}"#), 1);
    // Who only reads is not held up.
    counter.get(CHAT).succeeded();
    let (kept, store) = (Vec::new(), Arc::clone(&counter.app.store));
    let own = counter.spawn(async move { store.save_usage(kept, Some(now)).await });
    drop(held);
    counter.block_on(own).expect("ended").expect("written");
    for write in writes {
        let written = counter.block_on(write).expect("ended");
        assert!(!matches!(written, Err(StoreError::Busy)), "it was accepted");
    }
}
