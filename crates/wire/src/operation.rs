//! The operations of the Partner API, one row each: address, authority, limit, parameters.
//!
//! The router, the limits, the parsing of requests and the OpenAPI document all read this table.

use std::fmt;
use std::str::FromStr;

use http::Method;
use prilavok_domain::{Access, Scope, ScopeSet, UnknownName};

/// An operation of the Partner API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Shows one chat.
    GetChat,
    /// Lists chats.
    GetChats,
    /// Lists a chat's messages.
    GetChatHistory,
    /// Shows one message.
    GetChatMessage,
    /// Writes a message.
    SendMessageToChat,
    /// Sends a file.
    SendFileToChat,
    /// Starts a chat.
    CreateChat,
    /// Shows what a key may do.
    GetAuthTokenInfo,
    /// Lists the campaigns that a key may see.
    GetCampaigns,
    /// Shows one campaign.
    GetCampaign,
}

/// What an operation is about: this decides what the parallel limit counts by and whose state is
/// looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// The business in the address.
    Business,
    /// The campaign in the address.
    Campaign,
    /// The business of the key.
    Key,
}

/// What an operation reads from the request body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// Nothing; a body is ignored.
    None,
    /// A JSON object.
    Json,
    /// A form with one file.
    Multipart,
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
}

/// What a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// An id: a 64-bit integer, at least 1.
    Id,
    /// A 32-bit integer.
    Int32 {
        /// The least value.
        min: i32,
        /// The greatest value.
        max: i32,
        /// The value where the parameter is absent.
        default: Option<i32>,
    },
    /// Any text.
    Text,
}

/// One parameter of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Other names that mean the same.
    pub aliases: &'static [&'static str],
    /// Where it stands.
    pub place: Place,
    /// What it may be.
    pub kind: ParameterKind,
    /// Whether it must be there.
    pub required: bool,
    /// Whether clients should use something else.
    pub deprecated: bool,
    /// What it means, for people.
    pub description: &'static str,
}

/// A row of the table.
#[derive(Debug)]
pub struct Row {
    /// The operation's name.
    pub name: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path, without the version before it.
    pub path: &'static str,
    /// What it is about.
    pub area: Area,
    /// Whether it changes anything.
    pub access: Access,
    /// The scopes of which a credential needs one.
    pub scopes: ScopeSet,
    /// Calls an hour that one business may make, unless the configuration says otherwise.
    pub hourly_limit: u32,
    /// The parameters in path and query.
    pub parameters: &'static [Parameter],
    /// What it reads from the body.
    pub body: BodyKind,
    /// Whether an `Idempotency-Key` is honoured.
    pub idempotency: bool,
    /// Whether an OAuth token will do.
    pub oauth: bool,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What callers should know, in a few sentences.
    pub description: &'static str,
}

const READS_CHATS: ScopeSet =
    ScopeSet::of(&[Scope::AllMethods, Scope::AllMethodsReadOnly, Scope::Communication]);
const WRITES_CHATS: ScopeSet = ScopeSet::of(&[Scope::AllMethods, Scope::Communication]);

const fn id(place: Place, name: &'static str, description: &'static str) -> Parameter {
    Parameter {
        name,
        aliases: &[],
        place,
        kind: ParameterKind::Id,
        required: true,
        deprecated: false,
        description,
    }
}

const fn int32(
    name: &'static str,
    (min, max): (i32, i32),
    default: Option<i32>,
    description: &'static str,
) -> Parameter {
    Parameter {
        name,
        aliases: &[],
        place: Place::Query,
        kind: ParameterKind::Int32 { min, max, default },
        required: false,
        deprecated: false,
        description,
    }
}

