//! Keys, OAuth tokens and operator tokens: made, found by their hash, changed and revoked.

use prilavok_domain::{CampaignId, CredentialId, CredentialKind, CredentialName, Scope, ScopeSet};
use prilavok_store::{
    Conflict, Credential, CredentialChange, Entity, NewCredential, Refusal, SecretHash, Store,
};

use crate::places::on_every_populated_store;
use crate::population::*;

use CredentialKind::{ApiKey, OAuthToken};

fn called(text: &str) -> CredentialName {
    CredentialName::new(text).expect("a name")
}

fn a_key(text: &str, hash: u8) -> NewCredential {
    NewCredential {
        business: shop(),
        kind: ApiKey,
        name: called(text),
        scopes: ScopeSet::of(&[Scope::Communication]),
        campaigns: Vec::new(),
        hash: SecretHash([hash; 32]),
        expires_at: None,
    }
}

fn a_token(text: &str, hash: u8) -> NewCredential {
    NewCredential {
        kind: OAuthToken,
        expires_at: Some(at(HOUR)),
        ..a_key(text, hash)
    }
}

async fn create(store: &dyn Store, new: NewCredential) -> Credential {
    let created = store
        .create_credential(new, None, at(5))
        .await
        .expect("a credential");
    assert!(!created.replayed);
    created.value
}

async fn revoke(store: &dyn Store, it: &Credential) -> Credential {
    let revoked = store.revoke_credential(shop(), it.kind, it.id, at(9)).await;
    revoked.expect("a revoked credential")
}

