//! What Api-Keys and OAuth tokens have in common: names, scopes, and that they are shown once.

use prilavok_domain::{BusinessId, CredentialId, CredentialKind, CredentialName, ScopeSet, Timestamp};
use prilavok_store::{
    Applied, Credential, CredentialChange, Entity, Idempotency, NewCredential, Refusal, StoreError,
};
use serde_json::Value;

use crate::app::App;
use crate::json_api::error::ApiError;
use crate::json_api::fields::{self, Fields};
use crate::json_api::names::ScopeName;
use crate::json_api::page::{Page, Paging};

/// What stands in the place of a secret in a replayed answer.
const SHOWN_ONCE: &str = "The secret was shown when this was created and cannot be shown again. If it is lost, revoke this one and \
     create another.";

/// More values than these no list of campaigns has.
pub(super) const MAX_VALUES: usize = 1_000;

/// Reads a credential's name.
pub(super) fn name(value: &Value) -> Result<CredentialName, String> {
    CredentialName::new(fields::text(value)?).map_err(|error| error.to_string())
}

/// Reads a list of scopes that may be absent but not empty.
pub(super) fn scopes(fields: &mut Fields<'_>) -> Option<Option<ScopeSet>> {
    fields.some_of("scopes")
}

/// Scopes as answers show them.
pub(super) fn scope_names(scopes: ScopeSet) -> Vec<ScopeName> {
    scopes.iter().map(ScopeName).collect()
}

/// Creates a credential. Answers also what the answer shows of its secret.
pub(super) async fn create(
    app: &App,
    new: NewCredential,
    secret: String,
    once: Option<Idempotency>,
    now: Timestamp,
) -> Result<(Applied<Credential>, Secret), ApiError> {
    let kind = new.kind;
    let created = app
        .store
        .create_credential(new, once, now)
        .await
        .map_err(|error| refused(error, kind))?;
    app.access.refresh().await?;
    let secret = if created.replayed {
        Secret::ShownBefore
    } else {
        Secret::Shown(secret)
    };
    Ok((created, secret))
}

/// What the answer to a creation shows of the secret.
pub(super) enum Secret {
    /// All of it.
    Shown(String),
    /// That it was shown before.
    ShownBefore,
}

impl Secret {
    /// The secret and the note that stands in its place.
    pub(super) fn fields(self) -> (Option<String>, Option<&'static str>) {
        match self {
            Self::Shown(secret) => (Some(secret), None),
            Self::ShownBefore => (None, Some(SHOWN_ONCE)),
        }
    }
}

/// A page of a business's credentials of a kind, by id.
pub(super) async fn list<T: From<Credential>>(
    app: &App,
    business: BusinessId,
    kind: CredentialKind,
    paging: &Paging<CredentialId>,
) -> Result<Page<T>, ApiError> {
    let all = app.store.credentials(business, kind).await?.into_iter();
    let after = all.filter(|it| paging.after.is_none_or(|after| it.id > after));
    let page = after.take(paging.with_one_more()).collect();
    Ok(paging.page(page, |credential: &Credential| credential.id))
}

/// One credential.
pub(super) async fn find(
    app: &App,
    business: BusinessId,
    kind: CredentialKind,
    id: CredentialId,
) -> Result<Credential, ApiError> {
    let found = app.store.credential(business, kind, id).await?;
    found.ok_or_else(|| missing(kind, id))
}

/// Changes one; acts before it is answered.
pub(super) async fn change(
    app: &App,
    business: BusinessId,
    kind: CredentialKind,
    id: CredentialId,
    change: CredentialChange,
) -> Result<Credential, ApiError> {
    let changed = app.store.change_credential(business, kind, id, change).await;
    let changed = changed.map_err(|error| refused(error, kind))?;
    app.access.refresh().await?;
    Ok(changed)
}

/// Revokes one; acts before it is answered.
pub(super) async fn revoke(
    app: &App,
    business: BusinessId,
    kind: CredentialKind,
    id: CredentialId,
) -> Result<Credential, ApiError> {
    let revoked = app.store.revoke_credential(business, kind, id, app.now()).await;
    let revoked = revoked.map_err(|error| refused(error, kind))?;
    app.access.refresh().await?;
    Ok(revoked)
}

fn refused(error: StoreError, kind: CredentialKind) -> ApiError {
    match error {
        StoreError::Refused(Refusal::NotFound(Entity::Credential(id))) => missing(kind, id),
        error => ApiError::of_store(error, |entity| {
            matches!(entity, Entity::Campaign(_)).then_some("campaignIds")
        }),
    }
}

fn missing(kind: CredentialKind, id: CredentialId) -> ApiError {
    let (thing, parameter) = match kind {
        CredentialKind::ApiKey => ("key", "keyId"),
        CredentialKind::OAuthToken => ("OAuth token", "tokenId"),
    };
    ApiError::missing(&format!("{thing} {id}"), parameter)
}
