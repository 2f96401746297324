//! What is answered: the JSON of each operation, field by field as the contract writes it. A field
//! without a value is left out.

use std::borrow::Cow;

use prilavok_domain::{Attachment, Business, Campaign, Chat, Context, Message, ScopeSet, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::UtcOffset;
use crate::names::{
    ApiAvailabilityStatusType, ApiKeyScopeType, ChatContextType, ChatMessageSenderType, ChatStatusType,
    ChatTypeName, PlacementType,
};
use crate::time::DateTime;

/// The body of an answer that has nothing more to say than that all went well.
pub const EMPTY: &[u8] = br#"{"status":"OK"}"#;

/// The body of an answer with a result.
#[derive(Debug, Serialize)]
pub struct Success<T> {
    status: &'static str,
    result: T,
}

impl<T> Success<T> {
    /// Puts a result into its envelope.
    pub const fn new(result: T) -> Self {
        Self { status: "OK", result }
    }
}

/// The customer of a chat.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChatCustomerDTO)]
pub struct CustomerDto<'a> {
    /// The name that sellers see.
    #[schema(min_length = 1, example = "Анна К.")]
    name: Cow<'a, str>,
    /// The marketplace's id of the customer.
    #[schema(min_length = 1, example = "customer-1")]
    public_id: Cow<'a, str>,
}

/// What a chat is about.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChatFullContextDTO)]
pub struct ContextDto<'a> {
    #[serde(rename = "type")]
    kind: ChatContextType,
    customer: CustomerDto<'a>,
    /// The campaign of the order or return; absent for direct chats.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, nullable = false, example = 1)]
    campaign_id: Option<i64>,
    /// The order, or the order that is returned; absent for direct chats.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, nullable = false, example = 1)]
    order_id: Option<i64>,
    /// The return, for chats about returns.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, nullable = false)]
    return_id: Option<i64>,
}

impl<'a> ContextDto<'a> {
    fn new(chat: &'a Chat) -> Self {
        let context: &Context = &chat.context;
        Self {
            kind: ChatContextType(context.kind()),
            customer: CustomerDto {
                name: chat.customer.name.as_str().into(),
                public_id: chat.customer.public_id.as_str().into(),
            },
            campaign_id: context.campaign().map(|id| id.get()),
            order_id: context.order().map(|id| id.get()),
            return_id: context.returned().map(|id| id.get()),
        }
    }
}

/// A chat.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = GetChatInfoDTO)]
pub struct ChatDto<'a> {
    /// Its id.
    #[schema(minimum = 1, example = 1)]
    chat_id: i64,
    /// Use `context.orderId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(deprecated, minimum = 1, nullable = false, example = 1)]
    order_id: Option<i64>,
    context: ContextDto<'a>,
    #[serde(rename = "type")]
    kind: ChatTypeName,
    status: ChatStatusType,
    /// When it was started.
    created_at: DateTime,
    /// The time of its last message; of its start while there is none.
    updated_at: DateTime,
}

impl<'a> ChatDto<'a> {
    /// A chat, with times at `offset`.
    #[must_use]
    pub fn new(chat: &'a Chat, offset: UtcOffset) -> Self {
        let shown = |at: Timestamp| DateTime { at, offset };
        Self {
            chat_id: chat.id.get(),
            order_id: chat.context.order().map(|id| id.get()),
            context: ContextDto::new(chat),
            kind: ChatTypeName(chat.kind),
            status: ChatStatusType(chat.status),
            created_at: shown(chat.created_at),
            updated_at: shown(chat.updated_at),
        }
    }
}

/// Whether a list goes on.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PackagingForwardScrollingPagerDTO)]
pub struct PagingDto {
    /// The `pageToken` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_page_token: Option<String>,
}

/// A page of chats.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GetChatsInfoDTO)]
pub struct ChatsDto<'a> {
    /// The chats, newest `updatedAt` first.
    pub chats: Vec<ChatDto<'a>>,
    /// Whether there are more.
    pub paging: PagingDto,
}

/// A file that a message carries.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChatMessagePayloadDTO)]
pub struct FileDto<'a> {
    /// The name that its sender gave it.
    #[schema(example = "photo.jpg")]
    name: Cow<'a, str>,
    /// Where it can be downloaded. The link opens without a key until it expires, and with the key of
    /// the business as long as the file is kept; then it answers 404.
    #[schema(min_length = 1, max_length = 2000)]
    url: String,
    /// Its size in bytes.
    #[schema(value_type = i32, example = 48213)]
    size: u64,
}

/// A message: text, files, or both.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChatMessageDTO)]
pub struct MessageDto<'a> {
    /// Its id, unique on the server and increasing within the chat.
    #[schema(minimum = 1)]
    message_id: i64,
    /// When it was written.
    created_at: DateTime,
    sender: ChatMessageSenderType,
    /// Its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Здравствуйте! Когда приедет мой заказ?")]
    message: Option<Cow<'a, str>>,
    /// Its files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, min_items = 1)]
    payload: Vec<FileDto<'a>>,
}

