//! The check of everything that must be true of a store, but for its pages: those are PostgreSQL's to look after
//! (`pg_amcheck`, data checksums).

use deadpool_postgres::Transaction;

use super::rows;
use super::statements::statements;
use crate::backup::About;
use crate::{CheckProgress, CheckReport, Result};

/// What must hold of any store, each a query for rows that break it.
///
/// Events are forgotten oldest first (see `attempts::forget`). So whatever is younger than the oldest event of its business
/// must have its own; by more than a minute, since the clocks of nodes differ. Where no event was forgotten, all must.
const RULES: &[(About, &str, &str)] = &[
    (
        About::Chat,
        "there is no such type or status",
        "SELECT business_id, chat_id FROM chat WHERE type NOT IN ('CHAT', 'ARBITRAGE')
             OR status NOT IN ('NEW', 'WAITING_FOR_CUSTOMER', 'WAITING_FOR_PARTNER', 'WAITING_FOR_ARBITER',
                               'WAITING_FOR_MARKET', 'FINISHED')",
    ),
    (
        About::Chat,
        "there is no such sender",
        "SELECT business_id, chat_id FROM message
         WHERE sender NOT IN ('CUSTOMER', 'PARTNER', 'MARKET', 'SUPPORT')",
    ),
    (
        About::Chat,
        "it has messages and is not there",
        "SELECT DISTINCT m.business_id, m.chat_id FROM message m
         LEFT JOIN chat c ON c.business_id = m.business_id AND c.chat_id = m.chat_id WHERE c.chat_id IS NULL",
    ),
    (
        About::Chat,
        "a file is of a message that is not there",
        "SELECT f.business_id, f.chat_id FROM message_file f LEFT JOIN message m ON m.business_id = f.business_id
             AND m.chat_id = f.chat_id AND m.message_id = f.message_id WHERE m.message_id IS NULL",
    ),
    (
        About::Chat,
        "the last message is not the newest one",
        "SELECT c.business_id, c.chat_id FROM chat c WHERE c.last_message_id IS DISTINCT FROM
             (SELECT max(m.message_id) FROM message m
              WHERE m.business_id = c.business_id AND m.chat_id = c.chat_id)",
    ),
    (
        About::Chat,
        "updated_at is not the time of the last message",
        "SELECT c.business_id, c.chat_id FROM chat c
         LEFT JOIN message m ON m.business_id = c.business_id AND m.chat_id = c.chat_id
             AND m.message_id = c.last_message_id
         WHERE c.updated_at <> coalesce(m.created_at, c.created_at)",
    ),
    (
        About::Chat,
        "a message is older than the one before it",
        "SELECT business_id, chat_id FROM
             (SELECT business_id, chat_id, created_at,
                     lag(created_at) OVER (PARTITION BY business_id, chat_id ORDER BY message_id) AS before
              FROM message) one
         WHERE created_at < before",
    ),
    (
        About::Chat,
        "the status contradicts the last message",
        "SELECT c.business_id, c.chat_id FROM chat c
         JOIN message m ON m.business_id = c.business_id AND m.chat_id = c.chat_id
             AND m.message_id = c.last_message_id
         WHERE CASE
             WHEN c.status = 'FINISHED' THEN false
             WHEN c.type = 'ARBITRAGE' AND m.sender IN ('CUSTOMER', 'PARTNER')
                 THEN c.status <> 'WAITING_FOR_ARBITER'
             WHEN m.sender = 'CUSTOMER' THEN c.status NOT IN ('WAITING_FOR_PARTNER', 'WAITING_FOR_MARKET')
             WHEN m.sender = 'PARTNER' THEN c.status NOT IN ('WAITING_FOR_CUSTOMER', 'WAITING_FOR_MARKET')
             ELSE false END",
    ),
    (
        About::Chat,
        "nobody wrote, and the status says that somebody did",
        "SELECT business_id, chat_id FROM chat WHERE last_message_id IS NULL
             AND status NOT IN (CASE WHEN type = 'CHAT' THEN 'NEW' ELSE 'WAITING_FOR_ARBITER' END,
                                CASE WHEN type = 'CHAT' THEN 'WAITING_FOR_MARKET' ELSE 'FINISHED' END, 'FINISHED')",
    ),
    (
        About::Chat,
        "it has a verdict and is no finished dispute",
        "SELECT c.business_id, c.chat_id FROM verdict v JOIN chat c USING (business_id, chat_id)
         WHERE c.type <> 'ARBITRAGE' OR c.status <> 'FINISHED'",
    ),
    (
        About::Chat,
        "a message has neither text nor files",
        "SELECT business_id, chat_id FROM message WHERE text IS NULL AND files = 0",
    ),
    (
        About::Chat,
        "a message counts other files than it has",
        "SELECT m.business_id, m.chat_id FROM message m WHERE m.files <>
             (SELECT count(*) FROM message_file f WHERE f.business_id = m.business_id
              AND f.chat_id = m.chat_id AND f.message_id = m.message_id)",
    ),
    (
        About::Chat,
        "a file is another message's as well",
        "SELECT min(business_id), min(chat_id) FROM message_file GROUP BY object HAVING count(*) > 1",
    ),
    (
        About::Chat,
        "two chats have a message with the same id",
        "SELECT min(business_id), min(chat_id) FROM message GROUP BY message_id HAVING count(*) > 1",
    ),
    (
        About::Chat,
        "a message has no event",
        "SELECT m.business_id, m.chat_id FROM message m
         LEFT JOIN (SELECT DISTINCT ON (business_id) business_id, at FROM event ORDER BY business_id, event_id) oldest
             ON oldest.business_id = m.business_id
         WHERE (m.created_at > oldest.at + 60000 OR NOT EXISTS (SELECT 1 FROM meta WHERE name = 'forgotten_event'))
             AND (m.business_id, m.chat_id, m.message_id) NOT IN
                 (SELECT business_id, chat_id, message_id FROM event
                  WHERE type = 'CHAT_MESSAGE_SENT' AND message_id IS NOT NULL)",
    ),
    (
        About::Chat,
        "its beginning has no event",
        "SELECT c.business_id, c.chat_id FROM chat c
         LEFT JOIN (SELECT DISTINCT ON (business_id) business_id, at FROM event ORDER BY business_id, event_id) oldest
             ON oldest.business_id = c.business_id
         WHERE (c.created_at > oldest.at + 60000 OR NOT EXISTS (SELECT 1 FROM meta WHERE name = 'forgotten_event'))
             AND (c.business_id, c.chat_id, CASE WHEN c.type = 'CHAT' THEN 'CHAT_CREATED' ELSE 'CHAT_ARBITRAGE_STARTED' END)
                 NOT IN (SELECT business_id, chat_id, type FROM event)",
    ),
    (
        About::Chat,
        "its end has no event",
        "SELECT c.business_id, c.chat_id FROM chat c
         LEFT JOIN (SELECT DISTINCT ON (business_id) business_id, at FROM event ORDER BY business_id, event_id) oldest
             ON oldest.business_id = c.business_id
         WHERE (c.created_at > oldest.at + 60000 OR NOT EXISTS (SELECT 1 FROM meta WHERE name = 'forgotten_event'))
             AND c.type = 'ARBITRAGE' AND c.status = 'FINISHED'
             AND (c.business_id, c.chat_id) NOT IN
                 (SELECT business_id, chat_id FROM event WHERE type = 'CHAT_ARBITRAGE_FINISHED')",
    ),
    (
        About::Chat,
        "its customer was erased, and what they wrote was not",
        "SELECT c.business_id, c.chat_id FROM erasure e
         JOIN customer u ON u.customer_id = e.customer_id AND u.erased_at IS NOT NULL
         JOIN chat c ON c.customer_id = e.customer_id
         JOIN message m ON m.business_id = c.business_id AND m.chat_id = c.chat_id
         WHERE e.finished_at IS NOT NULL AND m.sender = 'CUSTOMER' AND m.text <> '[erased]'
         GROUP BY c.business_id, c.chat_id",
    ),
    (
        About::Event,
        "it is about a chat or a message that is not there, or tells another time than the message",
        "SELECT e.business_id, e.event_id FROM event e
         LEFT JOIN chat c ON c.business_id = e.business_id AND c.chat_id = e.chat_id
         LEFT JOIN message m ON m.business_id = e.business_id AND m.chat_id = e.chat_id
             AND m.message_id = e.message_id
         WHERE c.chat_id IS NULL
             OR (e.type = 'CHAT_MESSAGE_SENT' AND m.created_at IS DISTINCT FROM e.at)
             OR (e.type <> 'CHAT_MESSAGE_SENT' AND e.message_id IS NOT NULL)",
    ),
    (
        About::Event,
        "another event tells the same",
        "SELECT business_id, max(event_id) FROM event
         GROUP BY business_id, chat_id, type, message_id HAVING count(*) > 1",
    ),
    (
        About::Subscription,
        "it is past events that have not happened yet",
        "SELECT business_id, subscription_id FROM subscription
         WHERE settled_event_id > greatest(
             (SELECT last_event_id FROM business_head h WHERE h.business_id = subscription.business_id),
             (SELECT coalesce(max(event_id), 0) FROM event e WHERE e.business_id = subscription.business_id))",
    ),
    (
        About::Subscription,
        "an event is to be sent again that is not there, or to nobody",
        "SELECT a.business_id, a.subscription_id FROM again a
         LEFT JOIN event e USING (business_id, event_id)
         LEFT JOIN subscription s USING (business_id, subscription_id)
         WHERE e.at IS NULL OR s.name IS NULL",
    ),
];

