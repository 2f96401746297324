//! Scenarios: begun by name or with their text, and how they fare.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::error::{ApiError, read};
use crate::sandbox::Sandbox;
use crate::scenario::{Cast, Report, SHIPPED, Scenario, scenario_schema};

/// Where every scenario stands.
#[derive(Serialize)]
pub(super) struct Reports {
    finished: bool,
    scenarios: Vec<Report>,
}

pub(super) async fn report(State(sandbox): State<Arc<Sandbox>>) -> Json<Reports> {
    let world = sandbox.world();
    Json(Reports {
        finished: world.director.finished(),
        scenarios: world.director.report(),
    })
}

/// One that comes with Prilavok, or the text of one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Begin {
    shipped: Option<String>,
    yaml: Option<String>,
}

pub(super) async fn begin(
    State(sandbox): State<Arc<Sandbox>>,
    body: Bytes,
) -> Result<(StatusCode, Json<Cast>), ApiError> {
    let begin: Begin = read(&body)?;
    let scenario = match (begin.shipped, begin.yaml) {
        (Some(name), None) => shipped(&name).map_err(ApiError::bad)?,
        (None, Some(text)) => {
            Scenario::parse("posted", &text).map_err(|error| ApiError::bad(error.to_string()))?
        }
        _ => return Err(ApiError::bad("either 'shipped' or 'yaml' must be given")),
    };
    let cast = sandbox.begin(&scenario).await;
    Ok((
        StatusCode::CREATED,
        Json(cast.map_err(|error| ApiError::bad(format!("{error:#}")))?),
    ))
}

pub(super) async fn schema() -> Json<serde_json::Value> {
    Json(scenario_schema())
}

/// A scenario that comes with Prilavok.
pub(crate) fn shipped(name: &str) -> Result<Scenario, String> {
    Scenario::shipped(name).ok_or_else(|| {
        let names: Vec<_> = SHIPPED.iter().map(|(name, _)| *name).collect();
        format!(
            "no scenario '{name}' comes with Prilavok: it has {}",
            names.join(", ")
        )
    })
}
