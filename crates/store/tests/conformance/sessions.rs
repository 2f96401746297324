//! Who is signed in to the pages.

use prilavok_store::sessions::MAX_SESSIONS;
use prilavok_store::{SecretHash, Session, Store};

use crate::places::on_every_store;
use crate::population::*;

const SECRET: SecretHash = SecretHash([1; 32]);

fn id(number: usize) -> SecretHash {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&number.to_be_bytes());
    SecretHash(hash)
}

async fn begin(store: &dyn Store, number: usize, secret: SecretHash, now: i64, over: i64) {
    let session = Session {
        id: id(number),
        secret,
        used_at: at(now),
    };
    store.begin_session(session, at(over)).await.expect("a session");
}

/// When a session was used last; `None` once it has ended.
async fn used(store: &dyn Store, number: usize) -> Option<i64> {
    let found = store.session(id(number)).await.expect("an answer")?;
    assert_eq!(found.id, id(number));
    Some(found.used_at.as_millis() - at(0).as_millis())
}

#[test]
fn a_session_is_there_until_it_ends_also_after_a_restart() {
    on_every_store(async |mut site| {
        begin(&*site.store, 1, SECRET, 5, 0).await;
        begin(&*site.store, 2, SecretHash([2; 32]), 6, 0).await;
        assert_eq!(used(&*site.store, 3).await, None);
        site.store.use_session(id(1), at(9)).await.expect("a use");
        site.reopen().await;
        let store = &*site.store;
        assert_eq!((used(store, 1).await, used(store, 2).await), (Some(9), Some(6)));
        let found = store.session(id(2)).await.expect("an answer").expect("a session");
        assert_eq!(found.secret, SecretHash([2; 32]));
        for _ in 0..2 {
            store.end_session(id(1)).await.expect("an end");
        }
        store.use_session(id(1), at(10)).await.expect("a use of nothing");
        assert_eq!((used(store, 1).await, used(store, 2).await), (None, Some(6)));
    });
}

#[test]
fn who_signs_in_ends_sessions_that_are_over_and_the_oldest_of_too_many() {
    on_every_store(async |site| {
        let store = &*site.store;
        begin(store, 1_000, SecretHash([2; 32]), 100, 0).await;
        for number in 0..MAX_SESSIONS {
            begin(
                store,
                number,
                SECRET,
                1_000 + i64::try_from(number).expect("small"),
                0,
            )
            .await;
        }
        store.use_session(id(0), at(2_000)).await.expect("a use");
        assert!(used(store, 1).await.is_some(), "as many as may be");
        begin(store, MAX_SESSIONS, SECRET, 2_001, 0).await;
        assert!(used(store, 1).await.is_none(), "unused for longest");
        assert!(used(store, 0).await.is_some() && used(store, 2).await.is_some());
        assert!(used(store, 1_000).await.is_some(), "somebody else's");
        begin(store, 2_000, SECRET, 2_002, 101).await;
        assert!(used(store, 1_000).await.is_none(), "over");
        begin(store, 2_001, SECRET, 2_003, 2_000).await;
        assert!(used(store, 0).await.is_some(), "used at that very moment");
        assert!(used(store, 2).await.is_none());
    });
}
