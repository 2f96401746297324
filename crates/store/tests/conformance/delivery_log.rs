//! The delivery log: filtered, paged, and forgotten together with events that nobody waits for.

use prilavok_domain::event::{DisabledBy, Outcome};
use prilavok_store::{Again, AttemptFilter, ForgetBefore, Settled, Store, Switch};

use crate::deliveries::{happenings, log, waiting};
use crate::places::on_every_populated_store;
use crate::population::*;

#[test]
fn the_log_is_filtered_by_each_of_its_fields() {
    on_every_populated_store(async |store| {
        let crm = subscribed(store, a_subscription("crm")).await.id;
        happenings(store, 3).await;
        let four = waiting(store, crm, 10).await.deliveries;
        let settled = [
            Settled::Delivered,
            Settled::Refused,
            Settled::Delivered,
            Settled::TryAgain(at(60_000)),
        ];
        let tries = four
            .iter()
            .zip(settled)
            .zip(0..)
            .map(|((one, settled), second)| tried(*one, at(second * 1_000), settled));
        store.settle(shop(), crm, tries.collect()).await.expect("settled");
        let all = log(store, AttemptFilter::default()).await;
        assert_eq!(all.len(), 4);
        assert!(all.windows(2).all(|two| two[0].id > two[1].id), "newest first");
        assert_eq!(all[3].attempt, attempt(at(0)));
        assert_eq!((all[3].event, all[3].subscription), (four[0].event, crm));
        let none = AttemptFilter::default();
        for (filter, expected) in [
            (
                AttemptFilter {
                    subscription: Some(crm),
                    ..none
                },
                &all[..],
            ),
            (
                AttemptFilter {
                    subscription: Some(id(1)),
                    ..none
                },
                &[][..],
            ),
            (
                AttemptFilter {
                    outcome: Some(Outcome::Failed),
                    ..none
                },
                &all[..1],
            ),
            (
                AttemptFilter {
                    outcome: Some(Outcome::Refused),
                    ..none
                },
                &all[2..3],
            ),
            (
                AttemptFilter {
                    outcome: Some(Outcome::GivenUp),
                    ..none
                },
                &[][..],
            ),
            (
                AttemptFilter {
                    event: Some(four[1].event.id),
                    ..none
                },
                &all[2..3],
            ),
            (
                AttemptFilter {
                    from: Some(at(2_000)),
                    ..none
                },
                &all[..2],
            ),
            (
                AttemptFilter {
                    until: Some(at(2_000)),
                    ..none
                },
                &all[2..],
            ),
            (
                AttemptFilter {
                    outcome: Some(Outcome::Delivered),
                    from: Some(at(1)),
                    subscription: Some(crm),
                    ..none
                },
                &all[1..2],
            ),
        ] {
            assert_eq!(log(store, filter).await, expected, "{filter:?}");
        }
        let page = store.attempts(shop(), none, None, 3).await.expect("a page");
        assert_eq!((&page.items[..], page.more), (&all[..3], true));
        let rest = store
            .attempts(shop(), none, Some(all[2].id), 3)
            .await
            .expect("a page");
        assert_eq!((&rest.items[..], rest.more), (&all[3..], false));
        assert_eq!(
            store.attempt(shop(), all[1].id).await.expect("a read").as_ref(),
            Some(&all[1])
        );
        // Another business has neither the line nor the log.
        assert_eq!(store.attempt(other(), all[1].id).await.expect("a read"), None);
        let foreign = store.attempts(other(), none, None, 3).await.expect("a page");
        assert_eq!(foreign.items, []);
    });
}

async fn forget(store: &dyn Store, millis: i64) -> u64 {
    let before = ForgetBefore {
        attempts: at(millis),
        events: at(millis),
    };
    let forgotten = store.forget_notifications(shop(), before).await;
    forgotten.expect("forgotten")
}

#[test]
fn what_is_old_is_forgotten_unless_somebody_waits_for_it() {
    on_every_populated_store(async |store| {
        let crm = subscribed(store, a_subscription("crm")).await.id;
        let events = happenings(store, 3).await;
        let two = waiting(store, crm, 2).await.deliveries;
        let done = two.iter().map(|one| tried(*one, at(5_000), Settled::Delivered));
        store.settle(shop(), crm, done.collect()).await.expect("settled");
        assert_eq!(forget(store, 0).await, 0, "nothing is that old");
        assert_eq!(
            forget(store, 5_000).await,
            2,
            "two events, and no line of the log"
        );
        assert_eq!(
            store.events(Some(shop()), 0, 10).await.expect("events"),
            events[2..],
            "those wait still"
        );
        assert_eq!(forget(store, 5_001).await, 2, "the two lines");
        assert_eq!(log(store, AttemptFilter::default()).await, []);
        // What was asked for again is kept, though it was delivered, and so is what came after it.
        let rest = waiting(store, crm, 10).await.deliveries;
        let done = rest.iter().map(|one| tried(*one, at(6_000), Settled::Delivered));
        store.settle(shop(), crm, done.collect()).await.expect("settled");
        let again = store
            .send_again(shop(), crm, Again::Event(events[2].id), at(7_000))
            .await;
        assert_eq!(again.expect("queued"), 1);
        assert_eq!(forget(store, 5_500).await, 0);
        assert_eq!(
            store.events(Some(shop()), 0, 10).await.expect("events"),
            events[2..]
        );
        // Nobody waits for anything once the subscription is off.
        let off = Switch::Off(DisabledBy::Hand);
        store
            .switch_subscription(shop(), crm, off)
            .await
            .expect("disabled");
        assert_eq!(forget(store, 5_500).await, 2);
        assert_eq!(store.events(Some(shop()), 0, 10).await.expect("events"), []);
    });
}

#[test]
fn what_is_kept_has_no_gaps_though_the_clock_stepped_back() {
    on_every_populated_store(async |store| {
        start(store, shop(), order(100), at(0)).await;
        start(store, shop(), order(101), at(2 * HOUR)).await;
        // By the clock set back these are older than the one before them.
        start(store, shop(), order(102), at(HOUR)).await;
        assert_eq!(forget(store, HOUR + 1).await, 1, "the first one alone");
        assert_eq!(store.events(Some(shop()), 0, 10).await.expect("events").len(), 2);
        assert_eq!(forget(store, 2 * HOUR + 1).await, 2);
    });
}

#[test]
fn forgetting_goes_on_until_all_is_forgotten_and_spares_other_businesses() {
    on_every_populated_store(async |store| {
        happenings(store, 1_500).await;
        start(store, other(), order(100), at(0)).await;
        let mut steps = Vec::new();
        loop {
            match forget(store, 10_000_000).await {
                0 => break,
                forgotten => steps.push(forgotten),
            }
        }
        assert_eq!(steps.iter().sum::<u64>(), 1_501);
        assert!(steps.len() > 1, "it was done at once: {steps:?}");
        assert_eq!(store.events(Some(other()), 0, 10).await.expect("events").len(), 1);
    });
}

#[test]
fn an_event_of_a_clock_that_was_far_ahead_keeps_those_of_no_other_business() {
    on_every_populated_store(async |store| {
        start(store, other(), order(100), at(10_000 * HOUR)).await;
        assert_eq!(happenings(store, 2).await.len(), 3);
        assert_eq!(forget(store, HOUR).await, 3);
        assert_eq!(store.events(Some(other()), 0, 10).await.expect("events").len(), 1);
    });
}
