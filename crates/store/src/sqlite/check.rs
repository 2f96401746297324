//! The check of everything that must be true of a store, from the disk page to the outbox.

use rusqlite::{Connection, ErrorCode};

use super::lagging;
use super::places::NEWEST_PLACE;
use crate::backup::{About, LISTED};
use crate::{CheckReport, Result};

/// What must hold of any store, each a query for rows that break it. `chat` is the chats as their newest messages leave
/// them, `main.chat` what their rows say, `newest` the newest message of each chat.
///
/// Events are forgotten oldest first (see `attempts::forget`), and an event has a higher id than what it is about.
/// So whatever has a higher id than the oldest event of its business must have its own.
///
/// What is missing among many is joined, not looked for with `NOT IN`: that goes through all of them once more for each row that
/// breaks the rule, wherever a column may be `NULL`.
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
        "the last message is not the newest one",
        "SELECT c.business_id, c.chat_id FROM chat c LEFT JOIN newest m USING (business_id, chat_id)
         WHERE c.last_message_id IS NOT m.message_id",
    ),
    (
        About::Chat,
        "a message has no higher id than the one before it",
        "SELECT business_id, chat_id FROM
             (SELECT business_id, chat_id, message_id,
                     lag(message_id) OVER (PARTITION BY business_id, chat_id ORDER BY place) AS before
              FROM message)
         WHERE message_id <= before",
    ),
    (
        About::Chat,
        "updated_at is not the time of the last message",
        "SELECT c.business_id, c.chat_id FROM chat c
         LEFT JOIN newest m ON m.business_id = c.business_id AND m.chat_id = c.chat_id
             AND m.message_id = c.last_message_id
         WHERE c.updated_at <> coalesce(m.created_at, c.created_at)",
    ),
    (
        About::Chat,
        "a message is older than the one before it",
        "SELECT business_id, chat_id FROM
             (SELECT business_id, chat_id, created_at,
                     lag(created_at) OVER (PARTITION BY business_id, chat_id ORDER BY message_id) AS before
              FROM message)
         WHERE created_at < before",
    ),
    (
        About::Chat,
        "the status contradicts the last message",
        "SELECT c.business_id, c.chat_id FROM chat c
         JOIN newest m ON m.business_id = c.business_id AND m.chat_id = c.chat_id
             AND m.message_id = c.last_message_id
         WHERE CASE
             WHEN c.status = 'FINISHED' THEN 0
             WHEN c.type = 'ARBITRAGE' AND m.sender IN ('CUSTOMER', 'PARTNER')
                 THEN c.status <> 'WAITING_FOR_ARBITER'
             WHEN m.sender = 'CUSTOMER' THEN c.status NOT IN ('WAITING_FOR_PARTNER', 'WAITING_FOR_MARKET')
             WHEN m.sender = 'PARTNER' THEN c.status NOT IN ('WAITING_FOR_CUSTOMER', 'WAITING_FOR_MARKET')
             ELSE 0 END",
    ),
    (
        About::Chat,
        "nobody wrote, and the status says that somebody did",
        "SELECT business_id, chat_id FROM chat WHERE last_message_id IS NULL
             AND status NOT IN (iif(type = 'CHAT', 'NEW', 'WAITING_FOR_ARBITER'),
                                iif(type = 'CHAT', 'WAITING_FOR_MARKET', 'FINISHED'), 'FINISHED')",
    ),
    (
        About::Chat,
        "it has a verdict and is no finished dispute",
        "SELECT c.business_id, c.chat_id FROM verdict v JOIN chat c USING (business_id, chat_id)
         WHERE c.type <> 'ARBITRAGE' OR c.status <> 'FINISHED'",
    ),
    (
        About::Chat,
        "lists have it at another place than its own",
        // Its row does not know its newest message, and nothing tells that it does not.
        "SELECT c.business_id, c.chat_id FROM chat c JOIN main.chat kept USING (business_id, chat_id)
         LEFT JOIN (SELECT DISTINCT business_id, chat_id FROM event
                    WHERE event_id NOT IN (SELECT event_id FROM event_of_business)) told
             ON told.business_id = c.business_id AND told.chat_id = c.chat_id
         WHERE c.last_message_id IS NOT kept.last_message_id AND told.chat_id IS NULL",
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
        "a file is of a message that is not there",
        "SELECT business_id, chat_id FROM message_file WHERE (business_id, chat_id, message_id) NOT IN
             (SELECT business_id, chat_id, message_id FROM message WHERE files > 0)",
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
        "its id, or one of a message or an event of it, was never handed out",
        // A sequence that counts from one, the demo's, keeps no highest id.
        "SELECT business_id, chat_id FROM
             (SELECT business_id, chat_id, chat_id AS id FROM chat
              UNION ALL SELECT business_id, chat_id, message_id FROM message
              UNION ALL SELECT business_id, chat_id, event_id FROM event)
         JOIN meta ON meta.name = 'last_id' WHERE meta.value > 0 AND id > meta.value
         GROUP BY business_id, chat_id",
    ),
    (
        About::Chat,
        "a message has no event",
        "SELECT m.business_id, m.chat_id FROM message m
         JOIN (SELECT business_id, min(event_id) AS id FROM event GROUP BY business_id) oldest USING (business_id)
         LEFT JOIN event told ON told.type = 'CHAT_MESSAGE_SENT' AND told.business_id = m.business_id
             AND told.chat_id = m.chat_id AND told.message_id = m.message_id
         WHERE m.message_id > oldest.id AND told.event_id IS NULL",
    ),
    (
        About::Chat,
        "its beginning has no event",
        "SELECT c.business_id, c.chat_id FROM chat c
         JOIN (SELECT business_id, min(event_id) AS id FROM event GROUP BY business_id) oldest USING (business_id)
         WHERE c.chat_id > oldest.id
             AND (c.business_id, c.chat_id, iif(c.type = 'CHAT', 'CHAT_CREATED', 'CHAT_ARBITRAGE_STARTED'))
                 NOT IN (SELECT business_id, chat_id, type FROM event)",
    ),
    (
        About::Chat,
        "its end has no event",
        "SELECT c.business_id, c.chat_id FROM chat c
         JOIN (SELECT business_id, min(event_id) AS id FROM event GROUP BY business_id) oldest USING (business_id)
         WHERE c.chat_id > oldest.id AND c.type = 'ARBITRAGE' AND c.status = 'FINISHED'
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
         WHERE c.chat_id IS NULL
             OR (e.type = 'CHAT_MESSAGE_SENT' AND (e.message_id IS NULL OR
                 (e.business_id, e.chat_id, e.message_id, e.at) NOT IN
                     (SELECT business_id, chat_id, message_id, created_at FROM message)))
             OR (e.type <> 'CHAT_MESSAGE_SENT' AND e.message_id IS NOT NULL)",
    ),
    (
        About::Event,
        "another event tells the same",
        "SELECT business_id, max(event_id) FROM event
         GROUP BY business_id, chat_id, type, message_id HAVING count(*) > 1",
    ),
    (
        About::Event,
        "its business does not find it, or finds one that is not there",
        "SELECT business_id, event_id FROM
             (SELECT business_id, event_id FROM event_of_business
              UNION ALL SELECT business_id, event_id FROM
                  (WITH RECURSIVE recent_event (business_id, event_id, next_id) AS
                       (SELECT business_id, newest_event_id, 9223372036854775807 FROM recent
                        WHERE newest_event_id IS NOT NULL
                        UNION ALL SELECT n.business_id, e.before_id, n.event_id
                            FROM recent_event n JOIN event e USING (business_id, event_id)
                            WHERE e.before_id IS NOT NULL AND n.event_id < n.next_id)
                   SELECT business_id, event_id FROM recent_event)
              UNION ALL SELECT business_id, event_id FROM event)
         GROUP BY business_id, event_id HAVING count(*) <> 2",
    ),
    (
        About::Event,
        "it is older than what it tells",
        "SELECT business_id, event_id FROM event WHERE event_id < coalesce(message_id, chat_id)",
    ),
    (
        About::Subscription,
        "it is past events that have not happened yet",
        "SELECT business_id, subscription_id FROM subscription
         WHERE settled_event_id > max((SELECT value FROM meta WHERE name = 'last_id'),
                                      (SELECT coalesce(max(event_id), 0) FROM event))",
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

/// The newest message of each chat. Messages are found by their places alone: to look for each by its id would take as long as
/// its chat has messages.
fn newest() -> String {
    format!(
        "SELECT m.business_id, m.chat_id, m.message_id, m.created_at, m.sender FROM main.chat c
         CROSS JOIN message m ON m.business_id = c.business_id AND m.chat_id = c.chat_id AND m.place = {NEWEST_PLACE}"
    )
}

/// The pages, each rule, and the files that the caller looks for.
pub(super) const STEPS: u64 = 1 + RULES.len() as u64 + 1;

/// Checks the file and the rules; answers the objects of all files as well, for the caller to find.
pub(super) fn check(
    conn: &Connection,
    progress: &dyn Fn(u64, u64),
) -> Result<(CheckReport, Vec<(String, u64)>)> {
    let mut report = CheckReport::default();
    let transaction = conn.unchecked_transaction()?;
    progress(0, STEPS);
    check_pages(&transaction, &mut report)?;
    if !report.problems.is_empty() {
        // Queries over damaged pages fail, and with them what is known already would be lost.
        report
            .problems
            .push("chats were not looked at: the database is damaged".to_owned());
        return Ok((report, Vec::new()));
    }
    check_rules(&transaction, &mut report, progress)?;
    let count =
        |table: &str| transaction.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
    report.chats = count("chat")?;
    report.messages = count("message")?;
    report.files = count("message_file")?;
    report.events = count("event")?;
    let mut files = transaction.prepare("SELECT object, size FROM message_file WHERE removed_at IS NULL")?;
    let objects = files
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok((report, objects))
}

fn check_pages(conn: &Connection, report: &mut CheckReport) -> Result<()> {
    let damaged = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt);
    let mut integrity = match conn.prepare("PRAGMA integrity_check") {
        // Not even the schema can be read.
        Err(error) if damaged(&error) => {
            report.problems.push(format!("SQLite: {error}"));
            return Ok(());
        }
        prepared => prepared?,
    };
    for line in integrity.query_map([], |row| row.get::<_, String>(0))? {
        match line {
            Ok(line) if line == "ok" => {}
            Ok(lines) => {
                let lines = lines.lines().map(|line| format!("SQLite: {line}"));
                report.problems.extend(lines);
            }
            // Where the damage is such that SQLite cannot go on looking.
            Err(error) if damaged(&error) => {
                report.problems.push(format!("SQLite: {error}"));
                break;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn check_rules(conn: &Connection, report: &mut CheckReport, progress: &dyn Fn(u64, u64)) -> Result<()> {
    let mut dangling = conn.prepare("PRAGMA foreign_key_check")?;
    for table in dangling
        .query_map([], |row| row.get::<_, String>(0))?
        .take(LISTED)
    {
        report
            .problems
            .push(format!("a row of {} names a row that is not there", table?));
    }
    let astray: u64 = conn.query_row(
        "SELECT count(*) FROM message_row WHERE place >> 24 NOT IN (SELECT number FROM chat)",
        [],
        |row| row.get(0),
    )?;
    if astray > 0 {
        report
            .problems
            .push(format!("{astray} messages lie where no chat has any"));
    }
    let (chats, newest) = (lagging::all_now(), newest());
    for (done, (about, rule, query)) in (1..).zip(RULES) {
        progress(done, STEPS);
        let mut broken = conn.prepare(&format!("WITH chat AS ({chats}), newest AS ({newest}) {query}"))?;
        let found = broken
            .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        report.add(*about, rule, &found);
    }
    Ok(())
}
