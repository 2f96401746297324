//! OAuth tokens of a business, for clients that have not moved to Api-Keys. A token may be held to some
//! of the campaigns, and ends after a year.

use axum::extract::State;
use axum::http::StatusCode;
use prilavok_domain::{CampaignId, CredentialId, CredentialKind, CredentialName, Scope, ScopeSet};
use prilavok_store::{Credential, CredentialChange, NewCredential};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Operator;
use super::credentials::{self, MAX_VALUES};
use super::openapi::{OAUTH_TOKENS, ReadErrors, WriteErrors};
use crate::app::SharedApp;
use crate::json_api::body::{Json, JsonBody};
use crate::json_api::error::ApiError;
use crate::json_api::fields::{self, Fields, FromFields};
use crate::json_api::idempotency::{Answer, Once};
use crate::json_api::json_id::JsonId;
use crate::json_api::names::ScopeName;
use crate::json_api::page::{Page, Paging};
use crate::json_api::path::{Id, InBusiness, TokenId};
use crate::json_api::query::Query;
use crate::json_api::time::Utc;
use crate::secrets;

const KIND: CredentialKind = CredentialKind::OAuthToken;
const LIFE_MS: i64 = 365 * 24 * 60 * 60 * 1000;

/// A token to create.
#[derive(Debug, ToSchema)]
#[schema(as = CreateOAuthToken, rename_all = "camelCase", example = json!({"name": "1C module", "campaignIds": [1]}))]
pub(super) struct CreateBody {
    /// Its name, unique among the business's tokens that are not revoked.
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    name: CredentialName,
    /// What it may be used for.
    #[schema(value_type = Vec<ScopeName>, required = false, min_items = 1, default = json!(["all-methods"]))]
    scopes: ScopeSet,
    /// The campaigns that its user may see; none named: all of them.
    #[schema(value_type = Vec<JsonId>, required = false, max_items = 1000, default = json!([]))]
    campaign_ids: Vec<CampaignId>,
}

impl FromFields for CreateBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let name = fields.required("name", credentials::name);
        let scopes = credentials::scopes(fields);
        let campaign_ids = fields.values("campaignIds", MAX_VALUES, fields::json_id);
        Some(Self {
            name: name?,
            scopes: scopes?.unwrap_or(ScopeSet::of(&[Scope::AllMethods])),
            campaign_ids: sorted(campaign_ids?.unwrap_or_default()),
        })
    }
}

impl JsonBody for CreateBody {}

/// What to change of a token; what is absent stays as it is.
#[derive(Debug, ToSchema)]
#[schema(as = ChangeOAuthToken, rename_all = "camelCase", example = json!({"campaignIds": [1, 2]}))]
pub(super) struct ChangeBody {
    /// Its new name.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    name: Option<CredentialName>,
    /// Its new scopes.
    #[schema(value_type = Option<Vec<ScopeName>>, min_items = 1)]
    scopes: Option<ScopeSet>,
    /// The campaigns that its user may see from now on; an empty list: all of them.
    #[schema(value_type = Option<Vec<JsonId>>, max_items = 1000)]
    campaign_ids: Option<Vec<CampaignId>>,
}

impl FromFields for ChangeBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let name = fields.optional("name", credentials::name);
        let scopes = credentials::scopes(fields);
        let campaign_ids = fields.values("campaignIds", MAX_VALUES, fields::json_id);
        Some(Self {
            name: name?,
            scopes: scopes?,
            campaign_ids: campaign_ids?.map(sorted),
        })
    }
}

impl JsonBody for ChangeBody {}

fn sorted(mut campaigns: Vec<CampaignId>) -> Vec<CampaignId> {
    campaigns.sort_unstable();
    campaigns.dedup();
    campaigns
}

/// An OAuth token.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OAuthToken)]
pub(super) struct TokenJson {
    /// Its id.
    token_id: JsonId,
    /// Its name.
    #[schema(example = "1C module")]
    name: String,
    /// What it may be used for.
    scopes: Vec<ScopeName>,
    /// The campaigns that its user may see; none named: all of them.
    campaign_ids: Vec<JsonId>,
    /// When it was created.
    created_at: Utc,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expires_at: Option<Utc>,
    /// When it was revoked; absent while it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    revoked_at: Option<Utc>,
    /// The token itself, for the `Authorization` header. Only in the answer that creates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "y0_AgAAAABcDeFgHiJkLmNoPqRsTuVwXyZ0123456789abc")]
    secret: Option<String>,
    /// Why a replayed answer has no `secret`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    secret_note: Option<&'static str>,
}

