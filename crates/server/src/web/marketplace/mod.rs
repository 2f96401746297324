//! The operator's pages. What is done on them goes through [`act`], which leaves a line in the audit trail.

mod audit;
mod businesses;
mod deliveries;
mod keys;
mod limits;
pub(super) mod path;
mod requests;
mod subscriptions;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::routing::{get, post};
use prilavok_domain::{AuditLine, BusinessId, Deed, FileId};
use prilavok_pages::trouble::Problem;
use prilavok_store::{Act, Applied, Conflict, Refusal, StoreError};

use super::error::WebError;
use super::form::Fields;
use super::reader::Operator;
use crate::app::{App, SharedApp};
use crate::partner;
use path::Inside;

pub(super) fn routes() -> Router<SharedApp> {
    let of_business = Router::new()
        .route("/", get(businesses::business))
        .route("/state", post(businesses::set_state))
        .route("/keys", post(keys::create))
        .route("/keys/{key}/revoke", post(keys::revoke))
        .route("/subscriptions/{subscription}", get(subscriptions::subscription))
        .route(
            "/subscriptions/{subscription}/switch",
            post(subscriptions::switch),
        )
        .route(
            "/subscriptions/{subscription}/again",
            post(subscriptions::send_again),
        )
        .route("/deliveries", get(deliveries::deliveries))
        .route("/deliveries/{delivery}/again", post(deliveries::send_again))
        .route("/files/{file}", get(file));
    Router::new()
        .route("/ui/operator", get(businesses::businesses))
        .nest("/ui/operator/businesses/{business}", of_business)
        .route("/ui/operator/requests", get(requests::requests))
        .route("/ui/operator/requests/{place}", get(requests::request))
        .route("/ui/operator/requests/{place}/curl", get(requests::curl))
        .route("/ui/operator/limits", get(limits::limits))
        .route("/ui/operator/audit", get(audit::audit))
}

/// Does what a form asks for, once however often it is sent, and lets the rest of the server know.
pub(super) async fn act(
    app: &App,
    operator: &Operator,
    business: BusinessId,
    act: Act,
    fields: &Fields,
) -> Result<Applied<AuditLine>, WebError> {
    let once = fields.once(&operator.visit.here);
    let done = app
        .store
        .act(business, act, operator.token, once, app.now())
        .await;
    let done = done.map_err(|error| match error {
        // Of all that is done here, only keys are given names.
        StoreError::Refused(Refusal::Conflict(Conflict::NameTaken)) => {
            WebError::Invalid(Problem::KeyNameTaken)
        }
        error => error.into(),
    })?;
    match done.value.deed {
        Deed::ChangedState | Deed::CreatedKey | Deed::RevokedKey => app.access.refresh().await?,
        Deed::Enabled | Deed::Disabled => app.notifier.refresh().await?,
        Deed::Wrote | Deed::WroteBoth | Deed::Settled | Deed::SentAgain => {}
    }
    Ok(done)
}

/// A file of a chat.
async fn file(
    State(app): State<SharedApp>,
    _: Operator,
    Inside(business, id): Inside<FileId>,
) -> Result<Response<Body>, WebError> {
    let found = app.store.file(business, id).await?;
    let (_, stored) = found.ok_or(WebError::NotFound)?;
    Ok(partner::content(&app, &stored).await?)
}
