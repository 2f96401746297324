//! The Buyer API's own OpenAPI document, apart from the operations, which describe themselves.

use std::collections::BTreeMap;

use utoipa::openapi::response::Response;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr};
use utoipa::{IntoResponses, Modify};

use crate::json_api::answers;
use crate::json_api::envelope::ErrorAnswer;
use crate::json_api::error::Code;

pub(super) const CHATS: &str = "Chats";
pub(super) const MESSAGES: &str = "Messages";
pub(super) const DISPUTES: &str = "Disputes";
pub(super) const EVENTS: &str = "Events";

const DESCRIPTION: &str = "\
What a shop's page calls for a customer, who sees their own chats in one business and nothing else.

**Authority.** `Authorization: Bearer <token>`, a JWT that the marketplace's backend signs (EdDSA or HS256) for a few \
minutes: `sub` is the customer's `publicId`, `business` the business, `aud` and `exp` are needed; `orderId` or `returnId` \
narrow it to one thing. The setting `buyer.keys` says with which keys. The token is taken from the header only.

**Ids** are integers from 1 to 2^53 - 1. **Times** are RFC 3339 in UTC with milliseconds.

**Bodies** are JSON in UTF-8. Unknown fields and parameters are refused, `null` is as good as absent. Fields that have no \
value are left out of answers.

**Sending again.** Every POST takes an `Idempotency-Key`.

**Lists** come in pages: `limit` (1 to 1,000; 100) and `cursor`, the `nextCursor` of the page before.

**Limits.** A customer may send so many times a minute (`buyer.sends_per_minute`) and listen so many times at once.

**What is not the customer's is not there**: chats, files, orders and returns of others are answered as if there were none.

**Errors** have one envelope, `{\"error\": {code, message, details, requestId}}`. Codes:
";

/// What surrounds the operations in the document.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Prilavok Buyer API", version = "1", license(name = "Apache-2.0", identifier = "Apache-2.0")),
    components(schemas(ErrorAnswer)),
    security(("buyerToken" = [])),
    modifiers(&Surroundings),
    tags(
        (name = CHATS, description = "The customer's conversations with the business."),
        (name = MESSAGES, description = "What is said in a chat, and the files that go with it."),
        (name = DISPUTES, description = "Disputes beside ordinary chats."),
        (name = EVENTS, description = "What happens in the customer's chats, as it happens."),
    ),
)]
pub(super) struct Document;

struct Surroundings;

impl Modify for Surroundings {
    fn modify(&self, openapi: &mut OpenApi) {
        openapi.info.description = Some(format!("{DESCRIPTION}{}", answers::list(CODES)));
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("A buyer's token; `prilavok buyer-token` makes one to try."))
            .build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("buyerToken", SecurityScheme::Http(token));
        answers::name_codes(components, CODES);
        for kinds in [&[READ][..], &[READ, ACTION, WRITE]] {
            answers::describe(components, kinds);
        }
    }
}

/// The errors of operations that only read.
pub(super) struct ReadErrors;

/// The errors of operations that do something and read no body.
pub(super) struct ActionErrors;

/// The errors of operations that read a body.
pub(super) struct WriteErrors;

/// Every code that the Buyer API answers, in the order of its document.
const CODES: &[Code] = &[
    Code::ValidationFailed,
    Code::RuleViolated,
    Code::IdempotencyKeyReused,
    Code::Unauthorized,
    Code::BusinessDisabled,
    Code::NotFound,
    Code::MethodNotAllowed,
    Code::RequestTimeout,
    Code::Conflict,
    Code::PayloadTooLarge,
    Code::UnsupportedMediaType,
    Code::BusinessMigrating,
    Code::TooManyRequests,
    Code::Internal,
    Code::NotConfigured,
    Code::Unavailable,
];

const READ: &[Code] = &[
    Code::ValidationFailed,
    Code::Unauthorized,
    Code::BusinessDisabled,
    Code::NotFound,
    Code::BusinessMigrating,
    Code::TooManyRequests,
    Code::Internal,
    Code::NotConfigured,
    Code::Unavailable,
];
const ACTION: &[Code] = &[Code::RuleViolated, Code::IdempotencyKeyReused, Code::Conflict];
const WRITE: &[Code] = &[
    Code::RequestTimeout,
    Code::PayloadTooLarge,
    Code::UnsupportedMediaType,
];

impl IntoResponses for ReadErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        answers::references(&[READ])
    }
}

impl IntoResponses for ActionErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        answers::references(&[READ, ACTION])
    }
}

impl IntoResponses for WriteErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        answers::references(&[READ, ACTION, WRITE])
    }
}
