//! Who reads a page: the session's seller or operator, asked anew for each request whether the secret is still good.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use prilavok_domain::{BusinessId, BusinessState, CredentialId, CredentialKind};
use prilavok_pages::frame::Reader;
use prilavok_pages::sign_in::Hint;
use prilavok_pages::{Audience, Frame};
use prilavok_store::{Credential, SecretHash};
use prilavok_wire::Operation;

use super::cookie;
use super::error::WebError;
use super::session::{self, By, Session};
use super::visit::{PART, Visit};
use crate::access::BusinessAccess;
use crate::app::{App, SharedApp};

/// The cookie that holds the id of a session.
pub(super) const fn cookie_name(audience: Audience) -> &'static str {
    match audience {
        Audience::Seller => "prilavok-seller",
        Audience::Operator => "prilavok-operator",
    }
}

/// Somebody who is signed in.
pub(super) trait SignedIn: FromRequestParts<SharedApp, Rejection = WebError> + Send {
    /// The session.
    fn session(&self) -> &Session;
}

/// Somebody who answers the chats of a business. A handler that takes it cannot be reached without signing in.
pub(super) struct Seller {
    pub(super) visit: Visit,
    pub(super) session: Session,
    pub(super) access: Arc<BusinessAccess>,
    /// Whether the key may write.
    pub(super) may_write: bool,
}

impl Seller {
    pub(super) fn business(&self) -> BusinessId {
        self.access.business.id
    }

    /// What is around the page.
    pub(super) fn frame(&self) -> Frame {
        self.visit.frame(Some(Reader {
            audience: Audience::Seller,
            name: self.access.business.name.as_str().to_owned(),
            csrf: self.session.csrf.clone(),
        }))
    }

    /// Refuses a key that may only read.
    pub(super) fn must_write(&self) -> Result<(), WebError> {
        if self.may_write {
            Ok(())
        } else {
            Err(WebError::ReadOnly)
        }
    }
}

impl SignedIn for Seller {
    fn session(&self) -> &Session {
        &self.session
    }
}

impl FromRequestParts<SharedApp> for Seller {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, WebError> {
        let session = session(app, Audience::Seller, &parts.headers, by(parts)).await?;
        let over = |hint| WebError::SignIn(Audience::Seller, Some(hint));
        let (credential, access) = seller(app, session.hash).await?.map_err(over)?;
        Ok(Self {
            visit: Visit::of(parts),
            may_write: may_write(&credential),
            session,
            access,
        })
    }
}

/// Somebody of the marketplace. A handler that takes it cannot be reached without signing in.
pub(super) struct Operator {
    pub(super) visit: Visit,
    pub(super) session: Session,
    /// The operator token behind the session.
    pub(super) token: CredentialId,
}

impl Operator {
    /// What is around the page.
    pub(super) fn frame(&self) -> Frame {
        self.visit.frame(Some(Reader {
            audience: Audience::Operator,
            name: String::new(),
            csrf: self.session.csrf.clone(),
        }))
    }
}

impl SignedIn for Operator {
    fn session(&self) -> &Session {
        &self.session
    }
}

impl FromRequestParts<SharedApp> for Operator {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, WebError> {
        let session = session(app, Audience::Operator, &parts.headers, by(parts)).await?;
        let token = operator(app, session.hash).await?;
        Ok(Self {
            visit: Visit::of(parts),
            session,
            token: token.ok_or(WebError::SignIn(Audience::Operator, Some(Hint::Over)))?,
        })
    }
}

/// Our scripts look for news by themselves; whatever else comes, somebody did.
fn by(parts: &Parts) -> By {
    if parts.method == Method::GET && parts.headers.contains_key(PART) {
        By::Itself
    } else {
        By::Hand
    }
}

/// The session that a request belongs to. Whether its secret is one of `audience` shows when it is looked up.
pub(super) async fn session(
    app: &App,
    audience: Audience,
    headers: &HeaderMap,
    by: By,
) -> Result<Session, WebError> {
    let Some(id) = cookie::find(headers, cookie_name(audience)) else {
        return Err(WebError::SignIn(audience, None));
    };
    let session = session::find(&*app.store, id, by, session::now()).await?;
    session.ok_or(WebError::SignIn(audience, Some(Hint::Over)))
}

/// The key with this hash and its business, if it may be used for chats now.
pub(super) async fn seller(
    app: &App,
    hash: SecretHash,
) -> Result<Result<(Arc<Credential>, Arc<BusinessAccess>), Hint>, WebError> {
    let found = app.access.credential(CredentialKind::ApiKey, hash).await?;
    let Some(credential) = found.filter(|found| found.revoked_at.is_none()) else {
        return Ok(Err(Hint::Unknown));
    };
    if !credential
        .scopes
        .intersects(Operation::GetChatHistory.row().scopes)
    {
        return Ok(Err(Hint::Scope));
    }
    let access = app.access.business(credential.business).await?;
    let usable = access.filter(|access| {
        access.business.state == BusinessState::Active && !access.has_only_disabled_campaigns()
    });
    Ok(match usable {
        Some(access) => Ok((credential, access)),
        None => Err(Hint::Business),
    })
}

fn may_write(credential: &Credential) -> bool {
    credential
        .scopes
        .intersects(Operation::SendMessageToChat.row().scopes)
}

/// The operator token with this hash, if it is good.
pub(super) async fn operator(app: &App, hash: SecretHash) -> Result<Option<CredentialId>, WebError> {
    Ok(app.access.operator_token(hash).await?.map(|token| token.id))
}
