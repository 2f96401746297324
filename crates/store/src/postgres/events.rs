//! Events as they are read. Of one business they are in the order of its commits, since the last thing that a write
//! does before its commit is to draw their ids under a lock on the business's head.
//!
//! Businesses do not wait for each other: of two that write at once, the one with the lower id may be committed last.
//! So the stream of all ends below the beginning of the oldest write under way. That is asked for before the events are
//! read, in a statement of its own: who is not under way by then has either committed, and is seen, or draws a higher id.

use deadpool_postgres::GenericClient;
use prilavok_domain::{BusinessId, Event};

use super::rows;
use super::statements::statements;
use crate::Result;

/// The columns of [`rows::event`].
macro_rules! event {
    () => {
        "business_id, event_id, type, chat_id, message_id, at"
    };
}
pub(super) use event;

statements! {
    OF_ONE = concat!("SELECT ", event!(), " FROM event WHERE business_id = $1 AND event_id > $2
        ORDER BY event_id LIMIT $3");
    /// Two businesses may have events with the same id: a page ends behind all of them.
    OF_ALL = concat!("SELECT ", event!(), " FROM event WHERE event_id > $1 AND event_id < $2 AND event_id <= coalesce(
            (SELECT event_id FROM event WHERE event_id > $1 AND event_id < $2 ORDER BY event_id OFFSET $3 LIMIT 1), $2)
        ORDER BY event_id");
    NEWEST = "SELECT coalesce(max(event_id), 0) FROM event WHERE business_id = $1";
    NEWEST_OF_ALL = "SELECT coalesce(max(event_id), 0) FROM event WHERE event_id < $1";
    HORIZON = "SELECT event_horizon()";
    /// Which businesses have new events, and their newest ones.
    NEWS = "SELECT business_id, max(event_id) FROM event WHERE event_id > $1 AND event_id < $2 GROUP BY business_id";
}

/// Events after `after` in order, of one business or of all.
pub(super) async fn after(
    conn: &impl GenericClient,
    business: Option<BusinessId>,
    after: i64,
    limit: usize,
) -> Result<Vec<Event>> {
    let limit = rows::limit(limit);
    let found = match business {
        Some(business) => rows::query(conn, OF_ONE, &[&business.get(), &after, &limit]).await?,
        None => {
            let horizon = horizon(conn).await?;
            rows::query(conn, OF_ALL, &[&after, &horizon, &(limit - 1).max(0)]).await?
        }
    };
    found.iter().map(|row| rows::event(row, 0)).collect()
}

/// The newest event, of one business or of all; zero where there is none.
pub(super) async fn newest(conn: &impl GenericClient, business: Option<BusinessId>) -> Result<i64> {
    let row = match business {
        Some(business) => rows::query_one(conn, NEWEST, &[&business.get()]).await?,
        None => {
            let horizon = horizon(conn).await?;
            rows::query_one(conn, NEWEST_OF_ALL, &[&horizon]).await?
        }
    };
    rows::get(&row, 0)
}

/// No event below this id will be committed any more.
pub(super) async fn horizon(conn: &impl GenericClient) -> Result<i64> {
    rows::get(&rows::query_one(conn, HORIZON, &[]).await?, 0)
}

/// The newest event of each business that has one after `after` and below `horizon`.
pub(super) async fn news(
    conn: &impl GenericClient,
    after: i64,
    horizon: i64,
) -> Result<Vec<(BusinessId, i64)>> {
    let found = rows::query(conn, NEWS, &[&after, &horizon]).await?;
    let news = found
        .iter()
        .map(|row| Ok((rows::id(row, 0, "business_id")?, rows::get(row, 1)?)));
    news.collect()
}
