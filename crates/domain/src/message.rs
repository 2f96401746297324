//! Messages: who sends, what they may hold.

use bytestring::ByteString;

use crate::named::named_enum;
use crate::{FileId, MessageId, Timestamp};

named_enum! {
    /// Who wrote a message.
    pub enum Sender {
        /// The seller's side.
        Partner = "PARTNER",
        /// The buyer.
        Customer = "CUSTOMER",
        /// The marketplace, automatically.
        Market = "MARKET",
        /// The marketplace's people, the arbiter among them.
        Support = "SUPPORT",
    }
}

/// The most characters that a message's text may have.
pub const MAX_TEXT_CHARS: usize = 4096;

/// The most bytes that one file may have: 5 MiB.
pub const MAX_FILE_BYTES: u64 = 5 * 1024 * 1024;

/// What stands for an erased text. Whoever reads chats may compare with it.
const ERASED_TEXT: &str = "[erased]";

/// What an erased file is called.
const ERASED_FILE: &str = "erased";

/// The text of a message: 1–4,096 characters (Unicode scalar values), without NUL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageText(ByteString);

/// Why a text cannot be a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// It has no character, or more than [`MAX_TEXT_CHARS`]; the number is how many it has.
    #[error("a message must have 1 to {MAX_TEXT_CHARS} characters, not {0}")]
    Length(usize),
    /// It has a NUL character, which not every store can keep.
    #[error("a message must not contain the NUL character")]
    Nul,
}

impl MessageText {
    /// Checks length and content. A part of a longer text, as a [`ByteString`], is not copied.
    pub fn new(text: impl Into<ByteString>) -> Result<Self, InvalidText> {
        let text = text.into();
        // A character has at least one byte: most texts need no count.
        if text.is_empty() || text.len() > MAX_TEXT_CHARS {
            let chars = text.chars().count();
            if !(1..=MAX_TEXT_CHARS).contains(&chars) {
                return Err(InvalidText::Length(chars));
            }
        }
        if text.contains('\0') {
            return Err(InvalidText::Nul);
        }
        Ok(Self(text))
    }

    /// What stands where a text was erased.
    #[must_use]
    pub fn erased() -> Self {
        Self(ByteString::from_static(ERASED_TEXT))
    }

    /// Whether it stands where a text was erased.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.0 == ERASED_TEXT
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a file as its sender gave it: any Unicode, without control characters and path
/// separators, 1–255 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

/// What a file without a usable name is called.
const UNNAMED: &str = "file";
const MAX_FILE_NAME_CHARS: usize = 255;

impl FileName {
    /// Keeps what can be kept of a name: the last path segment, without control and bidirectional
    /// override characters, cut to 255 characters; `file` where nothing is left.
    #[must_use]
    pub fn from_client(name: &str) -> Self {
        let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let kept: String = last
            .chars()
            .filter(|c| !c.is_control() && !matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'))
            .take(MAX_FILE_NAME_CHARS)
            .collect();
        let kept = kept.trim();
        let nameless = kept.is_empty() || kept.chars().all(|c| c == '.');
        Self(if nameless {
            UNNAMED.to_owned()
        } else {
            kept.to_owned()
        })
    }

    /// What an erased file is called.
    #[must_use]
    pub fn erased() -> Self {
        Self(ERASED_FILE.to_owned())
    }

    /// Whether it is what erased files are called. Others may be called so too.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.0 == ERASED_FILE
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A file that a message carries; its bytes lie in the file store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its id.
    pub id: FileId,
    /// Its name.
    pub name: FileName,
    /// Its size in bytes, at most [`MAX_FILE_BYTES`].
    pub size: u64,
    /// Its media type, found from its content.
    pub media_type: String,
    /// When its bytes were removed, if they were.
    pub removed_at: Option<Timestamp>,
}

/// A message as its readers see it: text, files, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// Who wrote it.
    pub sender: Sender,
    /// Its text, absent when it only carries files.
    pub text: Option<MessageText>,
    /// Its files.
    pub files: Vec<Attachment>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_counted_in_characters() {
        for (text, expected) in [
            (String::new(), Err(InvalidText::Length(0))),
            ("а".repeat(4096), Ok(())),
            ("а".repeat(4097), Err(InvalidText::Length(4097))),
            ("a\0b".to_owned(), Err(InvalidText::Nul)),
            (" ".to_owned(), Ok(())),
        ] {
            assert_eq!(MessageText::new(text.clone()).map(|_| ()), expected, "{text:.20}");
        }
    }

    #[test]
    fn file_names_keep_what_is_harmless() {
        for (given, kept) in [
            ("фото возврата.jpg", "фото возврата.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\a\\收据.pdf", "收据.pdf"),
            ("a\r\nSet-Cookie: x.png", "aSet-Cookie: x.png"),
            ("evil\u{202E}gpj.exe", "evilgpj.exe"),
            ("", "file"),
            ("..", "file"),
            ("x/", "file"),
        ] {
            assert_eq!(FileName::from_client(given).as_str(), kept, "{given:?}");
        }
        assert_eq!(
            FileName::from_client(&"я".repeat(300)).as_str().chars().count(),
            255
        );
    }
}
