//! The list of chats.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use prilavok_domain::{BusinessId, Chat, ChatId, Sender, Timestamp};
use prilavok_pages::counter::Counter;
use prilavok_pages::inbox::{Filter, List, ListPart, Part, Row};
use prilavok_store::search::{Follower, Place};
use prilavok_store::{ChatCursor, ChatFilter};

use super::error::WebError;
use super::found;
use super::page::Page;
use super::reader::Seller;
use crate::app::{App, SharedApp};

/// Chats on a page.
const PAGE: usize = 30;
/// Characters that are looked for.
const LONGEST: usize = 200;

/// What of the list is asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    pub(super) filter: Filter,
    after: Option<ChatCursor>,
    /// The same where words are looked for.
    place: Option<Place>,
    /// The chat that is open beside the list.
    current: Option<i64>,
}

impl Asked {
    fn parse(query: &str) -> Self {
        let mut asked = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "status" => asked.filter.status = value.parse().ok(),
                "context" => asked.filter.context = value.parse().ok(),
                "type" => asked.filter.kind = value.parse().ok(),
                "q" => asked.filter.words = value.trim().chars().take(LONGEST).collect(),
                "after" => (asked.after, asked.place) = (cursor(&value), value.parse().ok()),
                "current" => asked.current = value.parse().ok(),
                _ => {}
            }
        }
        asked
    }
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

/// Reads the place after which a page begins: `<milliseconds>-<chat>`.
fn cursor(text: &str) -> Option<ChatCursor> {
    let (updated, chat) = text.split_once('-')?;
    Some(ChatCursor {
        updated_at: Timestamp::from_millis(updated.parse().ok()?)?,
        id: ChatId::new(chat.parse().ok()?).ok()?,
    })
}

/// The page without an open chat.
pub(super) async fn inbox(
    State(app): State<SharedApp>,
    seller: Seller,
    asked: Asked,
) -> Result<Page<Counter>, WebError> {
    let list = read(&app, seller.business(), &asked).await?;
    Ok(Page(Counter {
        frame: seller.frame(),
        list,
        conversation: None,
    }))
}

/// The list alone.
pub(super) async fn list(
    State(app): State<SharedApp>,
    seller: Seller,
    asked: Asked,
) -> Result<Page<ListPart>, WebError> {
    let list = read(&app, seller.business(), &asked).await?;
    let frame = seller.frame();
    Ok(Page(ListPart { frame, list }))
}

/// The list beside an open chat.
pub(super) async fn beside(
    app: &App,
    business: BusinessId,
    asked: &Asked,
    current: ChatId,
) -> Result<List, WebError> {
    let asked = Asked {
        current: Some(current.get()),
        ..asked.clone()
    };
    read(app, business, &asked).await
}

async fn read(app: &App, business: BusinessId, asked: &Asked) -> Result<List, WebError> {
    let search = app.search.as_ref().map(Follower::search);
    let (chats, more, incomplete) = match search {
        Some(search) if !asked.filter.words.is_empty() => {
            let page = found::find(app, search, business, &asked.filter, asked.place, PAGE).await?;
            (page.chats, page.next.map(|next| next.to_string()), !page.complete)
        }
        _ => {
            let (chats, more) = all(app, business, asked).await?;
            (chats, more, false)
        }
    };
    let ids: Vec<_> = chats.iter().map(|(chat, _)| chat.id).collect();
    let seen = app.store.seen(business, &ids).await?;
    let mut rows = Vec::with_capacity(chats.len());
    for ((chat, found), seen) in chats.into_iter().zip(seen) {
        let last = match chat.last_message {
            Some(last) => app.store.message(business, chat.id, last).await?,
            None => None,
        };
        let current = asked.current == Some(chat.id.get());
        let foreign = last.as_ref().is_some_and(|last| last.sender != Sender::Partner);
        rows.push(Row {
            // Who answered has read what was before the answer.
            unread: !current && foreign && chat.last_message > seen,
            current,
            chat,
            last,
            found,
        });
    }
    Ok(List {
        filter: asked.filter.clone(),
        rows,
        more,
        first: asked.after.is_none() && asked.place.is_none(),
        searchable: search.is_some(),
        incomplete,
        now: app.now(),
    })
}

/// A page of chats, whatever was said in them, and where the next one begins.
async fn all(
    app: &App,
    business: BusinessId,
    asked: &Asked,
) -> Result<(Vec<(Chat, Vec<Part>)>, Option<String>), WebError> {
    let filter = ChatFilter {
        types: asked.filter.kind.into_iter().collect(),
        statuses: asked.filter.status.into_iter().collect(),
        context_types: asked.filter.context.into_iter().collect(),
        ..ChatFilter::default()
    };
    let page = app.store.chats(business, &filter, asked.after, PAGE).await?;
    let more = page.items.last().filter(|_| page.more);
    let more = more.map(|last| format!("{}-{}", last.updated_at.as_millis(), last.id));
    let chats = page.items.into_iter().map(|chat| (chat, Vec::new()));
    Ok((chats.collect(), more))
}
