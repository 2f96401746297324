//! What clients ask: one type for each operation, made of query and body. A request that exists has
//! passed every check that needs no look-up.

use prilavok_domain::message::{InvalidText, MAX_TEXT_CHARS};
use prilavok_domain::{BusinessId, CampaignId, ChatStatus, ChatType, ContextType, MessageId, MessageText};

use crate::body::{self, Element, Fields};
use crate::page_token::{ChatPlace, List, Place};
use crate::parameter::{
    CHAT_ID, LIMIT_CAMPAIGNS, LIMIT_CHATS, LIMIT_MESSAGES, MESSAGE_ID, PAGE, PAGE_SIZE, PAGE_TOKEN,
};
use crate::query::Query;
use crate::{ApiError, Errors, Failure, Operation};

/// A body as it arrived, or why it cannot be read.
pub type Received<'a> = Result<&'a [u8], &'a ApiError>;

/// An order or a return. The number may be any: whether there is such a thing is looked up later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identified {
    /// An order.
    Order(i64),
    /// A return.
    Return(i64),
}

impl Identified {
    /// Its kind and number.
    #[must_use]
    pub const fn parts(self) -> (ContextType, i64) {
        match self {
            Self::Order(id) => (ContextType::Order, id),
            Self::Return(id) => (ContextType::Return, id),
        }
    }

    fn read(element: Element) -> Option<Self> {
        element.object(|mut fields| {
            let kind = fields.require("type", |kind| {
                kind.name(|name| match name {
                    "ORDER" => Some(Self::Order as fn(i64) -> Self),
                    "RETURN" => Some(Self::Return as fn(i64) -> Self),
                    _ => None,
                })
            });
            let id = fields.require("id", body::id);
            kind.zip(id).map(|(kind, id)| kind(id))
        })
    }
}

/// Asks for one chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetChat {
    /// The chat.
    pub chat: i64,
}

impl GetChat {
    /// Reads the query; `errors` are those found before.
    pub fn parse(mut errors: Errors, query: &str) -> Result<Self, Failure> {
        let chat = Query::new(query, &mut errors).id(&CHAT_ID);
        errors.finish(Self { chat })
    }
}

/// Which chats are asked for: each list sorted and without repetitions, an empty one lets all pass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChatFilters {
    /// Chats about these orders and their returns.
    pub orders: Vec<i64>,
    /// Chats about exactly these.
    pub contexts: Vec<Identified>,
    /// Chats about this kind of thing.
    pub context_types: Vec<ContextType>,
    /// Chats of these types.
    pub types: Vec<ChatType>,
    /// Chats in these statuses.
    pub statuses: Vec<ChatStatus>,
}

impl ChatFilters {
    fn read(mut fields: Fields) -> Self {
        Self {
            orders: fields.set("orderIds", body::integer),
            contexts: fields.set("contexts", Identified::read),
            context_types: fields.set("contextTypes", |kind| kind.name(|name| name.parse().ok())),
            types: fields.set("types", |kind| kind.name(|name| name.parse().ok())),
            statuses: fields.set("statuses", |status| status.name(|name| name.parse().ok())),
        }
    }
}

/// Asks for a page of chats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetChats {
    /// The business.
    pub business: BusinessId,
    /// Which chats.
    pub filters: ChatFilters,
    /// Where the page begins.
    pub after: Option<ChatPlace>,
    /// The most chats on it.
    pub limit: usize,
}

impl GetChats {
    /// Reads query and body; `errors` are those found before.
    pub fn parse(
        mut errors: Errors,
        business: BusinessId,
        query: &str,
        body: Received<'_>,
    ) -> Result<Self, Failure> {
        let mut query = Query::new(query, &mut errors);
        let limit = query.int32(&LIMIT_CHATS).unwrap_or_default();
        let token = query.text(&PAGE_TOKEN);
        let filters = body::object(body, &mut errors)
            .map(|fields| ChatFilters::read(Fields::new(&fields, &mut errors)))
            .unwrap_or_default();
        let mut request = errors.finish(Self {
            business,
            filters,
            after: None,
            limit,
        })?;
        request.after = place(&request.list(), token.as_deref())?;
        Ok(request)
    }

    /// The token of the page after `last`.
    #[must_use]
    pub fn next_page(&self, last: ChatPlace) -> String {
        self.list().token(last)
    }

    fn list(&self) -> List {
        let filters = &self.filters;
        List::new(Operation::GetChats, self.business)
            .filter(filters.orders.iter().copied())
            .names(filters.contexts.iter().map(|context| context.parts().0.as_str()))
            .filter(filters.contexts.iter().map(|context| context.parts().1))
            .names(filters.context_types.iter().map(|kind| kind.as_str()))
            .names(filters.types.iter().map(|kind| kind.as_str()))
            .names(filters.statuses.iter().map(|status| status.as_str()))
    }
}

/// Asks for a page of a chat's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetChatHistory {
    /// The business.
    pub business: BusinessId,
    /// The chat.
    pub chat: i64,
    /// This message and those after it.
    pub from: Option<i64>,
    /// Where the page begins.
    pub after: Option<MessageId>,
    /// The most messages on it.
    pub limit: usize,
}

