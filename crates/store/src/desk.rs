//! What the marketplace's people do by hand, and what they read for it.

use prilavok_domain::rules::WaitFor;
use prilavok_domain::{
    BusinessId, BusinessState, ChatId, CredentialId, DecidedFor, Deed, MessageText, Sender, SubscriptionId,
    Timestamp,
};

use crate::{Again, NewCredential, NewMessage};

/// The place in the list of disputes after which a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DisputeCursor {
    /// The last dispute's `updated_at`.
    pub updated_at: Timestamp,
    /// Its business.
    pub business: BusinessId,
    /// The last dispute.
    pub id: ChatId,
}

/// What somebody of the marketplace does to a business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Writes as SUPPORT into a dispute, and into the chat beside it.
    Write {
        /// The dispute.
        dispute: ChatId,
        /// What is written.
        text: MessageText,
        /// Whom the dispute waits for then.
        wait_for: Option<WaitFor>,
        /// The chat that it is written into as well.
        beside: Option<ChatId>,
    },
    /// Settles a dispute: tells both sides, records the verdict and finishes it.
    Settle {
        /// The dispute.
        dispute: ChatId,
        /// For whom it is decided.
        decided_for: DecidedFor,
        /// What both sides are told.
        text: MessageText,
    },
    /// Changes the state of the business.
    SetState(BusinessState),
    /// Creates an Api-Key of the business.
    CreateKey(NewCredential),
    /// Revokes an Api-Key.
    RevokeKey(CredentialId),
    /// Enables a subscription; whoever does it has seen that its receiver answers.
    Enable(SubscriptionId),
    /// Disables a subscription.
    Disable(SubscriptionId),
    /// Has events sent again to a subscription.
    SendAgain(SubscriptionId, Vec<Again>),
}

impl Act {
    /// What the audit trail says was done.
    #[must_use]
    pub const fn deed(&self) -> Deed {
        match self {
            Self::Write { beside: None, .. } => Deed::Wrote,
            Self::Write { .. } => Deed::WroteBoth,
            Self::Settle { .. } => Deed::Settled,
            Self::SetState(_) => Deed::ChangedState,
            Self::CreateKey(_) => Deed::CreatedKey,
            Self::RevokeKey(_) => Deed::RevokedKey,
            Self::Enable(_) => Deed::Enabled,
            Self::Disable(_) => Deed::Disabled,
            Self::SendAgain(..) => Deed::SentAgain,
        }
    }
}

/// A message of the marketplace's people.
pub(crate) fn support(text: &MessageText) -> NewMessage {
    NewMessage {
        sender: Sender::Support,
        text: Some(text.clone()),
        files: Vec::new(),
        wait_for: None,
    }
}
