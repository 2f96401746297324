//! Subscriptions to notifications: added, changed, switched and removed. What is delivered to them is
//! not asked here.

use prilavok_domain::EventTypes;
use prilavok_domain::event::DisabledBy;
use prilavok_domain::rules::NotificationType;
use prilavok_store::{
    Conflict, Entity, NewSubscription, Refusal, Store, Subscription, SubscriptionChange, SubscriptionName,
    Switch,
};

use crate::places::on_every_populated_store;
use crate::population::*;

fn called(text: &str) -> SubscriptionName {
    SubscriptionName::new(text).expect("a name")
}

async fn create(store: &dyn Store, new: NewSubscription) -> Subscription {
    let created = store
        .create_subscription(new, None, at(3))
        .await
        .expect("a subscription");
    assert!(!created.replayed);
    created.value
}

async fn switch(store: &dyn Store, it: &Subscription, switch: Switch) -> Subscription {
    let switched = store.switch_subscription(it.business, it.id, switch).await;
    switched.expect("a switched subscription")
}

async fn read(store: &dyn Store, it: &Subscription) -> Option<Subscription> {
    store.subscription(it.business, it.id).await.expect("a read")
}

#[test]
fn a_new_subscription_is_kept_and_not_enabled() {
    on_every_populated_store(async |store| {
        let few = EventTypes::from_iter([NotificationType::ChatCreated]);
        for (name, types) in [("all", EventTypes::ALL), ("few", few)] {
            let new = NewSubscription {
                types,
                ..a_subscription(name)
            };
            let made = create(store, new.clone()).await;
            let expected = Subscription {
                business: shop(),
                id: made.id,
                name: new.name,
                url: new.url,
                types,
                disabled: Some(DisabledBy::Hand),
                secret_generation: 1,
                previous_secret_until: None,
                created_at: at(3),
                failing_since: None,
                next_try_at: None,
            };
            assert_eq!(made, expected);
            assert_eq!(read(store, &made).await, Some(expected));
        }
        assert_eq!(store.enabled_subscriptions().await.expect("a list"), []);
    });
}

#[test]
fn subscriptions_are_listed_by_business_and_enabled_ones_for_all() {
    on_every_populated_store(async |store| {
        let first = create(store, a_subscription("first")).await;
        let second = create(store, a_subscription("second")).await;
        let theirs = NewSubscription {
            business: other(),
            ..a_subscription("first")
        };
        let theirs = create(store, theirs).await;
        let listed = async |business| store.subscriptions(business).await.expect("a list");
        assert_eq!(listed(shop()).await, [first.clone(), second.clone()]);
        assert_eq!(listed(other()).await, std::slice::from_ref(&theirs));
        let mut on = vec![
            switch(store, &second, Switch::On).await,
            switch(store, &theirs, Switch::On).await,
        ];
        let mut enabled = store.enabled_subscriptions().await.expect("a list");
        enabled.sort_by_key(|it| it.id);
        on.sort_by_key(|it| it.id);
        assert_eq!(enabled, on);
    });
}

#[test]
fn a_name_belongs_to_one_subscription_of_a_business() {
    on_every_populated_store(async |store| {
        let first = create(store, a_subscription("first")).await;
        let second = create(store, a_subscription("second")).await;
        let taken = Refusal::Conflict(Conflict::NameTaken);
        let again = store
            .create_subscription(a_subscription("first"), None, at(4))
            .await;
        assert_eq!(refusal(again), taken);
        let rename = async |name| {
            let change = SubscriptionChange {
                name: Some(called(name)),
                ..SubscriptionChange::default()
            };
            store.change_subscription(shop(), second.id, change).await
        };
        assert_eq!(refusal(rename("first").await), taken);
        rename("second").await.expect("its own name");
        store
            .delete_subscription(shop(), first.id)
            .await
            .expect("a removal");
        rename("first").await.expect("a free name");
    });
}