impl From<Credential> for TokenJson {
    fn from(token: Credential) -> Self {
        Self {
            token_id: JsonId(token.id.0),
            name: token.name.as_str().to_owned(),
            scopes: credentials::scope_names(token.scopes),
            campaign_ids: token.campaigns.iter().map(|id| JsonId(id.get())).collect(),
            created_at: Utc(token.created_at),
            expires_at: token.expires_at.map(Utc),
            revoked_at: token.revoked_at.map(Utc),
            secret: None,
            secret_note: None,
        }
    }
}

/// Create an OAuth token
///
/// It ends after 365 days. The answer holds the token itself as `secret`: this once, since only its hash
/// is kept. A replay (same `Idempotency-Key`) answers the token without `secret`.
#[utoipa::path(
    post,
    path = "/businesses/{businessId}/oauth-tokens",
    tag = OAUTH_TOKENS,
    operation_id = "createOAuthToken",
    params(InBusiness, Once),
    request_body = CreateBody,
    responses((status = 201, description = "The token, with its secret.", body = TokenJson), WriteErrors),
)]
pub(super) async fn create_oauth_token(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    once: Once,
    Json {
        value: body,
        canonical,
    }: Json<CreateBody>,
) -> Result<Answer<TokenJson>, ApiError> {
    let once = once.of("createOAuthToken", &[canonical.as_bytes()]);
    let now = app.now();
    let secret = secrets::new_oauth_token();
    let new = NewCredential {
        business,
        kind: KIND,
        name: body.name,
        scopes: body.scopes,
        campaigns: body.campaign_ids,
        hash: secrets::hash(&secret),
        expires_at: Some(now.plus_millis(LIFE_MS)),
    };
    let (created, secret) = credentials::create(&app, new, secret, once, now).await?;
    let (secret, secret_note) = secret.fields();
    let body = TokenJson {
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

/// List OAuth tokens
///
/// Those of the business by id, revoked and ended ones included; never their secrets.
#[utoipa::path(
    get,
    path = "/businesses/{businessId}/oauth-tokens",
    tag = OAUTH_TOKENS,
    operation_id = "listOAuthTokens",
    params(InBusiness, Paging<CredentialId>),
    responses((status = 200, description = "A page of tokens.", body = Page<TokenJson>), ReadErrors),
)]
pub(super) async fn list_oauth_tokens(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Query(paging): Query<Paging<CredentialId>>,
) -> Result<axum::Json<Page<TokenJson>>, ApiError> {
    Ok(axum::Json(
        credentials::list(&app, business, KIND, &paging).await?,
    ))
}

/// Show an OAuth token
#[utoipa::path(
    get,
    path = "/businesses/{businessId}/oauth-tokens/{tokenId}",
    tag = OAUTH_TOKENS,
    operation_id = "getOAuthToken",
    params(InBusiness, Id<TokenId>),
    responses((status = 200, description = "The token.", body = TokenJson), ReadErrors),
)]
pub(super) async fn get_oauth_token(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(TokenId(id)): Id<TokenId>,
) -> Result<axum::Json<TokenJson>, ApiError> {
    Ok(axum::Json(
        credentials::find(&app, business, KIND, id).await?.into(),
    ))
}

/// Rename an OAuth token, or change its scopes or campaigns
///
/// Acts at once. A revoked token can no longer be changed.
#[utoipa::path(
    patch,
    path = "/businesses/{businessId}/oauth-tokens/{tokenId}",
    tag = OAUTH_TOKENS,
    operation_id = "changeOAuthToken",
    params(InBusiness, Id<TokenId>),
    request_body = ChangeBody,
    responses((status = 200, description = "The token as it is now.", body = TokenJson), WriteErrors),
)]
pub(super) async fn change_oauth_token(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(TokenId(id)): Id<TokenId>,
    Json { value: body, .. }: Json<ChangeBody>,
) -> Result<axum::Json<TokenJson>, ApiError> {
    let change = CredentialChange {
        name: body.name,
        scopes: body.scopes,
        campaigns: body.campaign_ids,
    };
    Ok(axum::Json(
        credentials::change(&app, business, KIND, id, change)
            .await?
            .into(),
    ))
}

/// Revoke an OAuth token
///
/// For good, and at once. Revoking it again changes nothing.
#[utoipa::path(
    post,
    path = "/businesses/{businessId}/oauth-tokens/{tokenId}/revoke",
    tag = OAUTH_TOKENS,
    operation_id = "revokeOAuthToken",
    params(InBusiness, Id<TokenId>),
    responses((status = 200, description = "The token, revoked.", body = TokenJson), ReadErrors),
)]
pub(super) async fn revoke_oauth_token(
    _: Operator,
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    Id(TokenId(id)): Id<TokenId>,
) -> Result<axum::Json<TokenJson>, ApiError> {
    Ok(axum::Json(
        credentials::revoke(&app, business, KIND, id).await?.into(),
    ))
}
