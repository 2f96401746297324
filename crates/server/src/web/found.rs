//! The chats in which words are.

use prilavok_domain::{BusinessId, Chat};
use prilavok_pages::inbox::{Filter, Part};
use prilavok_store::search::{Place, Search, Words};

use super::error::WebError;
use crate::app::App;

/// How often the index is asked for one page: where the other filters leave little of what was found, a page may be short.
const ASKED: usize = 8;

/// A page of what was found.
#[derive(Default)]
pub(super) struct Page {
    /// The chats, each with the part of the message in which the words are; nothing where they are in its name or numbers.
    pub(super) chats: Vec<(Chat, Vec<Part>)>,
    /// Where to go on; `None`: there are no more.
    pub(super) next: Option<Place>,
    /// Whether the index has all.
    pub(super) complete: bool,
}

/// Chats that pass the filter, newest place first.
pub(super) async fn find(
    app: &App,
    search: &Search,
    business: BusinessId,
    filter: &Filter,
    before: Option<Place>,
    limit: usize,
) -> Result<Page, WebError> {
    let words = Words::new(&filter.words);
    let mut page = Page {
        next: before,
        ..Page::default()
    };
    for _ in 0..ASKED {
        let wanted = limit - page.chats.len();
        let found = search.find(business, &words, page.next, wanted).await?;
        page.complete = found.complete;
        for hit in found.hits {
            let Some(chat) = app.store.chat(business, hit.chat).await? else {
                continue;
            };
            if !passes(filter, &chat) {
                continue;
            }
            // The index is a moment behind, or of another state of the store: what it says is looked up.
            let shown = match hit.message {
                None if Search::names(&chat, &words) => Vec::new(),
                None => continue,
                Some(id) => {
                    let message = app.store.message(business, chat.id, id).await?;
                    let Some(text) = message.and_then(|message| message.text) else {
                        continue;
                    };
                    parts(&words, text.as_str())
                }
            };
            page.chats.push((chat, shown));
        }
        page.next = found.next;
        if page.next.is_none() || page.chats.len() == limit {
            break;
        }
    }
    Ok(page)
}

fn passes(filter: &Filter, chat: &Chat) -> bool {
    filter.status.is_none_or(|status| status == chat.status)
        && filter
            .context
            .is_none_or(|context| context == chat.context.kind())
        && filter.kind.is_none_or(|kind| kind == chat.kind)
}

fn parts(words: &Words, text: &str) -> Vec<Part> {
    let parts = words.snippet(text).into_iter();
    parts
        .map(|part| Part {
            text: part.text,
            found: part.found,
        })
        .collect()
}
