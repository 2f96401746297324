//! Api-Keys of a business, with which sellers' systems call the Partner API.

use axum::extract::State;
use axum::http::StatusCode;
use prilavok_domain::{CredentialId, CredentialKind, CredentialName, ScopeSet};
use prilavok_store::{Credential, CredentialChange, NewCredential};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Operator;
use super::credentials;
use super::openapi::{KEYS, ReadErrors, WriteErrors};
use crate::app::SharedApp;
use crate::json_api::body::{Json, JsonBody};
use crate::json_api::error::ApiError;
use crate::json_api::fields::{Fields, FromFields};
use crate::json_api::idempotency::{Answer, Once};
use crate::json_api::json_id::JsonId;
use crate::json_api::names::ScopeName;
use crate::json_api::page::{Page, Paging};
use crate::json_api::path::{Id, InBusiness, KeyId};
use crate::json_api::query::Query;
use crate::json_api::time::Utc;
use crate::secrets;

const KIND: CredentialKind = CredentialKind::ApiKey;

/// A key to create.
#[derive(Debug, ToSchema)]
#[schema(as = CreateKey, example = json!({"name": "CRM", "scopes": ["communication"]}))]
pub(super) struct CreateBody {
    /// Its name, unique among the business's keys that are not revoked.
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    name: CredentialName,
    /// What it may be used for.
    #[schema(value_type = Vec<ScopeName>, min_items = 1)]
    scopes: ScopeSet,
}

impl FromFields for CreateBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let name = fields.required("name", credentials::name);
        let scopes = match credentials::scopes(fields) {
            Some(None) => fields.problem("scopes", "is required"),
            scopes => scopes.flatten(),
        };
        Some(Self {
            name: name?,
            scopes: scopes?,
        })
    }
}

impl JsonBody for CreateBody {}

/// What to change of a key; what is absent stays as it is.
#[derive(Debug, ToSchema)]
#[schema(as = ChangeKey, example = json!({"scopes": ["all-methods:read-only"]}))]
pub(super) struct ChangeBody {
    /// Its new name.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    name: Option<CredentialName>,
    /// Its new scopes.
    #[schema(value_type = Option<Vec<ScopeName>>, min_items = 1)]
    scopes: Option<ScopeSet>,
}

impl FromFields for ChangeBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let name = fields.optional("name", credentials::name);
        let scopes = credentials::scopes(fields);
        Some(Self {
            name: name?,
            scopes: scopes?,
        })
    }
}

impl JsonBody for ChangeBody {}

/// An Api-Key.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Key)]
pub(super) struct KeyJson {
    /// Its id.
    key_id: JsonId,
    /// Its name.
    #[schema(example = "CRM")]
    name: String,
    /// What it may be used for.
    scopes: Vec<ScopeName>,
    /// When it was created.
    created_at: Utc,
    /// When it was revoked; absent while it works.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    revoked_at: Option<Utc>,
    /// The key itself, for the `Api-Key` header. Only in the answer that creates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        example = "ACMA:I4c4CxCSYaI41RSC2uYWP2qj3Rhhm4knMiBEga5K:151c0664"
    )]
    secret: Option<String>,
    /// Why a replayed answer has no `secret`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    secret_note: Option<&'static str>,
}

impl From<Credential> for KeyJson {
    fn from(key: Credential) -> Self {
        Self {
            key_id: JsonId(key.id.0),
            name: key.name.as_str().to_owned(),
            scopes: credentials::scope_names(key.scopes),
            created_at: Utc(key.created_at),
            revoked_at: key.revoked_at.map(Utc),
            secret: None,
            secret_note: None,
        }
    }
}

