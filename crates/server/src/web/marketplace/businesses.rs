//! Businesses: all of them, and one with everything that belongs to it.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use prilavok_domain::{BusinessId, CredentialKind};
use prilavok_pages::operator::{BusinessPage, Businesses};
use prilavok_pages::trouble::Problem;
use prilavok_store::Act;

use super::path::InBusiness;
use super::{act, keys, limits, subscriptions};
use crate::app::SharedApp;
use crate::secrets;
use crate::web::error::WebError;
use crate::web::form::SentBy;
use crate::web::page::Page;
use crate::web::query::Query;
use crate::web::reader::Operator;

/// Businesses on a page.
const PAGE: usize = 50;
/// Campaigns that are shown; whoever has more looks them up in the API.
const CAMPAIGNS: usize = 50;

pub(super) async fn businesses(
    State(app): State<SharedApp>,
    operator: Operator,
    query: Query,
) -> Result<Page<Businesses>, WebError> {
    let (businesses, next) = page(&app, &query, PAGE).await?;
    Ok(Page(Businesses {
        frame: operator.frame(),
        businesses,
        pager: query.pager("/ui/operator", "after", &[], next.as_deref()),
    }))
}

/// A page of businesses, and the place after which the next one begins.
pub(super) async fn page(
    app: &SharedApp,
    query: &Query,
    size: usize,
) -> Result<(Vec<prilavok_domain::Business>, Option<String>), WebError> {
    let after = query.get("after").parse().ok();
    let after = after.and_then(|after| BusinessId::new(after).ok());
    let mut businesses = app.store.businesses(after, size + 1).await?;
    let more = businesses.len() > size;
    businesses.truncate(size);
    let next = businesses.last().filter(|_| more);
    let next = next.map(|last| last.id.to_string());
    Ok((businesses, next))
}

pub(super) async fn business(
    State(app): State<SharedApp>,
    operator: Operator,
    InBusiness(id): InBusiness,
) -> Result<Page<BusinessPage>, WebError> {
    let business = app.store.business(id).await?.ok_or(WebError::NotFound)?;
    let keys = app.store.credentials(id, CredentialKind::ApiKey).await?;
    let subscriptions = app.store.subscriptions(id).await?;
    Ok(Page(BusinessPage {
        frame: operator.frame(),
        campaigns: app.store.campaigns(id, None, CAMPAIGNS).await?,
        keys: keys::shown(keys),
        subscriptions: subscriptions.iter().map(subscriptions::shown).collect(),
        limits: limits::in_use(&app, id),
        once: [secrets::new_session_secret(), secrets::new_session_secret()],
        business,
    }))
}

pub(super) async fn set_state(
    State(app): State<SharedApp>,
    InBusiness(id): InBusiness,
    SentBy {
        reader: operator,
        fields,
    }: SentBy<Operator>,
) -> Result<Response, WebError> {
    let state = fields.get("state").parse();
    let state = state.map_err(|_| WebError::Invalid(Problem::Broken))?;
    act(&app, &operator, id, Act::SetState(state), &fields).await?;
    Ok(back(id))
}

/// The way back to a business.
pub(super) fn back(business: BusinessId) -> Response {
    Redirect::to(&format!("/ui/operator/businesses/{business}")).into_response()
}
