//! Lists page by page, and page after page as one stream.

use std::fmt;

use futures_util::stream::{self, Stream, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Where a page begins, as the server wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageToken(pub String);

impl fmt::Display for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<PageToken>,
}

/// Which page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// The most items on it; the server's own number where absent.
    pub limit: Option<u32>,
    /// Where it begins: at the beginning where absent.
    pub token: Option<PageToken>,
}

impl PageRequest {
    /// The first page, with so many items at most.
    #[must_use]
    pub const fn first(limit: u32) -> Self {
        Self {
            limit: Some(limit),
            token: None,
        }
    }
}

/// All items from the first page to the last; each page is asked for when the one before it has been read.
pub(crate) fn all_pages<T, F, Fetched>(limit: u32, fetch: F) -> impl Stream<Item = Result<T, Error>> + Send
where
    T: Send,
    F: Fn(PageRequest) -> Fetched + Send,
    Fetched: Future<Output = Result<Page<T>, Error>> + Send,
{
    let pages = stream::try_unfold(
        (Some(PageRequest::first(limit)), fetch),
        move |(request, fetch)| async move {
            let Some(request) = request else { return Ok(None) };
            let page = fetch(request).await?;
            // An empty token would ask for the first page again.
            let token = page.next.filter(|token| !token.0.is_empty());
            let next = token.map(|token| PageRequest {
                limit: Some(limit),
                token: Some(token),
            });
            let items = stream::iter(page.items.into_iter().map(Ok));
            Ok(Some((items, (next, fetch))))
        },
    );
    pages.try_flatten()
}
