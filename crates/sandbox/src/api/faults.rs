//! Faults on purpose.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;

use super::error::{ApiError, read};
use crate::faults::{Active, Rule};
use crate::sandbox::Sandbox;

/// The rules in force.
#[derive(Serialize)]
pub(super) struct List {
    faults: Vec<Active>,
}

pub(super) async fn list(State(sandbox): State<Arc<Sandbox>>) -> Json<List> {
    Json(List {
        faults: sandbox.faults().list(),
    })
}

pub(super) async fn add(
    State(sandbox): State<Arc<Sandbox>>,
    body: Bytes,
) -> Result<(StatusCode, Json<Active>), ApiError> {
    let rule: Rule = read(&body)?;
    let active = sandbox.faults().add(rule);
    let active = active.map_err(|error| ApiError::bad(error.to_string()))?;
    Ok((StatusCode::CREATED, Json(active)))
}

pub(super) async fn clear(State(sandbox): State<Arc<Sandbox>>) -> StatusCode {
    sandbox.faults().clear();
    StatusCode::NO_CONTENT
}

pub(super) async fn remove(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<u64>,
) -> Result<StatusCode, ApiError> {
    if sandbox.faults().remove(id) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::missing(format!("there is no fault {id}")))
    }
}
