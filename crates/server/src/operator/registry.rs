//! Putting things into the registry: what all PUTs have in common.

use axum::http::StatusCode;
use prilavok_store::{Put, Registration};

use crate::app::App;
use crate::json_api::error::{ApiError, FieldOf};

/// Puts one thing. Answers the status: 201 where it was new, 200 otherwise.
pub(super) async fn put(app: &App, item: Registration, field_of: FieldOf) -> Result<StatusCode, ApiError> {
    let puts = put_all(app, vec![item])
        .await
        .map_err(|error| ApiError::of_store(error, field_of))?;
    Ok(if puts.contains(&Put::Created) {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    })
}

/// Puts all or none. What changes access acts before it is answered.
pub(super) async fn put_all(app: &App, items: Vec<Registration>) -> prilavok_store::Result<Vec<Put>> {
    let access = items
        .iter()
        .any(|it| matches!(it, Registration::Business(_) | Registration::Campaign(_)));
    let puts = app.store.register(items).await?;
    if access {
        app.access.refresh().await?;
    }
    Ok(puts)
}
