//! Every error that an answer of the Partner API can carry: HTTP status, code and message in one table.
//!
//! How several of them make an answer is in `failure`; what leads to which is decided elsewhere.

use http::StatusCode;
use prilavok_domain::rules::RuleViolation;
use prilavok_domain::{BusinessId, CampaignId, ScopeSet};

use crate::Operation;
use crate::error_values::ScopeNames;

pub use crate::error_values::{Kilobytes, Limited, Megabytes, Quoted};

/// One error of an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    // --- 400
    /// A parameter that must be there is not.
    #[error("Required request parameter '{0}' is not present")]
    ParameterMissing(&'static str),
    /// A parameter is not of its type.
    #[error("Type mismatch: '{0}'")]
    TypeMismatch(Quoted),
    /// A number is below the least that is allowed.
    #[error("'{field}' must be greater than or equal to '{min}' (rejected value: '{value}')")]
    TooSmall {
        /// The field's path.
        field: String,
        /// The least value.
        min: i64,
        /// What came.
        value: i64,
    },
    /// A number is above the greatest that is allowed.
    #[error("'{field}' must be less than or equal to '{max}' (rejected value: '{value}')")]
    TooGreat {
        /// The field's path.
        field: String,
        /// The greatest value.
        max: i64,
        /// What came.
        value: i64,
    },
    /// The page is to be larger than pages can be.
    #[error("Parameter limit must be less than or equal to '{max}' (rejected value: '{value}')")]
    LimitTooGreat {
        /// The greatest value.
        max: i64,
        /// What came.
        value: i64,
    },
    /// A field that must be there is absent or null.
    #[error("'{0}' must not be null (rejected value: null)")]
    Null(String),
    /// A list or file has nothing in it.
    #[error("'{field}' must not be empty (rejected value: '{value}')")]
    Empty {
        /// The field's path.
        field: String,
        /// What came.
        value: Quoted,
    },
    /// A text is too short.
    #[error("'{field}' size must be between '{min}' and '{max}' (rejected value: '{value}')")]
    TooShort {
        /// The field's path.
        field: String,
        /// The least size.
        min: usize,
        /// The greatest size.
        max: usize,
        /// What came.
        value: Quoted,
    },
    /// A text is too long.
    #[error("'{field}' size must be between '{min}' and '{max}' (rejected size: '{size}')")]
    TooLong {
        /// The field's path.
        field: String,
        /// The least size.
        min: usize,
        /// The greatest size.
        max: usize,
        /// The size of what came.
        size: usize,
    },
    /// A list has null in it.
    #[error("'{field}' elements must be not null (rejected value: '{value}')")]
    NullElement {
        /// The field's path.
        field: String,
        /// What came.
        value: Quoted,
    },
    /// There is no body.
    #[error("Required request body is missing")]
    BodyMissing,
    /// The body is no JSON.
    #[error("JSON: {0}")]
    Json(String),
    /// The body ends too soon.
    #[error("Unexpected end of content")]
    UnexpectedEnd,
    /// A field is of the wrong kind, or names nothing that exists.
    #[error("Illegal input at '{0}'")]
    IllegalInput(String),
    /// A page token was not given out for this list.
    #[error("Bad page token")]
    BadPageToken,
    /// The body is larger than bodies may be.
    #[error(
        "The request is too big: Maximum allowed request size must be less than '{max}' KB, but passed '{size}' MB"
    )]
    TooBig {
        /// The most bytes.
        max: Kilobytes,
        /// The bytes that came or were announced.
        size: Megabytes,
    },
    /// The `X-Business-Id` header is no id.
    #[error("Incorrect X-Business-Id header value: '{0}'")]
    BusinessIdHeader(Quoted),
    /// The `X-Business-Id` header contradicts the address.
    #[error("URL businessId ('{url}') does not match businessId in X-Business-Id header ('{header}')")]
    BusinessIdMismatch {
        /// The id in the address.
        url: i64,
        /// The id in the header.
        header: i64,
    },
    /// `orderId` and `context` are both given and mean different things.
    #[error("'orderId' and 'context' must name the same order: send 'context' alone")]
    ContextContradicted,
    /// The `Idempotency-Key` header is not what it may be.
    #[error("Incorrect Idempotency-Key header value: it must have 1 to 255 visible ASCII characters")]
    IdempotencyKey,
    /// The `Idempotency-Key` was used for something else.
    #[error("The Idempotency-Key was used for another request within the last 24 hours")]
    IdempotencyKeyReused,
    /// The last event that a client of live events says it saw is no id.
    #[error("Incorrect last event id: '{0}'. Send the id that an event came with")]
    LastEventId(Quoted),
    /// The chat rules forbid it.
    #[error(transparent)]
    Rule(#[from] RuleViolation),

    // --- 401
    /// Neither an `Api-Key` nor an `Authorization` header.
    #[error("Credentials are not specified")]
    CredentialsMissing,
    /// A key that does not begin as keys do.
    #[error("Api-Key token prefix invalid")]
    KeyPrefix,
    /// A key that is not as long as keys are.
    #[error("Api-Key token length invalid")]
    KeyLength,
    /// A key with wrong characters or a wrong check sum.
    #[error("Api-Key token format invalid")]
    KeyFormat,
    /// A key that nobody was given.
    #[error("Api-Key token is invalid")]
    KeyUnknown,
    /// A key that was revoked.
    #[error("Api-Key token is revoked")]
    KeyRevoked,
    /// An `Authorization` header of an unknown form.
    #[error("Authorization header has invalid syntax")]
    AuthorizationSyntax,
    /// An `Authorization` header without a token.
    #[error("OAuth token is not specified")]
    OAuthTokenMissing,

    // --- 403
    /// The credential is not for this.
    #[error("Access denied")]
    AccessDenied,
    /// The credential has none of the scopes that would do.
    #[error("Token does not have any of the scopes to access the API method: {}", ScopeNames(*.0))]
    ScopeMissing(ScopeSet),
    /// A token that is unknown, revoked or has ended.
    #[error("OAuth token is invalid")]
    OAuthTokenInvalid,
    /// No campaign of the business is available, or the business itself is switched off.
    #[error("API for business '{0}' disabled because it has only disabled partners")]
    BusinessDisabled(BusinessId),
    /// The campaign is switched off.
    #[error("API for campaign '{0}' manually disabled")]
    CampaignDisabled(CampaignId),

    // --- 404
    /// The business has no such chat.
    #[error("Can't find chat by id: '{0}'")]
    ChatNotFound(i64),
    /// The chat has no such message.
    #[error("Can't find message by id: '{message}' for chat '{chat}'")]
    MessageNotFound {
        /// The message.
        message: i64,
        /// The chat.
        chat: i64,
    },
    /// The business has no such order.
    #[error("Order not found: '{0}'")]
    OrderNotFound(i64),
    /// The business has no such return.
    #[error("Return not found: '{0}'")]
    ReturnNotFound(i64),
    /// The caller may see no such campaign.
    #[error("Campaign not found '{0}'")]
    CampaignNotFound(i64),
    /// No operation has this address.
    #[error("Resource not found")]
    PathNotFound,

    // --- 405, 415
    /// The address exists, but not with this method.
    #[error("Request method '{0}' not supported")]
    MethodNotSupported(Quoted),
    /// The operation cannot read a body of this type.
    #[error("Content type '{0}' not supported")]
    ContentType(Quoted),

    // --- 420
    /// Too many requests at the same time.
    #[error("Hit rate limit of {limit} parallel requests for {of}")]
    ParallelLimit {
        /// How many may run.
        limit: u32,
        /// Whom it is counted for.
        of: Limited,
    },
    /// Too many requests within the hour.
    #[error("Hit rate limit of {limit} requests per 1 hour for resource '{operation}' for {of}")]
    HourlyLimit {
        /// How many may be made.
        limit: u32,
        /// Which operation was called.
        operation: Operation,
        /// Whom it is counted for.
        of: Limited,
    },
    /// Too many streams of live events at the same time.
    #[error("Hit limit of {limit} open event streams for {of}")]
    StreamLimit {
        /// How many may be open.
        limit: usize,
        /// Whom it is counted for.
        of: Limited,
    },

    // --- 423
    /// The business is being moved.
    #[error("Business is in migration")]
    Migrating,

    // --- 500, 503
    /// We failed; the log says how.
    #[error("Internal server error. Request id: {request_id}")]
    Internal {
        /// The id of the request, which the log line carries too.
        request_id: String,
    },
    /// The store cannot take it now.
    #[error("Service temporarily unavailable. Please, try again later")]
    Unavailable,
    /// More is asked for than the server can do. Clients see no difference to the former.
    #[error("Service temporarily unavailable. Please, try again later")]
    Overloaded,
}

