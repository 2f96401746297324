//! What was answered is there after a restart, all of it and just as it was.

use prilavok_domain::{Business, CredentialKind, CredentialName, FileName, ScopeSet, Sender};
use prilavok_store::{
    ChatChange, Idempotency, NewCredential, NewMessage, SecretHash, Store, StoredFile, Surface, Usage,
};

use crate::places::on_every_store;
use crate::population::*;

/// Everything that a store answers without being told what to look for.
async fn everything(store: &dyn Store) -> String {
    let mut all = String::new();
    let mut note = |what: &dyn std::fmt::Debug| all.push_str(&format!("{what:?}\n"));
    let businesses: Vec<Business> = store.businesses(None, 100).await.expect("a list");
    for business in businesses.iter().map(|it| it.id) {
        note(&store.campaigns(business, None, 100).await.expect("a list"));
        note(&store.orders(business, None, 100).await.expect("a list"));
        note(&store.returns(business, None, 100).await.expect("a list"));
        for kind in CredentialKind::ALL {
            note(&store.credentials(business, *kind).await.expect("a list"));
        }
        note(&store.subscriptions(business).await.expect("a list"));
        note(&store.events(Some(business), 0, 1_000).await.expect("events"));
        let chats = all_chats(store, business, &Default::default()).await;
        for chat in &chats {
            let page = store.messages(business, chat.id, Default::default(), 100).await;
            note(&page.expect("a page"));
        }
        note(&chats);
    }
    note(&businesses);
    note(&store.customers(None, 100).await.expect("a list"));
    note(&store.usage(at(0)).await.expect("counts"));
    note(
        &store
            .operator_token_by_hash(SecretHash([2; 32]))
            .await
            .expect("a read"),
    );
    note(&store.access_version().await.expect("a number"));
    note(&store.subscriptions_version().await.expect("a number"));
    note(&store.server_secret().await.expect("a secret"));
    all
}

async fn fill(store: &dyn Store) {
    populate(store).await;
    let chat = new_chat(store, order(100)).await.id;
    let file = StoredFile {
        object: "1/a".to_owned(),
        name: FileName::from_client("фото.jpg"),
        size: 5,
        media_type: "image/jpeg".to_owned(),
    };
    let with_file = NewMessage {
        files: vec![file],
        ..customer_says("look")
    };
    write(store, chat, with_file, at(1)).await;
    let dispute = arbitration(store, chat).await.id;
    write(store, dispute, says(Sender::Partner, "no"), at(2)).await;
    change(store, dispute, ChatChange::Finish).await;
    start(store, other(), direct("anna"), at(3)).await;
    let key = NewCredential {
        business: shop(),
        kind: CredentialKind::OAuthToken,
        name: CredentialName::new("token").expect("a name"),
        scopes: ScopeSet::ANY,
        campaigns: vec![id(10)],
        hash: SecretHash([1; 32]),
        expires_at: Some(at(HOUR)),
    };
    store.create_credential(key, None, at(4)).await.expect("a token");
    let token = store.create_operator_token(SecretHash([2; 32]), at(5)).await;
    token.expect("a token");
    subscribed(store, a_subscription("crm")).await;
    let count = Usage {
        business: shop(),
        operation: "getChats".to_owned(),
        hour: at(0),
        used: 9,
    };
    store.save_usage(vec![count], Some(at(0))).await.expect("counts");
}

#[test]
fn everything_is_there_after_a_restart() {
    on_every_store(async |mut site| {
        fill(&*site.store).await;
        let before = everything(&*site.store).await;
        for _ in 0..2 {
            site.reopen().await;
            assert_eq!(everything(&*site.store).await, before);
        }
    });
}

#[test]
fn a_repeated_request_is_known_after_a_restart() {
    on_every_store(async |mut site| {
        populate(&*site.store).await;
        let chat = new_chat(&*site.store, order(100)).await.id;
        let say = async |store: &dyn Store| {
            let once = Idempotency {
                surface: Surface::Partner,
                key: "key".to_owned(),
                fingerprint: [1; 32],
            };
            let said = customer_says("once");
            store
                .append_message(shop(), chat, said, Some(once), at(1))
                .await
                .expect("an answer")
        };
        let first = say(&*site.store).await;
        site.reopen().await;
        let again = say(&*site.store).await;
        assert!(again.replayed);
        assert_eq!(again.value, first.value);
    });
}

#[test]
fn a_backup_is_a_store_of_the_moment_at_which_it_was_made() {
    on_every_store(async |site| {
        let store = &*site.store;
        fill(store).await;
        let at_backup = everything(store).await;
        let copy = site.folder.path().join("copy");
        let (told, progress) = std::sync::mpsc::channel();
        let tell = move |done, all| told.send((done, all)).expect("a listener");
        let Some(restored) = site.copied(&copy, tell).await else {
            return;
        };
        let progress: Vec<_> = progress.iter().collect();
        assert!(progress.iter().all(|(done, all)| done <= all), "{progress:?}");
        assert!(
            progress.last().is_some_and(|(done, all)| done == all && *all > 0),
            "{progress:?}"
        );
        let chat = all_chats(store, other(), &Default::default()).await[0].id;
        let later = store
            .append_message(other(), chat, customer_says("later"), None, at(9))
            .await;
        later.expect("a message");
        assert_eq!(everything(&*restored).await, at_backup);
        assert_ne!(everything(store).await, at_backup);
        // A copy is a whole store: it is written to as any other.
        new_chat(&*restored, order(101)).await;
        restored.close().await;
    });
}

#[test]
fn a_backup_overwrites_nothing() {
    on_every_store(async |site| {
        fill(&*site.store).await;
        let copy = site.folder.path().join("copy");
        if site
            .copied(&site.folder.path().join("another"), |_, _| {})
            .await
            .is_none()
        {
            return;
        }
        std::fs::write(&copy, "somebody's only copy").expect("a file");
        let refused = site.store.backup(&copy, Box::new(|_, _| {})).await;
        let message = refused.expect_err("refused").to_string();
        assert!(message.contains("exists already"), "{message}");
        let left = std::fs::read_to_string(&copy).expect("the file");
        assert_eq!(left, "somebody's only copy");
    });
}
