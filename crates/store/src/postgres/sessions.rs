//! Who is signed in to the pages.

use deadpool_postgres::GenericClient;
use prilavok_domain::Timestamp;

use super::rows;
use super::statements::statements;
use super::work::Work;
use crate::sessions::MAX_SESSIONS;
use crate::{Result, SecretHash, Session};

statements! {
    OVER = "DELETE FROM session WHERE used_at < $1";
    TOO_MANY = "DELETE FROM session WHERE session_hash IN (SELECT session_hash FROM session WHERE secret_hash = $1
        ORDER BY used_at DESC OFFSET $2)";
    BEGIN = "INSERT INTO session (session_hash, secret_hash, used_at) VALUES ($1, $2, $3)";
    ONE = "SELECT secret_hash, used_at FROM session WHERE session_hash = $1";
    USED = "UPDATE session SET used_at = $2 WHERE session_hash = $1";
    END = "DELETE FROM session WHERE session_hash = $1";
}

pub(super) async fn begin(work: &mut Work<'_>, session: Session, over: Timestamp) -> Result<()> {
    let secret = session.secret.0.as_slice();
    rows::execute(&work.tx, OVER, &[&over.as_millis()]).await?;
    rows::execute(&work.tx, TOO_MANY, &[&secret, &rows::limit(MAX_SESSIONS - 1)]).await?;
    let (id, used_at) = (session.id.0.as_slice(), session.used_at.as_millis());
    rows::execute(&work.tx, BEGIN, &[&id, &secret, &used_at])
        .await
        .map(drop)
}

pub(super) async fn one(conn: &impl GenericClient, id: SecretHash) -> Result<Option<Session>> {
    let found = rows::query_opt(conn, ONE, &[&id.0.as_slice()]).await?;
    let read = found.map(|row| {
        Ok(Session {
            id,
            secret: SecretHash(rows::bytes(&row, 0, "secret_hash")?),
            used_at: rows::time(&row, 1, "used_at")?,
        })
    });
    read.transpose()
}

pub(super) async fn used(conn: &impl GenericClient, id: SecretHash, now: Timestamp) -> Result<()> {
    rows::execute(conn, USED, &[&id.0.as_slice(), &now.as_millis()])
        .await
        .map(drop)
}

pub(super) async fn end(conn: &impl GenericClient, id: SecretHash) -> Result<()> {
    rows::execute(conn, END, &[&id.0.as_slice()]).await.map(drop)
}
