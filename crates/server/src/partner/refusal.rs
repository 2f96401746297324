//! What the store refuses, as errors of the Partner API. The one place where the two meet.

use std::sync::Arc;

use prilavok_store::files::FileError;
use prilavok_store::{Conflict, Entity, Refusal, StoreError};
use prilavok_wire::ApiError;

use crate::request_id::RequestId;

/// The request that something went wrong in, as its log lines name it.
#[derive(Debug, Clone)]
pub(super) struct Incident(Option<Arc<str>>);

impl Incident {
    /// Takes the request's id, where it has one.
    pub(super) fn new(id: Option<&RequestId>) -> Self {
        Self(id.map(|id| Arc::clone(&id.0)))
    }

    /// Logs what went wrong and answers no more than the id to find it by.
    pub(super) fn internal(&self, error: &dyn std::fmt::Display) -> ApiError {
        let request_id = self.0.as_deref().unwrap_or("unknown");
        tracing::error!(request_id, %error, "a partner's request failed");
        ApiError::Internal {
            request_id: request_id.to_owned(),
        }
    }

    /// Logs why a file could not be stored or read.
    pub(super) fn of_file(&self, error: &FileError) -> ApiError {
        match error {
            FileError::Unavailable(_) => self.unavailable(error),
            FileError::NotFound | FileError::Failed(_) => self.internal(error),
        }
    }

    /// Logs what is not possible now.
    pub(super) fn unavailable(&self, why: &dyn std::fmt::Display) -> ApiError {
        tracing::warn!(request_id = self.0.as_deref(), %why, "the store is unavailable");
        ApiError::Unavailable
    }
}

/// The error that a partner is shown.
pub(super) fn to_error(error: StoreError, incident: &Incident) -> ApiError {
    match error {
        StoreError::Refused(refusal) => refused(refusal, incident),
        StoreError::Busy => ApiError::Overloaded,
        StoreError::Unavailable(why) => incident.unavailable(&why),
        StoreError::Failed(cause) => incident.internal(&cause),
    }
}

fn refused(refusal: Refusal, incident: &Incident) -> ApiError {
    match refusal {
        Refusal::NotFound(Entity::Chat(id)) => ApiError::ChatNotFound(id.get()),
        Refusal::NotFound(Entity::Order(id)) => ApiError::OrderNotFound(id.get()),
        Refusal::NotFound(Entity::Return(id)) => ApiError::ReturnNotFound(id.get()),
        Refusal::Rule(rule) => ApiError::Rule(rule),
        Refusal::Conflict(Conflict::IdempotencyKeyReused) => ApiError::IdempotencyKeyReused,
        Refusal::AtItem { refusal, .. } => refused(*refusal, incident),
        // A partner names nothing else, so this is a defect of ours.
        Refusal::NotFound(_) | Refusal::Conflict(_) => incident.internal(&refusal),
    }
}