fn conflict<T: std::fmt::Debug>(result: prilavok_store::Result<T>) -> Conflict {
    match refusal(result) {
        Refusal::Conflict(conflict) => conflict,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_credential_is_found_by_its_hash_its_id_and_in_the_list_of_its_kind() {
    on_every_populated_store(async |store| {
        let key = create(store, a_key("key", 1)).await;
        let token = create(
            store,
            NewCredential {
                campaigns: vec![id(11)],
                ..a_token("token", 2)
            },
        )
        .await;
        assert_eq!(
            (key.created_at, key.expires_at, key.revoked_at),
            (at(5), None, None)
        );
        assert_eq!(token.expires_at, Some(at(HOUR)));
        assert_eq!(token.campaigns, [id::<CampaignId>(11)]);
        for (one, hash, otherwise) in [(&key, 1, OAuthToken), (&token, 2, ApiKey)] {
            let by_hash = async |kind| {
                let found = store.credential_by_hash(kind, SecretHash([hash; 32])).await;
                found.expect("a read")
            };
            assert_eq!(by_hash(one.kind).await.as_ref(), Some(one));
            assert_eq!(by_hash(otherwise).await, None, "presented the other way");
            let found = store.credential(shop(), one.kind, one.id).await.expect("a read");
            assert_eq!(found.as_ref(), Some(one));
            let listed = store.credentials(shop(), one.kind).await.expect("a list");
            assert_eq!(listed, std::slice::from_ref(one));
            let elsewhere = store.credential(other(), one.kind, one.id).await.expect("a read");
            assert_eq!(elsewhere, None, "in another business");
        }
    });
}

#[test]
fn every_scope_is_kept() {
    on_every_populated_store(async |store| {
        for (scopes, hash) in [(ScopeSet::ANY, 1), (ScopeSet::NONE, 2)] {
            let new = NewCredential {
                scopes,
                ..a_key(&format!("key {hash}"), hash)
            };
            create(store, new).await;
            let found = store.credential_by_hash(ApiKey, SecretHash([hash; 32])).await;
            assert_eq!(found.expect("a read").expect("the key").scopes, scopes);
        }
    });
}

#[test]
fn a_name_is_taken_within_its_business_and_kind_until_it_is_revoked() {
    on_every_populated_store(async |store| {
        let first = create(store, a_key("name", 1)).await;
        let again = store.create_credential(a_key("name", 2), None, at(6)).await;
        assert_eq!(conflict(again), Conflict::NameTaken);
        create(store, a_token("name", 3)).await;
        let elsewhere = NewCredential {
            business: other(),
            ..a_key("name", 4)
        };
        create(store, elsewhere).await;
        revoke(store, &first).await;
        let second = create(store, a_key("name", 5)).await;
        assert!(second.id > first.id);
        let listed = store.credentials(shop(), ApiKey).await.expect("a list");
        let ids: Vec<_> = listed.iter().map(|it| it.id).collect();
        assert_eq!(ids, [first.id, second.id], "revoked ones included, by id");
    });
}

#[test]
fn a_business_has_30_unrevoked_keys_at_the_most() {
    on_every_populated_store(async |store| {
        create(store, a_token("a token does not count", 200)).await;
        let mut keys = Vec::new();
        for number in 0..30 {
            keys.push(create(store, a_key(&format!("key {number}"), number)).await);
        }
        let one_more = async || store.create_credential(a_key("one more", 100), None, at(6)).await;
        assert_eq!(conflict(one_more().await), Conflict::TooManyKeys);
        create(store, a_token("nor is it counted", 201)).await;
        revoke(store, &keys[7]).await;
        one_more().await.expect("a key in the place of the revoked one");
    });
}

#[test]
fn a_change_touches_what_it_names_and_nothing_else() {
    on_every_populated_store(async |store| {
        let before = create(store, a_token("before", 1)).await;
        create(store, a_token("taken", 2)).await;
        let change = async |change| {
            store
                .change_credential(shop(), OAuthToken, before.id, change)
                .await
        };
        let renamed = change(CredentialChange {
            name: Some(called("after")),
            ..CredentialChange::default()
        });
        let expected = Credential {
            name: called("after"),
            ..before.clone()
        };
        assert_eq!(renamed.await.expect("a change"), expected);
        let narrowed = change(CredentialChange {
            scopes: Some(ScopeSet::of(&[Scope::Pricing])),
            campaigns: Some(vec![id(10)]),
            ..CredentialChange::default()
        });
        let expected = Credential {
            scopes: ScopeSet::of(&[Scope::Pricing]),
            campaigns: vec![id(10)],
            ..expected
        };
        assert_eq!(narrowed.await.expect("a change"), expected);
        for (text, allowed) in [("after", true), ("taken", false)] {
            let result = change(CredentialChange {
                name: Some(called(text)),
                ..CredentialChange::default()
            });
            let result = result.await;
            assert_eq!(result.is_ok(), allowed, "its own name is its own: {result:?}");
        }
        let found = store.credential_by_hash(OAuthToken, SecretHash([1; 32])).await;
        assert_eq!(found.expect("a read"), Some(expected));
    });
}

#[test]
fn a_revoked_credential_stays_as_it_is() {
    on_every_populated_store(async |store| {
        let key = create(store, a_key("key", 1)).await;
        let revoked = revoke(store, &key).await;
        assert_eq!(revoked.revoked_at, Some(at(9)));
        let again = store.revoke_credential(shop(), ApiKey, key.id, at(500)).await;
        assert_eq!(again.expect("no change"), revoked, "the first time counts");
        let change = CredentialChange {
            name: Some(called("late")),
            ..CredentialChange::default()
        };
        let changed = store.change_credential(shop(), ApiKey, key.id, change).await;
        assert_eq!(conflict(changed), Conflict::Revoked);
        let found = store.credential_by_hash(ApiKey, SecretHash([1; 32])).await;
        assert_eq!(
            found.expect("a read"),
            Some(revoked),
            "whoever presents it is told why"
        );
    });
}

#[test]
fn a_credential_that_is_not_there_is_named() {
    on_every_populated_store(async |store| {
        let key = create(store, a_key("key", 1)).await;
        for (business, kind, number) in [
            (shop(), ApiKey, CredentialId(key.id.0 + 1)),
            (shop(), OAuthToken, key.id),
            (other(), ApiKey, key.id),
        ] {
            let expected = Refusal::NotFound(Entity::Credential(number));
            let changed = store.change_credential(business, kind, number, CredentialChange::default());
            assert_eq!(refusal(changed.await), expected);
            let revoked = store.revoke_credential(business, kind, number, at(9)).await;
            assert_eq!(refusal(revoked), expected);
        }
        let untouched = store.credential(shop(), ApiKey, key.id).await.expect("a read");
        assert_eq!(untouched, Some(key));
    });
}

#[test]
fn a_credential_names_businesses_and_campaigns_that_exist() {
    on_every_populated_store(async |store| {
        let nowhere = NewCredential {
            business: id(9),
            ..a_key("key", 1)
        };
        let refused = refusal(store.create_credential(nowhere, None, at(0)).await);
        assert_eq!(refused, Refusal::NotFound(Entity::Business(id(9))));
        // Campaign 20 is the other business's.
        let foreign = vec![id(10), id(20)];
        let expected = Refusal::NotFound(Entity::Campaign(id(20)));
        let new = NewCredential {
            campaigns: foreign.clone(),
            ..a_token("token", 2)
        };
        assert_eq!(refusal(store.create_credential(new, None, at(0)).await), expected);
        let token = create(store, a_token("token", 3)).await;
        let change = CredentialChange {
            campaigns: Some(foreign),
            ..CredentialChange::default()
        };
        let changed = store
            .change_credential(shop(), OAuthToken, token.id, change)
            .await;
        assert_eq!(refusal(changed), expected);
    });
}

#[test]
fn campaigns_are_kept_as_a_set_in_order_of_id() {
    on_every_populated_store(async |store| {
        let jumbled = vec![id(11), id(10), id(11)];
        let ordered: [CampaignId; 2] = [id(10), id(11)];
        let new = NewCredential {
            campaigns: jumbled.clone(),
            ..a_token("made so", 1)
        };
        assert_eq!(create(store, new).await.campaigns, ordered);
        let token = create(store, a_token("changed so", 2)).await;
        let change = CredentialChange {
            campaigns: Some(jumbled),
            ..CredentialChange::default()
        };
        let changed = store
            .change_credential(shop(), OAuthToken, token.id, change)
            .await;
        assert_eq!(changed.expect("a change").campaigns, ordered);
    });
}

#[test]
fn operator_tokens_are_apart_from_credentials() {
    on_every_populated_store(async |store| {
        create(store, a_key("key", 1)).await;
        let made = store.create_operator_token(SecretHash([2; 32]), at(3)).await;
        let made = made.expect("a token");
        assert_eq!(made.created_at, at(3));
        for (hash, expected) in [(2, Some(made)), (1, None), (3, None)] {
            let found = store.operator_token_by_hash(SecretHash([hash; 32])).await;
            assert_eq!(found.expect("a read"), expected, "{hash}");
        }
        let as_key = store.credential_by_hash(ApiKey, SecretHash([2; 32])).await;
        assert_eq!(as_key.expect("a read"), None);
    });
}

#[test]
fn a_revoked_operator_token_is_gone_and_every_process_learns_of_it() {
    on_every_populated_store(async |store| {
        let mut made = Vec::new();
        for hash in [2, 3] {
            let token = store.create_operator_token(SecretHash([hash; 32]), at(3)).await;
            made.push(token.expect("a token"));
        }
        assert_eq!(store.operator_tokens().await.expect("a list"), made);
        let version = store.access_version().await.expect("a version");
        assert!(store.revoke_operator_token(made[0].id).await.expect("revoked"));
        assert_ne!(store.access_version().await.expect("a version"), version);
        assert_eq!(store.operator_tokens().await.expect("a list"), made[1..]);
        let found = store.operator_token_by_hash(SecretHash([2; 32])).await;
        assert_eq!(found.expect("a read"), None);
        assert!(!store.revoke_operator_token(made[0].id).await.expect("nothing"));
    });
}