statements! {
    COUNTS = "SELECT (SELECT count(*) FROM chat), (SELECT count(*) FROM message), (SELECT count(*) FROM message_file),
        (SELECT count(*) FROM event)";
    FILES = "SELECT object, size FROM message_file WHERE removed_at IS NULL";
}

/// Each rule, and the files that the caller looks for.
pub(super) const STEPS: u64 = RULES.len() as u64 + 1;

/// Checks the rules, all as of one moment if the transaction is such; answers the objects of all files as well, for the
/// caller to find.
pub(super) async fn check(
    tx: &Transaction<'_>,
    progress: &CheckProgress,
) -> Result<(CheckReport, Vec<(String, u64)>)> {
    let mut report = CheckReport::default();
    for (done, (about, rule, query)) in (0..).zip(RULES) {
        progress(done, STEPS);
        let found = tx.query(*query, &[]).await?;
        let broken = found
            .iter()
            .map(|row| Ok((rows::get(row, 0)?, rows::get(row, 1)?)))
            .collect::<Result<Vec<(i64, i64)>>>()?;
        report.add(*about, rule, &broken);
    }
    let counts = rows::query_one(tx, COUNTS, &[]).await?;
    report.chats = rows::unsigned(&counts, 0, "count")?;
    report.messages = rows::unsigned(&counts, 1, "count")?;
    report.files = rows::unsigned(&counts, 2, "count")?;
    report.events = rows::unsigned(&counts, 3, "count")?;
    let files = rows::query(tx, FILES, &[]).await?;
    let objects = files
        .iter()
        .map(|row| Ok((rows::get(row, 0)?, rows::unsigned(row, 1, "size")?)))
        .collect::<Result<_>>()?;
    Ok((report, objects))
}
