//! Api-Keys of a business: created, shown once, revoked.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use prilavok_domain::{CredentialId, CredentialKind, CredentialName, Scope, ScopeSet};
use prilavok_pages::operator::{Key, NewKey};
use prilavok_pages::trouble::Problem;
use prilavok_store::{Act, Credential, NewCredential};

use super::path::{InBusiness, Inside};
use super::{act, businesses};
use crate::app::SharedApp;
use crate::secrets;
use crate::web::error::WebError;
use crate::web::form::SentBy;
use crate::web::page::render;
use crate::web::reader::Operator;

/// Revoked keys that are shown; those that work are thirty at most.
const REVOKED: usize = 20;

/// Keys as the page shows them: those that work first, then the ones that were made last.
pub(super) fn shown(keys: Vec<Credential>) -> Vec<Key> {
    let (working, revoked): (Vec<_>, Vec<_>) = keys.into_iter().partition(|key| key.revoked_at.is_none());
    let revoked = revoked.into_iter().rev().take(REVOKED);
    working
        .into_iter()
        .chain(revoked)
        .map(|key| Key {
            id: key.id,
            name: key.name.as_str().to_owned(),
            scopes: key.scopes,
            created_at: key.created_at,
            revoked_at: key.revoked_at,
        })
        .collect()
}

/// Creates one. The page that answers shows it, and no other.
pub(super) async fn create(
    State(app): State<SharedApp>,
    InBusiness(business): InBusiness,
    SentBy {
        reader: operator,
        fields,
    }: SentBy<Operator>,
) -> Result<Response, WebError> {
    let wrong = || WebError::Invalid(Problem::KeyFields);
    let name = CredentialName::new(fields.get("name").trim()).map_err(|_| wrong())?;
    let scopes = fields.all("scope").map(str::parse::<Scope>);
    let scopes: ScopeSet = scopes.collect::<Result<_, _>>().map_err(|_| wrong())?;
    if scopes.is_empty() {
        return Err(wrong());
    }
    let secret = secrets::new_api_key();
    let new = NewCredential {
        business,
        kind: CredentialKind::ApiKey,
        name,
        scopes,
        campaigns: Vec::new(),
        hash: secrets::hash(&secret),
        expires_at: None,
    };
    let created = act(&app, &operator, business, Act::CreateKey(new), &fields).await?;
    let mut frame = operator.frame();
    // Its address answers forms only.
    frame.here = format!("/ui/operator/businesses/{business}");
    let view = NewKey {
        frame,
        business,
        name: created.value.about,
        secret: (!created.replayed).then_some(secret),
    };
    Ok(render(StatusCode::CREATED, &view))
}

pub(super) async fn revoke(
    State(app): State<SharedApp>,
    Inside(business, id): Inside<i64>,
    SentBy {
        reader: operator,
        fields,
    }: SentBy<Operator>,
) -> Result<Response, WebError> {
    let revoke = Act::RevokeKey(CredentialId(id));
    act(&app, &operator, business, revoke, &fields).await?;
    Ok(businesses::back(business))
}
