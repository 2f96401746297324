//! Chats that something was taken away from, in the order in which it happened.

use deadpool_postgres::GenericClient;
use prilavok_domain::{BusinessId, ChatId, Timestamp};

use super::statements::statements;
use super::work::Work;
use super::{meta, rows};
use crate::personal_data::TAKEN_AT_ONCE;
use crate::{Result, TakenFrom};

statements! {
    MARKS = "SELECT coalesce((SELECT max(place) FROM taken), 0),
        coalesce((SELECT number FROM meta WHERE name = 'forgotten_taken'), 0)";
    /// It is noted one after the other, over all businesses, so that places are committed in order.
    TAKING = "SELECT pg_advisory_xact_lock(5787213827046133842)";
    NOTE = "INSERT INTO taken (business_id, chat_id, place, at)
        SELECT one.business_id, one.chat_id, $3 + one.place, $4
        FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS one (business_id, chat_id, place)
        ON CONFLICT (business_id, chat_id) DO UPDATE SET place = excluded.place, at = excluded.at";
    AFTER = "SELECT place, at, business_id, chat_id FROM taken WHERE place > $1 ORDER BY place LIMIT $2";
    FORGET = "WITH oldest AS MATERIALIZED (SELECT place, at FROM taken ORDER BY place LIMIT $2),
        forgotten AS
            (DELETE FROM taken WHERE place <= (SELECT max(place) FROM oldest WHERE at < $1) RETURNING place)
        SELECT count(*), coalesce(max(place), 0) FROM forgotten";
}

/// The place of the newest of them that there was, and that of the newest one that was forgotten.
pub(super) async fn marks(conn: &impl GenericClient) -> Result<(i64, i64)> {
    let row = rows::query_one(conn, MARKS, &[]).await?;
    let (newest, forgotten): (i64, i64) = (rows::get(&row, 0)?, rows::get(&row, 1)?);
    Ok((newest.max(forgotten), forgotten))
}

/// Notes that something was taken away from these chats, each named once, in the transaction in which it was. It comes last:
/// whoever else takes something away waits from then on.
pub(super) async fn note(work: &Work<'_>, chats: &[(BusinessId, ChatId)], now: Timestamp) -> Result<()> {
    if chats.is_empty() {
        return Ok(());
    }
    rows::query_one(&work.tx, TAKING, &[]).await?;
    let (newest, _) = marks(&work.tx).await?;
    let (businesses, chats): (Vec<_>, Vec<_>) = chats
        .iter()
        .map(|(business, chat)| (business.get(), chat.get()))
        .unzip();
    let values: &rows::Values<'_> = &[&businesses, &chats, &newest, &now.as_millis()];
    rows::execute(&work.tx, NOTE, values).await.map(drop)
}

/// Those behind the place `after`, in order.
pub(super) async fn after(conn: &impl GenericClient, after: i64, limit: usize) -> Result<Vec<TakenFrom>> {
    let found = rows::query(conn, AFTER, &[&after, &rows::limit(limit)]).await?;
    let taken = found.iter().map(|row| {
        Ok(TakenFrom {
            place: rows::get(row, 0)?,
            at: rows::time(row, 1, "at")?,
            business: rows::id(row, 2, "business_id")?,
            chat: rows::id(row, 3, "chat_id")?,
        })
    });
    taken.collect()
}

/// Forgets the first of them, as far as they are from before `before`.
pub(super) async fn forget(conn: &impl GenericClient, before: Timestamp) -> Result<u64> {
    let values: &rows::Values<'_> = &[&before.as_millis(), &rows::limit(TAKEN_AT_ONCE)];
    let row = rows::query_one(conn, FORGET, values).await?;
    let forgotten = rows::unsigned(&row, 0, "count")?;
    if forgotten > 0 {
        meta::forgotten_taken(conn, rows::get(&row, 1)?).await?;
    }
    Ok(forgotten)
}
