//! The Operator API's own OpenAPI document, apart from the operations, which describe themselves.

use std::collections::BTreeMap;

use utoipa::openapi::response::Response;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr};
use utoipa::{IntoResponses, Modify};

use crate::json_api::answers;
use crate::json_api::envelope::ErrorAnswer;
use crate::json_api::error::Code;

pub(super) const BUSINESSES: &str = "Businesses";
pub(super) const CAMPAIGNS: &str = "Campaigns";
pub(super) const CUSTOMERS: &str = "Customers";
pub(super) const ORDERS: &str = "Orders";
pub(super) const RETURNS: &str = "Returns";
pub(super) const BULK: &str = "Bulk";
pub(super) const KEYS: &str = "Keys";
pub(super) const OAUTH_TOKENS: &str = "OAuth tokens";
pub(super) const CHATS: &str = "Chats";
pub(super) const MESSAGES: &str = "Messages";
pub(super) const ARBITRATION: &str = "Arbitration";
pub(super) const SUBSCRIPTIONS: &str = "Subscriptions";
pub(super) const DELIVERIES: &str = "Deliveries";
pub(super) const EVENTS: &str = "Events";
pub(super) const REQUESTS: &str = "Requests";

const DESCRIPTION: &str = "\
What a marketplace's backend calls: it tells the chat server of sellers, orders and returns, speaks as the \
customer, the market or support, settles disputes, and gives sellers their keys.

**Authority.** `Authorization: Bearer <operator token>`; `prilavok operator-token create` makes one.

**Ids** are integers from 1 to 2^53 - 1, chosen by the marketplace for what it registers. A customer's `publicId` is \
a text. **Times** are RFC 3339 in UTC with milliseconds.

**Bodies** are JSON in UTF-8 of up to 512 KB (bulk: 2 MiB). Unknown fields and parameters are refused, `null` is as \
good as absent. Fields that have no value are left out of answers.

**Sending again.** PUT, PATCH, DELETE, `revoke`, `enable`, `disable`, `ping` and bulk can be repeated at will; \
`rotate-secret` and `send-again` do it once more each time. Every other POST takes an `Idempotency-Key`.

**Lists** come in pages: `limit` (1 to 1,000; 100) and `cursor`, the `nextCursor` of the page before. What is put in \
between pages neither repeats nor hides rows.

**Errors** have one envelope, `{\"error\": {code, message, details, requestId}}`. Codes:
";

const SUBSCRIBING: &str = "\
Where sellers' systems are told what happens in chats. A notification is a POST of JSON: \
`{\"notificationType\": \"CHAT_MESSAGE_SENT\", \"businessId\": 1, \"chatId\": 2, \"messageId\": 3, \"sentAt\": \
\"2025-01-16T10:09:49.759Z\"}`; `CHAT_CREATED` has `createdAt`, `CHAT_ARBITRAGE_STARTED` `startedAt`, \
`CHAT_ARBITRAGE_FINISHED` `finishedAt`, `PING` a `time` and no ids.

The receiver answers 200 with `{\"version\": \"1.0.0\", \"name\": \"crm\", \"time\": \"2025-01-16T10:09:49.759Z\"}` \
(`name` and `version` of 1 to 100 characters) within 10 seconds, a PING within 1 second. A 400 with \
`{\"error\": {\"type\": \"WRONG_EVENT_FORMAT\", \"message\": \"…\"}}` (or `DUPLICATED_EVENT`, `UNKNOWN`) is final. Anything \
else is tried again: every minute for an hour, every 15 minutes for a day, hourly for 14 days, unless the settings say \
otherwise; then the subscription is disabled. Events come in order; an event may come twice.

Every notification is signed as [Standard Webhooks](https://www.standardwebhooks.com) says: `webhook-id` (the same each \
time an event is sent), `webhook-timestamp`, `webhook-signature`. Libraries for it take the subscription's `secret` as it \
is shown.";

/// What surrounds the operations in the document.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Prilavok Operator API", version = "1", license(name = "Apache-2.0", identifier = "Apache-2.0")),
    components(schemas(ErrorAnswer)),
    security(("operatorToken" = [])),
    modifiers(&Surroundings),
    tags(
        (name = BUSINESSES, description = "Sellers' cabinets."),
        (name = CAMPAIGNS, description = "The stores of a business."),
        (name = CUSTOMERS, description = "Buyers, known to all businesses."),
        (name = ORDERS, description = "Orders of a business."),
        (name = RETURNS, description = "Returns of a business's orders."),
        (name = BULK, description = "Many registrations in one call."),
        (name = KEYS, description = "Api-Keys, with which sellers' systems call the Partner API."),
        (name = OAUTH_TOKENS, description = "OAuth tokens, for clients that have not moved to Api-Keys."),
        (name = CHATS, description = "Conversations about an order, a return, or a direct question."),
        (name = MESSAGES, description = "What is said in a chat, and the files that go with it."),
        (name = ARBITRATION, description = "Disputes beside ordinary chats."),
        (name = SUBSCRIPTIONS, description = SUBSCRIBING),
        (name = DELIVERIES, description = "What became of each try to notify a seller, and sending again."),
        (name = EVENTS, description = "What happens in chats, as it happens."),
        (name = REQUESTS, description = "What sellers' systems asked, what they were answered, and which rule refused them."),
    ),
)]
pub(super) struct Document;

struct Surroundings;

impl Modify for Surroundings {
    fn modify(&self, openapi: &mut OpenApi) {
        openapi.info.description = Some(format!("{DESCRIPTION}{}", answers::list(CODES)));
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An operator token: `pop_` and 43 letters and digits."))
            .build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("operatorToken", SecurityScheme::Http(token));
        answers::name_codes(components, CODES);
        for kinds in [&[READ][..], &[READ, ACTION, WRITE], &[READ, ACTION, WRITE, PING]] {
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

/// The errors of operations that send a PING and read no body.
pub(super) struct PingErrors;

/// The errors of operations that read a body and send a PING.
pub(super) struct PingWriteErrors;

/// Every code that the Operator API answers, in the order of its document.
const CODES: &[Code] = &[
    Code::ValidationFailed,
    Code::RuleViolated,
    Code::IdempotencyKeyReused,
    Code::PingFailed,
    Code::Unauthorized,
    Code::NotFound,
    Code::MethodNotAllowed,
    Code::RequestTimeout,
    Code::Conflict,
    Code::PayloadTooLarge,
    Code::UnsupportedMediaType,
    Code::Internal,
    Code::Unavailable,
];

const READ: &[Code] = &[
    Code::ValidationFailed,
    Code::Unauthorized,
    Code::NotFound,
    Code::Internal,
    Code::Unavailable,
];
const ACTION: &[Code] = &[Code::RuleViolated, Code::IdempotencyKeyReused, Code::Conflict];
const WRITE: &[Code] = &[
    Code::RequestTimeout,
    Code::PayloadTooLarge,
    Code::UnsupportedMediaType,
];

const PING: &[Code] = &[Code::PingFailed];

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

impl IntoResponses for PingErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        answers::references(&[READ, ACTION, PING])
    }
}

impl IntoResponses for PingWriteErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        answers::references(&[READ, ACTION, WRITE, PING])
    }
}
