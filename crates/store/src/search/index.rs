//! The index's file: what is in it, written and asked.

use std::collections::HashSet;

use prilavok_domain::{BusinessId, Chat, ChatId, MessageId, PublicId};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::tokens::tokens;
use super::words::of_business;
use super::{Found, Hit, Place, Words};
use crate::beside::Kind;

pub(super) const INDEX: Kind = Kind {
    name: "the search index",
    // "PRLS"
    application_id: 0x5052_4C53,
    version: 2,
    schema: SCHEMA,
};

/// Places that one call looks at. Many of them may be of one chat.
const LOOKED_AT: usize = 1_000;

/// Places of a chat taken out in one transaction.
const FORGOTTEN_AT_ONCE: usize = 1_000;
/// Pages of the index merged in one transaction.
const MERGED_AT_ONCE: i64 = 200;

/// `ascii` splits at nothing but ASCII that is no letter or digit, of which tokens have none.
const SCHEMA: &str = "
    -- Which tokens are where. The text itself is the store's; how often and where in a text is not asked.
    CREATE VIRTUAL TABLE word USING fts5 (
        tokens, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
    );
    CREATE TABLE entry (
        place INTEGER PRIMARY KEY,
        chat_id INTEGER NOT NULL
    ) STRICT;
    -- Whose chats are written again when the name changes.
    CREATE TABLE customer_chat (
        customer_id TEXT NOT NULL,
        business_id INTEGER NOT NULL,
        chat_id INTEGER NOT NULL,
        PRIMARY KEY (customer_id, business_id, chat_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX customer_of_chat ON customer_chat (business_id, chat_id);
    -- One row, or none in an index that was not begun.
    CREATE TABLE progress (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        source BLOB NOT NULL,
        event_id INTEGER NOT NULL,
        renamed INTEGER NOT NULL,
        taken INTEGER NOT NULL,
        purge INTEGER NOT NULL,
        business_id INTEGER NOT NULL,
        chat_id INTEGER NOT NULL,
        message_id INTEGER NOT NULL,
        built INTEGER NOT NULL
    ) STRICT;";

/// How far the index has come. Kept in the transaction of what was written on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Progress {
    /// Which store it is of.
    pub(super) source: [u8; 32],
    /// Every event up to this one is in it.
    pub(super) event: i64,
    /// Every change of a name up to this place is in it.
    pub(super) renamed: i64,
    /// What was taken away from chats up to this place is out of it.
    pub(super) taken: i64,
    /// Whether words are in the file that nothing is found by any more.
    pub(super) purge: Purge,
    /// Of what was there before: all chats before this one, and its messages up to a message.
    pub(super) at: Option<(BusinessId, ChatId)>,
    pub(super) message: Option<MessageId>,
    /// Whether all that was there before is in it.
    pub(super) built: bool,
}

/// How far the words of what was removed are out of the file. The index keeps no texts, so it cannot tell which words a
/// place had: they go when the parts that the index consists of are merged into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purge {
    /// There are none.
    Done,
    /// Merging has begun.
    UnderWay,
    /// Something was removed since.
    Due,
}

impl Purge {
    const fn number(self) -> i64 {
        match self {
            Self::Done => 0,
            Self::UnderWay => 1,
            Self::Due => 2,
        }
    }

    const fn of(number: i64) -> Self {
        match number {
            0 => Self::Done,
            1 => Self::UnderWay,
            _ => Self::Due,
        }
    }
}

/// Something to be found.
#[derive(Debug, Clone)]
pub(super) enum Document {
    /// A chat, by its customer and numbers.
    Chat(Chat),
    /// A message, by its text.
    Message {
        business: BusinessId,
        chat: ChatId,
        id: MessageId,
        text: String,
    },
}

/// Chats and messages in one order. Their ids may be the same in a store with small ids.
const fn place_of_chat(chat: ChatId) -> Place {
    chat.get() * 2
}

const fn place_of_message(message: MessageId) -> Place {
    message.get() * 2 + 1
}

