//! The enumerations of the API. Each has a place for values that it may get later: an answer with one of those is
//! still an answer.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! open_enums {
    ($(
        $(#[$meta:meta])*
        $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)? }
    )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
            /// A value that this version of the crate does not know, as it was written.
            Other(String),
        }

        impl $name {
            /// The values that this version of the crate knows.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),+];

            /// The value as the API writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    )+};
}

open_enums! {
    /// What a chat is about.
    ContextType {
        /// An order.
        Order = "ORDER",
        /// A return.
        Return = "RETURN",
        /// A question of the customer.
        Direct = "DIRECT",
    }

    /// An ordinary chat or a dispute.
    ChatType {
        /// Customer and partner talk.
        Chat = "CHAT",
        /// A dispute, with an arbiter.
        Arbitrage = "ARBITRAGE",
    }

    /// Whose turn it is in a chat.
    ChatStatus {
        /// Nobody wrote yet.
        New = "NEW",
        /// The customer's.
        WaitingForCustomer = "WAITING_FOR_CUSTOMER",
        /// The partner's.
        WaitingForPartner = "WAITING_FOR_PARTNER",
        /// The arbiter's.
        WaitingForArbiter = "WAITING_FOR_ARBITER",
        /// The marketplace's.
        WaitingForMarket = "WAITING_FOR_MARKET",
        /// Nobody's: the chat is over and takes no message.
        Finished = "FINISHED",
    }

    /// Who wrote a message.
    Sender {
        /// The seller.
        Partner = "PARTNER",
        /// The buyer.
        Customer = "CUSTOMER",
        /// The marketplace, automatically.
        Market = "MARKET",
        /// The marketplace's people, arbiters among them.
        Support = "SUPPORT",
    }

    /// How a campaign sells.
    Placement {
        /// From the seller's warehouse, delivered by the marketplace.
        Fbs = "FBS",
        /// From the marketplace's warehouse.
        Fby = "FBY",
        /// From the seller's warehouse, delivered by the seller.
        Dbs = "DBS",
        /// FBS within hours.
        Express = "EXPRESS",
        /// The marketplace's logistics as a service.
        Laas = "LAAS",
    }

    /// Whether the API of a campaign answers.
    ApiAvailability {
        /// It does.
        Available = "AVAILABLE",
        /// Switched off because nothing was sold.
        DisabledByInactivity = "DISABLED_BY_INACTIVITY",
        /// Switched off because there is no contract.
        DisabledByNoActiveContract = "DISABLED_BY_NO_ACTIVE_CONTRACT",
        /// Switched off by hand.
        ManuallyDisabled = "MANUALLY_DISABLED",
        /// Switched off because it has no way of selling.
        DisabledByNoPlacementType = "DISABLED_BY_NO_PLACEMENT_TYPE",
    }

    /// What went wrong, in the API's own word.
    ErrorCode {
        /// The request is not as it should be.
        BadRequest = "BAD_REQUEST",
        /// Who calls is not known.
        Unauthorized = "UNAUTHORIZED",
        /// Who calls may not.
        Forbidden = "FORBIDDEN",
        /// What is asked for does not exist.
        NotFound = "NOT_FOUND",
        /// The address takes other methods.
        MethodNotAllowed = "METHOD_NOT_ALLOWED",
        /// The body is of a type that is not taken.
        UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE",
        /// A limit was hit.
        MethodFailure = "METHOD_FAILURE",
        /// The business is being moved.
        Locked = "LOCKED",
        /// The server failed.
        InternalError = "INTERNAL_ERROR",
        /// The server cannot serve now.
        ServiceUnavailable = "SERVICE_UNAVAILABLE",
    }

    /// What a key may be used for.
    Scope {
        /// Every method.
        AllMethods = "ALL_METHODS",
        /// Every reading method.
        AllMethodsReadOnly = "ALL_METHODS_READ_ONLY",
        /// Orders and stock.
        InventoryAndOrderProcessing = "INVENTORY_AND_ORDER_PROCESSING",
        /// Orders and stock, reading.
        InventoryAndOrderProcessingReadOnly = "INVENTORY_AND_ORDER_PROCESSING_READ_ONLY",
        /// Prices.
        Pricing = "PRICING",
        /// Prices, reading.
        PricingReadOnly = "PRICING_READ_ONLY",
        /// Offers and cards.
        OffersAndCardsManagement = "OFFERS_AND_CARDS_MANAGEMENT",
        /// Offers and cards, reading.
        OffersAndCardsManagementReadOnly = "OFFERS_AND_CARDS_MANAGEMENT_READ_ONLY",
        /// Promotion.
        Promotion = "PROMOTION",
        /// Promotion, reading.
        PromotionReadOnly = "PROMOTION_READ_ONLY",
        /// Finance and accounting.
        FinanceAndAccounting = "FINANCE_AND_ACCOUNTING",
        /// Talking to customers: the chats.
        Communication = "COMMUNICATION",
        /// Settings.
        SettingsManagement = "SETTINGS_MANAGEMENT",
        /// Supplies, reading.
        SuppliesManagementReadOnly = "SUPPLIES_MANAGEMENT_READ_ONLY",
    }
}
