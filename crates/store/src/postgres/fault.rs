//! What an error of PostgreSQL means to those who asked, and what may be done again after it.

use std::error::Error as _;

use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::error::SqlState;

use super::statements::Sql;
use crate::StoreError;

/// What may be done after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Somebody was faster, or two waited for each other: nothing was changed, the transaction may be done again.
    Overtaken,
    /// The connection is of no use any more. Whether what was asked for last was done is unknown.
    Lost,
    /// Nothing was changed; doing it again changes nothing.
    Final,
}

impl Fault {
    pub(super) fn of(error: &tokio_postgres::Error) -> Self {
        match error.code() {
            // A unique index is a net below the checks: who falls into it did not see another's write yet.
            Some(
                &SqlState::T_R_SERIALIZATION_FAILURE
                | &SqlState::T_R_DEADLOCK_DETECTED
                | &SqlState::UNIQUE_VIOLATION,
            ) => Self::Overtaken,
            // A server that is read-only now was the primary once: a new connection finds the one that is.
            Some(
                &SqlState::READ_ONLY_SQL_TRANSACTION
                | &SqlState::ADMIN_SHUTDOWN
                | &SqlState::CRASH_SHUTDOWN
                | &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            ) => Self::Lost,
            Some(_) => Self::Final,
            None if is_of_the_connection(error) => Self::Lost,
            None => Self::Final,
        }
    }
}

fn is_of_the_connection(error: &tokio_postgres::Error) -> bool {
    error.is_closed() || error.source().is_some_and(|cause| cause.is::<std::io::Error>())
}

/// An error with what PostgreSQL says of it, which the error alone does not show.
fn told(error: &tokio_postgres::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// An error of a statement.
pub(super) fn of_statement(sql: Sql, error: tokio_postgres::Error) -> StoreError {
    match StoreError::from(error) {
        StoreError::Unavailable(why) => StoreError::Unavailable(format!("{why} ({})", sql.name)),
        StoreError::Failed(error) => StoreError::Failed(format!("{}: {error}", sql.name).into()),
        other => other,
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let passes = match error.code() {
            Some(code) => {
                let transient = [
                    "08", // the connection
                    "40", // the transaction was rolled back
                    "53", // too few resources: memory, disk, connections
                    "57", // somebody stops the server, or the statement took too long
                    "58", // the server's disk
                ];
                let code_text = code.code();
                transient.iter().any(|class| code_text.starts_with(class))
                    || matches!(
                        *code,
                        SqlState::LOCK_NOT_AVAILABLE
                            | SqlState::READ_ONLY_SQL_TRANSACTION
                            | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
                            | SqlState::UNIQUE_VIOLATION
                    )
            }
            None => is_of_the_connection(&error),
        };
        let why = told(&error);
        if passes {
            Self::Unavailable(why)
        } else {
            Self::Failed(why.into())
        }
    }
}

impl From<PoolError> for StoreError {
    fn from(error: PoolError) -> Self {
        Self::Unavailable(match error {
            PoolError::Timeout(TimeoutType::Wait) => {
                "no connection to PostgreSQL became free in time".to_owned()
            }
            PoolError::Timeout(_) => "PostgreSQL did not answer in time".to_owned(),
            PoolError::Backend(error) => format!("no connection to PostgreSQL: {}", told(&error)),
            PoolError::Closed => return closed(),
            other => other.to_string(),
        })
    }
}

pub(super) fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}