pub(super) fn progress(conn: &Connection) -> rusqlite::Result<Option<Progress>> {
    let columns = "source, event_id, renamed, business_id, chat_id, message_id, built, taken, purge";
    conn.prepare_cached(&format!("SELECT {columns} FROM progress"))?
        .query_row([], |row| {
            let business = BusinessId::new(row.get(3)?).ok();
            let chat = ChatId::new(row.get(4)?).ok();
            Ok(Progress {
                source: row.get(0)?,
                event: row.get(1)?,
                renamed: row.get(2)?,
                at: business.zip(chat),
                message: MessageId::new(row.get(5)?).ok(),
                built: row.get(6)?,
                taken: row.get(7)?,
                purge: Purge::of(row.get(8)?),
            })
        })
        .optional()
}

/// Writes documents, whether they are there or not, and how far that brings the index.
pub(super) fn write(
    conn: &mut Connection,
    documents: &[Document],
    progress: &Progress,
) -> rusqlite::Result<()> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for document in documents {
        match document {
            Document::Chat(chat) => {
                put(
                    &transaction,
                    chat.business,
                    chat.id,
                    place_of_chat(chat.id),
                    &about(chat),
                )?;
                transaction
                    .prepare_cached(
                        "INSERT OR IGNORE INTO customer_chat (customer_id, business_id, chat_id)
                         VALUES (?1, ?2, ?3)",
                    )?
                    .execute((
                        chat.customer.public_id.as_str(),
                        chat.business.get(),
                        chat.id.get(),
                    ))?;
            }
            Document::Message {
                business,
                chat,
                id,
                text,
            } => put(&transaction, *business, *chat, place_of_message(*id), &[text])?,
        }
    }
    keep(&transaction, progress)?;
    transaction.commit()
}

fn keep(conn: &Connection, progress: &Progress) -> rusqlite::Result<()> {
    let (business, chat) = progress
        .at
        .map_or((0, 0), |(business, chat)| (business.get(), chat.get()));
    conn.prepare_cached(
        "INSERT OR REPLACE INTO progress
                 (only, source, event_id, renamed, business_id, chat_id, message_id, built, taken, purge)
             VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute((
        progress.source,
        progress.event,
        progress.renamed,
        business,
        chat,
        progress.message.map_or(0, MessageId::get),
        progress.built,
        progress.taken,
        progress.purge.number(),
    ))?;
    Ok(())
}

/// Takes some places of a chat out; answers whether there are none left.
pub(super) fn forget(
    conn: &mut Connection,
    business: BusinessId,
    chat: ChatId,
    progress: &Progress,
) -> rusqlite::Result<bool> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let places: Vec<Place> = transaction
        .prepare_cached("SELECT rowid FROM word WHERE word MATCH ?1 LIMIT ?2")?
        .query_map(
            (format!("\"{}\"", of_chat(business, chat)), FORGOTTEN_AT_ONCE),
            |row| row.get(0),
        )?
        .collect::<rusqlite::Result<_>>()?;
    for table in ["word WHERE rowid", "entry WHERE place"] {
        let mut delete = transaction.prepare_cached(&format!("DELETE FROM {table} = ?1"))?;
        for place in &places {
            delete.execute([place])?;
        }
    }
    transaction
        .prepare_cached("DELETE FROM customer_chat WHERE business_id = ?1 AND chat_id = ?2")?
        .execute((business.get(), chat.get()))?;
    keep(&transaction, progress)?;
    transaction.commit()?;
    Ok(places.len() < FORGOTTEN_AT_ONCE)
}

/// Merges some of the index's parts, so that the words of what was removed go; answers how far that has come.
pub(super) fn purge(conn: &mut Connection, progress: &Progress) -> rusqlite::Result<Purge> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let pages = match progress.purge {
        Purge::Done => return Ok(Purge::Done),
        // Less than nothing: all parts are to become one.
        Purge::Due => -MERGED_AT_ONCE,
        Purge::UnderWay => MERGED_AT_ONCE,
    };
    let before = transaction.total_changes();
    transaction.execute("INSERT INTO word (word, rank) VALUES ('merge', ?1)", [pages])?;
    // The command itself is one change.
    let is_merged = transaction.total_changes() - before < 2;
    let come_to = |purge| Progress {
        purge,
        ..progress.clone()
    };
    keep(&transaction, &come_to(Purge::UnderWay))?;
    transaction.commit()?;
    if !is_merged {
        return Ok(Purge::UnderWay);
    }
    crate::scrub::clear_file(conn)?;
    if !crate::beside::clear_log(conn)? {
        // Somebody reads in it: it is cleared the next time.
        return Ok(Purge::UnderWay);
    }
    // Noted only now: a process that is killed before this clears both again.
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    keep(&transaction, &come_to(Purge::Done))?;
    transaction.commit()?;
    Ok(Purge::Done)
}