#[test]
fn a_change_touches_what_it_names_and_nothing_else() {
    on_every_populated_store(async |store| {
        let made = create(store, a_subscription("crm")).await;
        let before = switch(store, &made, Switch::On).await;
        let types = EventTypes::from_iter([NotificationType::ChatMessageSent]);
        let url = "https://new.example/".to_owned();
        let change = SubscriptionChange {
            url: Some(url.clone()),
            types: Some(types),
            ..SubscriptionChange::default()
        };
        let changed = store.change_subscription(shop(), made.id, change).await;
        let expected = Subscription { url, types, ..before };
        assert_eq!(changed.expect("a change"), expected);
        assert_eq!(read(store, &made).await, Some(expected.clone()));
        let nothing = SubscriptionChange::default();
        let changed = store.change_subscription(shop(), made.id, nothing).await;
        assert_eq!(changed.expect("no change"), expected);
    });
}

#[test]
fn switching_says_who_did_it_and_a_new_secret_keeps_the_old_one_for_a_while() {
    on_every_populated_store(async |store| {
        let made = create(store, a_subscription("crm")).await;
        for (to, disabled) in [
            (Switch::On, None),
            (Switch::On, None),
            (Switch::Off(DisabledBy::Failures), Some(DisabledBy::Failures)),
            (Switch::On, None),
            (Switch::Off(DisabledBy::Hand), Some(DisabledBy::Hand)),
        ] {
            let expected = Subscription {
                disabled,
                ..made.clone()
            };
            assert_eq!(switch(store, &made, to).await, expected, "{to:?}");
        }
        for (generation, until) in [(2, at(HOUR)), (3, at(2 * HOUR))] {
            let to = Switch::NewSecret {
                previous_until: until,
            };
            let expected = Subscription {
                secret_generation: generation,
                previous_secret_until: Some(until),
                ..made.clone()
            };
            assert_eq!(switch(store, &made, to).await, expected);
            assert_eq!(read(store, &made).await, Some(expected));
        }
    });
}

#[test]
fn a_subscription_that_is_not_there_is_named() {
    on_every_populated_store(async |store| {
        let made = create(store, a_subscription("crm")).await;
        let gone = create(store, a_subscription("gone")).await;
        store
            .delete_subscription(shop(), gone.id)
            .await
            .expect("a removal");
        assert_eq!(read(store, &gone).await, None);
        for (business, number) in [(shop(), gone.id), (other(), made.id)] {
            let expected = Refusal::NotFound(Entity::Subscription(number));
            let change = SubscriptionChange::default();
            let changed = store.change_subscription(business, number, change).await;
            assert_eq!(refusal(changed), expected);
            let switched = store.switch_subscription(business, number, Switch::On).await;
            assert_eq!(refusal(switched), expected);
            let deleted = store.delete_subscription(business, number).await;
            assert_eq!(refusal(deleted), expected);
        }
        assert_eq!(read(store, &made).await, Some(made));
        let nowhere = NewSubscription {
            business: id(9),
            ..a_subscription("crm")
        };
        let created = store.create_subscription(nowhere, None, at(0)).await;
        assert_eq!(refusal(created), Refusal::NotFound(Entity::Business(id(9))));
    });
}

#[test]
fn every_change_of_a_subscription_moves_the_version() {
    on_every_populated_store(async |store| {
        let mut seen = store.subscriptions_version().await.expect("a number");
        let mut moved = async || {
            let before = seen;
            seen = store.subscriptions_version().await.expect("a number");
            seen != before
        };
        let made = create(store, a_subscription("crm")).await;
        assert!(moved().await, "added");
        let change = SubscriptionChange {
            url: Some("https://new.example/".to_owned()),
            ..SubscriptionChange::default()
        };
        let changed = store.change_subscription(shop(), made.id, change).await;
        changed.expect("a change");
        assert!(moved().await, "changed");
        switch(store, &made, Switch::On).await;
        assert!(moved().await, "switched");
        new_chat(store, order(100)).await;
        refusal(
            store
                .create_subscription(a_subscription("crm"), None, at(4))
                .await,
        );
        assert!(!moved().await, "something else happened");
        store
            .delete_subscription(shop(), made.id)
            .await
            .expect("a removal");
        assert!(moved().await, "removed");
    });
}
