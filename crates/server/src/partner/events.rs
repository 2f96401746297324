//! `GET /v2/businesses/{businessId}/events`: the live events of a business. Ours, beside the upstream operations; the
//! checks are theirs, in their order, but it is counted apart from them.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response, header};
use prilavok_domain::{BusinessId, Timestamp};
use prilavok_store::Credential;
use prilavok_wire::error::Limited;
use prilavok_wire::operation::Area;
use prilavok_wire::{ApiError, Errors, Failure, live};

use super::admission::{Needs, entitle};
use super::answer::respond;
use super::auth::{self, Presented};
use super::call::check_business_header;
use super::refusal::{self, Incident};
use crate::app::{App, SharedApp};
use crate::live::{Audience, Permit, Start, answer, head};
use crate::metrics::{OperationName, RefusedBy};
use crate::recording::CalledWith;
use crate::request_id::RequestId;
use crate::socket::Peer;

/// Answers with the stream. `id` is the id in the path as it was written.
pub(super) async fn stream_events(app: &SharedApp, id: &str, parts: &Parts) -> Response<Body> {
    let (caller, outcome) = open(app, id, parts, app.now()).await;
    let mut response = outcome.unwrap_or_else(|failure| respond(Err(failure)));
    response.extensions_mut().insert(OperationName(live::NAME));
    CalledWith::leave(caller, &mut response);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn open(
    app: &SharedApp,
    id: &str,
    parts: &Parts,
    now: Timestamp,
) -> (Option<Arc<Credential>>, Result<Response<Body>, Failure>) {
    let incident = Incident::new(parts.extensions.get::<RequestId>());
    let presented = match auth::presented(&parts.headers) {
        Ok(presented) => presented,
        Err(error) => return (None, Err(error.into())),
    };
    let seller = Seller { presented };
    match seller.credential(app, id, now, &incident).await {
        Ok(credential) => {
            let business = credential.business;
            let begun = begin(app, seller, business, parts, now, &incident).await;
            (Some(credential), begun)
        }
        Err((credential, error)) => (credential, Err(error.into())),
    }
}

async fn begin(
    app: &SharedApp,
    seller: Seller,
    business: BusinessId,
    parts: &Parts,
    now: Timestamp,
    incident: &Incident,
) -> Result<Response<Body>, Failure> {
    let peer = parts.extensions.get::<Peer>().cloned();
    let place = app
        .live
        .enter(Audience::Seller(business), peer)
        .map_err(|too_many| {
            app.metrics.refused(live::NAME, RefusedBy::Streams);
            ApiError::StreamLimit {
                limit: too_many.limit,
                of: Limited::Business(business),
            }
        })?;
    let mut errors = Errors::new();
    if let Err(error) = check_business_header(&parts.headers, Area::Business, business) {
        errors.add(error);
    }
    let query = parts.uri.query().unwrap_or_default();
    let last = live::last_event_id(errors, &parts.headers, query)?;
    if parts.method == Method::HEAD {
        return Ok(head());
    }
    let start = Start::find(&*app.store, Some(business), last, now)
        .await
        .map_err(|error| refusal::to_error(error, incident))?;
    let permit = Watching { seller, business };
    Ok(answer(app, place, permit, &start))
}

/// A seller's system, known by what it presented.
struct Seller {
    presented: Presented,
}

impl Seller {
    /// Its credential, if the business is the one that `id` names and may be watched now; with a refusal, the credential
    /// as far as the caller is known.
    async fn credential(
        &self,
        app: &App,
        id: &str,
        now: Timestamp,
        incident: &Incident,
    ) -> Result<Arc<Credential>, (Option<Arc<Credential>>, ApiError)> {
        let needs = Needs {
            area: Area::Business,
            oauth: true,
            scopes: live::scopes(),
        };
        let credential = auth::known(app, self.presented, now, incident)
            .await
            .map_err(|error| (None, error))?;
        match entitle(app, &needs, id, &credential, incident).await {
            Ok(_) => Ok(credential),
            Err(refused) => Err((Some(credential), refused.error)),
        }
    }
}

/// The permit of an open stream.
struct Watching {
    seller: Seller,
    business: BusinessId,
}

#[async_trait]
impl Permit for Watching {
    async fn holds(&self, app: &App) -> bool {
        let id = self.business.to_string();
        let found = self
            .seller
            .credential(app, &id, app.now(), &Incident::new(None))
            .await;
        found.is_ok()
    }
}
