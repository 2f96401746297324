//! A file of a chat, for whoever is signed in.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::Response;
use prilavok_domain::FileId;

use super::error::WebError;
use super::reader::Seller;
use crate::app::SharedApp;
use crate::partner;

pub(super) async fn file(
    State(app): State<SharedApp>,
    seller: Seller,
    Path(id): Path<String>,
) -> Result<Response<Body>, WebError> {
    let id = id.parse().ok().and_then(|id| FileId::new(id).ok());
    let found = app
        .store
        .file(seller.business(), id.ok_or(WebError::NotFound)?)
        .await?;
    let (_, stored) = found.ok_or(WebError::NotFound)?;
    Ok(partner::content(&app, &stored).await?)
}