impl ApiError {
    /// The HTTP status of an answer that carries this error first.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::ParameterMissing(_)
            | Self::TypeMismatch(_)
            | Self::TooSmall { .. }
            | Self::TooGreat { .. }
            | Self::LimitTooGreat { .. }
            | Self::Null(_)
            | Self::Empty { .. }
            | Self::TooShort { .. }
            | Self::TooLong { .. }
            | Self::NullElement { .. }
            | Self::BodyMissing
            | Self::Json(_)
            | Self::UnexpectedEnd
            | Self::IllegalInput(_)
            | Self::BadPageToken
            | Self::TooBig { .. }
            | Self::BusinessIdHeader(_)
            | Self::BusinessIdMismatch { .. }
            | Self::ContextContradicted
            | Self::IdempotencyKey
            | Self::IdempotencyKeyReused
            | Self::LastEventId(_)
            | Self::Rule(_) => StatusCode::BAD_REQUEST,
            Self::CredentialsMissing
            | Self::KeyPrefix
            | Self::KeyLength
            | Self::KeyFormat
            | Self::KeyUnknown
            | Self::KeyRevoked
            | Self::AuthorizationSyntax
            | Self::OAuthTokenMissing => StatusCode::UNAUTHORIZED,
            Self::AccessDenied
            | Self::ScopeMissing(_)
            | Self::OAuthTokenInvalid
            | Self::BusinessDisabled(_)
            | Self::CampaignDisabled(_) => StatusCode::FORBIDDEN,
            Self::ChatNotFound(_)
            | Self::MessageNotFound { .. }
            | Self::OrderNotFound(_)
            | Self::ReturnNotFound(_)
            | Self::CampaignNotFound(_)
            | Self::PathNotFound => StatusCode::NOT_FOUND,
            Self::MethodNotSupported(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::ContentType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::ParallelLimit { .. } | Self::HourlyLimit { .. } | Self::StreamLimit { .. } => {
                method_failure()
            }
            Self::Migrating => StatusCode::LOCKED,
            Self::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The code beside the message; it follows from the status.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.status().as_u16() {
            400 => "BAD_REQUEST",
            401 => "UNAUTHORIZED",
            403 => "FORBIDDEN",
            404 => "NOT_FOUND",
            405 => "METHOD_NOT_ALLOWED",
            415 => "UNSUPPORTED_MEDIA_TYPE",
            420 => "METHOD_FAILURE",
            423 => "LOCKED",
            503 => "SERVICE_UNAVAILABLE",
            _ => "INTERNAL_ERROR",
        }
    }
}

