//! Where messages lie.
//!
//! Each chat has a number in this file, and each message of it a place: the chat's number, and behind it one that counts its
//! messages. So a chat's messages lie side by side in the order of their ids, and a page of them is a range of plain numbers,
//! which SQLite follows in half of the time that a key of several columns takes it. Which place a message has, only its
//! neighbours tell: it is searched for between them.

use prilavok_domain::{BusinessId, ChatId, MessageId, Sender, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};

use super::head::Head;
use super::readers::View;
use super::rows;
use crate::{Result, StoreError};

/// A place has so many bits that count the messages of its chat.
const BITS: u32 = 24;

/// The place of the newest message of a chat `c`, as part of a statement.
pub(super) const NEWEST_PLACE: &str = "(SELECT max(place) FROM main.message_row
    WHERE place BETWEEN c.number << 24 AND c.number << 24 | 16777215)";

/// The number of a chat in this file, which no other one ever had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChatNumber(i64);

impl ChatNumber {
    /// What a chat's row has as its number, if it can be one.
    pub(super) fn new(number: i64) -> Option<Self> {
        (1..i64::MAX >> BITS).contains(&number).then_some(Self(number))
    }

    pub(super) const fn get(self) -> i64 {
        self.0
    }

    /// Before all places of this chat that have a message.
    pub(super) const fn first(self) -> i64 {
        self.0 << BITS
    }

    /// The last place of this chat.
    pub(super) const fn last(self) -> i64 {
        self.first() | ((1 << BITS) - 1)
    }

    /// Where the next message goes.
    pub(super) fn next(self, newest: Option<&Newest>) -> Result<i64> {
        let place = newest.map_or(self.first(), |newest| newest.place) + 1;
        match place <= self.last() {
            true => Ok(place),
            false => Err(StoreError::Failed(
                format!("the chat had {} messages: no more can be kept", (1 << BITS) - 1).into(),
            )),
        }
    }
}

/// The newest message of a chat.
pub(super) struct Newest {
    place: i64,
    pub(super) id: MessageId,
    pub(super) created_at: Timestamp,
    pub(super) sender: Sender,
}

/// The next number for a chat.
pub(super) fn next_number(conn: &Connection) -> Result<ChatNumber> {
    let mut next = conn.prepare_cached(
        "UPDATE meta SET value = value + 1 WHERE name = 'last_chat_number' RETURNING value",
    )?;
    Ok(next.query_row([], |row| rows::number(row, 0))?)
}

/// The number of a chat, if it is there.
pub(super) fn number(conn: &Connection, business: BusinessId, chat: ChatId) -> Result<Option<ChatNumber>> {
    Ok(conn
        .prepare_cached("SELECT number FROM chat WHERE business_id = ?1 AND chat_id = ?2")?
        .query_row((business.get(), chat.get()), |row| rows::number(row, 0))
        .optional()?)
}

/// The same from memory, if the chat is known.
pub(super) fn known_number(
    view: &View<'_>,
    business: BusinessId,
    chat: ChatId,
) -> Result<Option<ChatNumber>> {
    match view.known.number(business, chat) {
        Some(number) => Ok(Some(number)),
        None => number(view.conn, business, chat),
    }
}

pub(super) fn newest(conn: &Connection, chat: ChatNumber) -> Result<Option<Newest>> {
    Ok(conn
        .prepare_cached(
            "SELECT place, message_id, head FROM message_row WHERE place BETWEEN ?1 AND ?2
             ORDER BY place DESC LIMIT 1",
        )?
        .query_row((chat.first(), chat.last()), newest_row)
        .optional()?)
}

fn newest_row(row: &Row<'_>) -> rusqlite::Result<Newest> {
    let head = Head::read(row, 2)?;
    Ok(Newest {
        place: row.get(0)?,
        id: rows::id(row, 1, "message_id")?,
        created_at: head.created_at,
        sender: head.sender,
    })
}

/// A message, as those need it who take something away from it.
pub(super) struct Placed {
    pub(super) place: i64,
    pub(super) id: i64,
    pub(super) files: u8,
}

