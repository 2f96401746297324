//! The calls of an hour, and waiting for the next one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use prilavok_client::{ClientBuilder, Error};
use prilavok_domain::{Clock, ManualClock, Timestamp};
use prilavok_server::limits::Limit;
use prilavok_wire::Operation;
use prilavok_wire::time::http_date;

use crate::between::Between;
use crate::{PATIENCE, Sandbox, id};

const HOUR_MS: i64 = 3_600_000;

/// A server that takes one getChat an hour, and answers that say that the hour ends in a second.
async fn one_call_an_hour() -> (Sandbox, Between, ManualClock) {
    // 2024-01-09T14:05:00Z.
    let clock = ManualClock::new(Timestamp::from_millis(1_704_809_100_000).expect("in range"));
    let limit = |settings: &mut prilavok_server::settings::Settings| {
        settings.limits.hourly.insert(Operation::GetChat, Limit::At(1));
    };
    let sandbox = Sandbox::with(Arc::new(clock.clone()), limit).await;
    let between = Between::start(&sandbox, &[]).await;
    let hour_end = clock.now().hour_start().plus_millis(HOUR_MS);
    between.say_that_it_is(http_date(hour_end.plus_millis(-1_000)));
    (sandbox, between, clock)
}

fn waiting(client: ClientBuilder, at_most: Duration) -> prilavok_client::Business {
    client
        .wait_for_limits(at_most)
        .build()
        .expect("a client")
        .business(id(1))
}

#[tokio::test]
async fn the_refusal_is_the_error_unless_it_is_waited_for() {
    let (sandbox, between, _clock) = one_call_an_hour().await;
    let shop = between
        .client(&sandbox)
        .build()
        .expect("a client")
        .business(id(1));
    shop.chat(id(1)).await.expect("the first one");
    let error = shop.chat(id(1)).await.expect_err("one too many");
    let api = error.api().expect("an answer");
    assert_eq!(
        (api.status, api.is_used_up(), between.calls()),
        (420, true, 2),
        "{error}"
    );
    assert_eq!((api.limit.limit, api.limit.remaining), (Some(1), Some(0)));
    assert_eq!(api.limit.reset_in, Some(Duration::from_secs(1)));
}

#[tokio::test]
async fn the_next_hour_is_waited_for_without_a_refusal() {
    let (sandbox, between, clock) = one_call_an_hour().await;
    let shop = waiting(between.client(&sandbox), PATIENCE);
    let began = Instant::now();
    shop.chat(id(1)).await.expect("the first one");
    clock.advance(HOUR_MS);
    shop.chat(id(1)).await.expect("the first one of the next hour");
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(between.calls(), 2, "none was refused");
}

#[tokio::test]
async fn after_a_refusal_the_next_hour_is_waited_for_too() {
    let (sandbox, between, clock) = one_call_an_hour().await;
    sandbox
        .shop()
        .chat(id(1))
        .await
        .expect("another client used it up");
    let shop = waiting(between.client(&sandbox), PATIENCE);
    let (found, ()) = tokio::join!(shop.chat(id(1)), async {
        between.called(1).await;
        // It is refused before the hour is over or after; in both cases it comes again.
        clock.advance(HOUR_MS);
    });
    found.expect("a chat");
}

#[tokio::test]
async fn nobody_waits_longer_than_was_agreed() {
    let (sandbox, between, _clock) = one_call_an_hour().await;
    let shop = waiting(between.client(&sandbox), Duration::from_millis(500));
    shop.chat(id(1)).await.expect("the first one");
    let error = shop.chat(id(1)).await.expect_err("one too many");
    assert!(
        matches!(error, Error::UsedUp { operation: "getChat", reset_in } if reset_in > Duration::from_millis(500)),
        "{error}"
    );
    assert_eq!(between.calls(), 1, "it was not even asked");
    shop.history_page(id(1), None, prilavok_client::PageRequest::first(1))
        .await
        .expect("another operation's calls");
}

#[tokio::test]
async fn a_refusal_that_does_not_say_until_when_is_a_failure_like_others() {
    let (sandbox, between, clock) = one_call_an_hour().await;
    sandbox
        .shop()
        .chat(id(1))
        .await
        .expect("another client used it up");
    // By its own clock the hour is over already.
    between.say_that_it_is(http_date(clock.now().plus_millis(HOUR_MS)));
    let shop = waiting(between.client(&sandbox), PATIENCE);
    let error = shop.chat(id(1)).await.expect_err("one too many");
    assert_eq!((error.status(), between.calls()), (Some(420), 4), "{error}");
}
