//! What waits for a subscription, what follows from each try, and what is sent again on demand.

use prilavok_domain::event::{DisabledBy, Outcome};
use prilavok_domain::rules::NotificationType;
use prilavok_domain::{Event, EventTypes, SubscriptionId};
use prilavok_store::{
    Again, AttemptFilter, Conflict, Entity, LoggedAttempt, NewSubscription, Refusal, Settled, Store,
    Subscription, Switch, Try, Waiting,
};

use crate::places::on_every_populated_store;
use crate::population::*;

/// A subscription to some of what happens.
fn of_types(types: EventTypes) -> NewSubscription {
    NewSubscription {
        types,
        ..a_subscription("crm")
    }
}

/// A chat with so many messages a second apart, of which the first comes with the chat: so many events and one.
pub(crate) async fn happenings(store: &dyn Store, messages: i64) -> Vec<Event> {
    let chat = start(store, shop(), order(100), at(0)).await.chat.id;
    for number in 1..=messages {
        write(store, chat, customer_says("?"), at(number * 1_000)).await;
    }
    store.events(Some(shop()), 0, 10_000).await.expect("events")
}

pub(crate) async fn waiting(store: &dyn Store, id: SubscriptionId, limit: usize) -> Waiting {
    let waiting = store.waiting(shop(), id, 0, limit).await;
    waiting.expect("what waits")
}

pub(crate) async fn log(store: &dyn Store, filter: AttemptFilter) -> Vec<LoggedAttempt> {
    let page = store.attempts(shop(), filter, None, 10_000).await;
    page.expect("the log").items
}

async fn settle(store: &dyn Store, id: SubscriptionId, tries: Vec<Try>) {
    store.settle(shop(), id, tries).await.expect("settled");
}

async fn now(store: &dyn Store, id: SubscriptionId) -> Subscription {
    let found = store.subscription(shop(), id).await.expect("a read");
    found.expect("the subscription")
}

fn events_of(waiting: &Waiting) -> Vec<Event> {
    waiting.deliveries.iter().map(|one| one.event).collect()
}

#[test]
fn events_wait_in_their_order_until_they_are_settled() {
    on_every_populated_store(async |store| {
        let crm = subscribed(store, a_subscription("crm")).await.id;
        let events = happenings(store, 3).await;
        let all = waiting(store, crm, 10).await;
        assert_eq!(events_of(&all), events);
        assert_eq!((all.seen, all.more), (events[3].id.get(), false));
        let two = waiting(store, crm, 2).await;
        assert_eq!(events_of(&two), events[..2]);
        assert!(two.more);
        // Whoever has seen some need not be shown them again.
        let rest = store
            .waiting(shop(), crm, two.seen, 10)
            .await
            .expect("what waits");
        assert_eq!(events_of(&rest), events[2..]);

        let done = two
            .deliveries
            .iter()
            .zip([Settled::Delivered, Settled::Refused])
            .map(|(delivery, settled)| tried(*delivery, at(9), settled));
        settle(store, crm, done.collect()).await;
        assert_eq!(events_of(&waiting(store, crm, 10).await), events[2..]);
    });
}

#[test]
fn only_its_types_wait_and_the_rest_is_skipped() {
    on_every_populated_store(async |store| {
        let types = EventTypes::from_iter([NotificationType::ChatCreated]);
        let crm = subscribed(store, of_types(types)).await.id;
        let events = happenings(store, 5).await;
        let first = waiting(store, crm, 10).await;
        assert_eq!(events_of(&first), events[..1]);
        assert_eq!(first.seen, events[5].id.get(), "those after it were looked at");
        store
            .skip_events(shop(), crm, events[3].id.get())
            .await
            .expect("skipped");
        let rest = waiting(store, crm, 10).await;
        assert_eq!((events_of(&rest), rest.seen), (vec![], events[5].id.get()));
        // A skip never goes back.
        store.skip_events(shop(), crm, 1).await.expect("skipped");
        assert_eq!(events_of(&waiting(store, crm, 10).await), []);
    });
}

#[test]
fn a_failure_is_remembered_until_something_goes_well() {
    on_every_populated_store(async |store| {
        let crm = subscribed(store, a_subscription("crm")).await.id;
        happenings(store, 2).await;
        let [first, second, third] = waiting(store, crm, 10).await.deliveries[..] else {
            panic!("three wait")
        };
        let again = |minute: i64| Settled::TryAgain(at(minute * 60_000));
        settle(store, crm, vec![tried(first, at(5), again(1))]).await;
        let failing = now(store, crm).await;
        assert_eq!(
            (failing.failing_since, failing.next_try_at),
            (Some(at(5)), Some(at(60_000)))
        );
        settle(store, crm, vec![tried(first, at(60_000), again(2))]).await;
        let failing = now(store, crm).await;
        assert_eq!(
            (failing.failing_since, failing.next_try_at),
            (Some(at(5)), Some(at(120_000))),
            "it fails since the first failure"
        );
        // One goes well and the next one fails: failing begins anew.
        let tries = vec![
            tried(first, at(120_000), Settled::Delivered),
            tried(second, at(120_001), again(3)),
        ];
        settle(store, crm, tries).await;
        let failing = now(store, crm).await;
        assert_eq!(
            (failing.failing_since, failing.next_try_at),
            (Some(at(120_001)), Some(at(180_000)))
        );
        let tries = vec![
            tried(second, at(180_000), Settled::Delivered),
            tried(third, at(180_001), Settled::Refused),
        ];
        settle(store, crm, tries).await;
        let well = now(store, crm).await;
        assert_eq!((well.failing_since, well.next_try_at), (None, None));
        let outcomes: Vec<_> = log(store, AttemptFilter::default())
            .await
            .iter()
            .map(|line| line.outcome)
            .collect();
        use Outcome::{Delivered, Failed, Refused};
        assert_eq!(
            outcomes,
            [Refused, Delivered, Failed, Delivered, Failed, Failed],
            "newest first"
        );
    });
}