/// The first messages of a chat from a place on, at most `limit`.
pub(super) fn some(conn: &Connection, chat: ChatNumber, first: i64, limit: usize) -> Result<Vec<Placed>> {
    let mut statement = conn.prepare_cached(
        "SELECT place, message_id, head FROM message_row WHERE place BETWEEN ?1 AND ?2 ORDER BY place LIMIT ?3",
    )?;
    let found = statement.query_map((first, chat.last(), limit), |row| {
        Ok(Placed {
            place: row.get(0)?,
            id: row.get(1)?,
            files: Head::read(row, 2)?.files,
        })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// A place of a chat before which all messages have lower ids than `id`; from it on, none has.
pub(super) fn from(conn: &Connection, chat: ChatNumber, id: i64) -> Result<i64> {
    let Some(newest) = newest(conn, chat)? else {
        return Ok(chat.first());
    };
    if id > newest.id.get() {
        return Ok(newest.place + 1);
    }
    let mut next = conn.prepare_cached(
        "SELECT place, message_id FROM message_row WHERE place >= ?1 ORDER BY place LIMIT 1",
    )?;
    // Messages before `low` are before `id`; from `high` on, none is.
    let (mut low, mut high) = (chat.first(), newest.place);
    while low < high {
        let middle = low + (high - low) / 2;
        let found = next.query_row([middle], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
        match found.optional()? {
            Some((place, found)) if id > found => low = place + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: ChatNumber = ChatNumber(7);

    /// Messages of three chats: of the one in the middle those with the ids of `places`, at these places behind its first.
    fn messages(places: &[i64]) -> Connection {
        let conn = Connection::open_in_memory().expect("a connection");
        conn.execute_batch(
            "CREATE TABLE message_row (place INTEGER PRIMARY KEY, message_id INTEGER, head INTEGER)",
        )
        .expect("a table");
        let mut put = conn
            .prepare("INSERT INTO message_row VALUES (?1, ?2, 0)")
            .expect("a statement");
        for (chat, id) in [(6, 1_000_000), (8, 3)] {
            put.execute((ChatNumber(chat).first() + 1, id))
                .expect("a message");
        }
        for (nth, place) in places.iter().enumerate() {
            put.execute((CHAT.first() + place, 10 * (nth + 1)))
                .expect("a message");
        }
        drop(put);
        conn
    }

    #[test]
    fn a_page_begins_where_ids_do_with_gaps_and_without() {
        for places in [
            &[][..],
            &[1],
            &[1, 2],
            &[1, 2, 3, 4, 5, 6, 7],
            &[4, 5, 6],
            &[900, 901, 903],
            &[1, 2, 1000, 5000, 16_777_215],
        ] {
            let conn = messages(places);
            let newest = i64::try_from(places.len()).expect("few") * 10;
            for id in 1..=newest + 11 {
                let first = from(&conn, CHAT, id).expect("a place");
                let found = some(&conn, CHAT, first, 3).expect("messages");
                let found: Vec<_> = found.into_iter().map(|message| message.id).collect();
                let expected = (1..=newest / 10).map(|nth| nth * 10).filter(|it| *it >= id);
                let expected: Vec<_> = expected.take(3).collect();
                assert_eq!(found, expected, "from {id} of {places:?}");
            }
        }
    }

    #[test]
    fn a_chat_that_is_full_takes_no_message_at_another_ones_place() {
        let conn = messages(&[16_777_214]);
        let newest = newest(&conn, CHAT).expect("an answer").expect("a message");
        let last = CHAT.next(Some(&newest)).expect("a place");
        assert_eq!(last, CHAT.last());
        assert_eq!(last + 1, ChatNumber(8).first());
        let newest = Newest {
            place: last,
            ..newest
        };
        let refused = CHAT.next(Some(&newest)).expect_err("refused").to_string();
        assert!(refused.contains("16777215 messages"), "{refused}");
    }

    #[test]
    fn a_chat_without_messages_has_its_places() {
        let conn = messages(&[]);
        assert!(newest(&conn, CHAT).expect("an answer").is_none());
        assert_eq!(CHAT.next(None).expect("a place"), CHAT.first() + 1);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for number in [0, -1, i64::MIN, i64::MAX, i64::MAX >> BITS] {
            assert_eq!(ChatNumber::new(number), None, "{number}");
        }
        assert_eq!(ChatNumber::new(1), Some(ChatNumber(1)));
    }
}
