//! Ids: one type each, so that an id of one thing cannot be passed for another's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A number or text that is no id: ids are whole numbers from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id is a whole number from 1, not `{0}`")]
pub struct InvalidId(String);

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name(i64);

        impl $name {
            /// Accepts whole numbers from 1.
            pub fn new(number: i64) -> Result<Self, InvalidId> {
                if number >= 1 { Ok(Self(number)) } else { Err(InvalidId(number.to_string())) }
            }

            /// The number itself.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = InvalidId;

            fn try_from(number: i64) -> Result<Self, InvalidId> {
                Self::new(number)
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> i64 {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.parse().ok().and_then(|number| Self::new(number).ok()).ok_or_else(|| InvalidId(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

ids! {
    /// A seller's cabinet.
    BusinessId,
    /// A store of a business.
    CampaignId,
    /// A chat.
    ChatId,
    /// A message of a chat.
    MessageId,
    /// An order.
    OrderId,
    /// A return.
    ReturnId,
}