/// 420, which upstream answers where a limit was hit.
#[must_use]
pub fn method_failure() -> StatusCode {
    StatusCode::from_u16(420).unwrap_or(StatusCode::TOO_MANY_REQUESTS)
}

#[cfg(test)]
mod tests {
    use prilavok_domain::Scope;

    use super::*;

    #[test]
    fn messages_with_values() {
        let business = BusinessId::new(12345).expect("an id");
        let scopes = ScopeSet::of(&[Scope::AllMethods, Scope::Communication]);
        for (error, status, message) in [
            (
                ApiError::HourlyLimit {
                    limit: 1000,
                    operation: Operation::GetChat,
                    of: Limited::Business(business),
                },
                420,
                "Hit rate limit of 1000 requests per 1 hour for resource 'getChat' for businessId 12345",
            ),
            (
                ApiError::ScopeMissing(scopes),
                403,
                "Token does not have any of the scopes to access the API method: all-methods, communication",
            ),
            (
                ApiError::TooBig {
                    max: Kilobytes(512 * 1024),
                    size: Megabytes(600 * 1024),
                },
                400,
                "The request is too big: Maximum allowed request size must be less than '512' KB, but passed '0.59' MB",
            ),
            (
                ApiError::from(RuleViolation::PlacementNotAllowed),
                400,
                "Campaign type is not allowed. Allowed campaign types: 'FBS, FBY, EXPRESS'",
            ),
        ] {
            assert_eq!(
                (error.status().as_u16(), error.to_string().as_str()),
                (status, message)
            );
        }
    }
}
