//! What happened in chats, as sellers and screens are told of it.

use crate::named::named_enum;
use crate::rules::NotificationType;
use crate::{BusinessId, ChatId, EventId, MessageId, Timestamp};

/// Something that happened in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Its id; events of a business are told in the order of their ids.
    pub id: EventId,
    /// The business that the chat belongs to.
    pub business: BusinessId,
    /// What happened.
    pub kind: NotificationType,
    /// The chat.
    pub chat: ChatId,
    /// The message, if it is about one.
    pub message: Option<MessageId>,
    /// When it happened.
    pub at: Timestamp,
}

named_enum! {
    /// What followed from a try to notify somebody.
    pub enum Outcome {
        /// It was accepted.
        Delivered = "DELIVERED",
        /// It was refused for good.
        Refused = "REFUSED",
        /// It failed, and is tried again.
        Failed = "FAILED",
        /// It failed for the last time: the subscription was disabled.
        GivenUp = "GIVEN_UP",
    }
}

named_enum! {
    /// Why a subscription is not enabled.
    pub enum DisabledBy {
        /// It was never enabled, or somebody switched it off.
        Hand = "HAND",
        /// Deliveries failed for as long as the schedule goes.
        Failures = "FAILURES",
    }
}

/// A set of notification types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventTypes(u8);

impl EventTypes {
    /// Every type.
    pub const ALL: Self = Self((1 << NotificationType::ALL.len()) - 1);

    /// Whether the type is in the set.
    #[must_use]
    pub const fn contains(self, kind: NotificationType) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The types, in the order of declaration.
    pub fn iter(self) -> impl Iterator<Item = NotificationType> {
        NotificationType::ALL
            .iter()
            .copied()
            .filter(move |kind| self.contains(*kind))
    }
}

impl FromIterator<NotificationType> for EventTypes {
    fn from_iter<I: IntoIterator<Item = NotificationType>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |bits, kind| bits | 1 << kind as u8))
    }
}
