//! A chat: its context, type and status.

use std::sync::Arc;

use crate::named::named_enum;
use crate::{BusinessId, CampaignId, ChatId, Customer, MessageId, OrderId, ReturnId, Timestamp};

named_enum! {
    /// What a chat is about.
    pub enum ContextType {
        /// An order.
        Order = "ORDER",
        /// A return of an order.
        Return = "RETURN",
        /// Neither: the customer asks the business directly.
        Direct = "DIRECT",
    }
}

named_enum! {
    /// The type of a chat; it never changes.
    pub enum ChatType {
        /// An ordinary conversation.
        Chat = "CHAT",
        /// A dispute with an arbiter, beside the ordinary chat of the same context.
        Arbitrage = "ARBITRAGE",
    }
}

named_enum! {
    /// Whose turn it is.
    pub enum ChatStatus {
        /// Created, nobody wrote yet.
        New = "NEW",
        /// The customer is to answer.
        WaitingForCustomer = "WAITING_FOR_CUSTOMER",
        /// The partner is to answer.
        WaitingForPartner = "WAITING_FOR_PARTNER",
        /// The arbiter is to decide.
        WaitingForArbiter = "WAITING_FOR_ARBITER",
        /// The marketplace is to act.
        WaitingForMarket = "WAITING_FOR_MARKET",
        /// Over.
        Finished = "FINISHED",
    }
}

/// What a chat is about, with the ids that belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// About an order.
    Order {
        /// The order.
        order: OrderId,
        /// The order's store.
        campaign: CampaignId,
    },
    /// About a return.
    Return {
        /// The return.
        returned: ReturnId,
        /// The order that is returned.
        order: OrderId,
        /// The order's store.
        campaign: CampaignId,
    },
    /// A direct question to the business.
    Direct,
}

impl Context {
    /// The type of this context.
    #[must_use]
    pub const fn kind(&self) -> ContextType {
        match self {
            Self::Order { .. } => ContextType::Order,
            Self::Return { .. } => ContextType::Return,
            Self::Direct => ContextType::Direct,
        }
    }

    /// The order behind an order's or a return's chat.
    #[must_use]
    pub const fn order(&self) -> Option<OrderId> {
        match self {
            Self::Order { order, .. } | Self::Return { order, .. } => Some(*order),
            Self::Direct => None,
        }
    }

    /// The store behind an order's or a return's chat.
    #[must_use]
    pub const fn campaign(&self) -> Option<CampaignId> {
        match self {
            Self::Order { campaign, .. } | Self::Return { campaign, .. } => Some(*campaign),
            Self::Direct => None,
        }
    }

    /// The return that the chat is about.
    #[must_use]
    pub const fn returned(&self) -> Option<ReturnId> {
        match self {
            Self::Return { returned, .. } => Some(*returned),
            Self::Order { .. } | Self::Direct => None,
        }
    }
}

/// A chat as its readers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// The business that it belongs to.
    pub business: BusinessId,
    /// Its id.
    pub id: ChatId,
    /// What it is about.
    pub context: Context,
    /// The buyer.
    pub customer: Arc<Customer>,
    /// Its type.
    pub kind: ChatType,
    /// Whose turn it is.
    pub status: ChatStatus,
    /// When it was created.
    pub created_at: Timestamp,
    /// The time of the last message; of creation while there is none.
    pub updated_at: Timestamp,
    /// The last message, if there is any.
    pub last_message: Option<MessageId>,
}
