//! Ids: integers in 1 … 2^53 − 1, so that JavaScript clients read them exactly. One type each, so
//! that an id of one thing cannot be passed for another's.

/// The largest id: 2^53 − 1, the largest integer that a JSON number carries through a double.
pub const MAX_ID: i64 = (1 << 53) - 1;

/// A number outside 1 … 2^53 − 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id must be between 1 and {MAX_ID}, not {0}")]
pub struct OutOfRange(pub i64);

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(i64);

        impl $name {
            /// Accepts 1 … 2^53 − 1.
            pub const fn new(value: i64) -> Result<Self, OutOfRange> {
                if value >= 1 && value <= MAX_ID { Ok(Self(value)) } else { Err(OutOfRange(value)) }
            }

            /// The number itself.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = OutOfRange;

            fn try_from(value: i64) -> Result<Self, OutOfRange> {
                Self::new(value)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

ids! {
    /// A seller's cabinet: the tenant.
    BusinessId,
    /// A store of a business.
    CampaignId,
    /// A chat; unique across the server.
    ChatId,
    /// A message; unique across the server and strictly increasing within a chat.
    MessageId,
    /// An order, unique within its business.
    OrderId,
    /// A return, unique within its business.
    ReturnId,
    /// A file that a message carries; unique across the server.
    FileId,
    /// Something that happened in a chat and that sellers are told of; increasing across the server.
    EventId,
    /// A subscription to notifications; unique across the server.
    SubscriptionId,
    /// A saved reply of a business.
    SavedReplyId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_exact_in_a_double() {
        for (value, accepted) in [
            (0, false),
            (-1, false),
            (1, true),
            (MAX_ID, true),
            (MAX_ID + 1, false),
            (i64::MAX, false),
            (i64::MIN, false),
        ] {
            assert_eq!(ChatId::new(value).is_ok(), accepted, "{value}");
        }
        #[expect(clippy::cast_precision_loss)]
        let as_double = MAX_ID as f64;
        assert_eq!(as_double.to_string(), MAX_ID.to_string());
    }
}
