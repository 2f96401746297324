//! Calls of the request log, as the Operator API and `prilavok log --json` show them.

use prilavok_domain::CredentialKind;
use prilavok_store::requests::{Caller, Exchange, LoggedMessage, LoggedRequest};
use serde::Serialize;
use utoipa::ToSchema;

use crate::json_api::json_id::JsonId;
use crate::json_api::time::Utc;
use crate::recording::curl;
use crate::settings::Settings;

/// A call of a seller's system.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Request)]
pub(super) struct RequestJson {
    /// Its `X-Request-Id`. Clients may choose it, so it need not be unique.
    #[schema(example = "4f1d0a7be2c93586")]
    request_id: String,
    /// When it came.
    at: Utc,
    /// The method.
    #[schema(example = "GET")]
    method: String,
    /// Path and query, secrets masked.
    #[schema(example = "/v2/businesses/1/chat?chatId=7")]
    target: String,
    /// The operation; absent where the address names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "getChat")]
    operation: Option<String>,
    /// The business of the key or token; absent where nobody knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    business_id: Option<JsonId>,
    /// The Api-Key that it was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key: Option<CallerJson>,
    /// The OAuth token that it was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    oauth_token: Option<CallerJson>,
    /// The status of the answer.
    #[schema(example = 420)]
    status: u16,
    /// The rule that refused it: `SCOPE`, `HOURLY_LIMIT`, `PARALLEL_LIMIT`, `KEY_REVOKED` and so on; absent where it was
    /// not refused. Names are never changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "HOURLY_LIMIT")]
    rule: Option<String>,
    /// How long the answer took, in milliseconds.
    #[schema(example = 0.41)]
    duration_ms: f64,
}

/// A key or token.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RequestCaller)]
pub(super) struct CallerJson {
    /// Its id.
    id: JsonId,
    /// Its name at that time.
    #[schema(example = "crm")]
    name: String,
}

impl From<LoggedRequest> for RequestJson {
    fn from(logged: LoggedRequest) -> Self {
        let of_kind = |kind| {
            let caller = logged.caller.as_ref();
            caller
                .filter(|caller| caller.kind == kind)
                .map(|Caller { id, name, .. }| CallerJson {
                    id: JsonId(id.0),
                    name: name.clone(),
                })
        };
        Self {
            key: of_kind(CredentialKind::ApiKey),
            oauth_token: of_kind(CredentialKind::OAuthToken),
            request_id: logged.request_id,
            at: Utc(logged.at),
            method: logged.method,
            target: logged.target,
            operation: logged.operation,
            business_id: logged.business.map(|business| JsonId(business.get())),
            status: logged.status,
            rule: logged.rule,
            duration_ms: millis(logged.took_us),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact for the next 285 years")]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

/// A call of a seller's system with what was said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RequestDetails)]
pub struct LoggedRequestJson {
    #[serde(flatten)]
    #[schema(inline)]
    about: RequestJson,
    /// What was asked.
    request: MessageJson,
    /// What was answered.
    answer: MessageJson,
    /// A command that repeats the call; the secret is taken from the variable `PRILAVOK_KEY`.
    #[schema(
        example = "curl -X 'GET' 'https://chat.example.com/v2/businesses/1/chat?chatId=7' \\\n  -H 'api-key: '\"$PRILAVOK_KEY\""
    )]
    curl: String,
}

/// What was sent one way.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RequestMessage)]
pub(super) struct MessageJson {
    /// The headers, secrets masked.
    headers: Vec<HeaderJson>,
    /// The text of the body, or its beginning, secrets masked; absent where it is empty, no text, or a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    body: Option<String>,
    /// Whether there was more of it than is kept.
    body_cut: bool,
    /// How many bytes it had; absent where that is not known, as of a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    body_bytes: Option<u64>,
}

/// A header.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RequestHeader)]
pub(super) struct HeaderJson {
    /// Its name, in lower case.
    #[schema(example = "content-type")]
    name: String,
    /// Its value.
    #[schema(example = "application/json")]
    value: String,
}

impl LoggedRequestJson {
    /// A call with what was said; `base` is the server's public address, if it has one.
    #[must_use]
    pub fn new(request: LoggedRequest, exchange: Exchange, settings: &Settings) -> Self {
        Self {
            curl: curl::command(&request, &exchange.request, settings),
            about: request.into(),
            request: exchange.request.into(),
            answer: exchange.answer.into(),
        }
    }
}

impl From<LoggedMessage> for MessageJson {
    fn from(message: LoggedMessage) -> Self {
        let headers = message.headers.into_iter();
        Self {
            headers: headers.map(|(name, value)| HeaderJson { name, value }).collect(),
            body: message.body.text,
            body_cut: message.body.cut,
            body_bytes: message.body.bytes,
        }
    }
}
