//! Who may call the Buyer API: whoever holds a token that the marketplace's backend signed for a customer.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use prilavok_domain::{BusinessId, BusinessState, Chat, ChatId, Timestamp};
use prilavok_store::{CustomerChats, Entity};

use super::limits::TooMuch;
use super::token::{Opened, Refused};
use crate::app::{App, SharedApp};
use crate::json_api::bearer::bearer_token;
use crate::json_api::error::{ApiError, Code};

const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="buyer""#);
const INVALID: HeaderValue = HeaderValue::from_static(r#"Bearer realm="buyer", error="invalid_token""#);

/// A customer of a business, known by a token. A handler that takes it cannot be reached without one.
#[derive(Debug, Clone)]
pub(super) struct Buyer(pub(super) Opened);

/// A buyer who has taken one of the sends of a minute.
#[derive(Debug, Clone)]
pub(super) struct Sending(pub(super) Buyer);

/// A request that is not let in.
#[derive(Debug)]
pub(super) enum AuthError {
    /// No key is configured, so that nobody can have a token.
    NoKeys,
    /// No bearer token was sent.
    Missing,
    /// The token opens nothing.
    Refused(Refused),
    /// The business of the token is not there.
    NoBusiness,
    /// Something else is in the way.
    Other(ApiError),
    /// Too much is sent.
    TooMuch(TooMuch),
}

impl Buyer {
    pub(super) const fn business(&self) -> BusinessId {
        self.0.business
    }

    pub(super) const fn chats(&self) -> &CustomerChats {
        &self.0.chats
    }

    /// A chat of the buyer's own. Those of others are not there.
    pub(super) async fn chat(&self, app: &App, id: ChatId) -> Result<Chat, ApiError> {
        let found = app.store.chat(self.business(), id).await?;
        let own = found.filter(|chat| self.chats().has(chat));
        own.ok_or_else(|| ApiError::not_found(&Entity::Chat(id)))
    }

    /// Whether the token still opens anything.
    pub(super) async fn may_go_on(&self, app: &App) -> bool {
        self.0.holds_at(app.now()) && open(app, self.business()).await.is_ok()
    }
}

/// Fails where the chats of a business are closed.
async fn open(app: &App, business: BusinessId) -> Result<(), AuthError> {
    let found = app.access.business(business).await;
    let found = found.map_err(|error| AuthError::Other(error.into()))?;
    let Some(access) = found else {
        return Err(AuthError::NoBusiness);
    };
    let closed = match access.business.state {
        BusinessState::Active => return Ok(()),
        BusinessState::Disabled => (Code::BusinessDisabled, "The chats of this business are closed"),
        BusinessState::Migrating => (
            Code::BusinessMigrating,
            "The business is being moved, please try again later",
        ),
    };
    Err(AuthError::Other(ApiError::new(closed.0, closed.1)))
}

impl FromRequestParts<SharedApp> for Buyer {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, AuthError> {
        if app.buyers.tokens.has_no_keys() {
            return Err(AuthError::NoKeys);
        }
        let token = bearer_token(&parts.headers).ok_or(AuthError::Missing)?;
        let opened = app.buyers.tokens.verify(token, app.now());
        let opened = opened.map_err(AuthError::Refused)?;
        open(app, opened.business).await?;
        Ok(Self(opened))
    }
}

impl FromRequestParts<SharedApp> for Sending {
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, AuthError> {
        let buyer = Buyer::from_request_parts(parts, app).await?;
        let now: Timestamp = app.now();
        app.buyers
            .limits
            .send(&buyer.0, now)
            .map_err(AuthError::TooMuch)?;
        Ok(Self(buyer))
    }
}

impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        let (challenge, error) = match self {
            Self::NoKeys => {
                let message = "The Buyer API is closed: the server has no key for buyers' tokens. The setting is \
                               buyer.keys; prilavok config describes it";
                return ApiError::new(Code::NotConfigured, message).into_response();
            }
            Self::Missing => {
                let message = "A buyer's token is needed: Authorization: Bearer <token>";
                (CHALLENGE, ApiError::new(Code::Unauthorized, message))
            }
            Self::Refused(refused) => {
                let error = ApiError::new(Code::Unauthorized, format!("The token {refused}"));
                match refused {
                    Refused::Claim { claim, problem } => (INVALID, error.about(claim, problem)),
                    _ => (INVALID, error),
                }
            }
            Self::NoBusiness => {
                let problem = "names a business that does not exist";
                let error = ApiError::new(
                    Code::Unauthorized,
                    format!("The token has a claim `business` that {problem}"),
                );
                (INVALID, error.about("business", problem))
            }
            Self::Other(error) => return error.into_response(),
            Self::TooMuch(too_much) => return too_many(&too_much, "sends in a minute"),
        };
        let mut response = error.into_response();
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        response
    }
}

/// The answer to what is too much.
pub(super) fn too_many(too_much: &TooMuch, of_what: &str) -> Response {
    let message = format!("A customer may have {} {of_what}", too_much.limit);
    let mut response = ApiError::new(Code::TooManyRequests, message).into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(too_much.seconds));
    response
}