impl GetChatHistory {
    /// Reads query and body; `errors` are those found before.
    pub fn parse(
        mut errors: Errors,
        business: BusinessId,
        query: &str,
        body: Received<'_>,
    ) -> Result<Self, Failure> {
        let mut query = Query::new(query, &mut errors);
        let chat = query.id(&CHAT_ID);
        let limit = query.int32(&LIMIT_MESSAGES).unwrap_or_default();
        let token = query.text(&PAGE_TOKEN);
        let from = body::object(body, &mut errors)
            .and_then(|fields| Fields::new(&fields, &mut errors).get("messageIdFrom", body::id));
        let mut request = errors.finish(Self {
            business,
            chat,
            from,
            after: None,
            limit,
        })?;
        request.after = place(&request.list(), token.as_deref())?;
        Ok(request)
    }

    /// The token of the page after `last`.
    #[must_use]
    pub fn next_page(&self, last: MessageId) -> String {
        self.list().token(last)
    }

    fn list(&self) -> List {
        List::new(Operation::GetChatHistory, self.business)
            .filter([self.chat])
            .filter(self.from)
    }
}

/// Asks for one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetChatMessage {
    /// The chat.
    pub chat: i64,
    /// The message.
    pub message: i64,
}

impl GetChatMessage {
    /// Reads the query; `errors` are those found before.
    pub fn parse(mut errors: Errors, query: &str) -> Result<Self, Failure> {
        let mut query = Query::new(query, &mut errors);
        let (chat, message) = (query.id(&CHAT_ID), query.id(&MESSAGE_ID));
        errors.finish(Self { chat, message })
    }
}

/// Writes a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendMessage {
    /// The chat.
    pub chat: i64,
    /// The text.
    pub text: MessageText,
}

impl SendMessage {
    /// Reads query and body; `errors` are those found before.
    pub fn parse(mut errors: Errors, query: &str, body: Received<'_>) -> Result<Self, Failure> {
        let chat = Query::new(query, &mut errors).id(&CHAT_ID);
        let text = body::object(body, &mut errors).and_then(|fields| {
            Fields::new(&fields, &mut errors).require("message", |text| text.text(1, MAX_TEXT_CHARS))
        });
        let text = errors.finish(text.unwrap_or_default())?;
        let text = MessageText::new(text).map_err(|error| match error {
            InvalidText::Length(size) => ApiError::TooLong {
                field: "message".to_owned(),
                min: 1,
                max: MAX_TEXT_CHARS,
                size,
            },
            InvalidText::Nul => ApiError::IllegalInput("message".to_owned()),
        })?;
        Ok(Self { chat, text })
    }
}

/// Sends a file, which is read apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendFile {
    /// The chat.
    pub chat: i64,
}

impl SendFile {
    /// Reads the query; `errors` are those found before.
    pub fn parse(mut errors: Errors, query: &str) -> Result<Self, Failure> {
        let chat = Query::new(query, &mut errors).id(&CHAT_ID);
        errors.finish(Self { chat })
    }
}

/// Starts a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreateChat {
    /// What it is about.
    pub about: Identified,
}

impl CreateChat {
    /// Reads the body; `errors` are those found before.
    pub fn parse(mut errors: Errors, body: Received<'_>) -> Result<Self, Failure> {
        let about = body::object(body, &mut errors).and_then(|fields| {
            let mut fields = Fields::new(&fields, &mut errors);
            if !fields.has("orderId") {
                return fields.require("context", Identified::read);
            }
            let order = fields.get("orderId", body::integer).map(Identified::Order);
            let context = fields.get("context", Identified::read);
            if order
                .zip(context)
                .is_some_and(|(order, context)| order != context)
            {
                fields.contradiction(ApiError::ContextContradicted);
                return None;
            }
            order
        });
        // Where nothing was read, an error was noted.
        errors.finish(Self {
            about: about.unwrap_or(Identified::Order(0)),
        })
    }
}

/// Which page of campaigns is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CampaignsPage {
    /// By token.
    After {
        /// The last campaign of the page before.
        last: Option<CampaignId>,
        /// The most campaigns on it.
        limit: usize,
    },
    /// By number.
    Numbered {
        /// The number, from one.
        page: usize,
        /// The most campaigns on it, at least one.
        size: usize,
    },
}

/// Asks for a page of campaigns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetCampaigns {
    /// The business of the key.
    pub business: BusinessId,
    /// Which page.
    pub page: CampaignsPage,
}

/// The size of a page of campaigns where a token is given and no limit.
const USUAL_CAMPAIGNS: usize = 100;

impl GetCampaigns {
    /// Reads the query; `errors` are those found before.
    pub fn parse(mut errors: Errors, business: BusinessId, query: &str) -> Result<Self, Failure> {
        let mut query = Query::new(query, &mut errors);
        let limit = query.int32(&LIMIT_CAMPAIGNS);
        let token = query.text(&PAGE_TOKEN);
        let page = query.int32(&PAGE).unwrap_or(1);
        let size = query.int32(&PAGE_SIZE).unwrap_or(1);
        errors.finish(())?;
        let page = if limit.is_some() || token.is_some() {
            CampaignsPage::After {
                last: place(&Self::list(business), token.as_deref())?,
                limit: limit.unwrap_or(USUAL_CAMPAIGNS),
            }
        } else {
            CampaignsPage::Numbered { page, size }
        };
        Ok(Self { business, page })
    }

    /// The token of the page after `last`.
    #[must_use]
    pub fn next_page(&self, last: CampaignId) -> String {
        Self::list(self.business).token(last)
    }

    fn list(business: BusinessId) -> List {
        List::new(Operation::GetCampaigns, business)
    }
}

fn place<P: Place>(list: &List, token: Option<&str>) -> Result<Option<P>, ApiError> {
    token.map(|token| list.place(token)).transpose()
}
