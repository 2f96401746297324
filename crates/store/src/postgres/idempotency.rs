//! Idempotency keys, looked up and kept in the transaction of the write that they belong to.

use deadpool_postgres::GenericClient;
use prilavok_domain::{BusinessId, Timestamp};

use super::rows;
use super::statements::statements;
use crate::idempotency::{Idempotency, REMEMBERED_MS};
use crate::{Conflict, Refusal, Result};

statements! {
    EARLIER = "SELECT fingerprint, result FROM idempotency
        WHERE business_id = $1 AND surface = $2 AND key = $3 AND created_at > $4";
    /// A key that is still there after 24 hours begins anew. One that is younger was kept by another request at this very
    /// moment: this one fails, and finds it when it is begun anew.
    FORGET_UNTIL = "DELETE FROM idempotency WHERE business_id = $1 AND surface = $2 AND key = $3 AND created_at <= $4";
    REMEMBER = "INSERT INTO idempotency (business_id, surface, key, fingerprint, result, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
}

/// The id that the operation answered when it ran under this key, if it did within 24 hours.
pub(super) async fn earlier(
    conn: &impl GenericClient,
    business: BusinessId,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Option<i64>> {
    let Some(once) = once else { return Ok(None) };
    let since = now.plus_millis(-REMEMBERED_MS).as_millis();
    let found = rows::query_opt(
        conn,
        EARLIER,
        &[&business.get(), &once.surface.as_str(), &once.key, &since],
    )
    .await?;
    let Some(row) = found else { return Ok(None) };
    let fingerprint: &[u8] = rows::get(&row, 0)?;
    if fingerprint == once.fingerprint {
        rows::get(&row, 1).map(Some)
    } else {
        Err(Refusal::Conflict(Conflict::IdempotencyKeyReused).into())
    }
}

/// Forgets the key if it is older than 24 hours.
pub(super) async fn forget_old(
    conn: &impl GenericClient,
    business: BusinessId,
    once: &Idempotency,
    now: Timestamp,
) -> Result<()> {
    let until = now.plus_millis(-REMEMBERED_MS).as_millis();
    forget_until(conn, business, once, until).await
}

/// Forgets the key, however old it is.
pub(super) async fn forget(
    conn: &impl GenericClient,
    business: BusinessId,
    once: Option<&Idempotency>,
) -> Result<()> {
    match once {
        Some(once) => forget_until(conn, business, once, i64::MAX).await,
        None => Ok(()),
    }
}

async fn forget_until(
    conn: &impl GenericClient,
    business: BusinessId,
    once: &Idempotency,
    until: i64,
) -> Result<()> {
    let values: &rows::Values<'_> = &[&business.get(), &once.surface.as_str(), &once.key, &until];
    rows::execute(conn, FORGET_UNTIL, values).await.map(drop)
}

/// Keeps what the operation answered.
pub(super) async fn remember(
    conn: &impl GenericClient,
    business: BusinessId,
    once: Option<&Idempotency>,
    result: i64,
    now: Timestamp,
) -> Result<()> {
    let Some(once) = once else { return Ok(()) };
    forget_old(conn, business, once, now).await?;
    rows::execute(
        conn,
        REMEMBER,
        &[
            &business.get(),
            &once.surface.as_str(),
            &once.key,
            &once.fingerprint.as_slice(),
            &result,
            &now.as_millis(),
        ],
    )
    .await
    .map(drop)
}
