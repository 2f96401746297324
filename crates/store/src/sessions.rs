//! Who is signed in to the pages.

use prilavok_domain::Timestamp;

use crate::SecretHash;

/// The most sessions with one secret. Who signs in beyond that ends the one that was unused for longest.
pub const MAX_SESSIONS: usize = 100;

/// Somebody who signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The hash of the session's id, which only the browser has.
    pub id: SecretHash,
    /// The hash of the Api-Key or the operator token.
    pub secret: SecretHash,
    /// When it was used last.
    pub used_at: Timestamp,
}
