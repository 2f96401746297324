//! The ids in paths, each one typed by what it names.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use prilavok_domain::{
    BusinessId, CampaignId, ChatId, CredentialId, FileId, MessageId, OrderId, PublicId, ReturnId,
    SubscriptionId,
};
use prilavok_store::Entity;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Required, Schema};

use super::error::ApiError;
use super::fields;
use crate::app::SharedApp;

/// An id that paths hold.
pub(crate) trait PathId: Sized + Send {
    /// The name of its path parameter.
    const NAME: &'static str;
    /// What it names.
    const DESCRIPTION: &'static str;

    /// Reads it, or says which rule it breaks.
    fn read(text: &str) -> Result<Self, String>;

    /// How the API's document describes it.
    fn schema() -> RefOr<Schema> {
        fields::id_schema()
    }
}

/// An id from the path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Id<T>(pub(crate) T);

/// A business from the path that exists.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InBusiness(pub(crate) BusinessId);

/// The id of an Api-Key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyId(pub(crate) CredentialId);

/// The id of an OAuth token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenId(pub(crate) CredentialId);

/// The id of a line of the delivery log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeliveryId(pub(crate) i64);

/// The id of a call in the request log.
#[derive(Debug, Clone)]
pub(crate) struct LoggedId(pub(crate) String);

macro_rules! ids {
    ($($id:ty, $name:literal, $description:literal, $make:expr;)+) => {$(
        impl PathId for $id {
            const NAME: &'static str = $name;
            const DESCRIPTION: &'static str = $description;

            fn read(text: &str) -> Result<Self, String> {
                fields::id_number(text.parse().ok()).and_then($make)
            }
        }
    )+};
}

ids! {
    BusinessId, "businessId", "The business: the seller's cabinet.", fields::id;
    CampaignId, "campaignId", "The campaign: a store of the business.", fields::id;
    OrderId, "orderId", "The order, unique within its business.", fields::id;
    ReturnId, "returnId", "The return, unique within its business.", fields::id;
    ChatId, "chatId", "The chat.", fields::id;
    MessageId, "messageId", "The message.", fields::id;
    FileId, "fileId", "The file.", fields::id;
    SubscriptionId, "subscriptionId", "The subscription.", fields::id;
    DeliveryId, "deliveryId", "The delivery: a line of the delivery log.", |id| Ok(Self(id));
    KeyId, "keyId", "The Api-Key.", |id| Ok(Self(CredentialId(id)));
    TokenId, "tokenId", "The OAuth token.", |id| Ok(Self(CredentialId(id)));
}

impl PathId for LoggedId {
    const NAME: &'static str = "requestId";
    const DESCRIPTION: &'static str = "The call: the `X-Request-Id` of its answer.";

    fn read(text: &str) -> Result<Self, String> {
        Ok(Self(text.to_owned()))
    }

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).into()
    }
}

impl PathId for PublicId {
    const NAME: &'static str = "publicId";
    const DESCRIPTION: &'static str =
        "The customer: the marketplace's own id of the buyer, 1 to 100 characters.";

    fn read(text: &str) -> Result<Self, String> {
        Self::new(text).map_err(|error| error.to_string())
    }

    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String);
        text.min_length(Some(1)).max_length(Some(Self::MAX_CHARS)).into()
    }
}

impl<T: PathId> FromRequestParts<SharedApp> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, app).await;
        let params = params.map_err(|_| ApiError::field(T::NAME, "must be percent-encoded UTF-8"))?;
        let text = params
            .iter()
            .find(|(name, _)| *name == T::NAME)
            .map(|(_, text)| text);
        let text = text.ok_or_else(|| ApiError::internal(format!("the path has no {}", T::NAME)))?;
        T::read(text)
            .map(Self)
            .map_err(|problem| ApiError::field(T::NAME, problem))
    }
}

impl FromRequestParts<SharedApp> for InBusiness {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, ApiError> {
        let Id(business) = Id::<BusinessId>::from_request_parts(parts, app).await?;
        match app.access.business(business).await? {
            Some(_) => Ok(Self(business)),
            None => Err(ApiError::not_found(&Entity::Business(business))),
        }
    }
}

impl<T: PathId> IntoParams for Id<T> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = ParameterBuilder::new()
            .name(T::NAME)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some(T::DESCRIPTION))
            .schema(Some(T::schema()));
        vec![parameter.build()]
    }
}

impl IntoParams for InBusiness {
    fn into_params(provider: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Id::<BusinessId>::into_params(provider)
    }
}