#[test]
fn giving_up_disables_and_cancels() {
    on_every_populated_store(async |store| {
        let crm = subscribed(store, a_subscription("crm")).await.id;
        let events = happenings(store, 2).await;
        let again = store
            .send_again(shop(), crm, Again::Event(events[0].id), at(1))
            .await;
        assert_eq!(again.expect("queued"), 1);
        assert_eq!(store.given_up_subscriptions().await.expect("a count"), 0);
        let first = waiting(store, crm, 1).await.deliveries[0];
        settle(store, crm, vec![tried(first, at(9), Settled::GivenUp)]).await;
        let disabled = now(store, crm).await;
        assert_eq!(
            (disabled.disabled, disabled.next_try_at),
            (Some(DisabledBy::Failures), None)
        );
        assert_eq!(store.given_up_subscriptions().await.expect("a count"), 1);
        assert_eq!(events_of(&waiting(store, crm, 10).await), []);
        store
            .switch_subscription(shop(), crm, Switch::On)
            .await
            .expect("enabled");
        assert_eq!(events_of(&waiting(store, crm, 10).await), [], "it was cancelled");
        assert_eq!(store.given_up_subscriptions().await.expect("a count"), 0);
        // Who was switched off by hand meanwhile stays so.
        let off = Switch::Off(DisabledBy::Hand);
        store
            .switch_subscription(shop(), crm, off)
            .await
            .expect("disabled");
        settle(store, crm, vec![tried(first, at(9), Settled::GivenUp)]).await;
        assert_eq!(now(store, crm).await.disabled, Some(DisabledBy::Hand));
        settle(
            store,
            crm,
            vec![tried(first, at(9), Settled::TryAgain(at(60_000)))],
        )
        .await;
        assert_eq!(now(store, crm).await.next_try_at, None);
    });
}

#[test]
fn what_is_asked_for_again_goes_first_and_moves_nothing_else() {
    on_every_populated_store(async |store| {
        let crm = subscribed(store, a_subscription("crm")).await.id;
        let events = happenings(store, 4).await;
        let two = waiting(store, crm, 2).await.deliveries;
        let done = two.iter().map(|one| tried(*one, at(9), Settled::Delivered));
        settle(store, crm, done.collect()).await;
        let between = Again::Between(at(1_000), at(3_000));
        let queued = store.send_again(shop(), crm, between, at(9)).await;
        assert_eq!(queued.expect("queued"), 2, "the first included, the second not");
        let again = waiting(store, crm, 10).await;
        assert_eq!(events_of(&again), events[1..3]);
        assert!(again.deliveries.iter().all(|one| one.again.is_some()) && again.more);
        let done = again
            .deliveries
            .iter()
            .map(|one| tried(*one, at(10), Settled::Delivered));
        settle(store, crm, done.collect()).await;
        let rest = waiting(store, crm, 10).await;
        assert_eq!(events_of(&rest), events[2..], "those in turn wait as before");
        assert!(rest.deliveries.iter().all(|one| one.again.is_none()));
    });
}

#[test]
fn what_cannot_be_sent_again_is_refused() {
    on_every_populated_store(async |store| {
        let types = EventTypes::from_iter([NotificationType::ChatArbitrageStarted]);
        let crm = subscribed(store, of_types(types)).await.id;
        let events = happenings(store, 1).await;
        let again = |what| store.send_again(shop(), crm, what, at(1));
        assert_eq!(again(Again::Event(events[0].id)).await.expect("none"), 0);
        let nothing = id(1);
        assert_eq!(
            refusal(again(Again::Event(nothing)).await),
            Refusal::NotFound(Entity::Event(nothing))
        );
        let foreign = store
            .send_again(other(), crm, Again::Event(events[0].id), at(1))
            .await;
        assert_eq!(refusal(foreign), Refusal::NotFound(Entity::Subscription(crm)));
        let off = Switch::Off(DisabledBy::Hand);
        store
            .switch_subscription(shop(), crm, off)
            .await
            .expect("disabled");
        assert_eq!(
            refusal(again(Again::Event(events[0].id)).await),
            Refusal::Conflict(Conflict::SubscriptionDisabled)
        );
    });
}
