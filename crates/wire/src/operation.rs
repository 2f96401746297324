//! The operations of the Partner API, one row each: address, authority, limit, parameters.
//!
//! The router, the limits, the parsing of requests and the OpenAPI document all read this table.

use std::fmt;
use std::str::FromStr;

use http::Method;
use prilavok_domain::{Access, Scope, ScopeSet, UnknownName};

use crate::parameter::{
    BUSINESS_ID, CAMPAIGN_ID, CHAT_ID, LIMIT_CAMPAIGNS, LIMIT_CHATS, LIMIT_MESSAGES, MESSAGE_ID, PAGE,
    PAGE_SIZE, PAGE_TOKEN, Parameter,
};

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
    use crate::parameter::Place;

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
