//! The texts of a page of messages, in one piece.
//!
//! A page has many short texts. One by one, each is allocated, checked and freed by itself, which costs more than finding it in
//! the file does. Together they are one allocation and one check, and each message has its part of the piece.

use bytestring::ByteString;
use prilavok_domain::MessageText;
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::rows;

/// Room for so many bytes is made for each message before a page is read.
const USUAL: usize = 128;

/// Texts of messages, one behind the other, as they are read from rows.
pub(super) struct Texts {
    bytes: Vec<u8>,
    /// Where each ends; `None` for a message without a text.
    ends: Vec<Option<usize>>,
    /// The column that they are in.
    column: usize,
}

impl Texts {
    /// For about so many messages, whose texts are in the column `column`.
    pub(super) fn of(messages: usize, column: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(messages * USUAL),
            ends: Vec::with_capacity(messages),
            column,
        }
    }

    /// Adds the text of the next message.
    pub(super) fn add(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        self.ends.push(match row.get_ref(self.column)? {
            ValueRef::Null => None,
            ValueRef::Text(text) => {
                self.bytes.extend_from_slice(text);
                Some(self.bytes.len())
            }
            _ => return Err(self.bad("no text")),
        });
        Ok(())
    }

    /// The texts, in the order in which they were added.
    pub(super) fn all(
        &self,
    ) -> rusqlite::Result<impl Iterator<Item = rusqlite::Result<Option<MessageText>>>> {
        let whole = simdutf8::basic::from_utf8(&self.bytes).map_err(|_| self.bad("no text"))?;
        let whole = ByteString::from(whole);
        let mut begin = 0;
        Ok(self.ends.iter().map(move |end| {
            let Some(end) = *end else {
                return Ok(None);
            };
            // Two that are no texts by themselves may be one together.
            let text = whole.get(begin..end).ok_or_else(|| self.bad("no text"))?;
            begin = end;
            let text = MessageText::new(whole.slice_ref(text));
            text.map(Some)
                .map_err(|_| self.bad("a text that is too long or empty"))
        }))
    }

    fn bad(&self, found: &'static str) -> rusqlite::Error {
        rows::bad(self.column, "text", &found)
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// What is read from rows with these values in their second column.
    fn read(values: &str) -> Result<Vec<Option<String>>, String> {
        let conn = Connection::open_in_memory().expect("a connection");
        let mut statement = conn
            .prepare(&format!("SELECT 0, column1 FROM (VALUES {values})"))
            .expect("a statement");
        let mut rows = statement.query([]).expect("rows");
        let mut texts = Texts::of(2, 1);
        let mut add = || {
            while let Some(row) = rows.next()? {
                texts.add(row)?;
            }
            texts.all()?.collect::<rusqlite::Result<Vec<_>>>()
        };
        let found = add().map_err(|error| error.to_string())?;
        let text = |text: Option<MessageText>| text.map(|text| text.as_str().to_owned());
        Ok(found.into_iter().map(text).collect())
    }

    #[test]
    fn each_message_has_its_own_text() {
        let found = read("('Здравствуйте'), (NULL), ('a'), ('您好'), (NULL)").expect("texts");
        let expected = [Some("Здравствуйте"), None, Some("a"), Some("您好"), None];
        assert_eq!(found, expected.map(|text| text.map(str::to_owned)));
        let long = "я".repeat(4096);
        let found = read(&format!("('{long}'), ('{long}'), ('b')")).expect("texts");
        assert_eq!(found, [Some(long.clone()), Some(long), Some("b".to_owned())]);
        assert_eq!(read("(NULL)"), Ok(vec![None]));
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for (values, why) in [
            ("('a'), (5)", "no text"),
            ("('a'), (x'61')", "no text"),
            ("('a'), (CAST(x'ff' AS TEXT)), ('b')", "no text"),
            // Half of a letter in each.
            ("(CAST(x'd0' AS TEXT)), (CAST(x'96' AS TEXT))", "no text"),
            ("('a'), ('')", "too long or empty"),
            (
                "('a'), (replace(hex(zeroblob(2049)), '00', 'яя'))",
                "too long or empty",
            ),
        ] {
            let error = read(values).expect_err(values);
            assert!(
                error.contains("the column text holds") && error.contains(why),
                "{values:.60}: {error}"
            );
        }
    }
}
