//! The number that tells caches of keys and states to look again: it moves with every change of
//! what a caller may do, and with nothing else, or a busy server would look again all the time.

use prilavok_domain::{BusinessState, CredentialKind, CredentialName, ScopeSet};
use prilavok_store::{CredentialChange, NewCredential, Registration, SecretHash, Store};

use crate::places::on_every_populated_store;
use crate::population::*;

async fn version(store: &dyn Store) -> u64 {
    store.access_version().await.expect("a number")
}

/// Whether the number has moved since it was last looked at.
async fn moved(store: &dyn Store, seen: &mut u64) -> bool {
    std::mem::replace(seen, version(store).await) != *seen
}

fn a_key() -> NewCredential {
    NewCredential {
        business: shop(),
        kind: CredentialKind::ApiKey,
        name: CredentialName::new("key").expect("a name"),
        scopes: ScopeSet::ANY,
        campaigns: Vec::new(),
        hash: SecretHash([1; 32]),
        expires_at: None,
    }
}

#[test]
fn it_moves_with_every_change_of_who_may_do_what() {
    on_every_populated_store(async |store| {
        let seen = &mut version(store).await;
        let disabled = prilavok_domain::Business {
            state: BusinessState::Disabled,
            ..a_business(SHOP)
        };
        let put = store.register(vec![Registration::Business(disabled)]).await;
        put.expect("a put");
        assert!(moved(store, seen).await, "a business changed");
        let campaign = a_campaign(SHOP, 17, prilavok_domain::Placement::Fbs);
        let put = store.register(vec![Registration::Campaign(campaign)]).await;
        put.expect("a put");
        assert!(moved(store, seen).await, "a campaign came");
        let key = store
            .create_credential(a_key(), None, at(0))
            .await
            .expect("a key")
            .value;
        assert!(moved(store, seen).await, "a key came");
        let change = CredentialChange {
            scopes: Some(ScopeSet::NONE),
            ..CredentialChange::default()
        };
        let changed = store.change_credential(shop(), key.kind, key.id, change).await;
        changed.expect("a change");
        assert!(moved(store, seen).await, "a key changed");
        let revoked = store.revoke_credential(shop(), key.kind, key.id, at(1)).await;
        revoked.expect("a revocation");
        assert!(moved(store, seen).await, "a key went");
        let token = store.create_operator_token(SecretHash([2; 32]), at(0)).await;
        token.expect("a token");
        assert!(moved(store, seen).await, "an operator token came");
    });
}

#[test]
fn it_stands_still_where_nobody_may_more_or_less_than_before() {
    on_every_populated_store(async |store| {
        let seen = &mut version(store).await;
        let same = vec![
            Registration::Business(a_business(SHOP)),
            Registration::Campaign(a_campaign(SHOP, 10, prilavok_domain::Placement::Fbs)),
            Registration::Customer(a_customer("vera", "Вера")),
            Registration::Order(an_order(SHOP, 107, 10, "anna")),
        ];
        store.register(same).await.expect("puts");
        let chat = new_chat(store, order(100)).await;
        write(store, chat.id, customer_says("hello"), at(1)).await;
        let refused = store
            .register(vec![
                Registration::Business(a_business(7)),
                Registration::Order(an_order(7, 1, 1, "anna")),
            ])
            .await;
        refusal(refused);
        assert!(!moved(store, seen).await);
    });
}
