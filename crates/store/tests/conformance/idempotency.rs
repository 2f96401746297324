//! Requests under an idempotency key: done once within 24 hours, answered again after that, and
//! remembered only if they were done.

use prilavok_domain::rules::RuleViolation;
use prilavok_domain::{ChatStatus, CredentialKind, CredentialName, EventTypes, ScopeSet, Sender, Timestamp};
use prilavok_store::{
    Applied, ChatChange, Conflict, Idempotency, NewCredential, NewSubscription, Refusal, SecretHash, Store,
    SubscriptionName, Surface,
};

use crate::places::on_every_populated_store;
use crate::population::*;

const DAY: i64 = 24 * HOUR;

fn once(key: &str, fingerprint: u8) -> Option<Idempotency> {
    Some(Idempotency {
        surface: Surface::Operator,
        key: key.to_owned(),
        fingerprint: [fingerprint; 32],
    })
}

fn value<T>(applied: prilavok_store::Result<Applied<T>>, replayed: bool) -> T {
    let applied = applied.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(applied.replayed, replayed);
    applied.value
}

async fn count_events(store: &dyn Store) -> usize {
    all_events(store).await.len()
}

#[test]
fn a_repeated_request_about_chats_is_answered_and_not_done_again() {
    on_every_populated_store(async |store| {
        let mut chats = Vec::new();
        for replayed in [false, true, true] {
            let started = store
                .start_chat(shop(), order(100), once("start", 1), at(0))
                .await;
            let started = value(started, replayed);
            assert_eq!(started.created, !replayed);
            chats.push(started.chat);
        }
        assert!(chats.iter().all(|chat| chat == &chats[0]));
        let chat = chats[0].id;
        let mut messages = Vec::new();
        for (now, replayed) in [(1, false), (2, true), (DAY, true)] {
            let said = customer_says("once");
            let written = store
                .append_message(shop(), chat, said, once("write", 2), at(now))
                .await;
            messages.push(value(written, replayed));
        }
        assert!(messages.iter().all(|message| message == &messages[0]));
        assert_eq!(all_messages(store, chat).await, messages[..1]);
        let mut disputes = Vec::new();
        for replayed in [false, true] {
            let dispute = store
                .start_arbitration(shop(), chat, once("dispute", 3), at(3))
                .await;
            disputes.push(value(dispute, replayed));
        }
        assert_eq!(disputes[0], disputes[1]);
        assert_eq!(count_events(store).await, 3, "each was told once");
    });
}

#[test]
fn a_repeated_change_answers_the_chat_as_it_is_by_then() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        let finish = async || {
            let what = ChatChange::Finish;
            store
                .change_chat(shop(), chat, what, once("finish", 1), at(1))
                .await
        };
        assert_eq!(value(finish().await, false).status, ChatStatus::Finished);
        write(store, chat, customer_says("wait"), at(2)).await;
        assert_eq!(value(finish().await, true).status, ChatStatus::WaitingForPartner);
        assert_eq!(read_chat(store, chat).await.status, ChatStatus::WaitingForPartner);
    });
}

#[test]
fn a_repeated_creation_of_a_key_or_a_subscription_answers_the_first_one() {
    on_every_populated_store(async |store| {
        let key = |hash| NewCredential {
            business: shop(),
            kind: CredentialKind::ApiKey,
            name: CredentialName::new("key").expect("a name"),
            scopes: ScopeSet::ANY,
            campaigns: Vec::new(),
            hash: SecretHash([hash; 32]),
            expires_at: None,
        };
        let first = store.create_credential(key(1), once("key", 1), at(0)).await;
        // The secret is drawn anew for each request: only the first one's is kept.
        let second = store.create_credential(key(2), once("key", 1), at(1)).await;
        assert_eq!(value(first, false), value(second, true));
        let by_second = store.credential_by_hash(CredentialKind::ApiKey, SecretHash([2; 32]));
        assert_eq!(by_second.await.expect("a read"), None);
        let subscription = NewSubscription {
            business: shop(),
            name: SubscriptionName::new("crm").expect("a name"),
            url: "https://crm.example/hook".to_owned(),
            types: EventTypes::ALL,
        };
        let create = async |now: Timestamp| {
            let new = subscription.clone();
            store.create_subscription(new, once("hook", 2), now).await
        };
        let first = value(create(at(0)).await, false);
        assert_eq!(value(create(at(1)).await, true), first);
        assert_eq!(store.subscriptions(shop()).await.expect("a list"), [first]);
    });
}

