//! Pages of lists: `limit` and an opaque `cursor`, which holds the last row of the page before, so that
//! rows put in between pages neither repeat nor hide others.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prilavok_domain::{
    BusinessId, CampaignId, ChatId, CredentialId, MessageId, OrderId, PublicId, ReturnId, SubscriptionId,
    Timestamp,
};
use prilavok_store::ChatCursor;
use serde::Serialize;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};

use super::path::DeliveryId;
use super::query::{FromQuery, Parameters, parameter};

const MAX_LIMIT: usize = 1_000;
const DEFAULT_LIMIT: usize = 100;

/// What identifies a row of a list to the page after it.
pub(crate) trait Position: Sized + Send {
    /// Tells the lists apart that are sorted by different things.
    const LIST: &'static str;

    fn write(&self) -> String;
    fn read(text: &str) -> Option<Self>;
}

/// Which page is asked for.
#[derive(Debug)]
pub(crate) struct Paging<P> {
    /// The most rows.
    pub(crate) limit: usize,
    /// The last row of the page before.
    pub(crate) after: Option<P>,
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<T> {
    /// The rows.
    items: Vec<T>,
    /// Where the next page begins; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "aWQ6NDI")]
    next_cursor: Option<String>,
}

impl<P: Position> Paging<P> {
    /// How many rows to ask the store for, to know whether there are more than a page.
    pub(crate) const fn with_one_more(&self) -> usize {
        self.limit + 1
    }

    /// The page of rows that were read with [`Paging::with_one_more`].
    pub(crate) fn page<R, T: From<R>>(&self, mut rows: Vec<R>, position: impl Fn(&R) -> P) -> Page<T> {
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let next_cursor = rows.last().filter(|_| more).map(|last| cursor(&position(last)));
        Page {
            items: rows.into_iter().map(T::from).collect(),
            next_cursor,
        }
    }
}

impl<T> Page<T> {
    /// The page of rows from a store that says itself whether there are more.
    pub(crate) fn of_store<R, P: Position>(
        rows: prilavok_store::Page<R>,
        show: impl Fn(R) -> T,
        position: impl Fn(&R) -> P,
    ) -> Self {
        let next_cursor = rows
            .items
            .last()
            .filter(|_| rows.more)
            .map(|last| cursor(&position(last)));
        Self {
            items: rows.items.into_iter().map(show).collect(),
            next_cursor,
        }
    }
}

fn cursor<P: Position>(position: &P) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{}", P::LIST, position.write()))
}

fn position<P: Position>(cursor: &str) -> Result<P, String> {
    let text = URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let position = text
        .as_deref()
        .and_then(|text| text.split_once(':'))
        .filter(|(list, _)| *list == P::LIST);
    position
        .and_then(|(_, position)| P::read(position))
        .ok_or_else(|| "is not a cursor of this list".to_owned())
}

impl<P: Position> FromQuery for Paging<P> {
    fn from_query(query: &mut Parameters<'_>) -> Option<Self> {
        let limit = query.one("limit", |text| match text.parse() {
            Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
            _ => Err(format!("must be an integer from 1 to {MAX_LIMIT}")),
        });
        let after = query.one("cursor", position);
        Some(Self {
            limit: limit?.unwrap_or(DEFAULT_LIMIT),
            after: after?,
        })
    }
}

impl<P> IntoParams for Paging<P> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1.0))
            .maximum(Some(1_000.0))
            .default(Some(DEFAULT_LIMIT.into()));
        vec![
            parameter("limit", "The most rows of the page.", limit),
            parameter(
                "cursor",
                "`nextCursor` of the page before; absent for the first page.",
                ObjectBuilder::new().schema_type(Type::String),
            ),
        ]
    }
}

macro_rules! positions {
    ($($id:ty),+ $(,)?) => {$(
        impl Position for $id {
            const LIST: &'static str = "id";

            fn write(&self) -> String {
                self.to_string()
            }

            fn read(text: &str) -> Option<Self> {
                Self::new(text.parse().ok()?).ok()
            }
        }
    )+};
}

positions!(
    BusinessId,
    CampaignId,
    ChatId,
    OrderId,
    ReturnId,
    MessageId,
    SubscriptionId
);

impl Position for CredentialId {
    const LIST: &'static str = "id";

    fn write(&self) -> String {
        self.to_string()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl Position for DeliveryId {
    const LIST: &'static str = "newest";

    fn write(&self) -> String {
        self.0.to_string()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl Position for PublicId {
    const LIST: &'static str = "publicId";

    fn write(&self) -> String {
        self.as_str().to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        Self::new(text).ok()
    }
}

impl Position for ChatCursor {
    const LIST: &'static str = "updatedAt";

    fn write(&self) -> String {
        format!("{}:{}", self.updated_at.as_millis(), self.id)
    }

    fn read(text: &str) -> Option<Self> {
        let (updated_at, id) = text.split_once(':')?;
        let updated_at = Timestamp::from_millis(updated_at.parse().ok()?)?;
        Some(Self {
            updated_at,
            id: ChatId::new(id.parse().ok()?).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use prilavok_domain::OrderId;

    use super::*;

    #[test]
    fn cursors_come_back_as_they_went() {
        let at = ChatCursor {
            updated_at: Timestamp::from_millis(1_737_022_189_759).expect("in range"),
            id: ChatId::new(42).expect("id"),
        };
        assert_eq!(position::<ChatCursor>(&cursor(&at)), Ok(at));
        let id = OrderId::new(7).expect("id");
        assert_eq!(position::<OrderId>(&cursor(&id)), Ok(id));
        let customer = PublicId::new("клиент:7").expect("an id");
        assert_eq!(position::<PublicId>(&cursor(&customer)), Ok(customer));
    }

    #[test]
    fn foreign_cursors_are_refused() {
        for wrong in [
            "",
            "x",
            "aWQ6MA",
            "aWQ6LTE",
            "////",
            &cursor(&PublicId::new("1").expect("an id")),
        ] {
            assert!(position::<OrderId>(wrong).is_err(), "{wrong}");
            assert!(position::<ChatCursor>(wrong).is_err(), "{wrong}");
        }
    }
}