impl<'a> MessageDto<'a> {
    /// A message, with times at `offset` and files at `url`.
    pub fn new(message: &'a Message, offset: UtcOffset, url: impl Fn(&Attachment) -> String) -> Self {
        let file = |file: &'a Attachment| FileDto {
            name: file.name.as_str().into(),
            url: url(file),
            size: file.size,
        };
        Self {
            message_id: message.id.get(),
            created_at: DateTime {
                at: message.created_at,
                offset,
            },
            sender: ChatMessageSenderType(message.sender),
            message: message.text.as_ref().map(|text| text.as_str().into()),
            payload: message.files.iter().map(file).collect(),
        }
    }
}

/// A page of messages and the chat that they are from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChatMessagesResultDTO)]
pub struct HistoryDto<'a> {
    /// Use `context.orderId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(deprecated, nullable = false, example = 1)]
    order_id: Option<i64>,
    context: ContextDto<'a>,
    /// The messages, oldest first.
    messages: Vec<MessageDto<'a>>,
    paging: PagingDto,
}

impl<'a> HistoryDto<'a> {
    /// Messages of `chat`.
    #[must_use]
    pub fn new(chat: &'a Chat, messages: Vec<MessageDto<'a>>, paging: PagingDto) -> Self {
        Self {
            order_id: chat.context.order().map(|id| id.get()),
            context: ContextDto::new(chat),
            messages,
            paging,
        }
    }
}

/// A chat that was started or was there already.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CreateChatResultDTO)]
pub struct CreatedDto {
    /// The chat.
    #[schema(minimum = 1, example = 1)]
    pub chat_id: i64,
}

/// What a key may do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ApiKeyDTO)]
pub struct KeyDto<'a> {
    /// The name that it was given.
    #[schema(min_length = 1, max_length = 100, example = "CRM")]
    name: Cow<'a, str>,
    /// What it may be used for.
    auth_scopes: Vec<ApiKeyScopeType>,
}

/// The key that a call was made with.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TokenDTO)]
pub struct TokenDto<'a> {
    api_key: KeyDto<'a>,
}

impl<'a> TokenDto<'a> {
    /// A key by name and scopes.
    #[must_use]
    pub fn new(name: &'a str, scopes: ScopeSet) -> Self {
        Self {
            api_key: KeyDto {
                name: name.into(),
                auth_scopes: scopes.iter().map(ApiKeyScopeType).collect(),
            },
        }
    }
}

/// The business of a campaign.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BusinessDTO)]
pub struct BusinessDto<'a> {
    /// Its id.
    #[schema(minimum = 1, example = 1)]
    id: i64,
    /// Its name.
    name: Cow<'a, str>,
}

/// A campaign: a store of a business.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CampaignDTO)]
pub struct CampaignDto<'a> {
    /// Its internet address or name.
    #[schema(example = "shop.example")]
    domain: Cow<'a, str>,
    /// Its id.
    #[schema(minimum = 1, example = 1)]
    id: i64,
    business: BusinessDto<'a>,
    placement_type: PlacementType,
    api_availability: ApiAvailabilityStatusType,
}

impl<'a> CampaignDto<'a> {
    /// A campaign of `business`.
    #[must_use]
    pub fn new(campaign: &'a Campaign, business: &'a Business) -> Self {
        Self {
            domain: campaign.domain.as_str().into(),
            id: campaign.id.get(),
            business: BusinessDto {
                id: business.id.get(),
                name: business.name.as_str().into(),
            },
            placement_type: PlacementType(campaign.placement),
            api_availability: ApiAvailabilityStatusType(campaign.state),
        }
    }
}

/// The place of a numbered page within its list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FlippingPagerDTO)]
pub struct PagerDto {
    /// How many there are on all pages.
    #[schema(value_type = i32)]
    total: usize,
    /// The number of the first one on this page, from one; absent on an empty page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false)]
    from: Option<usize>,
    /// The number of the last one on this page; absent on an empty page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i32, required = false)]
    to: Option<usize>,
    /// The number of this page, from one.
    #[schema(value_type = i32)]
    current_page: usize,
    /// How many pages there are.
    #[schema(value_type = i32)]
    pages_count: usize,
    /// The most on one page.
    #[schema(value_type = i32)]
    page_size: usize,
}

impl PagerDto {
    /// The page `page` (from one) of `total` things at `size` (at least one) a page; also where its
    /// things begin and end in the list.
    #[must_use]
    pub fn new(total: usize, page: usize, size: usize) -> (Self, std::ops::Range<usize>) {
        let start = page.saturating_sub(1).saturating_mul(size).min(total);
        let end = start.saturating_add(size).min(total);
        let filled = start < end;
        let pager = Self {
            total,
            from: filled.then_some(start + 1),
            to: filled.then_some(end),
            current_page: page,
            pages_count: total.div_ceil(size.max(1)),
            page_size: size,
        };
        (pager, start..end)
    }
}

/// A page of campaigns, by number or by token.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GetCampaignsResponse)]
pub struct CampaignsDto<'a> {
    /// The campaigns, by id.
    pub campaigns: Vec<CampaignDto<'a>>,
    /// For numbered pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub pager: Option<PagerDto>,
    /// For pages by token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub paging: Option<PagingDto>,
}

/// One campaign.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GetCampaignResponse)]
pub struct OneCampaignDto<'a> {
    /// The campaign.
    pub campaign: CampaignDto<'a>,
}
