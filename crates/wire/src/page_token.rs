//! Page tokens: where the next page of a list begins.
//!
//! A token holds the place itself, so it needs no memory and survives restarts, and a check sum over
//! the place and the list that it was made for: the operation, the business and the filters. A token
//! of another list, or a changed one, is refused. It is no secret: it says nothing that its holder
//! has not seen.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prilavok_domain::{BusinessId, CampaignId, ChatId, MessageId, Timestamp};
use sha2::{Digest, Sha256};

use crate::{ApiError, Operation};

/// The list that a token is made for.
pub(crate) struct List(Sha256);

const CHECK_BYTES: usize = 8;

impl List {
    pub(crate) fn new(operation: Operation, business: BusinessId) -> Self {
        let mut hash = Sha256::new();
        hash.update(operation.as_str());
        hash.update([0]);
        hash.update(business.get().to_be_bytes());
        Self(hash)
    }

    /// Binds the tokens to a filter.
    pub(crate) fn filter(mut self, values: impl IntoIterator<Item = i64>) -> Self {
        for value in values {
            self.0.update([1]);
            self.0.update(value.to_be_bytes());
        }
        self.0.update([0]);
        self
    }

    /// Binds the tokens to a filter of names.
    pub(crate) fn names(mut self, names: impl IntoIterator<Item = &'static str>) -> Self {
        for name in names {
            self.0.update([1]);
            self.0.update(name);
        }
        self.0.update([0]);
        self
    }

    fn check(&self, place: &[u8]) -> [u8; CHECK_BYTES] {
        let mut hash = self.0.clone();
        hash.update(place);
        let mut check = [0; CHECK_BYTES];
        check.copy_from_slice(&hash.finalize()[..CHECK_BYTES]);
        check
    }

    /// The token for the page after `place`.
    pub(crate) fn token<P: Place>(&self, place: P) -> String {
        let mut bytes = Vec::with_capacity(16 + CHECK_BYTES);
        place
            .numbers()
            .for_each(|number| bytes.extend(number.to_be_bytes()));
        let check = self.check(&bytes);
        bytes.extend(check);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place of a token that was made for this list.
    pub(crate) fn place<P: Place>(&self, token: &str) -> Result<P, ApiError> {
        let bytes = URL_SAFE_NO_PAD
            .decode(token)
            .map_err(|_| ApiError::BadPageToken)?;
        let (place, check) = bytes
            .split_last_chunk::<CHECK_BYTES>()
            .ok_or(ApiError::BadPageToken)?;
        if self.check(place) != *check {
            return Err(ApiError::BadPageToken);
        }
        let (numbers, rest) = place.as_chunks::<8>();
        let mut numbers = numbers.iter().map(|number| i64::from_be_bytes(*number));
        match P::from_numbers(&mut numbers) {
            Some(place) if rest.is_empty() && numbers.next().is_none() => Ok(place),
            _ => Err(ApiError::BadPageToken),
        }
    }
}

/// The last row of a page.
pub(crate) trait Place: Sized {
    fn numbers(self) -> impl Iterator<Item = i64>;
    fn from_numbers(numbers: &mut dyn Iterator<Item = i64>) -> Option<Self>;
}

/// The last chat of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatPlace {
    /// Its `updatedAt` as the page showed it.
    pub updated_at: Timestamp,
    /// The chat.
    pub id: ChatId,
}

impl Place for ChatPlace {
    fn numbers(self) -> impl Iterator<Item = i64> {
        [self.updated_at.as_millis(), self.id.get()].into_iter()
    }

    fn from_numbers(numbers: &mut dyn Iterator<Item = i64>) -> Option<Self> {
        Some(Self {
            updated_at: Timestamp::from_millis(numbers.next()?)?,
            id: ChatId::new(numbers.next()?).ok()?,
        })
    }
}

impl Place for MessageId {
    fn numbers(self) -> impl Iterator<Item = i64> {
        std::iter::once(self.get())
    }

    fn from_numbers(numbers: &mut dyn Iterator<Item = i64>) -> Option<Self> {
        Self::new(numbers.next()?).ok()
    }
}

impl Place for CampaignId {
    fn numbers(self) -> impl Iterator<Item = i64> {
        std::iter::once(self.get())
    }

    fn from_numbers(numbers: &mut dyn Iterator<Item = i64>) -> Option<Self> {
        Self::new(numbers.next()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(business: i64) -> List {
        List::new(Operation::GetChats, BusinessId::new(business).expect("an id"))
    }

    #[test]
    fn a_token_is_good_for_its_own_list_only() {
        let place = ChatPlace {
            updated_at: Timestamp::from_millis(1_732_406_400_123).expect("in range"),
            id: ChatId::new(77).expect("an id"),
        };
        let own = list(1).filter([5, 6]).names(["NEW"]);
        let token = own.token(place);
        assert_eq!(list(1).filter([5, 6]).names(["NEW"]).place(&token), Ok(place));
        for other in [
            list(2).filter([5, 6]).names(["NEW"]),
            list(1).filter([5]).names(["NEW"]),
            list(1).filter([5, 6]).names(["CHAT"]),
            list(1).filter([5, 6]).names([]),
            List::new(Operation::GetChatHistory, BusinessId::new(1).expect("an id")).filter([5, 6]),
        ] {
            assert_eq!(other.place::<ChatPlace>(&token), Err(ApiError::BadPageToken));
        }
        assert_eq!(own.place::<MessageId>(&token), Err(ApiError::BadPageToken));
        for end in 0..token.len() {
            assert_eq!(own.place::<ChatPlace>(&token[..end]), Err(ApiError::BadPageToken));
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_token_by_chance(text in "\\PC{0,60}") {
            prop_assert_eq!(list(1).place::<ChatPlace>(&text), Err(ApiError::BadPageToken));
        }
    }
}
