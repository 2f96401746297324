//! A write: one transaction, what it notes on its way, and how it ends.

use deadpool_postgres::Transaction;
use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::rules::NotificationType;
use prilavok_domain::{BusinessId, ChatId, Timestamp};

use super::fault::{is_overtaken, told};
use super::meta::{self, Version};
use super::nodes::Node;
use super::rows;
use super::statements::statements;
use crate::{Result, StoreError};

/// How often a transaction is begun anew that the database refused because of others beside it.
const TRIES: u32 = 5;

/// An id's bits below its milliseconds: node and counter.
pub(super) const LOW_BITS: i64 = 0xFFF;

statements! {
    /// The first to write an event of a business after it was registered, or moved here, finds a head.
    HEAD = "UPDATE business_head SET last_event_id = next_event(last_event_id, $2) WHERE business_id = $1
        RETURNING last_event_id";
    EVENT = "INSERT INTO event (business_id, event_id, type, chat_id, message_id, at) VALUES ($1, $2, $3, $4, $5, $6)";
}

/// An event that a write causes.
struct Noted {
    business: BusinessId,
    kind: NotificationType,
    chat: ChatId,
    message: Option<i64>,
    at: Timestamp,
}

/// What others are to hear of, once it is committed.
#[derive(Debug, Default)]
pub(super) struct Committed {
    /// Businesses with new events, each with the newest.
    pub(super) events: Vec<(BusinessId, i64)>,
    /// New versions of what nodes keep in memory.
    pub(super) versions: Vec<(Version, u64)>,
}

impl Committed {
    /// What a statement has committed that wrote one event.
    pub(super) fn of_event(business: BusinessId, event: i64) -> Self {
        Self {
            events: vec![(business, event)],
            versions: Vec::new(),
        }
    }
}

/// A transaction under way.
pub(super) struct Work<'a> {
    pub(super) tx: Transaction<'a>,
    pub(super) node: &'a Node,
    noted: Vec<Noted>,
    raised: Vec<Version>,
    news: Committed,
}

impl<'a> Work<'a> {
    pub(super) fn new(tx: Transaction<'a>, node: &'a Node) -> Self {
        Self {
            tx,
            node,
            noted: Vec::new(),
            raised: Vec::new(),
            news: Committed::default(),
        }
    }

    /// The next id of this node.
    pub(super) fn next_id(&self, of: IdFor, now: Timestamp) -> i64 {
        self.node.next_id(of, now)
    }

    /// Notes an event. It is written last, since from then on nobody else adds an event to the business.
    pub(super) fn note(
        &mut self,
        business: BusinessId,
        kind: NotificationType,
        chat: ChatId,
        message: Option<i64>,
        at: Timestamp,
    ) {
        self.noted.push(Noted {
            business,
            kind,
            chat,
            message,
            at,
        });
    }

    /// Tells of an event that a statement of this transaction has written by itself.
    pub(super) fn happened(&mut self, business: BusinessId, event: i64) {
        self.news.events.push((business, event));
    }

    /// Notes that what nodes keep in memory is not true any more.
    pub(super) fn raise(&mut self, version: Version) {
        if !self.raised.contains(&version) {
            self.raised.push(version);
        }
    }

    /// Writes what was noted and commits.
    pub(super) async fn commit(self) -> Result<Committed> {
        let mut news = self.news;
        for version in self.raised {
            news.versions
                .push((version, meta::raise(&self.tx, version).await?));
        }
        for noted in &self.noted {
            let low = self.node.next_id(IdFor::Event, noted.at) & LOW_BITS;
            let head = rows::query_one(&self.tx, HEAD, &[&noted.business.get(), &low]).await?;
            let id: i64 = rows::get(&head, 0)?;
            rows::execute(
                &self.tx,
                EVENT,
                &[
                    &noted.business.get(),
                    &id,
                    &noted.kind.as_str(),
                    &noted.chat.get(),
                    &noted.message,
                    &noted.at.as_millis(),
                ],
            )
            .await?;
            news.events.push((noted.business, id));
        }
        self.tx.commit().await.map_err(unknown_outcome)?;
        Ok(news)
    }
}

/// Whoever sent a COMMIT and got no answer cannot know: it is not tried again here.
fn unknown_outcome(error: tokio_postgres::Error) -> StoreError {
    match error.code() {
        // It was refused, and with it the transaction.
        Some(_) => error.into(),
        None => {
            let why = told(&error);
            StoreError::Unavailable(format!("it is not known whether this was committed: {why}"))
        }
    }
}

/// How often this was tried.
#[derive(Default)]
pub(super) struct Tries(u32);

impl Tries {
    /// Whether it was tried before.
    pub(super) const fn is_again(&self) -> bool {
        self.0 > 0
    }

    /// Whether to begin anew after `error`: the database refused it because of what others did meanwhile, and nothing of it
    /// was written.
    pub(super) fn again(&mut self, error: &StoreError) -> bool {
        self.0 += 1;
        self.0 < TRIES && is_overtaken(error)
    }
}
