//! The desk: disputes that wait, verdicts, and the audit trail.

use prilavok_domain::rules::{RuleViolation, WaitFor};
use prilavok_domain::{
    AuditLine, BusinessState, Chat, ChatId, ChatStatus, CredentialId, CredentialKind, CredentialName,
    DecidedFor, Deed, MessageText, ScopeSet, Sender, Verdict,
};
use prilavok_store::{
    Act, Again, Applied, ChatChange, Conflict, DisputeCursor, Entity, Idempotency, NewCredential, Refusal,
    SecretHash, Store, Surface,
};

use crate::places::{on_every_populated_store, on_every_store};
use crate::population::*;

const ARBITER: CredentialId = CredentialId(7);

fn text(text: &str) -> MessageText {
    MessageText::new(text).expect("a text")
}

fn settle(dispute: ChatId, said: &str) -> Act {
    Act::Settle {
        dispute,
        decided_for: DecidedFor::Buyer,
        text: text(said),
    }
}

fn write_to(dispute: ChatId, beside: Option<ChatId>, wait_for: Option<WaitFor>) -> Act {
    Act::Write {
        dispute,
        text: text("a word"),
        wait_for,
        beside,
    }
}

async fn act(store: &dyn Store, act: Act, millis: i64) -> prilavok_store::Result<AuditLine> {
    let done = store.act(shop(), act, ARBITER, None, at(millis)).await?;
    assert!(!done.replayed);
    Ok(done.value)
}

async fn trail(store: &dyn Store, dispute: Option<ChatId>) -> Vec<AuditLine> {
    let of = dispute.map(|dispute| (shop(), dispute));
    let page = store.audit(of, None, 100).await.expect("a page");
    assert!(!page.more);
    page.items
}

#[test]
fn disputes_of_all_businesses_are_listed_the_longest_wait_first() {
    on_every_populated_store(async |store| {
        let mut disputes = Vec::new();
        for (business, number, millis) in [(shop(), 100, 3), (shop(), 101, 1), (other(), 100, 2)] {
            let chat = start(store, business, order(number), at(0)).await.chat.id;
            let started = store.start_arbitration(business, chat, None, at(millis)).await;
            disputes.push(started.expect("an arbitration").value);
        }
        let [late, early, middle] = <[Chat; 3]>::try_from(disputes).expect("three");
        let page = async |after: Option<&Chat>, limit| {
            let after = after.map(|last| DisputeCursor {
                updated_at: last.updated_at,
                business: last.business,
                id: last.id,
            });
            let page = store.disputes(after, limit).await.expect("a page");
            (page.items, page.more)
        };
        let ids = |(items, more): (Vec<Chat>, bool)| (items.iter().map(|it| it.id).collect::<Vec<_>>(), more);
        assert_eq!(
            page(None, 10).await,
            (vec![early.clone(), middle.clone(), late.clone()], false)
        );
        assert_eq!(ids(page(None, 2).await), (vec![early.id, middle.id], true));
        assert_eq!(ids(page(Some(&middle), 2).await), (vec![late.id], false));
        write(store, early.id, customer_says("me again"), at(9)).await;
        assert_eq!(
            ids(page(None, 10).await),
            (vec![middle.id, late.id, early.id], false)
        );
        change(store, late.id, ChatChange::Finish).await;
        assert_eq!(ids(page(None, 10).await), (vec![middle.id, early.id], false));
    });
}

