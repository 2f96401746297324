//! The name of the rule behind each error, for those who look through refusals. Names are never changed.

use prilavok_domain::rules::RuleViolation;

use crate::ApiError;

macro_rules! rules {
    ($($pattern:pat => $name:literal,)+) => {
        /// The name of every rule.
        pub const NAMES: &[&str] = &[$($name),+];

        impl ApiError {
            /// The name of the rule that refused the call.
            #[must_use]
            pub const fn rule(&self) -> &'static str {
                match self { $($pattern => $name,)+ }
            }
        }
    };
}

rules! {
    Self::ParameterMissing(_) => "PARAMETER_MISSING",
    Self::TypeMismatch(_) => "TYPE_MISMATCH",
    Self::TooSmall { .. } => "TOO_SMALL",
    Self::TooGreat { .. } => "TOO_GREAT",
    Self::LimitTooGreat { .. } => "PAGE_TOO_LARGE",
    Self::Null(_) => "NULL",
    Self::Empty { .. } => "EMPTY",
    Self::TooShort { .. } => "TOO_SHORT",
    Self::TooLong { .. } => "TOO_LONG",
    Self::NullElement { .. } => "NULL_ELEMENT",
    Self::BodyMissing => "BODY_MISSING",
    Self::Json(_) => "JSON",
    Self::UnexpectedEnd => "UNEXPECTED_END",
    Self::IllegalInput(_) => "ILLEGAL_INPUT",
    Self::BadPageToken => "BAD_PAGE_TOKEN",
    Self::TooBig { .. } => "TOO_BIG",
    Self::BusinessIdHeader(_) => "BUSINESS_ID_HEADER",
    Self::BusinessIdMismatch { .. } => "BUSINESS_ID_MISMATCH",
    Self::ContextContradicted => "CONTEXT_CONTRADICTED",
    Self::IdempotencyKey => "IDEMPOTENCY_KEY",
    Self::IdempotencyKeyReused => "IDEMPOTENCY_KEY_REUSED",
    Self::LastEventId(_) => "LAST_EVENT_ID",
    Self::Rule(RuleViolation::ChatFinished { .. }) => "CHAT_FINISHED",
    Self::Rule(RuleViolation::ArbitrationFinished { .. }) => "ARBITRATION_FINISHED",
    Self::Rule(RuleViolation::PlacementNotAllowed) => "PLACEMENT_NOT_ALLOWED",
    Self::Rule(RuleViolation::DirectByPartner) => "DIRECT_BY_PARTNER",
    Self::Rule(RuleViolation::TestReturn) => "TEST_RETURN",
    Self::Rule(_) => "CHAT_RULE",
    Self::CredentialsMissing => "CREDENTIALS_MISSING",
    Self::KeyPrefix => "KEY_PREFIX",
    Self::KeyLength => "KEY_LENGTH",
    Self::KeyFormat => "KEY_FORMAT",
    Self::KeyUnknown => "KEY_UNKNOWN",
    Self::KeyRevoked => "KEY_REVOKED",
    Self::AuthorizationSyntax => "AUTHORIZATION_SYNTAX",
    Self::OAuthTokenMissing => "OAUTH_TOKEN_MISSING",
    Self::AccessDenied => "ACCESS_DENIED",
    Self::ScopeMissing(_) => "SCOPE",
    Self::OAuthTokenInvalid => "OAUTH_TOKEN_INVALID",
    Self::BusinessDisabled(_) => "BUSINESS_DISABLED",
    Self::CampaignDisabled(_) => "CAMPAIGN_DISABLED",
    Self::ChatNotFound(_) => "CHAT_NOT_FOUND",
    Self::MessageNotFound { .. } => "MESSAGE_NOT_FOUND",
    Self::OrderNotFound(_) => "ORDER_NOT_FOUND",
    Self::ReturnNotFound(_) => "RETURN_NOT_FOUND",
    Self::CampaignNotFound(_) => "CAMPAIGN_NOT_FOUND",
    Self::PathNotFound => "PATH_NOT_FOUND",
    Self::MethodNotSupported(_) => "METHOD_NOT_SUPPORTED",
    Self::ContentType(_) => "CONTENT_TYPE",
    Self::ParallelLimit { .. } => "PARALLEL_LIMIT",
    Self::HourlyLimit { .. } => "HOURLY_LIMIT",
    Self::StreamLimit { .. } => "STREAM_LIMIT",
    Self::Migrating => "MIGRATING",
    Self::Internal { .. } => "INTERNAL",
    Self::Unavailable => "UNAVAILABLE",
    Self::Overloaded => "OVERLOADED",
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::NAMES;

    #[test]
    fn each_rule_has_a_name_of_its_own() {
        let names: BTreeSet<_> = NAMES.iter().collect();
        assert_eq!(names.len(), NAMES.len());
    }
}
