//! What happens, told to pages that are open, so that they look for news.

use async_trait::async_trait;
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response};
use prilavok_domain::BusinessId;
use prilavok_pages::Audience;
use prilavok_wire::{Errors, live};

use super::error::WebError;
use super::reader::{self, Operator, Seller};
use super::session::By;
use crate::app::{App, SharedApp};
use crate::live::{Audience as Listeners, Permit, Start, answer};
use crate::metrics::{OperationName, RefusedBy};
use crate::socket::Peer;

/// The name in metrics.
const NAME: &str = "uiEvents";

pub(super) async fn events(
    State(app): State<SharedApp>,
    seller: Seller,
    parts: Parts,
) -> Result<Response<Body>, WebError> {
    let business = seller.business();
    let peer = parts.extensions.get::<Peer>().cloned();
    let place = app.live.enter(Listeners::Seller(business), peer).map_err(|_| {
        app.metrics.refused(NAME, RefusedBy::Streams);
        WebError::Unavailable("too many streams of the business are open".to_owned())
    })?;
    // An id that cannot be read is as good as none: the page looks for itself.
    let query = parts.uri.query().unwrap_or_default();
    let last = live::last_event_id(Errors::new(), &parts.headers, query).unwrap_or_default();
    let start = Start::find(&*app.store, Some(business), last, app.now()).await?;
    let permit = Watching {
        headers: parts.headers,
        business,
    };
    let mut response = answer(&app, place, permit, &start);
    response.extensions_mut().insert(OperationName(NAME));
    Ok(response)
}

/// What happens in all businesses, for the desk.
pub(super) async fn of_all(
    State(app): State<SharedApp>,
    _: Operator,
    parts: Parts,
) -> Result<Response<Body>, WebError> {
    let peer = parts.extensions.get::<Peer>().cloned();
    let place = app.live.enter(Listeners::Operator, peer);
    let place = place.map_err(|_| WebError::internal("the marketplace's streams are not limited"))?;
    let query = parts.uri.query().unwrap_or_default();
    let last = live::last_event_id(Errors::new(), &parts.headers, query).unwrap_or_default();
    let start = Start::find(&*app.store, None, last, app.now()).await?;
    let mut response = answer(&app, place, WatchingAll(parts.headers), &start);
    response.extensions_mut().insert(OperationName(NAME));
    Ok(response)
}

/// The permit of an open stream of the desk: the session, and the token behind it.
struct WatchingAll(HeaderMap);

#[async_trait]
impl Permit for WatchingAll {
    async fn holds(&self, app: &App) -> bool {
        let Ok(session) = reader::session(app, Audience::Operator, &self.0, By::Itself).await else {
            return false;
        };
        matches!(reader::operator(app, session.hash).await, Ok(Some(_)))
    }
}

/// The permit of an open stream: the session, and the key behind it.
struct Watching {
    headers: HeaderMap,
    business: BusinessId,
}

#[async_trait]
impl Permit for Watching {
    async fn holds(&self, app: &App) -> bool {
        let Ok(session) = reader::session(app, Audience::Seller, &self.headers, By::Itself).await else {
            return false;
        };
        let found = reader::seller(app, session.hash).await;
        matches!(found, Ok(Ok((_, access))) if access.business.id == self.business)
    }
}
