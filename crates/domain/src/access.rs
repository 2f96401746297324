//! Credentials of a business: what they may do.

use std::fmt;

use crate::business::{InvalidName, checked};
use crate::named::named_enum;

named_enum! {
    /// What a credential may be used for; names as in the contract.
    pub enum Scope {
        /// Every method.
        AllMethods = "all-methods",
        /// Every reading method.
        AllMethodsReadOnly = "all-methods:read-only",
        /// Orders and stock.
        InventoryAndOrderProcessing = "inventory-and-order-processing",
        /// Orders and stock, reading.
        InventoryAndOrderProcessingReadOnly = "inventory-and-order-processing:read-only",
        /// Prices.
        Pricing = "pricing",
        /// Prices, reading.
        PricingReadOnly = "pricing:read-only",
        /// Offers and cards.
        OffersAndCardsManagement = "offers-and-cards-management",
        /// Offers and cards, reading.
        OffersAndCardsManagementReadOnly = "offers-and-cards-management:read-only",
        /// Promotion.
        Promotion = "promotion",
        /// Promotion, reading.
        PromotionReadOnly = "promotion:read-only",
        /// Finance and accounting.
        FinanceAndAccounting = "finance-and-accounting",
        /// Talking to customers: the chats group.
        Communication = "communication",
        /// Settings.
        SettingsManagement = "settings-management",
        /// Supplies, reading.
        SuppliesManagementReadOnly = "supplies-management:read-only",
    }
}

/// A set of scopes, in the order of [`Scope::ALL`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ScopeSet(u32);

impl ScopeSet {
    /// No scope.
    pub const NONE: Self = Self(0);

    /// Every scope that exists.
    pub const ANY: Self = Self((1 << Scope::ALL.len()) - 1);

    /// The scopes of a list.
    #[must_use]
    pub const fn of(scopes: &[Scope]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < scopes.len() {
            bits |= 1 << scopes[at] as u32;
            at += 1;
        }
        Self(bits)
    }

    /// Whether `scope` is in the set.
    #[must_use]
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u32) != 0
    }

    /// Whether the sets have a scope in common.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL
            .iter()
            .copied()
            .filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | 1 << scope as u32))
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Scope::as_str)).finish()
    }
}

/// Whether an operation only reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It changes nothing.
    Read,
    /// It changes something.
    Write,
}

named_enum! {
    /// How a credential is presented.
    pub enum CredentialKind {
        /// The `Api-Key` header.
        ApiKey = "API_KEY",
        /// The `Authorization` header, as a bearer or an OAuth token.
        OAuthToken = "OAUTH_TOKEN",
    }
}

/// The id of a key or token, as the operator sees it; unique across the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CredentialId(pub i64);

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The most keys that a business may have at a time, revoked ones not counted.
pub const MAX_KEYS_PER_BUSINESS: usize = 30;

/// The name of a key or token: 1–100 characters, unique within its business and kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialName(String);

impl CredentialName {
    /// The most characters of a name.
    pub const MAX_CHARS: usize = 100;

    /// Checks the length.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidName> {
        checked(text.as_ref(), Self::MAX_CHARS).map(|text| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
