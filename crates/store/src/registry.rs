//! What the operator registers.

use prilavok_domain::{Business, Campaign, Customer, Order, Return};

use crate::{Entity, Refusal, Result};

/// One thing to put: made if it is new, changed if it differs, left alone if it is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registration {
    /// A business.
    Business(Business),
    /// A campaign; its business must exist.
    Campaign(Campaign),
    /// A customer.
    Customer(Customer),
    /// An order; its campaign and customer must exist. Refused with `Conflict::OrderHasChats` where
    /// it would move an order with chats to another campaign or customer.
    Order(Order),
    /// A return; its order must exist. Refused with `Conflict::ReturnHasChats` likewise.
    Return(Return),
}

/// What a put did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It was new.
    Created,
    /// It was there and differed.
    Changed,
    /// It was there already, just so.
    Unchanged,
}

impl Put {
    /// What a put does, given what is there.
    pub(crate) fn of<T: PartialEq>(there: Option<&T>, wanted: &T) -> Self {
        match there {
            None => Self::Created,
            Some(there) if there == wanted => Self::Unchanged,
            Some(_) => Self::Changed,
        }
    }
}

/// Refuses where something that an operation names is not there.
pub(crate) fn must_exist<T>(found: Option<T>, entity: impl FnOnce() -> Entity) -> Result<T> {
    found.ok_or_else(|| Refusal::NotFound(entity()).into())
}
