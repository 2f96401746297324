//! Fourteen days of failures, as the contract's schedule has them, and what comes after.

use prilavok_domain::Clock;
use prilavok_domain::event::{DisabledBy, Outcome};
use prilavok_store::Switch;

use crate::receiver::{Manner, Receiver};
use crate::shop::{MINUTE_MS, Shop};

const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Each minute for an hour, every 15 minutes for a day, hourly for 14 days, and the first try.
const TRIES: usize = 1 + 60 + 23 * 4 + 13 * 24;

#[tokio::test]
async fn after_fourteen_days_the_subscription_is_disabled_and_what_waited_cancelled() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    receiver.always(Manner::Say(503, "closed"));
    let chat = shop.chat(1, 1).await;
    let subscription = shop.subscribe(1, "crm", &receiver.url()).await;
    let running = shop.notify();
    let began = shop.clock.now().as_millis();
    let first = shop.message(1, chat).await;
    for count in 1.. {
        shop.wait_for_log(&subscription, count).await;
        let now = shop.now(&subscription).await;
        let Some(next) = now.next_try_at else { break };
        // In the middle of it all, more happens: it waits behind the first.
        if count == 100 {
            shop.messages(1, chat, 3).await;
        }
        shop.clock
            .advance(next.as_millis() - shop.clock.now().as_millis());
    }
    let log = shop.log(&subscription).await;
    let at: Vec<_> = log
        .iter()
        .map(|line| line.attempt.at.as_millis() - began)
        .collect();
    assert_eq!(log.len(), TRIES);
    let steps: Vec<_> = at.windows(2).map(|two| two[1] - two[0]).collect();
    for (from, until, every) in [
        (0, HOUR_MS, MINUTE_MS),
        (HOUR_MS, DAY_MS, 15 * MINUTE_MS),
        (DAY_MS, 14 * DAY_MS, HOUR_MS),
    ] {
        let within = at
            .iter()
            .zip(&steps)
            .filter(|(at, _)| (from..until).contains(*at));
        assert!(within.clone().count() > 0);
        assert!(within.clone().all(|(_, step)| *step == every), "{from}: {at:?}");
    }
    assert_eq!(at.last(), Some(&(14 * DAY_MS)));
    let told = receiver.messages();
    assert!(
        told.iter().all(|message| *message == first),
        "later ones went first"
    );
    let (last, before) = log.split_last().expect("there are lines");
    assert_eq!(last.outcome, Outcome::GivenUp);
    assert!(before.iter().all(|line| line.outcome == Outcome::Failed));

    let disabled = shop.now(&subscription).await;
    assert_eq!(disabled.disabled, Some(DisabledBy::Failures));
    running.notifier.refresh().await.expect("refreshed");
    assert_eq!(running.notifier.given_up(), 1);
    assert_eq!(running.notifier.oldest_waiting_ms().await, 0);

    receiver.always(Manner::Accept);
    shop.messages(1, chat, 2).await;
    shop.switch(&subscription, Switch::On).await;
    running.notifier.refresh().await.expect("refreshed");
    let fresh = shop.message(1, chat).await;
    receiver.wait_for(TRIES + 1).await;
    assert_eq!(receiver.messages()[TRIES..], [fresh], "what waited was cancelled");
    assert_eq!(running.notifier.given_up(), 0);
}

#[tokio::test]
async fn the_age_of_what_waits_is_known() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    receiver.next(Manner::Say(500, ""));
    let subscription = shop.subscribe(1, "crm", &receiver.url()).await;
    let running = shop.notify();
    shop.chat(1, 1).await;
    shop.wait_for_log(&subscription, 1).await;
    shop.clock.advance(MINUTE_MS / 2);
    assert_eq!(running.notifier.oldest_waiting_ms().await, MINUTE_MS / 2);
    shop.clock.advance(MINUTE_MS / 2);
    shop.wait_for_log(&subscription, 2).await;
    // The lane looks for more before it says that nothing waits.
    for _ in 0..1_000 {
        if running.notifier.oldest_waiting_ms().await == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    panic!("something waits still");
}
