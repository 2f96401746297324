//! Who is signed in: sessions in memory, found by a random id that only the browser's cookie has. A restart ends them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use prilavok_pages::Audience;
use prilavok_store::SecretHash;

use crate::secrets;

/// A session that nobody used for so long is over.
const IDLE: Duration = Duration::from_secs(12 * 3600);
/// The most sessions at a time; who signs in beyond that ends the one that was unused for longest.
const MOST: usize = 10_000;

/// Somebody who signed in. The secret itself is not kept: its hash finds whether it is still good.
#[derive(Debug)]
pub(super) struct Session {
    /// As whom.
    pub(super) audience: Audience,
    /// The hash of the Api-Key or token.
    pub(super) hash: SecretHash,
    /// What forms of this session carry.
    pub(super) csrf: String,
    used: Mutex<Instant>,
}

/// What a session is looked up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Somebody did something.
    Hand,
    /// A page that was left open keeps itself up to date.
    Itself,
}

/// All sessions.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<SecretHash, Arc<Session>>>);

impl Sessions {
    /// Begins a session; answers its id.
    pub(super) fn begin(&self, audience: Audience, hash: SecretHash, now: Instant) -> String {
        let id = secrets::new_session_secret();
        let session = Session {
            audience,
            hash,
            csrf: secrets::new_session_secret(),
            used: Mutex::new(now),
        };
        let mut all = self.0.lock();
        if all.len() >= MOST {
            all.retain(|_, session| !session.is_over(now));
        }
        if all.len() >= MOST {
            let oldest = all.iter().min_by_key(|(_, session)| *session.used.lock());
            if let Some(oldest) = oldest.map(|(id, _)| *id) {
                all.remove(&oldest);
            }
        }
        all.insert(secrets::hash(&id), Arc::new(session));
        id
    }

    /// The session with this id, if it is one of `audience`. It is used now, unless a page only asks for news.
    pub(super) fn find(&self, audience: Audience, id: &str, by: By, now: Instant) -> Option<Arc<Session>> {
        let id = secrets::hash(id);
        let mut all = self.0.lock();
        let session = all.get(&id)?;
        if session.is_over(now) {
            all.remove(&id);
            return None;
        }
        if by == By::Hand {
            *session.used.lock() = now;
        }
        (session.audience == audience).then(|| Arc::clone(session))
    }

    /// Ends a session.
    pub(super) fn end(&self, id: &str) {
        self.0.lock().remove(&secrets::hash(id));
    }
}

impl Session {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(*self.used.lock()) >= IDLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: SecretHash = SecretHash([7; 32]);

    #[test]
    fn a_session_lasts_while_it_is_used() {
        let (sessions, begun) = (Sessions::default(), Instant::now());
        let id = sessions.begin(Audience::Seller, HASH, begun);
        let almost = IDLE - Duration::from_secs(1);
        assert!(
            sessions
                .find(Audience::Seller, &id, By::Hand, begun + almost)
                .is_some()
        );
        assert!(
            sessions
                .find(Audience::Operator, &id, By::Hand, begun + almost)
                .is_none()
        );
        assert!(
            sessions
                .find(Audience::Seller, &id, By::Hand, begun + almost * 2)
                .is_some()
        );
        assert!(
            sessions
                .find(Audience::Seller, &id, By::Hand, begun + almost * 2 + IDLE)
                .is_none()
        );
        assert!(
            sessions.find(Audience::Seller, &id, By::Hand, begun).is_none(),
            "it is gone"
        );
        assert!(sessions.find(Audience::Seller, "", By::Hand, begun).is_none());
    }

    #[test]
    fn a_page_that_was_left_open_keeps_no_session_alive() {
        let (sessions, begun) = (Sessions::default(), Instant::now());
        let id = sessions.begin(Audience::Seller, HASH, begun);
        let almost = begun + IDLE / 2;
        assert!(sessions.find(Audience::Seller, &id, By::Itself, almost).is_some());
        assert!(
            sessions
                .find(Audience::Seller, &id, By::Itself, begun + IDLE)
                .is_none()
        );
    }

    #[test]
    fn who_signs_out_is_out_and_others_are_not() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let ids = [(); 2].map(|()| sessions.begin(Audience::Seller, HASH, now));
        sessions.end(&ids[0]);
        assert!(sessions.find(Audience::Seller, &ids[0], By::Hand, now).is_none());
        let left = sessions
            .find(Audience::Seller, &ids[1], By::Hand, now)
            .expect("a session");
        assert!(left.csrf.len() == 43 && left.csrf != ids[1]);
    }

    #[test]
    fn memory_is_bounded() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let first = sessions.begin(Audience::Seller, HASH, now);
        let later = now + Duration::from_secs(1);
        let second = sessions.begin(Audience::Seller, HASH, later);
        for _ in 2..=MOST {
            sessions.begin(Audience::Seller, HASH, later);
        }
        assert_eq!(sessions.0.lock().len(), MOST);
        assert!(sessions.find(Audience::Seller, &first, By::Hand, later).is_none());
        assert!(
            sessions
                .find(Audience::Seller, &second, By::Hand, later)
                .is_some()
        );
    }
}
