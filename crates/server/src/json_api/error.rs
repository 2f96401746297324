//! Every error of the JSON APIs: its code, its HTTP status, and which error of the store it comes from.
//!
//! Handlers answer `Result<_, ApiError>`; the envelope around the error is put on by
//! [`super::envelope`], which knows the request's id.

use std::borrow::Cow;
use std::fmt::Display;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use prilavok_domain::rules::RuleViolation;
use prilavok_store::files::FileError;
use prilavok_store::{Conflict, Entity, Refusal, StoreError};
use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal, $status:ident;)+) => {
        /// What went wrong, for machines. Codes are never renamed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        pub(crate) enum Code {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $variant,)+
        }

        impl Code {
            /// Every code.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code, as clients read it.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The HTTP status that it comes with.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),+ }
            }

            /// When it is answered.
            pub(crate) const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+)),+ }
            }
        }
    };
}

codes! {
    /// The request is malformed, or a field is missing, unknown or out of range; `details` names each one.
    ValidationFailed = "VALIDATION_FAILED", BAD_REQUEST;
    /// The chat rules forbid it as the chat stands; nothing was changed.
    RuleViolated = "RULE_VIOLATED", BAD_REQUEST;
    /// The `Idempotency-Key` was used for another request within the last 24 hours.
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED", BAD_REQUEST;
    /// The receiver did not answer a PING as documented; the message says what it did. Nothing was changed.
    PingFailed = "PING_FAILED", BAD_REQUEST;
    /// There is no token, or it is not valid.
    Unauthorized = "UNAUTHORIZED", UNAUTHORIZED;
    /// The path does not exist, or something that it names does not.
    NotFound = "NOT_FOUND", NOT_FOUND;
    /// The path exists, but not for this method; `Allow` names those that it has.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", METHOD_NOT_ALLOWED;
    /// The body did not arrive in time.
    RequestTimeout = "REQUEST_TIMEOUT", REQUEST_TIMEOUT;
    /// It contradicts what is there: a name that is taken, an order that has chats, a 31st key,
    /// sending to a subscription that is disabled, writing to a customer who was erased.
    Conflict = "CONFLICT", CONFLICT;
    /// The body, or a file in it, is larger than allowed.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", PAYLOAD_TOO_LARGE;
    /// The body's `Content-Type` is not what the operation takes.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", UNSUPPORTED_MEDIA_TYPE;
    /// More was sent in a minute than a customer may send, or more streams are open; `Retry-After` says when to try again.
    TooManyRequests = "TOO_MANY_REQUESTS", TOO_MANY_REQUESTS;
    /// The chats of the business are closed.
    BusinessDisabled = "BUSINESS_DISABLED", FORBIDDEN;
    /// The business is being moved, and answers again later.
    BusinessMigrating = "BUSINESS_MIGRATING", LOCKED;
    /// No key for tokens is configured, so that nobody can call.
    NotConfigured = "NOT_CONFIGURED", NOT_IMPLEMENTED;
    /// The server failed; its log has the details under the request's id.
    Internal = "INTERNAL", INTERNAL_SERVER_ERROR;
    /// The store cannot take it now; the same request may succeed later.
    Unavailable = "UNAVAILABLE", SERVICE_UNAVAILABLE;
}

impl Code {
    /// How a document describes it that has only `codes`.
    pub(crate) fn schema_of(codes: &[Self]) -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("What went wrong, for machines. Codes are never renamed."))
            .enum_values(Some(codes.iter().map(|code| code.as_str())))
            .into()
    }
}

// Derived, the schema would have the variants' names: a `rename` that a macro fills in is not seen.
impl PartialSchema for Code {
    fn schema() -> RefOr<Schema> {
        Self::schema_of(Self::ALL)
    }
}

impl ToSchema for Code {
    fn name() -> Cow<'static, str> {
        "ErrorCode".into()
    }
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// The field: a path into the body (`items[3].name`), or the name of a parameter, header or form part.
    #[schema(example = "items[3].name")]
    pub(crate) field: String,
    /// The rule that it breaks.
    #[schema(example = "must have 1 to 256 characters and no control characters")]
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn new(field: impl Into<String>, message: impl Display) -> Self {
        Self {
            field: field.into(),
            message: message.to_string(),
        }
    }
}

/// Why a request was refused or failed.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) code: Code,
    pub(crate) message: Cow<'static, str>,
    pub(crate) details: Vec<Problem>,
    /// What the log is told and the client is not.
    pub(crate) cause: Option<String>,
}

/// The field of the request body that named an entity; `None` where the path did.
pub(crate) type FieldOf = fn(&Entity) -> Option<&'static str>;

/// All entities were named by the path.
pub(crate) const IN_PATH: FieldOf = |_| None;

