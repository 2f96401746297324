//! What is new in chats, from servers that have to be asked.

use std::collections::HashMap;
use std::pin::pin;

use futures_util::TryStreamExt;
use jiff::Timestamp;
use prilavok_client::{Business, ChatFilter, ChatId, Error, Message, MessageId};

/// What has been seen.
pub(super) struct Poll {
    only: Option<ChatId>,
    /// Everything up to here was there at the start.
    began_at: Timestamp,
    /// The newest change that was seen in any chat.
    newest: Timestamp,
    /// The last message that was seen, of chats that were looked into.
    last: HashMap<ChatId, MessageId>,
}

impl Poll {
    /// Looks at what is there: all of it is old.
    pub(super) async fn start(business: &Business, only: Option<ChatId>) -> Result<Self, Error> {
        let began_at = match only {
            Some(chat) => business.chat(chat).await?.updated_at,
            None => {
                let newest = pin!(business.chats(ChatFilter::default())).try_next().await?;
                newest.map_or(Timestamp::MIN, |chat| chat.updated_at)
            }
        };
        let mut poll = Self {
            only,
            began_at,
            newest: began_at,
            last: HashMap::new(),
        };
        // What was written at that very time is old as well, and later messages may have the same.
        poll.news(business).await?;
        Ok(poll)
    }

    /// The messages that came since it was asked last, in the order in which they were written.
    pub(super) async fn news(&mut self, business: &Business) -> Result<Vec<(ChatId, Message)>, Error> {
        let (chats, newest) = self.changed(business).await?;
        let mut news = Vec::new();
        let mut last = HashMap::new();
        for chat in chats {
            let seen = self.last.get(&chat).copied();
            let mut history = pin!(business.history(chat, seen));
            while let Some(message) = history.try_next().await? {
                last.insert(chat, message.id);
                let is_new = match seen {
                    Some(seen) => message.id > seen,
                    None => message.created_at >= self.began_at,
                };
                if is_new {
                    news.push((chat, message));
                }
            }
        }
        // Only now, so that nothing is lost when one of the calls failed.
        self.last.extend(last);
        self.newest = newest;
        news.sort_by_key(|(_, message)| (message.created_at, message.id));
        Ok(news)
    }

    /// The chats in which something may have happened, and the time of the last change.
    async fn changed(&self, business: &Business) -> Result<(Vec<ChatId>, Timestamp), Error> {
        if let Some(chat) = self.only {
            return Ok((vec![chat], self.newest));
        }
        let (mut changed, mut newest) = (Vec::new(), self.newest);
        let mut chats = pin!(business.chats(ChatFilter::default()));
        while let Some(chat) = chats.try_next().await? {
            if chat.updated_at < self.newest {
                break;
            }
            newest = newest.max(chat.updated_at);
            changed.push(chat.id);
        }
        Ok((changed, newest))
    }
}
