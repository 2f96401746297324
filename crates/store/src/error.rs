//! Why an operation did not happen.

use std::fmt;

use prilavok_domain::rules::RuleViolation;
use prilavok_domain::{
    BusinessId, CampaignId, ChatId, CredentialId, EventId, MessageId, OrderId, PublicId, ReturnId,
    SavedReplyId, SubscriptionId,
};

/// Why an operation did not happen. Nothing was changed by it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operation is not possible as things stand; asking again changes nothing.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store cannot take it now (locked, full, closing); asking again later may help.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Too many writes wait already; asking again later may help.
    #[error("too many writes are waiting")]
    Busy,
    /// The store is broken, or we are.
    #[error("the store failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why an operation is not possible as things stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Something that the operation names does not exist.
    #[error("{0} does not exist")]
    NotFound(Entity),
    /// The chat rules forbid it.
    #[error(transparent)]
    Rule(#[from] RuleViolation),
    /// It contradicts what is there.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// One item of a list was refused, and with it the whole list.
    #[error("item {index}: {refusal}")]
    AtItem {
        /// Which one, from zero.
        index: usize,
        /// Why.
        refusal: Box<Refusal>,
    },
}

impl StoreError {
    /// The same, said of one item of a list.
    pub(crate) fn at_item(self, index: usize) -> Self {
        match self {
            Self::Refused(refusal) => Refusal::AtItem {
                index,
                refusal: Box::new(refusal),
            }
            .into(),
            other => other,
        }
    }
}

/// A thing that an operation names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entity {
    /// A business.
    Business(BusinessId),
    /// A campaign of the business.
    Campaign(CampaignId),
    /// A customer.
    Customer(PublicId),
    /// An order of the business.
    Order(OrderId),
    /// A return of the business.
    Return(ReturnId),
    /// A chat of the business.
    Chat(ChatId),
    /// A message of the chat.
    Message(MessageId),
    /// A key or token of the business.
    Credential(CredentialId),
    /// A subscription of the business.
    Subscription(SubscriptionId),
    /// An event of the business.
    Event(EventId),
    /// A saved reply of the business.
    SavedReply(SavedReplyId),
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Business(id) => write!(f, "business {id}"),
            Self::Campaign(id) => write!(f, "campaign {id}"),
            Self::Customer(id) => write!(f, "customer {}", id.as_str()),
            Self::Order(id) => write!(f, "order {id}"),
            Self::Return(id) => write!(f, "return {id}"),
            Self::Chat(id) => write!(f, "chat {id}"),
            Self::Message(id) => write!(f, "message {id}"),
            Self::Credential(id) => write!(f, "credential {id}"),
            Self::Subscription(id) => write!(f, "subscription {id}"),
            Self::Event(id) => write!(f, "event {id}"),
            Self::SavedReply(id) => write!(f, "saved reply {id}"),
        }
    }
}

/// What an operation contradicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Another unrevoked credential of the business and kind has the name.
    #[error("another one of this business has this name")]
    NameTaken,
    /// The business has as many keys as it may have.
    #[error("the business has 30 keys already: revoke one first")]
    TooManyKeys,
    /// The business has as many saved replies as it may have.
    #[error("the business has 100 saved replies already: delete one first")]
    TooManyReplies,
    /// A revoked credential stays as it is.
    #[error("it is revoked and can no longer be changed")]
    Revoked,
    /// The order has chats, which name its campaign and customer.
    #[error("the order has chats: its campaign and customer can no longer change")]
    OrderHasChats,
    /// The return has chats, which name its order.
    #[error("the return has chats: its order can no longer change")]
    ReturnHasChats,
    /// The order belongs to another customer than the one named.
    #[error("the order belongs to another customer")]
    OtherCustomer,
    /// Nothing is sent to a subscription that is not enabled.
    #[error("the subscription is disabled: enable it first")]
    SubscriptionDisabled,
    /// The customer is being erased: what is kept of them from now on must not be mixed with what goes.
    #[error("the customer is being erased: register them anew when that is done")]
    ErasureUnderWay,
    /// The idempotency key was used for another request within 24 hours.
    #[error("the Idempotency-Key was used for another request within the last 24 hours")]
    IdempotencyKeyReused,
}