impl ApiError {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Vec::new(),
            cause: None,
        }
    }

    /// The same error about one field.
    pub(crate) fn about(mut self, field: impl Into<String>, message: impl Display) -> Self {
        self.details.push(Problem::new(field, message));
        self
    }

    /// Fields that break rules; there is at least one.
    pub(crate) fn invalid(problems: Vec<Problem>) -> Self {
        let message = match problems.as_slice() {
            [] => "The request is not valid".to_owned(),
            [only] => format!("{} {}", only.field, only.message),
            [first, rest @ ..] => format!("{} {} (and {} more)", first.field, first.message, rest.len()),
        };
        Self {
            details: problems,
            ..Self::new(Code::ValidationFailed, message)
        }
    }

    /// One field that breaks a rule.
    pub(crate) fn field(field: impl Into<String>, message: impl Display) -> Self {
        Self::invalid(vec![Problem::new(field, message)])
    }

    /// Something that the path names does not exist.
    pub(crate) fn not_found(entity: &Entity) -> Self {
        Self::missing(&entity.to_string(), path_parameter(entity))
    }

    /// `thing`, which the path names by `parameter`, does not exist.
    pub(crate) fn missing(thing: &str, parameter: &str) -> Self {
        let message = format!("{thing} does not exist");
        Self::new(Code::NotFound, capitalised(&message)).about(parameter, "names what does not exist")
    }

    /// The server failed.
    pub(crate) fn internal(cause: impl Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            ..Self::new(
                Code::Internal,
                "The server failed; its log has the details under the request's id",
            )
        }
    }

    /// The server cannot do it now.
    fn unavailable(cause: impl Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            ..Self::overloaded()
        }
    }

    /// More is asked for than the server can do.
    pub(crate) fn overloaded() -> Self {
        Self::new(
            Code::Unavailable,
            "The service is temporarily unavailable, please try again later",
        )
    }

    /// An error of the store, where `field_of` says which fields of the body named what.
    pub(crate) fn of_store(error: StoreError, field_of: FieldOf) -> Self {
        match error {
            StoreError::Refused(refusal) => Self::refused(refusal, "", field_of),
            StoreError::Busy => Self::overloaded(),
            StoreError::Unavailable(cause) => Self::unavailable(cause),
            failed @ StoreError::Failed(_) => Self::internal(failed),
        }
    }

    /// A refusal about the part of the body that begins at `at` (`items[3]`, or empty for all of it).
    pub(crate) fn refused(refusal: Refusal, at: &str, field_of: FieldOf) -> Self {
        match refusal {
            Refusal::NotFound(entity) => match field_of(&entity) {
                Some(field) => Self::field(joined(at, field), format!("names what does not exist: {entity}")),
                None => Self::not_found(&entity),
            },
            Refusal::Rule(rule @ RuleViolation::CustomerErased) => {
                Self::new(Code::Conflict, rule.to_string())
            }
            Refusal::Rule(rule) => Self::new(Code::RuleViolated, rule.to_string()),
            Refusal::Conflict(Conflict::IdempotencyKeyReused) => {
                let message = Conflict::IdempotencyKeyReused.to_string();
                Self::new(Code::IdempotencyKeyReused, capitalised(&message))
                    .about(super::idempotency::HEADER, message)
            }
            Refusal::Conflict(conflict) => {
                let message = conflict.to_string();
                let error = Self::new(Code::Conflict, capitalised(&message));
                match joined(at, conflicting_field(conflict)) {
                    field if field.is_empty() => error,
                    field => error.about(field, message),
                }
            }
            Refusal::AtItem { refusal, .. } => Self::refused(*refusal, at, field_of),
        }
    }
}

/// The path parameter that names an entity.
const fn path_parameter(entity: &Entity) -> &'static str {
    match entity {
        Entity::Business(_) => "businessId",
        Entity::Campaign(_) => "campaignId",
        Entity::Customer(_) => "publicId",
        Entity::Order(_) => "orderId",
        Entity::Return(_) => "returnId",
        Entity::Chat(_) => "chatId",
        Entity::Message(_) => "messageId",
        Entity::Credential(_) => "id",
        Entity::Subscription(_) => "subscriptionId",
        Entity::Event(_) => "eventId",
        Entity::SavedReply(_) => "replyId",
    }
}

/// The field that a conflict is about; empty where it is the whole.
const fn conflicting_field(conflict: Conflict) -> &'static str {
    match conflict {
        Conflict::NameTaken => "name",
        Conflict::OtherCustomer => "context.customerId",
        Conflict::OrderHasChats
        | Conflict::ReturnHasChats
        | Conflict::TooManyKeys
        | Conflict::TooManyReplies
        | Conflict::Revoked
        | Conflict::SubscriptionDisabled
        | Conflict::ErasureUnderWay
        | Conflict::IdempotencyKeyReused => "",
    }
}

fn joined(at: &str, field: &str) -> String {
    let dot = if at.is_empty() || field.is_empty() {
        ""
    } else {
        "."
    };
    format!("{at}{dot}{field}")
}

pub(crate) fn capitalised(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::of_store(error, IN_PATH)
    }
}

impl From<FileError> for ApiError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Unavailable(_) => Self::unavailable(error),
            FileError::NotFound | FileError::Failed(_) => Self::internal(error),
        }
    }
}

impl IntoResponse for ApiError {
    /// The status alone; [`super::envelope`] writes the body.
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}
