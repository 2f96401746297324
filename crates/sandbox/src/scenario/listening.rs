//! What goes on in the chats of a scenario's business: every event in its order, the partner's messages among them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use prilavok_domain::{Chat, ChatId, ChatType, Context, Event, Message, MessageId, Sender, Timestamp};
use prilavok_server::app::App;

use super::cast::Cast;

/// Events read at a time.
const PAGE: usize = 500;

/// A chat as a scenario calls it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Thread {
    /// The name of the order, the return or the customer.
    pub(super) about: Arc<str>,
    /// The dispute beside the chat is meant.
    pub(super) dispute: bool,
}

impl Thread {
    pub(super) fn new(about: &str, dispute: bool) -> Self {
        Self {
            about: about.into(),
            dispute,
        }
    }
}

impl fmt::Display for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.dispute {
            "the dispute about"
        } else {
            "the chat about"
        };
        write!(f, "{kind} {}", self.about)
    }
}

/// A chat that something happened in.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// What it is about; `None` for those that the scenario has no name for.
    pub(super) about: Option<Arc<str>>,
    /// Whether it is a dispute.
    pub(super) dispute: bool,
}

impl Place {
    /// Whether it is meant by a name, if there is one, and by `dispute`.
    pub(super) fn is_meant(&self, about: Option<&str>, dispute: bool) -> bool {
        self.dispute == dispute && about.is_none_or(|about| self.about.as_deref() == Some(about))
    }

    fn thread(&self) -> Option<Thread> {
        let about = self.about.clone()?;
        let dispute = self.dispute;
        Some(Thread { about, dispute })
    }
}

/// Something that happened, with the message if it is about one.
pub(super) struct News {
    pub(super) event: Event,
    pub(super) message: Option<Message>,
    pub(super) place: Place,
}

impl News {
    /// The message, if it is of this sender.
    pub(super) fn message_of(&self, sender: Sender) -> Option<&Message> {
        self.message.as_ref().filter(|message| message.sender == sender)
    }
}

/// A message of the partner's.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) id: MessageId,
    pub(super) at: Timestamp,
    pub(super) text: Option<String>,
}

/// What is known of the chats of a business.
#[derive(Default)]
pub(super) struct Chats {
    cursor: i64,
    places: HashMap<ChatId, Place>,
    current: BTreeMap<Thread, ChatId>,
    heard: BTreeMap<Thread, Vec<Heard>>,
}

impl Chats {
    /// The chat of a name: its newest dispute, if disputes are meant.
    pub(super) fn current(&self, thread: &Thread) -> Option<ChatId> {
        self.current.get(thread).copied()
    }

    /// What the partner said in a chat after a message.
    pub(super) fn heard_after(&self, thread: &Thread, since: i64) -> impl Iterator<Item = &Heard> {
        let heard = self.heard.get(thread).map_or(&[][..], Vec::as_slice);
        heard.iter().skip_while(move |heard| heard.id.get() <= since)
    }

    /// Learns of a chat.
    pub(super) fn learn(&mut self, cast: &Cast, chat: &Chat) -> Place {
        let name_of = |names: &BTreeMap<String, i64>, id: i64| {
            let found = names.iter().find(|(_, known)| **known == id);
            found.map(|(name, _)| Arc::from(name.as_str()))
        };
        let about = match chat.context {
            Context::Order { order, .. } => name_of(&cast.orders, order.get()),
            Context::Return { returned, .. } => name_of(&cast.returns, returned.get()),
            Context::Direct => {
                let customer = chat.customer.public_id.as_str();
                let found = cast
                    .customers
                    .iter()
                    .find(|(_, known)| known.as_str() == customer);
                found.map(|(name, _)| Arc::from(name.as_str()))
            }
        };
        let place = Place {
            about,
            dispute: chat.kind == ChatType::Arbitrage,
        };
        if let Some(thread) = place.thread() {
            let current = self.current.entry(thread).or_insert(chat.id);
            *current = chat.id.max(*current);
        }
        self.places.insert(chat.id, place.clone());
        place
    }

    /// The next events, in order; none where there is no news. What was answered is not told again.
    pub(super) async fn listen(&mut self, app: &App, cast: &Cast) -> anyhow::Result<Vec<News>> {
        let business = cast.business;
        let events = app.store.events(Some(business), self.cursor, PAGE).await?;
        let mut all = Vec::with_capacity(events.len());
        for event in events {
            let place = match self.places.get(&event.chat) {
                Some(place) => place.clone(),
                None => match app.store.chat(business, event.chat).await? {
                    Some(chat) => self.learn(cast, &chat),
                    None => continue,
                },
            };
            let message = match event.message {
                Some(id) => app.store.message(business, event.chat, id).await?,
                None => None,
            };
            all.push(News {
                event,
                message,
                place,
            });
        }
        for news in &all {
            self.cursor = news.event.id.get();
            if let (Some(message), Some(thread)) = (news.message_of(Sender::Partner), news.place.thread()) {
                self.heard.entry(thread).or_default().push(Heard {
                    id: message.id,
                    at: message.created_at,
                    text: message.text.as_ref().map(|text| text.as_str().to_owned()),
                });
            }
        }
        Ok(all)
    }
}
