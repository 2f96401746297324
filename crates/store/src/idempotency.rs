//! Requests that must happen once, however often they are sent.

/// How long a key is remembered: 24 hours.
pub const REMEMBERED_MS: i64 = 24 * 60 * 60 * 1000;

/// The surface that a key came in by: the same key on another surface is another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// The Partner API.
    Partner,
    /// The Operator API.
    Operator,
    /// The Buyer API.
    Buyer,
    /// The pages.
    Pages,
}

impl Surface {
    /// The name that is kept.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Operator => "operator",
            Self::Buyer => "buyer",
            Self::Pages => "pages",
        }
    }
}

/// The key of a request, with the fingerprint of what was asked: the same key with another
/// fingerprint is refused with `Conflict::IdempotencyKeyReused`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Where the key came in.
    pub surface: Surface,
    /// The key, 1–255 characters.
    pub key: String,
    /// SHA-256 over operation, address and body of the request.
    pub fingerprint: [u8; 32],
}

/// An operation's result, and whether it was done before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied<T> {
    /// The result.
    pub value: T,
    /// The operation had happened already under the same idempotency key; nothing was done now.
    pub replayed: bool,
}