#[test]
fn a_key_that_was_used_for_another_request_is_refused() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        let say = async |text, fingerprint| {
            let once = once("key", fingerprint);
            store
                .append_message(shop(), chat, customer_says(text), once, at(1))
                .await
        };
        value(say("one", 1).await, false);
        let reused = Refusal::Conflict(Conflict::IdempotencyKeyReused);
        assert_eq!(refusal(say("two", 2).await), reused);
        // Whatever the operation: the key is the business's.
        let finish = store.change_chat(shop(), chat, ChatChange::Finish, once("key", 3), at(1));
        assert_eq!(refusal(finish.await), reused);
        assert_eq!(all_messages(store, chat).await.len(), 1);
        value(say("one", 1).await, true);
    });
}

#[test]
fn the_same_key_elsewhere_is_another_key() {
    on_every_populated_store(async |store| {
        let start = async |business, surface, fingerprint| {
            let once = Idempotency {
                surface,
                key: "key".to_owned(),
                fingerprint: [fingerprint; 32],
            };
            store.start_chat(business, order(100), Some(once), at(0)).await
        };
        let first = value(start(shop(), Surface::Operator, 1).await, false);
        let theirs = value(start(other(), Surface::Operator, 2).await, false);
        assert_ne!(first.chat.id, theirs.chat.id);
        let by_partner = value(start(shop(), Surface::Partner, 3).await, false);
        assert_eq!(by_partner.chat.id, first.chat.id);
        let upper_case = store.start_chat(shop(), order(101), once("KEY", 4), at(0)).await;
        assert!(value(upper_case, false).created);
    });
}

#[test]
fn a_key_is_remembered_for_24_hours() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        let say = async |fingerprint, now| {
            let said = customer_says("hello");
            store
                .append_message(shop(), chat, said, once("key", fingerprint), at(now))
                .await
        };
        let first = value(say(1, 0).await, false);
        assert_eq!(value(say(1, DAY - 1).await, true), first);
        // A day later the key is free, for another request as well, and remembered anew.
        let second = value(say(2, DAY).await, false);
        assert_ne!(second.id, first.id);
        assert_eq!(value(say(2, DAY + 1).await, true), second);
        assert_eq!(
            refusal(say(1, DAY + 1).await),
            Refusal::Conflict(Conflict::IdempotencyKeyReused)
        );
        assert_eq!(value(say(2, 2 * DAY - 1).await, true), second);
    });
}

#[test]
fn what_was_refused_is_not_remembered() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        change(store, chat, ChatChange::Finish).await;
        let answer = async || {
            let said = says(Sender::Partner, "sorry");
            store
                .append_message(shop(), chat, said, once("answer", 1), at(1))
                .await
        };
        let sender = Sender::Partner;
        let finished = Refusal::Rule(RuleViolation::ChatFinished { sender });
        assert_eq!(refusal(answer().await), finished);
        assert_eq!(refusal(answer().await), finished);
        write(store, chat, customer_says("hello?"), at(2)).await;
        value(answer().await, false);
        value(answer().await, true);
        // The key of a refused request is free for any other.
        refusal(
            store
                .start_chat(shop(), order(999), once("start", 1), at(3))
                .await,
        );
        let started = store
            .start_chat(shop(), order(101), once("start", 2), at(3))
            .await;
        value(started, false);
    });
}

#[test]
fn old_keys_are_forgotten_and_young_ones_stay() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        let say = async |key, now| {
            let said = customer_says("hello");
            store
                .append_message(shop(), chat, said, once(key, 1), at(now))
                .await
        };
        value(say("old", 0).await, false);
        value(say("old too", 1).await, false);
        value(say("young", 2).await, false);
        let forget = async |now| store.forget_idempotency(at(now)).await.expect("a sweep");
        assert_eq!(forget(DAY - 1).await, 0);
        assert_eq!(forget(DAY + 1).await, 2);
        assert_eq!(forget(DAY + 1).await, 0);
        // By a clock that still shows the first day, the sweep is what made the difference.
        value(say("young", 3).await, true);
        value(say("old", 3).await, false);
    });
}

#[test]
fn of_the_same_request_sent_at_once_many_times_one_is_done() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        let sent =
            (0..20).map(|_| store.append_message(shop(), chat, customer_says("once"), once("key", 1), at(1)));
        let answers = futures_util::future::join_all(sent).await;
        let mut done = 0;
        let mut messages = Vec::new();
        for answer in answers {
            let answer = answer.expect("an answer");
            done += usize::from(!answer.replayed);
            messages.push(answer.value);
        }
        assert_eq!(done, 1);
        assert!(messages.iter().all(|message| message == &messages[0]));
        assert_eq!(all_messages(store, chat).await, messages[..1]);
    });
}
