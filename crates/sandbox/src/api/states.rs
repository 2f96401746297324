//! Snapshots, and the way back to them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::Serialize;

use super::error::ApiError;
use crate::sandbox::Sandbox;
use crate::snapshot::SnapshotName;

/// The snapshots' names.
#[derive(Serialize)]
pub(super) struct List {
    snapshots: Vec<String>,
}

pub(super) async fn list(State(sandbox): State<Arc<Sandbox>>) -> Result<Json<List>, ApiError> {
    let snapshots = sandbox.snapshots()?;
    Ok(Json(List { snapshots }))
}

pub(super) async fn take(
    State(sandbox): State<Arc<Sandbox>>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    let name = named(&name)?;
    if name == SnapshotName::start() {
        return Err(ApiError::bad(
            "'start' is the state that the sandbox began with: take another name",
        ));
    }
    sandbox.take_snapshot(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn remove(
    State(sandbox): State<Arc<Sandbox>>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    let name = named(&name)?;
    if name == SnapshotName::start() {
        return Err(ApiError::bad("'start' is what reset goes back to: it stays"));
    }
    if sandbox.remove_snapshot(&name).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_snapshot(&name))
    }
}

pub(super) async fn restore(
    State(sandbox): State<Arc<Sandbox>>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    let name = named(&name)?;
    if sandbox.restore(&name).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_snapshot(&name))
    }
}

pub(super) async fn reset(State(sandbox): State<Arc<Sandbox>>) -> Result<StatusCode, ApiError> {
    sandbox.restore(&SnapshotName::start()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn named(name: &str) -> Result<SnapshotName, ApiError> {
    name.parse()
        .map_err(|rule| ApiError::bad(format!("the snapshot's name {rule}")))
}

fn no_snapshot(name: &SnapshotName) -> ApiError {
    ApiError::missing(format!("there is no snapshot {}", name.as_str()))
}
