//! What an error of PostgreSQL means to those who asked.

use std::error::Error;
use std::fmt;

use tokio_postgres::error::SqlState;

use crate::StoreError;

/// An error with what PostgreSQL says of it, which its own text leaves out.
#[derive(Debug)]
struct Told(tokio_postgres::Error);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&told(&self.0))
    }
}

impl Error for Told {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// What went wrong, and what PostgreSQL says of it.
pub(super) fn told(error: &tokio_postgres::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let passing = match error.code() {
            // No answer of the server's: the connection broke.
            None => error.is_closed() || error.source().is_some_and(|it| it.is::<std::io::Error>()),
            Some(code) => may_pass(code),
        };
        if passing {
            Self::Unavailable(told(&error))
        } else {
            Self::Failed(Box::new(Told(error)))
        }
    }
}

/// Whether the same may go well a little later.
fn may_pass(code: &SqlState) -> bool {
    // Connections, resources, intervention of an operator, system errors.
    let classes = ["08", "53", "57", "58"];
    classes.iter().any(|class| code.code().starts_with(class))
        || [
            &SqlState::READ_ONLY_SQL_TRANSACTION,
            &SqlState::LOCK_NOT_AVAILABLE,
        ]
        .contains(&code)
}

/// Whether the database refused a write because of what others did meanwhile: nothing of it was written, and it may be begun
/// anew.
pub(super) fn is_overtaken(error: &StoreError) -> bool {
    let StoreError::Failed(cause) = error else {
        return false;
    };
    let code = cause.downcast_ref::<Told>().and_then(|told| told.0.code());
    [
        // Two wrote the same at the same moment: the one who lost finds it there.
        &SqlState::UNIQUE_VIOLATION,
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::T_R_DEADLOCK_DETECTED,
    ]
    .into_iter()
    .any(|one| code == Some(one))
}

/// The error of a write that is not begun anew here: of one that was overtaken, it may go well for who asks again.
pub(super) fn given_up(error: StoreError) -> StoreError {
    if is_overtaken(&error) {
        StoreError::Unavailable(error.to_string())
    } else {
        error
    }
}
