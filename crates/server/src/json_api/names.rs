//! The domain's enumerations as the Operator API writes them: by their names, each one a schema of the
//! API's document.

use std::str::FromStr;

use prilavok_domain::event::{DisabledBy, Outcome};
use prilavok_domain::rules::{NotificationType, WaitFor};
use prilavok_domain::{
    BusinessState, CampaignState, ChatStatus, ChatType, ContextType, DecidedFor, Deed, Placement, Scope,
    Sender,
};
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// An enumeration whose variants have names.
pub(crate) trait Named: FromStr + Copy + 'static {
    /// Every variant.
    const ALL: &'static [Self];

    /// The variant's name.
    fn text(self) -> &'static str;
}

macro_rules! names {
    ($($(#[doc = $doc:literal])+ $of:ident as $name:ident),+ $(,)?) => {$(
        impl Named for $of {
            const ALL: &'static [Self] = $of::ALL;

            fn text(self) -> &'static str {
                self.as_str()
            }
        }

        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) $of);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.as_str())
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(concat!($($doc),+).trim()))
                    .enum_values(Some($of::ALL.iter().map(|variant| variant.as_str())))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($of).into()
            }
        }
    )+};
}

names! {
    /// Whether the Partner API of a business answers: `DISABLED` answers 403, `MIGRATING` answers 423.
    BusinessState as BusinessStateName,
    /// Whether the Partner API of a campaign answers.
    CampaignState as CampaignStateName,
    /// How a campaign sells. Partners may start chats about returns for FBS, FBY and EXPRESS.
    Placement as PlacementName,
    /// What a chat is about.
    ContextType as ContextTypeName,
    /// An ordinary conversation, or a dispute with an arbiter beside it.
    ChatType as ChatTypeName,
    /// Whose turn it is.
    ChatStatus as ChatStatusName,
    /// Who wrote a message.
    Sender as SenderName,
    /// Whom a SUPPORT message leaves the chat waiting for.
    WaitFor as WaitForName,
    /// What a key or token may be used for.
    Scope as ScopeName,
    /// What sellers are told of.
    NotificationType as NotificationTypeName,
    /// Why a subscription is disabled: by somebody's hand (or it was never enabled), or because deliveries failed for
    /// as long as they are tried again.
    DisabledBy as DisabledByName,
    /// What followed from a try to deliver: it was accepted; refused for good; failed, and is tried again; or failed for
    /// the last time, and the subscription was disabled.
    Outcome as OutcomeName,
    /// For whom a dispute was decided.
    DecidedFor as DecidedForName,
    /// What somebody of the marketplace did by hand.
    Deed as DeedName,
}
