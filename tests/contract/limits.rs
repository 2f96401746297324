//! The parallel and the hourly limits, and the headers that tell of them.

use std::io::{Read, Write};
use std::net::TcpStream;

use prilavok_server::limits::Limit;
use prilavok_wire::Operation;
use reqwest::Method;

use crate::counter::{Answer, Counter};

const CHAT: &str = "/v2/businesses/1/chat?chatId=1";
const HOUR_MS: i64 = 3_600_000;

fn remaining(answer: &Answer) -> u32 {
    answer
        .header("x-ratelimit-resource-remaining")
        .parse()
        .expect("a number")
}

fn with_limit(operation: Operation, limit: u32) -> Counter {
    Counter::with(|settings| _ = settings.limits.hourly.insert(operation, Limit::At(limit)))
}

#[test]
fn every_answer_of_an_operation_tells_of_its_limit() {
    let counter = Counter::open();
    let text_plain = counter
        .request(Method::POST, "/v2/businesses/1/chats")
        .header("Content-Type", "text/plain");
    let other = counter
        .anonymous(Method::GET, CHAT)
        .header("Api-Key", &counter.keys.other);
    for (answer, status, limit, left) in [
        (counter.get(CHAT), 200, "1000", "999"),
        (counter.get("/v2/businesses/1/chat?chatId=99"), 404, "1000", "998"),
        (counter.get("/v2/businesses/1/chat"), 400, "1000", "997"),
        (counter.get("/v2/businesses/x/chat"), 400, "1000", "996"),
        (
            Answer::of(counter.anonymous(Method::GET, CHAT)),
            401,
            "1000",
            "1000",
        ),
        // The hour of the caller's own business, which pays for the call.
        (Answer::of(other), 403, "1000", "999"),
        (Answer::of(text_plain.body("{}")), 415, "5000", "4999"),
        (
            counter.post("/v2/businesses/1/chats/history?chatId=1", "{}"),
            200,
            "10000",
            "9999",
        ),
        (counter.post("/v2/auth/token", ""), 200, "100", "99"),
        (counter.get("/v2/campaigns"), 200, "5000", "4999"),
        (counter.get("/v2/campaigns/1"), 200, "5000", "4999"),
    ] {
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("x-ratelimit-resource-limit"), limit);
        assert_eq!(answer.header("x-ratelimit-resource-remaining"), left);
        assert_eq!(
            answer.header("x-ratelimit-resource-until"),
            "Tue, 09 Jan 2024 15:00:00 GMT"
        );
    }
    let unknown = counter.get("/v2/nothing");
    assert_eq!(unknown.header("x-ratelimit-resource-limit"), "");
}

#[test]
fn refusals_before_the_limits_cost_the_caller_too() {
    let counter = Counter::open();
    let get = |key: &str| Answer::of(counter.anonymous(Method::GET, CHAT).header("Api-Key", key));
    assert_eq!(get(&counter.keys.pricing).status, 403);
    assert_eq!(remaining(&get(&counter.keys.all)), 998);
    // What a stranger is refused costs the stranger, and not the business.
    let refused = get(&counter.keys.other);
    assert_eq!((refused.status, remaining(&refused)), (403, 999));
    assert_eq!(remaining(&get(&counter.keys.all)), 997);
    let moving = counter.anonymous(Method::GET, "/v2/businesses/4/chat?chatId=1");
    let moving = Answer::of(moving.header("Api-Key", &counter.keys.migrating));
    assert_eq!((moving.status, remaining(&moving)), (423, 999));
    // Without a credential there is nobody to pay.
    for key in ["nonsense", &counter.keys.revoked] {
        let refused = get(key);
        assert_eq!((refused.status, remaining(&refused)), (401, 1000));
    }
}

#[test]
fn the_hour_s_calls_run_out_and_come_back() {
    let counter = with_limit(Operation::GetChat, 2);
    for left in [1, 0] {
        let answer = counter.get(CHAT).succeeded();
        assert_eq!(remaining(&answer), left);
    }
    let message = "Hit rate limit of 2 requests per 1 hour for resource 'getChat' for businessId 1";
    for _ in 0..2 {
        let refused = counter.get(CHAT);
        refused.refused(420, message);
        assert_eq!(remaining(&refused), 0);
        assert_eq!(
            refused.header("x-ratelimit-resource-until"),
            "Tue, 09 Jan 2024 15:00:00 GMT"
        );
    }
    // Wrong parameters are not even looked at.
    counter.get("/v2/businesses/1/chat").refused(420, message);
    counter.post("/v2/businesses/1/chats", "{}").succeeded();
    let other = counter.anonymous(Method::GET, "/v2/businesses/2/chat?chatId=5");
    Answer::of(other.header("Api-Key", &counter.keys.other)).succeeded();

    counter.clock.advance(55 * 60_000 - 1);
    counter.get(CHAT).refused(420, message);
    counter.clock.advance(1);
    let answer = counter.get(CHAT).succeeded();
    assert_eq!(remaining(&answer), 1);
    assert_eq!(
        answer.header("x-ratelimit-resource-until"),
        "Tue, 09 Jan 2024 16:00:00 GMT"
    );
    counter.clock.advance(HOUR_MS);
    assert_eq!(remaining(&counter.get(CHAT).succeeded()), 1);
}

