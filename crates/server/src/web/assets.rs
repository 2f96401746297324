//! What browsers load beside pages. It never changes under its address.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prilavok_pages::assets;

use super::error::WebError;
use crate::metrics::OperationName;

pub(super) async fn asset(Path(path): Path<String>) -> Result<Response, WebError> {
    let asset = assets::find(&path).ok_or(WebError::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, asset.media_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    let mut response = (headers, asset.content).into_response();
    response.extensions_mut().insert(OperationName("uiAsset"));
    Ok(response)
}