#[test]
fn a_dispute_is_settled_told_and_recorded_at_once() {
    on_every_store(async |mut site| {
        populate(&*site.store).await;
        let store = &*site.store;
        let chat = new_chat(store, order(100)).await.id;
        let dispute = arbitration(store, chat).await.id;
        assert_eq!(store.verdict(shop(), dispute).await.expect("a read"), None);
        let done = act(store, settle(dispute, "money back"), 5)
            .await
            .expect("settled");
        assert_eq!(
            (done.deed, done.chat, &*done.about),
            (Deed::Settled, Some(dispute), "BUYER")
        );
        site.reopen().await;
        let store = &*site.store;
        let verdict = Verdict {
            decided_for: DecidedFor::Buyer,
            text: text("money back"),
            at: at(5),
            by: ARBITER,
        };
        let recorded = store.verdict(shop(), dispute).await.expect("a read");
        assert_eq!(recorded, Some(verdict));
        assert_eq!(store.verdict(other(), dispute).await.expect("a read"), None);
        let told = all_messages(store, dispute).await;
        assert_eq!(
            (told[0].sender, told[0].text.clone()),
            (Sender::Support, Some(text("money back")))
        );
        assert_eq!(read_chat(store, dispute).await.status, ChatStatus::Finished);
        assert_eq!(trail(store, Some(dispute)).await, [done]);
        // Neither what is finished nor what is no dispute can be settled, and nothing is left of a try.
        let again = act(store, settle(dispute, "changed my mind"), 6).await;
        let finished = RuleViolation::ArbitrationFinished {
            sender: Sender::Support,
        };
        assert_eq!(refusal(again), Refusal::Rule(finished));
        let no_dispute = act(store, settle(chat, "x"), 6).await;
        assert_eq!(refusal(no_dispute), Refusal::NotFound(Entity::Chat(chat)));
        let elsewhere = store
            .act(other(), settle(dispute, "x"), ARBITER, None, at(6))
            .await;
        assert_eq!(refusal(elsewhere), Refusal::NotFound(Entity::Chat(dispute)));
        assert_eq!(
            (
                trail(store, None).await.len(),
                all_messages(store, dispute).await.len()
            ),
            (1, 1)
        );
    });
}

#[test]
fn what_is_asked_for_twice_under_one_key_is_done_once() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        let dispute = arbitration(store, chat).await.id;
        let key = |fingerprint| {
            Some(Idempotency {
                surface: Surface::Pages,
                key: "once".to_owned(),
                fingerprint: [fingerprint; 32],
            })
        };
        let mut answers: Vec<Applied<AuditLine>> = Vec::new();
        for _ in 0..2 {
            let done = store.act(shop(), settle(dispute, "x"), ARBITER, key(1), at(1));
            answers.push(done.await.expect("settled"));
        }
        assert_eq!(answers[0].value, answers[1].value);
        assert_eq!([answers[0].replayed, answers[1].replayed], [false, true]);
        let reused = store
            .act(shop(), settle(dispute, "y"), ARBITER, key(2), at(1))
            .await;
        assert_eq!(refusal(reused), Refusal::Conflict(Conflict::IdempotencyKeyReused));
        assert_eq!(all_messages(store, dispute).await.len(), 1);
    });
}

#[test]
fn the_arbiter_writes_into_the_dispute_and_the_chat_beside_it_or_into_neither() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await.id;
        let foreign = new_chat(store, order(101)).await.id;
        let dispute = arbitration(store, chat).await.id;
        let waits = Some(WaitFor::Partner);
        let both = act(store, write_to(dispute, Some(chat), waits), 1).await;
        let both = both.expect("written");
        assert_eq!((both.deed, &*both.about), (Deed::WroteBoth, "PARTNER"));
        for (id, status) in [(dispute, ChatStatus::WaitingForPartner), (chat, ChatStatus::New)] {
            let written = all_messages(store, id).await;
            assert_eq!(
                (written.len(), written[0].sender),
                (1, Sender::Support),
                "in {id}"
            );
            assert_eq!(read_chat(store, id).await.status, status);
        }
        for other in [foreign, dispute] {
            let refused = act(store, write_to(dispute, Some(other), None), 2).await;
            assert_eq!(refusal(refused), Refusal::NotFound(Entity::Chat(other)));
        }
        change(store, chat, ChatChange::Finish).await;
        let refused = act(store, write_to(dispute, Some(chat), None), 2).await;
        assert!(matches!(refusal(refused), Refusal::Rule(_)));
        assert_eq!(
            all_messages(store, dispute).await.len(),
            1,
            "half of it would be here"
        );
        let one = act(store, write_to(dispute, None, None), 3)
            .await
            .expect("written");
        assert_eq!((one.deed, &*one.about), (Deed::Wrote, ""));
        assert_eq!(trail(store, Some(dispute)).await, [one, both]);
        assert_eq!(trail(store, Some(chat)).await, []);
    });
}

