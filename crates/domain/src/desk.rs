//! What the marketplace's people do by hand: verdicts, and everything that an audit trail tells of.

use crate::named::named_enum;
use crate::{BusinessId, ChatId, CredentialId, MessageText, Timestamp};

named_enum! {
    /// For whom a dispute was decided.
    pub enum DecidedFor {
        /// The buyer.
        Buyer = "BUYER",
        /// The seller.
        Seller = "SELLER",
        /// Each of them in part.
        Both = "BOTH",
    }
}

/// How a dispute ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// For whom it was decided.
    pub decided_for: DecidedFor,
    /// What both sides were told.
    pub text: MessageText,
    /// When.
    pub at: Timestamp,
    /// The operator token of whoever decided.
    pub by: CredentialId,
}

named_enum! {
    /// What somebody did.
    pub enum Deed {
        /// Wrote into a dispute.
        Wrote = "WROTE",
        /// Wrote into a dispute and the chat beside it.
        WroteBoth = "WROTE_BOTH",
        /// Settled a dispute.
        Settled = "SETTLED",
        /// Changed the state of a business.
        ChangedState = "CHANGED_STATE",
        /// Created an Api-Key.
        CreatedKey = "CREATED_KEY",
        /// Revoked an Api-Key.
        RevokedKey = "REVOKED_KEY",
        /// Enabled a subscription.
        Enabled = "ENABLED",
        /// Disabled a subscription.
        Disabled = "DISABLED",
        /// Had events sent again.
        SentAgain = "SENT_AGAIN",
    }
}

/// A line of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Its id; later lines have higher ones.
    pub id: i64,
    /// When it was done.
    pub at: Timestamp,
    /// The operator token of whoever did it.
    pub by: CredentialId,
    /// What was done.
    pub deed: Deed,
    /// To which business.
    pub business: BusinessId,
    /// To which dispute.
    pub chat: Option<ChatId>,
    /// To what of the business, or how: a name, a number, a decision.
    pub about: String,
}
