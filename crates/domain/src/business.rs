//! Who talks and about what: businesses, campaigns, customers, orders and returns, as the operator
//! registers them.

use smol_str::SmolStr;

use crate::named::named_enum;
use crate::{BusinessId, CampaignId, OrderId, ReturnId, Timestamp};

named_enum! {
    /// Whether the Partner API of a business answers.
    pub enum BusinessState {
        /// It does.
        Active = "ACTIVE",
        /// It is switched off: 403.
        Disabled = "DISABLED",
        /// It is being moved: 423 until that is over.
        Migrating = "MIGRATING",
    }
}

named_enum! {
    /// How a campaign sells.
    pub enum Placement {
        /// Sold from the seller's stock, delivered by the marketplace.
        Fbs = "FBS",
        /// Sold from the marketplace's stock.
        Fby = "FBY",
        /// Sold and delivered by the seller.
        Dbs = "DBS",
        /// Delivered by courier from the seller's store.
        Express = "EXPRESS",
        /// Logistics as a service.
        Laas = "LAAS",
    }
}

named_enum! {
    /// Whether the API of a campaign answers; names as in the contract's `apiAvailability`.
    pub enum CampaignState {
        /// It does.
        Available = "AVAILABLE",
        /// Switched off by the operator.
        ManuallyDisabled = "MANUALLY_DISABLED",
        /// Switched off because nothing happened for long.
        DisabledByInactivity = "DISABLED_BY_INACTIVITY",
        /// Switched off for want of a contract.
        DisabledByNoActiveContract = "DISABLED_BY_NO_ACTIVE_CONTRACT",
        /// Switched off for want of a placement.
        DisabledByNoPlacementType = "DISABLED_BY_NO_PLACEMENT_TYPE",
    }
}

/// A text outside the length that its field allows, or with control characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must have {min} to {max} characters and no control characters")]
pub struct InvalidName {
    /// The least number of characters.
    pub min: usize,
    /// The most characters.
    pub max: usize,
}

pub(crate) fn checked(text: &str, max: usize) -> Result<&str, InvalidName> {
    let chars = text.chars().count();
    if (1..=max).contains(&chars) && !text.chars().any(char::is_control) {
        Ok(text)
    } else {
        Err(InvalidName { min: 1, max })
    }
}

/// The name of a business, a campaign's domain or a customer: 1–256 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(SmolStr);

impl Name {
    /// The most characters of a name.
    pub const MAX_CHARS: usize = 256;

    /// Checks the length.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidName> {
        checked(text.as_ref(), Self::MAX_CHARS).map(|text| Self(text.into()))
    }

    /// What an erased customer is called.
    #[must_use]
    pub fn erased() -> Self {
        Self(SmolStr::new_static("Erased customer"))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id under which the marketplace knows a customer: 1–100 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicId(SmolStr);

impl PublicId {
    /// The most characters of a customer's id.
    pub const MAX_CHARS: usize = 100;

    /// Checks the length.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidName> {
        checked(text.as_ref(), Self::MAX_CHARS).map(|text| Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A seller's cabinet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Business {
    /// Its id.
    pub id: BusinessId,
    /// Its name.
    pub name: Name,
    /// Whether its API answers.
    pub state: BusinessState,
}

/// A store of a business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// The business that it belongs to.
    pub business: BusinessId,
    /// Its id.
    pub id: CampaignId,
    /// Its internet address or name, as buyers know it.
    pub domain: Name,
    /// How it sells.
    pub placement: Placement,
    /// Whether its API answers.
    pub state: CampaignState,
}

/// A buyer, known to every business by the same public id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The marketplace's id of the customer.
    pub public_id: PublicId,
    /// The name that sellers see; [`Name::erased`] while they are erased.
    pub name: Name,
    /// When they were erased, unless they were registered anew since.
    pub erased_at: Option<Timestamp>,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The business that sold it.
    pub business: BusinessId,
    /// Its id.
    pub id: OrderId,
    /// The store that sold it.
    pub campaign: CampaignId,
    /// The buyer.
    pub customer: PublicId,
    /// Whether it was made to try things out: it may have a chat, its returns may not.
    pub test: bool,
}

/// A return of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    /// The business that the order was bought from.
    pub business: BusinessId,
    /// Its id.
    pub id: ReturnId,
    /// The order that is returned.
    pub order: OrderId,
}
