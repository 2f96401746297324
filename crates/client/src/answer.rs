//! What the API answers. Fields that it leaves out are `None`; fields that it may get later are ignored.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::id::{BusinessId, CampaignId, ChatId, MessageId, OrderId, ReturnId};
use crate::names::{ApiAvailability, ChatStatus, ChatType, ContextType, Placement, Scope, Sender};

/// A chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Chat {
    /// Its id.
    #[serde(rename = "chatId")]
    pub id: ChatId,
    /// What it is about, and with whom.
    pub context: Context,
    /// An ordinary chat or a dispute.
    #[serde(rename = "type")]
    pub kind: ChatType,
    /// Whose turn it is.
    pub status: ChatStatus,
    /// When it was started.
    pub created_at: Timestamp,
    /// The time of its last message.
    pub updated_at: Timestamp,
}

/// What a chat is about, and with whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Context {
    /// An order, a return or a question.
    #[serde(rename = "type")]
    pub kind: ContextType,
    /// The buyer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<Customer>,
    /// The campaign of the order or return.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_id: Option<CampaignId>,
    /// The order, also of a return.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// The return.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_id: Option<ReturnId>,
}

/// A buyer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Customer {
    /// The name that sellers see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The marketplace's id of the buyer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_id: Option<String>,
}

/// A message: text, files, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Message {
    /// Its id.
    #[serde(rename = "messageId")]
    pub id: MessageId,
    /// When it was written.
    pub created_at: Timestamp,
    /// Who wrote it.
    pub sender: Sender,
    /// Its text.
    #[serde(rename = "message", skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its files.
    #[serde(
        rename = "payload",
        default,
        deserialize_with = "null_as_empty",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub files: Vec<Attachment>,
}

/// A file that a message carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attachment {
    /// The name that its sender gave it.
    pub name: String,
    /// Where it can be downloaded; see [`Client::download`](crate::Client::download).
    pub url: String,
    /// Its size in bytes.
    pub size: u64,
}

/// A campaign: a store of a business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Campaign {
    /// Its id.
    pub id: CampaignId,
    /// Its internet address or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Its business.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business: Option<CampaignBusiness>,
    /// How it sells.
    #[serde(rename = "placementType", skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    /// Whether its API answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_availability: Option<ApiAvailability>,
}

/// The business of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CampaignBusiness {
    /// Its id.
    pub id: BusinessId,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The key that the client calls with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct KeyInfo {
    /// The name that it was given.
    pub name: String,
    /// What it may be used for.
    #[serde(rename = "authScopes")]
    pub scopes: Vec<Scope>,
}

/// Bodies as they stand on the wire, around what callers get.
pub(crate) mod wire {
    use serde::Deserialize;

    use super::{Campaign, Chat, ChatId, KeyInfo, Message, null_as_empty};
    use crate::page::PageToken;

    #[derive(Deserialize)]
    pub(crate) struct Success<T> {
        pub(crate) result: T,
    }

    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(crate) struct Paging {
        #[serde(default)]
        pub(crate) next_page_token: Option<PageToken>,
    }

    #[derive(Deserialize)]
    pub(crate) struct Chats {
        #[serde(default, deserialize_with = "null_as_empty")]
        pub(crate) chats: Vec<Chat>,
        #[serde(default)]
        pub(crate) paging: Option<Paging>,
    }

    #[derive(Deserialize)]
    pub(crate) struct History {
        #[serde(default, deserialize_with = "null_as_empty")]
        pub(crate) messages: Vec<Message>,
        #[serde(default)]
        pub(crate) paging: Option<Paging>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(crate) struct Created {
        pub(crate) chat_id: ChatId,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(crate) struct Token {
        pub(crate) api_key: KeyInfo,
    }

    #[derive(Deserialize)]
    pub(crate) struct Campaigns {
        #[serde(default, deserialize_with = "null_as_empty")]
        pub(crate) campaigns: Vec<Campaign>,
        #[serde(default)]
        pub(crate) paging: Option<Paging>,
    }

    #[derive(Deserialize)]
    pub(crate) struct OneCampaign {
        pub(crate) campaign: Campaign,
    }
}

fn null_as_empty<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As upstream writes them, with values and fields that nobody knows yet.
    #[test]
    fn what_is_new_upstream_breaks_nothing() {
        let chat: Chat = serde_json::from_str(
            r#"{"chatId":9007199254740993,"orderId":7,"context":{"type":"AUCTION","lot":5},"type":"CHAT",
                "status":"WAITING_FOR_GODOT","createdAt":"2017-11-21T00:00:00+03:00",
                "updatedAt":"2017-11-21T00:00:00.5Z","mood":"good"}"#,
        )
        .expect("a chat");
        assert_eq!(chat.id.get(), 9_007_199_254_740_993);
        assert_eq!(chat.status, ChatStatus::Other("WAITING_FOR_GODOT".to_owned()));
        assert_eq!(chat.context.kind.as_str(), "AUCTION");
        assert_eq!(chat.created_at.to_string(), "2017-11-20T21:00:00Z");
        let message: Message = serde_json::from_str(
            r#"{"messageId":1,"createdAt":"2017-11-21T00:00:00+03:00","sender":"BOT","payload":null}"#,
        )
        .expect("a message");
        assert_eq!((message.text, message.files.len()), (None, 0));
    }

    #[test]
    fn a_chat_is_written_as_it_was_read() {
        let text = concat!(
            r#"{"chatId":1,"context":{"type":"RETURN","customer":{"name":"Анна","publicId":"a"},"campaignId":2,"#,
            r#""orderId":3,"returnId":4},"type":"CHAT","status":"NEW","createdAt":"2017-11-21T00:00:00Z","#,
            r#""updatedAt":"2017-11-21T00:00:00.213Z"}"#
        );
        let chat: Chat = serde_json::from_str(text).expect("a chat");
        assert_eq!(serde_json::to_string(&chat).expect("JSON"), text);
    }
}