#[test]
fn businesses_keys_and_subscriptions_are_changed_as_by_the_operations_themselves() {
    on_every_populated_store(async |store| {
        let version = store.access_version().await.expect("a version");
        let state = act(store, Act::SetState(BusinessState::Disabled), 1).await;
        assert_eq!(&*state.expect("changed").about, "DISABLED");
        let business = store.business(shop()).await.expect("a read").expect("a business");
        assert_eq!(business.state, BusinessState::Disabled);
        let nobody = store.act(id(77), Act::SetState(BusinessState::Active), ARBITER, None, at(1));
        assert_eq!(refusal(nobody.await), Refusal::NotFound(Entity::Business(id(77))));

        let new = NewCredential {
            business: other(),
            kind: CredentialKind::ApiKey,
            name: CredentialName::new("crm").expect("a name"),
            scopes: ScopeSet::ANY,
            campaigns: Vec::new(),
            hash: SecretHash([3; 32]),
            expires_at: None,
        };
        let created = act(store, Act::CreateKey(new.clone()), 2).await.expect("a key");
        assert_eq!((created.deed, &*created.about), (Deed::CreatedKey, "crm"));
        let taken = act(store, Act::CreateKey(new), 2).await;
        assert_eq!(refusal(taken), Refusal::Conflict(Conflict::NameTaken));
        let keys = store.credentials(shop(), CredentialKind::ApiKey).await;
        let keys = keys.expect("keys");
        assert_eq!(keys.len(), 1, "whatever business the key itself names");
        act(store, Act::RevokeKey(keys[0].id), 3).await.expect("revoked");
        let key = store.credential(shop(), CredentialKind::ApiKey, keys[0].id).await;
        assert!(key.expect("a read").expect("a key").revoked_at.is_some());
        assert!(store.access_version().await.expect("a version") >= version + 3);

        let made = store
            .create_subscription(a_subscription("hook"), None, at(0))
            .await;
        let made = made.expect("a subscription").value.id;
        let again = || Act::SendAgain(made, vec![Again::Between(at(0), at(10))]);
        let off = act(store, again(), 4).await;
        assert_eq!(refusal(off), Refusal::Conflict(Conflict::SubscriptionDisabled));
        act(store, Act::Enable(made), 4).await.expect("enabled");
        new_chat(store, order(100)).await;
        let sent = act(store, again(), 5).await.expect("queued");
        assert_eq!(&*sent.about, "hook: 1");
        act(store, Act::Disable(made), 6).await.expect("disabled");
        let kept = store.subscription(shop(), made).await.expect("a read");
        assert!(kept.expect("a subscription").disabled.is_some());
        let deeds: Vec<Deed> = trail(store, None).await.iter().map(|line| line.deed).collect();
        let expected = [
            Deed::Disabled,
            Deed::SentAgain,
            Deed::Enabled,
            Deed::RevokedKey,
            Deed::CreatedKey,
            Deed::ChangedState,
        ];
        assert_eq!(deeds, expected);
    });
}

#[test]
fn the_trail_is_read_page_by_page() {
    on_every_populated_store(async |store| {
        for millis in 0..5 {
            let state = Act::SetState(BusinessState::Active);
            act(store, state, millis).await.expect("done");
        }
        let all = trail(store, None).await;
        let page = store.audit(None, Some(all[1].id), 2).await.expect("a page");
        assert_eq!((page.items, page.more), (all[2..4].to_vec(), true));
        let page = store.audit(None, Some(all[3].id), 2).await.expect("a page");
        assert_eq!((page.items, page.more), (all[4..].to_vec(), false));
    });
}
