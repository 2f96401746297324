//! Subscriptions as requests and answers write them.

use prilavok_domain::EventTypes;
use prilavok_notify::{InvalidOverlap, Overlap};
use prilavok_store::{Attempt, Subscription, SubscriptionChange, SubscriptionName};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::json_api::body::JsonBody;
use crate::json_api::fields::{self, Fields, FromFields};
use crate::json_api::json_id::JsonId;
use crate::json_api::names::{DisabledByName, NotificationTypeName};
use crate::json_api::time::Utc;

/// What stands in the place of the secret in a replayed answer.
const SHOWN_ONCE: &str =
    "The secret was shown when this was created and cannot be shown again. If it is lost, rotate it.";

fn name(value: &Value) -> Result<SubscriptionName, String> {
    SubscriptionName::new(fields::text(value)?).map_err(|error| error.to_string())
}

fn url(value: &Value) -> Result<String, String> {
    fields::text(value).map(str::to_owned)
}

/// A subscription to create.
#[derive(Debug, ToSchema)]
#[schema(as = CreateSubscription, example = json!({
    "name": "CRM", "url": "https://crm.example.com/notifications", "types": ["CHAT_MESSAGE_SENT"], "enabled": false,
}))]
pub(super) struct CreateBody {
    /// Its name, unique among the business's subscriptions.
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    pub(super) name: SubscriptionName,
    /// Where notifications go: HTTPS; plain HTTP and private addresses where the server's settings allow them.
    #[schema(max_length = 2048, format = "uri")]
    pub(super) url: String,
    /// What it is told of; absent: of everything.
    #[schema(value_type = Vec<NotificationTypeName>, required = false, min_items = 1)]
    pub(super) types: EventTypes,
    /// Whether it is sent a PING and enabled; otherwise it is only created.
    #[schema(required = false, default = true)]
    pub(super) enabled: bool,
}

impl FromFields for CreateBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let name = fields.required("name", name);
        let url = fields.required("url", url);
        let types = fields.some_of("types");
        let enabled = fields.optional("enabled", fields::boolean);
        Some(Self {
            name: name?,
            url: url?,
            types: types?.unwrap_or(EventTypes::ALL),
            enabled: enabled?.unwrap_or(true),
        })
    }
}

impl JsonBody for CreateBody {}

/// What to change of a subscription; what is absent stays as it is.
#[derive(Debug, ToSchema)]
#[schema(as = ChangeSubscription, example = json!({"types": ["CHAT_MESSAGE_SENT", "CHAT_ARBITRAGE_STARTED"]}))]
pub(super) struct ChangeBody {
    /// Its new name.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    name: Option<SubscriptionName>,
    /// Where notifications go from now on.
    #[schema(max_length = 2048, format = "uri")]
    url: Option<String>,
    /// What it is told of from now on.
    #[schema(value_type = Option<Vec<NotificationTypeName>>, min_items = 1)]
    types: Option<EventTypes>,
}

impl FromFields for ChangeBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let name = fields.optional("name", name);
        let url = fields.optional("url", url);
        let types = fields.some_of("types");
        Some(Self {
            name: name?,
            url: url?,
            types: types?,
        })
    }
}

impl JsonBody for ChangeBody {}

impl From<ChangeBody> for SubscriptionChange {
    fn from(body: ChangeBody) -> Self {
        Self {
            name: body.name,
            url: body.url,
            types: body.types,
        }
    }
}

/// How a secret is replaced.
#[derive(Debug, ToSchema)]
#[schema(as = RotateSecret, rename_all = "camelCase", example = json!({"previousValidSeconds": 3600}))]
pub(super) struct RotateBody {
    /// For how long the secret before goes on to sign as well.
    #[schema(value_type = u32, required = false, minimum = 0, maximum = 604_800, default = 86_400)]
    pub(super) previous_valid_seconds: Overlap,
}

impl FromFields for RotateBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let overlap = fields.optional("previousValidSeconds", |value| {
            let overlap = value.as_u64().ok_or(InvalidOverlap).and_then(Overlap::seconds);
            overlap.map_err(|error| error.to_string())
        });
        Some(Self {
            previous_valid_seconds: overlap?.unwrap_or_default(),
        })
    }
}

impl JsonBody for RotateBody {}

/// A subscription to notifications.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Subscription)]
pub(super) struct SubscriptionJson {
    /// Its id.
    subscription_id: JsonId,
    /// Its name.
    #[schema(example = "CRM")]
    name: String,
    /// Where notifications go.
    #[schema(format = "uri", example = "https://crm.example.com/notifications")]
    url: String,
    /// What it is told of.
    types: Vec<NotificationTypeName>,
    /// Whether it is told of anything.
    enabled: bool,
    /// Why it is not enabled; absent while it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    disabled_by: Option<DisabledByName>,
    /// When it was created.
    created_at: Utc,
    /// Since when deliveries fail; absent while they do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failing_since: Option<Utc>,
    /// When the delivery that failed is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_try_at: Option<Utc>,
    /// Until when the secret before the last rotation signs as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    previous_secret_valid_until: Option<Utc>,
    /// The signing secret, as libraries for Standard Webhooks take it. Only in the answer that creates or rotates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDZL3cGg2kz8s="
    )]
    secret: Option<String>,
    /// Why a replayed answer has no `secret`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    secret_note: Option<&'static str>,
}

impl SubscriptionJson {
    /// With its secret; `None` where that was shown before.
    pub(super) fn with_secret(subscription: Subscription, secret: Option<String>) -> Self {
        Self {
            secret_note: secret.is_none().then_some(SHOWN_ONCE),
            secret,
            ..subscription.into()
        }
    }
}

impl From<Subscription> for SubscriptionJson {
    fn from(subscription: Subscription) -> Self {
        Self {
            subscription_id: JsonId(subscription.id.get()),
            name: subscription.name.as_str().to_owned(),
            url: subscription.url,
            types: subscription.types.iter().map(NotificationTypeName).collect(),
            enabled: subscription.disabled.is_none(),
            disabled_by: subscription.disabled.map(DisabledByName),
            created_at: Utc(subscription.created_at),
            failing_since: subscription.failing_since.map(Utc),
            next_try_at: subscription.next_try_at.map(Utc),
            previous_secret_valid_until: subscription.previous_secret_until.map(Utc),
            secret: None,
            secret_note: None,
        }
    }
}

/// How a PING was answered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Ping)]
pub(super) struct PingJson {
    /// Whether the answer was as documented.
    accepted: bool,
    /// Its HTTP status; absent where there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 200)]
    status: Option<u16>,
    /// How long it took, in milliseconds.
    #[schema(example = 12)]
    duration_ms: u32,
    /// What was wrong, if anything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<String>,
    /// The first 2 KB of the answer's body.
    answer: String,
}

impl From<Attempt> for PingJson {
    fn from(attempt: Attempt) -> Self {
        Self {
            accepted: attempt.error.is_none(),
            status: attempt.status,
            duration_ms: attempt.duration_ms,
            error: attempt.error,
            answer: attempt.answer,
        }
    }
}
