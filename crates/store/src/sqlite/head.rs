//! What is short of a message, as one number: a row of few columns is read faster than one of many.

use prilavok_domain::{Sender, Timestamp};
use rusqlite::Row;

use super::rows;

/// Below the milliseconds: who sent it, and how many files there are.
const BELOW_TIME: u32 = 11;
const BELOW_SENDER: u32 = 8;

/// The milliseconds and the sender's [`code`], as parts of a statement with one row of messages.
pub(super) const CREATED_AT: &str = "head >> 11";
pub(super) const SENDER: &str = "head >> 8 & 7";

/// When a message was written, by whom, and how many files it carries, so that those without files need no look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) created_at: Timestamp,
    pub(super) sender: Sender,
    pub(super) files: u8,
}

impl Head {
    /// The number that stands for it.
    pub(super) const fn number(self) -> i64 {
        (self.created_at.as_millis() << BELOW_TIME) | (code(self.sender) << BELOW_SENDER) | self.files as i64
    }

    /// What a number stands for, if it stands for something.
    const fn of(number: i64) -> Option<Self> {
        let sender = match (number >> BELOW_SENDER) & 7 {
            0 => Sender::Customer,
            1 => Sender::Partner,
            2 => Sender::Market,
            3 => Sender::Support,
            _ => return None,
        };
        match Timestamp::from_millis(number >> BELOW_TIME) {
            Some(created_at) => Some(Self {
                created_at,
                sender,
                files: number.to_le_bytes()[0],
            }),
            None => None,
        }
    }

    pub(super) fn read(row: &Row<'_>, at: usize) -> rusqlite::Result<Self> {
        let number = row.get(at)?;
        Self::of(number).ok_or_else(|| rows::bad(at, "head", &number))
    }
}

/// What stands for a sender. A number that was given never stands for another one.
pub(super) const fn code(sender: Sender) -> i64 {
    match sender {
        Sender::Customer => 0,
        Sender::Partner => 1,
        Sender::Market => 2,
        Sender::Support => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_number_stands_for_is_what_it_was_made_of() {
        for sender in Sender::ALL {
            for (millis, files) in [
                (0, 0),
                (1, 1),
                (1_767_225_600_123, 10),
                (253_402_207_200_000, 255),
            ] {
                let head = Head {
                    created_at: Timestamp::from_millis(millis).expect("in range"),
                    sender: *sender,
                    files,
                };
                assert_eq!(Head::of(head.number()), Some(head));
            }
        }
    }

    #[test]
    fn a_number_that_stands_for_nothing_is_refused() {
        for number in [7 << BELOW_SENDER, -1, i64::MIN, i64::MAX] {
            assert_eq!(Head::of(number), None, "{number}");
        }
    }
}