fn put(
    conn: &Connection,
    business: BusinessId,
    chat: ChatId,
    place: Place,
    texts: &[impl AsRef<str>],
) -> rusqlite::Result<()> {
    let mut line = of_chat(business, chat);
    for token in texts.iter().flat_map(|text| tokens(text.as_ref())) {
        line.push(' ');
        line.push_str(&of_business(business, &token.text));
    }
    conn.prepare_cached("INSERT OR REPLACE INTO word (rowid, tokens) VALUES (?1, ?2)")?
        .execute((place, line))?;
    conn.prepare_cached("INSERT OR REPLACE INTO entry (place, chat_id) VALUES (?1, ?2)")?
        .execute((place, chat.get()))?;
    Ok(())
}

/// What a chat is found by.
pub(super) fn about(chat: &Chat) -> Vec<String> {
    let mut texts = vec![chat.customer.name.as_str().to_owned()];
    texts.extend(chat.context.order().map(|order| order.to_string()));
    texts.extend(chat.context.returned().map(|returned| returned.to_string()));
    texts
}

/// The token that all has that is in a chat.
fn of_chat(business: BusinessId, chat: ChatId) -> String {
    format!("{business}c{chat}")
}

/// The newest place of each chat in which the words are, newest first, before a place.
pub(super) fn find(
    conn: &Connection,
    business: BusinessId,
    words: &Words,
    before: Option<Place>,
    limit: usize,
) -> rusqlite::Result<Found> {
    let mut found = Found::default();
    let expression = words.expression(business);
    if expression.is_empty() {
        return Ok(found);
    }
    let mut newest = conn.prepare_cached(
        "SELECT word.rowid, chat_id FROM word CROSS JOIN entry ON entry.place = word.rowid
         WHERE word MATCH ?1 AND word.rowid < ?2 ORDER BY word.rowid DESC LIMIT ?3",
    )?;
    let mut earlier_page =
        conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM word WHERE word MATCH ?1 AND rowid >= ?2)")?;
    let mut chats = HashSet::new();
    let mut looked_at = 0;
    let mut rows = newest.query((&expression, before.unwrap_or(Place::MAX), LOOKED_AT))?;
    while let Some(row) = rows.next()? {
        let place: Place = row.get(0)?;
        if found.hits.len() == limit {
            return Ok(found);
        }
        looked_at += 1;
        found.next = Some(place);
        let Ok(chat) = ChatId::new(row.get(1)?) else {
            continue;
        };
        if !chats.insert(chat) {
            continue;
        }
        if let Some(before) = before {
            let in_chat = format!("{expression} AND \"{}\"", of_chat(business, chat));
            if earlier_page.query_row((in_chat, before), |row| row.get(0))? {
                continue;
            }
        }
        let message = (place % 2 == 1).then(|| MessageId::new(place / 2).ok());
        found.hits.push(Hit {
            place,
            chat,
            message: message.flatten(),
        });
    }
    if looked_at < LOOKED_AT {
        found.next = None;
    }
    Ok(found)
}

/// Chats of a customer, by business and id.
pub(super) fn chats_of(
    conn: &Connection,
    customer: &PublicId,
    after: Option<(BusinessId, ChatId)>,
    limit: usize,
) -> rusqlite::Result<Vec<(BusinessId, ChatId)>> {
    let (business, chat) = after.map_or((0, 0), |(business, chat)| (business.get(), chat.get()));
    let mut statement = conn.prepare_cached(
        "SELECT business_id, chat_id FROM customer_chat
         WHERE customer_id = ?1 AND (business_id, chat_id) > (?2, ?3) ORDER BY business_id, chat_id LIMIT ?4",
    )?;
    let found = statement.query_map((customer.as_str(), business, chat, limit), |row| {
        Ok((BusinessId::new(row.get(0)?).ok(), ChatId::new(row.get(1)?).ok()))
    })?;
    let found = found.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(found
        .into_iter()
        .filter_map(|(business, chat)| business.zip(chat))
        .collect())
}
