//! What the operator registers.

use prilavok_domain::{Business, Campaign, Customer, Order, Return};

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
