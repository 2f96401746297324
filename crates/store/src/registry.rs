//! What the operator registers.

use prilavok_domain::{
    Business, BusinessId, Campaign, CampaignId, Customer, Order, OrderId, PublicId, Return, ReturnId,
};

use crate::error::must_exist;
use crate::{Conflict, Entity, Refusal, Result, StoreError};

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
    fn of<T: PartialEq>(there: Option<&T>, wanted: &T) -> Self {
        match there {
            None => Self::Created,
            Some(there) if there == wanted => Self::Unchanged,
            Some(_) => Self::Changed,
        }
    }
}

/// What is registered already, as the checks look at it.
pub(crate) trait Registered {
    fn business(&self, id: BusinessId) -> Result<Option<Business>>;
    fn campaign(&self, business: BusinessId, id: CampaignId) -> Result<Option<Campaign>>;
    fn customer(&self, id: &PublicId) -> Result<Option<Customer>>;
    fn order(&self, business: BusinessId, id: OrderId) -> Result<Option<Order>>;
    fn returned(&self, business: BusinessId, id: ReturnId) -> Result<Option<Return>>;
    /// Whether there are chats about an order or returns of it.
    fn order_has_chats(&self, business: BusinessId, id: OrderId) -> Result<bool>;
    fn return_has_chats(&self, business: BusinessId, id: ReturnId) -> Result<bool>;
}

/// What putting `item` does, or why it may not be put.
pub(crate) fn put(registered: &impl Registered, item: &Registration) -> Result<Put> {
    let business_exists =
        |id: BusinessId| must_exist(registered.business(id)?, || Entity::Business(id)).map(|_| ());
    match item {
        Registration::Business(wanted) => Ok(Put::of(registered.business(wanted.id)?.as_ref(), wanted)),
        Registration::Campaign(wanted) => {
            business_exists(wanted.business)?;
            let there = registered.campaign(wanted.business, wanted.id)?;
            Ok(Put::of(there.as_ref(), wanted))
        }
        Registration::Customer(wanted) => {
            let there = registered.customer(&wanted.public_id)?;
            Ok(Put::of(there.as_ref(), wanted))
        }
        Registration::Order(wanted) => {
            business_exists(wanted.business)?;
            must_exist(registered.campaign(wanted.business, wanted.campaign)?, || {
                Entity::Campaign(wanted.campaign)
            })?;
            must_exist(registered.customer(&wanted.customer)?, || {
                Entity::Customer(wanted.customer.clone())
            })?;
            let there = registered.order(wanted.business, wanted.id)?;
            let put = Put::of(there.as_ref(), wanted);
            let moves =
                there.is_some_and(|it| it.campaign != wanted.campaign || it.customer != wanted.customer);
            if moves && registered.order_has_chats(wanted.business, wanted.id)? {
                return Err(Refusal::Conflict(Conflict::OrderHasChats).into());
            }
            Ok(put)
        }
        Registration::Return(wanted) => {
            business_exists(wanted.business)?;
            must_exist(registered.order(wanted.business, wanted.order)?, || {
                Entity::Order(wanted.order)
            })?;
            let put = Put::of(registered.returned(wanted.business, wanted.id)?.as_ref(), wanted);
            if put == Put::Changed && registered.return_has_chats(wanted.business, wanted.id)? {
                return Err(Refusal::Conflict(Conflict::ReturnHasChats).into());
            }
            Ok(put)
        }
    }
}

/// Names the item that was refused.
pub(crate) fn at_item(index: usize) -> impl FnOnce(StoreError) -> StoreError {
    move |error| match error {
        StoreError::Refused(refusal) => Refusal::AtItem {
            index,
            refusal: Box::new(refusal),
        }
        .into(),
        other => other,
    }
}

/// Whether the puts change what a request is let in by.
pub(crate) fn access_changes(items: &[Registration], puts: &[Put]) -> bool {
    items.iter().zip(puts).any(|(item, put)| {
        *put != Put::Unchanged && matches!(item, Registration::Business(_) | Registration::Campaign(_))
    })
}
