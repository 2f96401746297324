//! Idempotency keys, looked up and kept in the transaction of the write that they belong to.

use prilavok_domain::{BusinessId, Timestamp};
use tokio_postgres::Row;

use super::db::Value;
use super::rows;
use super::statements::statements;
use super::transaction::{Question, Write, kept};
use crate::Result;
use crate::idempotency::{Idempotency, REMEMBERED_MS};

statements! {
    EARLIER = "SELECT fingerprint, result, created_at FROM idempotency \
        WHERE business_id = $1 AND surface = $2 AND key = $3";
    FORGET_ONE = "DELETE FROM idempotency WHERE business_id = $1 AND surface = $2 AND key = $3";
    REMEMBER = "INSERT INTO idempotency (business_id, surface, key, fingerprint, result, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    FORGET = "DELETE FROM idempotency WHERE (business_id, surface, key) IN \
            (SELECT business_id, surface, key FROM idempotency WHERE created_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
        across: "it is swept in the order of age";
}

/// Keys forgotten by one statement.
const FORGOTTEN_AT_ONCE: i64 = 10_000;

/// Asks `questions`, and then, in the same round trip, whether the operation ran under this key within 24 hours: the id that
/// it answered. A question that waits for a lock comes first, so that the key of who held it is seen.
pub(super) async fn ask(
    write: &Write,
    business: BusinessId,
    once: Option<&Idempotency>,
    now: Timestamp,
    questions: &[Question<'_>],
) -> Result<(Option<i64>, Vec<Vec<Row>>)> {
    let Some(once) = once else {
        return Ok((None, write.ask_all(questions).await?));
    };
    let (business, surface) = (business.get(), once.surface.as_str());
    let key: [Value<'_>; 3] = [&business, &surface, &once.key];
    let mut asked = questions.to_vec();
    asked.push((EARLIER, &key));
    let mut answers = write.ask_all(&asked).await?;
    let found = answers.pop().unwrap_or_default();
    let Some(row) = found.first() else {
        return Ok((None, answers));
    };
    if rows::time(row, 2, "created_at")? <= now.plus_millis(-REMEMBERED_MS) {
        // A key that is older than 24 hours begins anew.
        write.put(FORGET_ONE, kept![business, surface, once.key.clone()]);
        return Ok((None, answers));
    }
    let earlier = once.answer(rows::get(row, 0)?, rows::get(row, 1)?)?;
    Ok((Some(earlier), answers))
}

/// Keeps what the operation answered. Where another node was faster with this key, the index refuses it, and the write is
/// done again, which finds the key.
pub(super) fn remember(
    write: &Write,
    business: BusinessId,
    once: Option<&Idempotency>,
    result: i64,
    now: Timestamp,
) {
    if let Some(once) = once {
        write.put(
            REMEMBER,
            kept![
                business.get(),
                once.surface.as_str(),
                once.key.clone(),
                once.fingerprint.to_vec(),
                result,
                now.as_millis(),
            ],
        );
    }
}

/// Forgets keys older than 24 hours; answers how many.
pub(super) async fn forget(write: &Write, now: Timestamp) -> Result<u64> {
    let before = now.plus_millis(-REMEMBERED_MS).as_millis();
    let mut forgotten = 0;
    loop {
        let some = write.change(FORGET, &[&before, &FORGOTTEN_AT_ONCE]).await?;
        forgotten += some;
        if some < FORGOTTEN_AT_ONCE.unsigned_abs() {
            return Ok(forgotten);
        }
    }
}
