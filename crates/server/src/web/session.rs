//! Who is signed in. The store keeps sessions by the hash of a random id that only the browser's cookie has: they outlast a
//! restart, and hold at every node.

use prilavok_domain::{Clock, SystemClock, Timestamp};
use prilavok_store::{SecretHash, Store, StoreError};

use crate::secrets;

/// A session that nobody used for so long is over.
const IDLE_MS: i64 = 12 * 3_600_000;

/// Use is written down when the last time lies so far back: a page costs no write.
const NOTED_MS: i64 = 5 * 60_000;

/// What the hash of the token in forms begins with: it says nothing about the session's id.
const CSRF: &str = "csrf:";

/// Somebody who signed in. The secret itself is not kept: its hash finds whether it is still good.
#[derive(Debug)]
pub(super) struct Session {
    /// The hash of the Api-Key or token.
    pub(super) hash: SecretHash,
    /// What forms of this session carry.
    pub(super) csrf: String,
}

/// What a session is looked up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Somebody did something.
    Hand,
    /// A page that was left open keeps itself up to date.
    Itself,
}

/// People's time: the sandbox moves the market's only.
pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

/// Begins a session; answers its id.
pub(super) async fn begin(
    store: &dyn Store,
    secret: SecretHash,
    now: Timestamp,
) -> Result<String, StoreError> {
    let id = secrets::new_session_secret();
    let session = prilavok_store::Session {
        id: secrets::hash(&id),
        secret,
        used_at: now,
    };
    store.begin_session(session, now.plus_millis(-IDLE_MS)).await?;
    Ok(id)
}

/// The session with this id. It is used now, unless a page only asks for news.
pub(super) async fn find(
    store: &dyn Store,
    id: &str,
    by: By,
    now: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let Some(found) = store.session(secrets::hash(id)).await? else {
        return Ok(None);
    };
    let unused_ms = now.as_millis() - found.used_at.as_millis();
    if unused_ms >= IDLE_MS {
        return Ok(None);
    }
    // A clock that was ahead would keep it alive for longer.
    if by == By::Hand && !(0..NOTED_MS).contains(&unused_ms) {
        // A store that only reads is no reason to show nothing.
        if let Err(error) = store.use_session(found.id, now).await {
            tracing::warn!(%error, "that a session is used could not be noted");
        }
    }
    Ok(Some(Session {
        hash: found.secret,
        csrf: secrets::derived_token(CSRF, id),
    }))
}

/// Ends a session.
pub(super) async fn end(store: &dyn Store, id: &str) -> Result<(), StoreError> {
    store.end_session(secrets::hash(id)).await
}

#[cfg(test)]
mod tests {
    use prilavok_domain::IdSequence;
    use prilavok_store::sqlite::{FILE_NAME, SqliteStore};

    use super::*;

    const HASH: SecretHash = SecretHash([7; 32]);

    fn store(folder: &tempfile::TempDir) -> SqliteStore {
        SqliteStore::open(&folder.path().join(FILE_NAME), IdSequence::clocked(1, 0)).expect("a store")
    }

    async fn is_there(store: &dyn Store, id: &str, by: By, at: Timestamp) -> bool {
        find(store, id, by, at).await.expect("an answer").is_some()
    }

    #[tokio::test]
    async fn a_session_lasts_while_it_is_used_also_over_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let (first, begun) = (store(&folder), now());
        let id = begin(&first, HASH, begun).await.expect("a session");
        first.close().await;
        let store = store(&folder);
        let mut at = begun;
        for _ in 0..3 {
            at = at.plus_millis(IDLE_MS - 1);
            assert!(is_there(&store, &id, By::Hand, at).await);
        }
        let over = at.plus_millis(IDLE_MS);
        assert!(!is_there(&store, &id, By::Hand, over).await);
        assert!(!is_there(&store, "", By::Hand, begun).await);
        assert!(!is_there(&store, &format!("{id}x"), By::Hand, at).await);
    }

    #[tokio::test]
    async fn use_is_written_down_now_and_then() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, begun) = (store(&folder), now());
        let id = begin(&store, HASH, begun).await.expect("a session");
        for (later_ms, noted_ms) in [
            (NOTED_MS - 1, 0),
            (NOTED_MS, NOTED_MS),
            (2 * NOTED_MS - 1, NOTED_MS),
            (-1, -1),
        ] {
            assert!(is_there(&store, &id, By::Hand, begun.plus_millis(later_ms)).await);
            let found = store.session(secrets::hash(&id)).await.expect("an answer");
            let used_at = found.expect("a session").used_at;
            assert_eq!(used_at, begun.plus_millis(noted_ms), "after {later_ms} ms");
        }
    }

    #[tokio::test]
    async fn a_page_that_was_left_open_keeps_no_session_alive() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, begun) = (store(&folder), now());
        let id = begin(&store, HASH, begun).await.expect("a session");
        assert!(is_there(&store, &id, By::Itself, begun.plus_millis(IDLE_MS - 1)).await);
        assert!(!is_there(&store, &id, By::Itself, begun.plus_millis(IDLE_MS)).await);
    }

    #[tokio::test]
    async fn who_signs_out_is_out_and_others_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, now) = (store(&folder), now());
        let ends = begin(&store, HASH, now).await.expect("a session");
        let stays = begin(&store, HASH, now).await.expect("a session");
        end(&store, &ends).await.expect("an end");
        assert!(!is_there(&store, &ends, By::Hand, now).await);
        let left = find(&store, &stays, By::Hand, now).await.expect("an answer");
        let left = left.expect("a session");
        assert_eq!(left.hash, HASH);
        let again = find(&store, &stays, By::Hand, now).await.expect("an answer");
        assert_eq!(again.expect("a session").csrf, left.csrf, "forms stay good");
        assert_ne!(left.csrf, secrets::derived_token(CSRF, &ends));
        assert!(!left.csrf.contains(&stays));
    }
}