/// The business in the address.
pub const BUSINESS_ID: Parameter = id(Place::Path, "businessId", "The business whose chats are meant.");
/// The campaign in the address.
pub const CAMPAIGN_ID: Parameter = id(Place::Path, "campaignId", "The campaign that is meant.");
/// The chat.
pub const CHAT_ID: Parameter = id(Place::Query, "chatId", "The chat.");
/// The message.
pub const MESSAGE_ID: Parameter = id(Place::Query, "messageId", "The message.");
/// The place in a list where a page begins.
pub const PAGE_TOKEN: Parameter = Parameter {
    name: "pageToken",
    aliases: &["page_token"],
    place: Place::Query,
    kind: ParameterKind::Text,
    required: false,
    deprecated: false,
    description: "Where the page begins: `nextPageToken` of the page before, with the same filters as before. \
                  Absent or empty: the first page.",
};
/// The size of a page of chats.
pub const LIMIT_CHATS: Parameter = int32("limit", (1, 20), Some(10), "The most chats on the page.");
/// The size of a page of messages.
pub const LIMIT_MESSAGES: Parameter = int32("limit", (1, 100), Some(50), "The most messages on the page.");
/// The size of a page of campaigns.
pub const LIMIT_CAMPAIGNS: Parameter = int32(
    "limit",
    (1, 100),
    None,
    "The most campaigns on the page. With `limit` or `pageToken` the list is paged by token, and `page` and \
     `pageSize` are ignored.",
);
/// The number of a page of campaigns.
pub const PAGE: Parameter = Parameter {
    deprecated: true,
    ..int32(
        "page",
        (1, 10_000),
        Some(1),
        "The number of the page, together with `pageSize`.",
    )
};
/// The size of a numbered page of campaigns.
pub const PAGE_SIZE: Parameter = Parameter {
    deprecated: true,
    ..int32(
        "pageSize",
        (1, i32::MAX),
        Some(50),
        "The most campaigns on a numbered page.",
    )
};

static TABLE: [Row; 10] = [
    Row {
        name: "getChat",
        method: Method::GET,
        path: "/businesses/{businessId}/chat",
        area: Area::Business,
        access: Access::Read,
        scopes: READS_CHATS,
        hourly_limit: 1_000,
        parameters: &[BUSINESS_ID, CHAT_ID],
        body: BodyKind::None,
        idempotency: false,
        oauth: true,
        summary: "Show a chat",
        description: "What a chat is about, its type, whose turn it is, and when something last happened in it.",
    },
    Row {
        name: "getChats",
        method: Method::POST,
        path: "/businesses/{businessId}/chats",
        area: Area::Business,
        access: Access::Read,
        scopes: READS_CHATS,
        hourly_limit: 5_000,
        parameters: &[BUSINESS_ID, PAGE_TOKEN, LIMIT_CHATS],
        body: BodyKind::Json,
        idempotency: false,
        oauth: true,
        summary: "List chats",
        description: "Chats of the business, the one with the newest message first. A chat must match every filter \
                      that is given, and within a filter any of its values. A chat that gets a message while you \
                      page moves to the top: read the first page again to see it. Chats that stay still are neither \
                      skipped nor repeated.",
    },
    Row {
        name: "getChatHistory",
        method: Method::POST,
        path: "/businesses/{businessId}/chats/history",
        area: Area::Business,
        access: Access::Read,
        scopes: READS_CHATS,
        hourly_limit: 10_000,
        parameters: &[BUSINESS_ID, CHAT_ID, PAGE_TOKEN, LIMIT_MESSAGES],
        body: BodyKind::Json,
        idempotency: false,
        oauth: true,
        summary: "List the messages of a chat",
        description: "Messages of the chat, oldest first. With `messageIdFrom` the list begins at that message: \
                      pass the last one that you know, and you get it and all that came after it.",
    },
    Row {
        name: "getChatMessage",
        method: Method::GET,
        path: "/businesses/{businessId}/chats/message",
        area: Area::Business,
        access: Access::Read,
        scopes: READS_CHATS,
        hourly_limit: 1_000,
        parameters: &[BUSINESS_ID, CHAT_ID, MESSAGE_ID],
        body: BodyKind::None,
        idempotency: false,
        oauth: true,
        summary: "Show a message",
        description: "One message of a chat, with links to its files.",
    },
    Row {
        name: "sendMessageToChat",
        method: Method::POST,
        path: "/businesses/{businessId}/chats/message",
        area: Area::Business,
        access: Access::Write,
        scopes: WRITES_CHATS,
        hourly_limit: 1_000,
        parameters: &[BUSINESS_ID, CHAT_ID],
        body: BodyKind::Json,
        idempotency: true,
        oauth: true,
        summary: "Send a message",
        description: "Writes a text into the chat as the partner. An ordinary chat then waits for the customer, an \
                      arbitration for the arbiter. A finished chat takes no message.",
    },
    Row {
        name: "sendFileToChat",
        method: Method::POST,
        path: "/businesses/{businessId}/chats/file/send",
        area: Area::Business,
        access: Access::Write,
        scopes: WRITES_CHATS,
        hourly_limit: 1_000,
        parameters: &[BUSINESS_ID, CHAT_ID],
        body: BodyKind::Multipart,
        idempotency: true,
        oauth: true,
        summary: "Send a file",
        description: "Sends one file of up to 5 MB into the chat as the partner, as a message of its own. The name \
                      of the file is kept.",
    },
    Row {
        name: "createChat",
        method: Method::POST,
        path: "/businesses/{businessId}/chats/new",
        area: Area::Business,
        access: Access::Write,
        scopes: WRITES_CHATS,
        hourly_limit: 1_000,
        parameters: &[BUSINESS_ID],
        body: BodyKind::Json,
        idempotency: true,
        oauth: true,
        summary: "Start a chat",
        description: "Starts a chat with the buyer of an order or a return. Where there is one already, answers it. \
                      Chats about returns are for FBS, FBY and Express campaigns.",
    },
    Row {
        name: "getAuthTokenInfo",
        method: Method::POST,
        path: "/auth/token",
        area: Area::Key,
        access: Access::Read,
        scopes: ScopeSet::ANY,
        hourly_limit: 100,
        parameters: &[],
        body: BodyKind::None,
        idempotency: false,
        oauth: false,
        summary: "Show what a key may do",
        description: "The name and the scopes of the Api-Key that the call is made with.",
    },
    Row {
        name: "getCampaigns",
        method: Method::GET,
        path: "/campaigns",
        area: Area::Key,
        access: Access::Read,
        scopes: ScopeSet::ANY,
        hourly_limit: 5_000,
        parameters: &[PAGE_TOKEN, LIMIT_CAMPAIGNS, PAGE, PAGE_SIZE],
        body: BodyKind::None,
        idempotency: false,
        oauth: true,
        summary: "List campaigns",
        description: "The campaigns of the key's business by id; with an OAuth token, those that its user may see.",
    },
    Row {
        name: "getCampaign",
        method: Method::GET,
        path: "/campaigns/{campaignId}",
        area: Area::Campaign,
        access: Access::Read,
        scopes: ScopeSet::ANY,
        hourly_limit: 5_000,
        parameters: &[CAMPAIGN_ID],
        body: BodyKind::None,
        idempotency: false,
        oauth: true,
        summary: "Show a campaign",
        description: "One campaign: its business, its address and how it sells.",
    },
];