/// Create an Api-Key
///
/// The answer holds the key itself as `secret`: this once, since only its hash is kept. A business has at
/// most 30 keys that are not revoked. A replay (same `Idempotency-Key`) answers the key without `secret`.
#[utoipa::path(
    post,
    path = "/businesses/{businessId}/keys",
    tag = KEYS,
    operation_id = "createKey",
    params(InBusiness, Once),
    request_body = CreateBody,
    responses((status = 201, description = "The key, with its secret.", body = KeyJson), WriteErrors),
)]
pub(super) async fn create_key(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    once: Once,
    Json {
        value: body,
        canonical,
    }: Json<CreateBody>,
) -> Result<Answer<KeyJson>, ApiError> {
    let once = once.of("createKey", &[canonical.as_bytes()]);
    let secret = secrets::new_api_key();
    let new = NewCredential {
        business,
        kind: KIND,
        name: body.name,
        scopes: body.scopes,
        campaigns: Vec::new(),
        hash: secrets::hash(&secret),
        expires_at: None,
    };
    let (created, secret) = credentials::create(&app, new, secret, once, app.now()).await?;
    let (secret, secret_note) = secret.fields();
    let body = KeyJson {
        secret,
        secret_note,
        ..created.value.into()
    };
    Ok(Answer {
        status: StatusCode::CREATED,
        body,
        replayed: created.replayed,
    })
}

/// List Api-Keys
///
/// Those of the business by id, revoked ones included; never their secrets.
#[utoipa::path(
    get,
    path = "/businesses/{businessId}/keys",
    tag = KEYS,
    operation_id = "listKeys",
    params(InBusiness, Paging<CredentialId>),
    responses((status = 200, description = "A page of keys.", body = Page<KeyJson>), ReadErrors),
)]
pub(super) async fn list_keys(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Query(paging): Query<Paging<CredentialId>>,
) -> Result<axum::Json<Page<KeyJson>>, ApiError> {
    Ok(axum::Json(
        credentials::list(&app, business, KIND, &paging).await?,
    ))
}

/// Show an Api-Key
#[utoipa::path(
    get,
    path = "/businesses/{businessId}/keys/{keyId}",
    tag = KEYS,
    operation_id = "getKey",
    params(InBusiness, Id<KeyId>),
    responses((status = 200, description = "The key.", body = KeyJson), ReadErrors),
)]
pub(super) async fn get_key(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(KeyId(id)): Id<KeyId>,
) -> Result<axum::Json<KeyJson>, ApiError> {
    Ok(axum::Json(
        credentials::find(&app, business, KIND, id).await?.into(),
    ))
}

/// Rename an Api-Key, or change its scopes
///
/// Acts at once. A revoked key can no longer be changed.
#[utoipa::path(
    patch,
    path = "/businesses/{businessId}/keys/{keyId}",
    tag = KEYS,
    operation_id = "changeKey",
    params(InBusiness, Id<KeyId>),
    request_body = ChangeBody,
    responses((status = 200, description = "The key as it is now.", body = KeyJson), WriteErrors),
)]
pub(super) async fn change_key(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(KeyId(id)): Id<KeyId>,
    Json { value: body, .. }: Json<ChangeBody>,
) -> Result<axum::Json<KeyJson>, ApiError> {
    let change = CredentialChange {
        name: body.name,
        scopes: body.scopes,
        campaigns: None,
    };
    Ok(axum::Json(
        credentials::change(&app, business, KIND, id, change)
            .await?
            .into(),
    ))
}

/// Revoke an Api-Key
///
/// For good, and at once. Revoking it again changes nothing.
#[utoipa::path(
    post,
    path = "/businesses/{businessId}/keys/{keyId}/revoke",
    tag = KEYS,
    operation_id = "revokeKey",
    params(InBusiness, Id<KeyId>),
    responses((status = 200, description = "The key, revoked.", body = KeyJson), ReadErrors),
)]
pub(super) async fn revoke_key(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(KeyId(id)): Id<KeyId>,
) -> Result<axum::Json<KeyJson>, ApiError> {
    Ok(axum::Json(
        credentials::revoke(&app, business, KIND, id).await?.into(),
    ))
}
