//! What an error of PostgreSQL means to those who asked.

use tokio_postgres::error::SqlState;

use crate::StoreError;

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let passing = match error.code() {
            // No answer of the server's: the connection broke.
            None => {
                error.is_closed()
                    || std::error::Error::source(&error).is_some_and(|it| it.is::<std::io::Error>())
            }
            Some(code) => may_pass(code),
        };
        if passing {
            Self::Unavailable(error.to_string())
        } else {
            Self::Failed(Box::new(error))
        }
    }
}

/// Whether the same may go well a little later.
fn may_pass(code: &SqlState) -> bool {
    // Connections, resources, intervention of an operator, system errors, serialisation failures.
    let classes = ["08", "40", "53", "57", "58"];
    classes.iter().any(|class| code.code().starts_with(class))
        || [
            &SqlState::READ_ONLY_SQL_TRANSACTION,
            &SqlState::LOCK_NOT_AVAILABLE,
        ]
        .contains(&code)
}