impl Operation {
    /// Every operation, in the order of the table.
    pub const ALL: &'static [Self] = &[
        Self::GetChat,
        Self::GetChats,
        Self::GetChatHistory,
        Self::GetChatMessage,
        Self::SendMessageToChat,
        Self::SendFileToChat,
        Self::CreateChat,
        Self::GetAuthTokenInfo,
        Self::GetCampaigns,
        Self::GetCampaign,
    ];

    /// The operation's row.
    #[must_use]
    pub fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The operation's name, as the contract and the configuration write it: `getChat`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    /// Calls an hour that one business may make, unless the configuration says otherwise.
    #[must_use]
    pub fn hourly_limit(self) -> u32 {
        self.row().hourly_limit
    }

    /// Its place in [`Operation::ALL`], from zero.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Operation {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .iter()
            .copied()
            .find(|operation| operation.as_str() == text)
            .ok_or_else(|| UnknownName {
                of: "Operation",
                text: text.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_rows_belong_together() {
        for (index, operation) in Operation::ALL.iter().enumerate() {
            assert_eq!(operation.index(), index);
            assert_eq!(
                format!("{operation:?}").to_lowercase(),
                operation.as_str().to_lowercase()
            );
            assert_eq!(operation.as_str().parse(), Ok(*operation));
        }
        assert_eq!(Operation::ALL.len(), TABLE.len());
        assert!("getchat".parse::<Operation>().is_err());
    }

    #[test]
    fn path_parameters_stand_in_the_path() {
        for row in &TABLE {
            for parameter in row.parameters {
                let in_path = row.path.contains(&format!("{{{}}}", parameter.name));
                assert_eq!(
                    in_path,
                    parameter.place == Place::Path,
                    "{} {}",
                    row.name,
                    parameter.name
                );
            }
        }
    }

    #[test]
    fn an_operation_that_writes_can_be_retried_safely() {
        for row in &TABLE {
            assert_eq!(row.idempotency, row.access == Access::Write, "{}", row.name);
        }
    }
}
