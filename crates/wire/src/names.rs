//! The enumerations of the Partner API by the names that the contract writes.
//!
//! The names are the domain's, except for scopes, which the contract writes in two ways: the domain's
//! in documents and messages, and those of [`ApiKeyScopeType`] in answers.

use prilavok_domain::{CampaignState, ChatStatus, ChatType, ContextType, Placement, Scope, Sender};
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

macro_rules! names {
    ($($(#[doc = $doc:literal])* $name:ident($of:ident, $as_str:expr)),+ $(,)?) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(pub $of);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($as_str(self.0))
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(concat!($($doc),*).trim()))
                    .enum_values(Some($of::ALL.iter().map(|value| $as_str(*value))))
                    .into()
            }
        }

        impl ToSchema for $name {}
    )+};
}

names! {
    /// What a chat is about: an order, a return, or a direct question of the customer.
    ChatContextType(ContextType, ContextType::as_str),
    /// An ordinary chat, or a dispute with an arbiter beside it.
    ChatTypeName(ChatType, ChatType::as_str),
    /// Whose turn it is. `NEW`: nobody wrote yet.
    ChatStatusType(ChatStatus, ChatStatus::as_str),
    /// Who wrote a message. `MARKET` writes automatically; `SUPPORT` are the marketplace's people,
    /// arbiters among them.
    ChatMessageSenderType(Sender, Sender::as_str),
    /// How a campaign sells.
    PlacementType(Placement, Placement::as_str),
    /// Whether the API of a campaign answers.
    ApiAvailabilityStatusType(CampaignState, CampaignState::as_str),
    /// What a key may be used for.
    ApiKeyScopeType(Scope, scope_name),
}

const fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::AllMethods => "ALL_METHODS",
        Scope::AllMethodsReadOnly => "ALL_METHODS_READ_ONLY",
        Scope::InventoryAndOrderProcessing => "INVENTORY_AND_ORDER_PROCESSING",
        Scope::InventoryAndOrderProcessingReadOnly => "INVENTORY_AND_ORDER_PROCESSING_READ_ONLY",
        Scope::Pricing => "PRICING",
        Scope::PricingReadOnly => "PRICING_READ_ONLY",
        Scope::OffersAndCardsManagement => "OFFERS_AND_CARDS_MANAGEMENT",
        Scope::OffersAndCardsManagementReadOnly => "OFFERS_AND_CARDS_MANAGEMENT_READ_ONLY",
        Scope::Promotion => "PROMOTION",
        Scope::PromotionReadOnly => "PROMOTION_READ_ONLY",
        Scope::FinanceAndAccounting => "FINANCE_AND_ACCOUNTING",
        Scope::Communication => "COMMUNICATION",
        Scope::SettingsManagement => "SETTINGS_MANAGEMENT",
        Scope::SuppliesManagementReadOnly => "SUPPLIES_MANAGEMENT_READ_ONLY",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_has_the_same_name_in_both_ways_of_writing() {
        for scope in Scope::ALL {
            let name = scope.as_str().to_uppercase().replace(['-', ':'], "_");
            assert_eq!(scope_name(*scope), name);
        }
    }
}
