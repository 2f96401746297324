//! The documented errors by name, for those who want to meet one.

use prilavok_domain::{BusinessId, CampaignId};
use prilavok_server::limits::LimitSettings;
use prilavok_wire::error::{Limited, Quoted};
use prilavok_wire::{ApiError, Operation};
use serde::{Deserialize, Serialize};

/// A documented error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ErrorName {
    /// 400: a field names nothing that exists.
    IllegalInput,
    /// 400: a page token that was not given out for the list.
    BadPageToken,
    /// 401: neither a key nor a token.
    CredentialsMissing,
    /// 401: a key that nobody was given.
    KeyUnknown,
    /// 401: a key that was revoked.
    KeyRevoked,
    /// 403: an OAuth token that is unknown, revoked or has ended.
    OauthTokenInvalid,
    /// 403: the credential is not for this.
    AccessDenied,
    /// 403: none of the scopes that would do.
    ScopeMissing,
    /// 403: the business is switched off.
    BusinessDisabled,
    /// 403: the campaign is switched off.
    CampaignDisabled,
    /// 404: no such chat.
    ChatNotFound,
    /// 404: no such message.
    MessageNotFound,
    /// 404: no such order.
    OrderNotFound,
    /// 404: no such return.
    ReturnNotFound,
    /// 404: no such campaign.
    CampaignNotFound,
    /// 415: a body of another type.
    ContentType,
    /// 420: too many calls under way.
    ParallelLimit,
    /// 420: too many calls this hour; the headers say that none is left.
    HourlyLimit,
    /// 423: the business is being moved.
    Migrating,
    /// 500: the server failed.
    Internal,
    /// 503: the server cannot take it now.
    Unavailable,
}

impl ErrorName {
    const ALL: [(&'static str, Self); 21] = [
        ("illegalInput", Self::IllegalInput),
        ("badPageToken", Self::BadPageToken),
        ("credentialsMissing", Self::CredentialsMissing),
        ("keyUnknown", Self::KeyUnknown),
        ("keyRevoked", Self::KeyRevoked),
        ("oauthTokenInvalid", Self::OauthTokenInvalid),
        ("accessDenied", Self::AccessDenied),
        ("scopeMissing", Self::ScopeMissing),
        ("businessDisabled", Self::BusinessDisabled),
        ("campaignDisabled", Self::CampaignDisabled),
        ("chatNotFound", Self::ChatNotFound),
        ("messageNotFound", Self::MessageNotFound),
        ("orderNotFound", Self::OrderNotFound),
        ("returnNotFound", Self::ReturnNotFound),
        ("campaignNotFound", Self::CampaignNotFound),
        ("contentType", Self::ContentType),
        ("parallelLimit", Self::ParallelLimit),
        ("hourlyLimit", Self::HourlyLimit),
        ("migrating", Self::Migrating),
        ("internal", Self::Internal),
        ("unavailable", Self::Unavailable),
    ];

    /// The error as a call of `operation` meets it.
    #[must_use]
    pub fn error(
        self,
        operation: Operation,
        business: BusinessId,
        limits: &LimitSettings,
        request_id: &str,
    ) -> ApiError {
        let id = 1;
        match self {
            Self::IllegalInput => ApiError::IllegalInput("chatId".to_owned()),
            Self::BadPageToken => ApiError::BadPageToken,
            Self::CredentialsMissing => ApiError::CredentialsMissing,
            Self::KeyUnknown => ApiError::KeyUnknown,
            Self::KeyRevoked => ApiError::KeyRevoked,
            Self::OauthTokenInvalid => ApiError::OAuthTokenInvalid,
            Self::AccessDenied => ApiError::AccessDenied,
            Self::ScopeMissing => ApiError::ScopeMissing(operation.row().scopes),
            Self::BusinessDisabled => ApiError::BusinessDisabled(business),
            Self::CampaignDisabled => match CampaignId::new(id) {
                Ok(campaign) => ApiError::CampaignDisabled(campaign),
                Err(_) => ApiError::AccessDenied,
            },
            Self::ChatNotFound => ApiError::ChatNotFound(id),
            Self::MessageNotFound => ApiError::MessageNotFound {
                message: id,
                chat: id,
            },
            Self::OrderNotFound => ApiError::OrderNotFound(id),
            Self::ReturnNotFound => ApiError::ReturnNotFound(id),
            Self::CampaignNotFound => ApiError::CampaignNotFound(id),
            Self::ContentType => ApiError::ContentType(Quoted::new("text/plain")),
            Self::ParallelLimit => ApiError::ParallelLimit {
                limit: limits.parallel(business).as_number(),
                of: Limited::Business(business),
            },
            Self::HourlyLimit => ApiError::HourlyLimit {
                limit: limits.hourly(operation, business).as_number(),
                operation,
                of: Limited::Business(business),
            },
            Self::Migrating => ApiError::Migrating,
            Self::Internal => ApiError::Internal {
                request_id: request_id.to_owned(),
            },
            Self::Unavailable => ApiError::Unavailable,
        }
    }
}

impl std::str::FromStr for ErrorName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|(name, _)| *name == text);
        known.map(|(_, error)| *error).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|(name, _)| *name).collect();
            format!("'{text}' is none of {}", names.join(", "))
        })
    }
}

impl<'de> Deserialize<'de> for ErrorName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