#[test]
fn a_clock_that_steps_back_an_hour_gives_no_second_hour_and_the_window_still_ends() {
    let counter = with_limit(Operation::GetChat, 2);
    counter.get(CHAT).succeeded();
    counter.clock.advance(-HOUR_MS);
    counter.get(CHAT).succeeded();
    let refused = counter.get(CHAT);
    assert_eq!(refused.status, 420, "{}", refused.body);
    assert_eq!(
        refused.header("x-ratelimit-resource-until"),
        "Tue, 09 Jan 2024 15:00:00 GMT"
    );
    counter.clock.advance(HOUR_MS + 55 * 60_000);
    assert_eq!(remaining(&counter.get(CHAT).succeeded()), 1);
}

#[test]
fn a_campaign_s_hour_is_counted_for_its_business() {
    let counter = with_limit(Operation::GetCampaign, 1);
    counter.get("/v2/campaigns/1").succeeded();
    let message = "Hit rate limit of 1 requests per 1 hour for resource 'getCampaign' for businessId 1";
    counter.get("/v2/campaigns/2").refused(420, message);
}

#[test]
fn one_business_may_have_limits_of_its_own() {
    let counter = Counter::with(|settings| {
        let own = settings
            .limits
            .businesses
            .entry(crate::population::business(1))
            .or_default();
        own.hourly.insert(Operation::GetChat, Limit::At(7));
        own.parallel = Some(Limit::Unlimited);
    });
    assert_eq!(remaining(&counter.get(CHAT)), 6);
    let other = counter.anonymous(Method::GET, "/v2/businesses/2/chat?chatId=5");
    assert_eq!(
        remaining(&Answer::of(other.header("Api-Key", &counter.keys.other))),
        999
    );
}

/// Begins a request that stays under way, since its body does not come. It has its place when the body is asked for.
fn hold(counter: &Counter) -> TcpStream {
    const GO_ON: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
    let key = &counter.keys.all;
    let head = format!(
        "POST /v2/businesses/1/chats HTTP/1.1\r\nHost: x\r\nApi-Key: {key}\r\nContent-Length: 2\r\n\
         Expect: 100-continue\r\n\r\n"
    );
    let mut stream = counter.connect(head.as_bytes());
    let mut answer = [0; GO_ON.len()];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer, GO_ON);
    stream
}

#[test]
fn four_requests_of_a_business_run_at_a_time() {
    let counter = Counter::open();
    let mut held: Vec<_> = (0..4).map(|_| hold(&counter)).collect();
    let message = "Hit rate limit of 4 parallel requests for businessId 1";
    let refused = counter.get(CHAT);
    refused.refused(420, message);
    // A refusal costs nothing, so two in a row leave the same.
    let again = counter.get(CHAT);
    again.refused(420, message);
    assert_eq!(remaining(&again), remaining(&refused));
    // Neither campaigns nor other businesses are held up.
    counter.get("/v2/campaigns/1").succeeded();
    let other = counter.anonymous(Method::GET, "/v2/businesses/2/chat?chatId=5");
    Answer::of(other.header("Api-Key", &counter.keys.other)).succeeded();

    let mut first = held.remove(0);
    first.write_all(b"{}").expect("sent");
    let mut answer = [0; 12];
    first.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200");
    counter.get(CHAT).succeeded();
}

#[test]
fn four_requests_of_a_campaign_run_at_a_time() {
    let counter = Counter::with(|settings| settings.limits.parallel = Limit::At(0));
    let message = "Hit rate limit of 0 parallel requests for campaignId 1";
    counter.get("/v2/campaigns/1").refused(420, message);
    counter
        .get("/v2/campaigns")
        .refused(420, "Hit rate limit of 0 parallel requests for businessId 1");
}
