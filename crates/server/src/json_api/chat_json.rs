//! Chats as JSON: what is asked to start one, and what one looks like.

use prilavok_domain::{CampaignId, Chat, ContextType, MessageId, OrderId, PublicId, ReturnId};
use prilavok_store::Subject;
use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::body::JsonBody;
use super::fields::{self, Fields, FromFields};
use super::json_id::JsonId;
use super::names::{ChatStatusName, ChatTypeName, ContextTypeName};
use super::time::Utc;

/// A chat to start.
#[derive(Debug, ToSchema)]
#[schema(as = StartChat, example = json!({"context": {"type": "ORDER", "id": 7}}))]
pub(crate) struct StartBody {
    /// What it is about, and with whom.
    pub(crate) context: StartContext,
}

/// What a chat to start is about, and with whom.
#[derive(Debug)]
pub(crate) struct StartContext {
    pub(crate) subject: Subject,
    pub(crate) customer: Option<PublicId>,
}

impl FromFields for StartBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            context: fields.object("context")?,
        })
    }
}

impl FromFields for StartContext {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let kind = fields.required("type", fields::named::<ContextType>);
        let customer = fields.optional("customerId", fields::public_id);
        let subject = match kind {
            Some(ContextType::Order) => fields.required("id", fields::json_id).map(Subject::Order),
            Some(ContextType::Return) => fields.required("id", fields::json_id).map(Subject::Return),
            Some(ContextType::Direct) => fields
                .absent("id", "is not allowed for DIRECT")
                .map(|()| Subject::Direct),
            None => {
                fields.let_all_pass();
                None
            }
        };
        if matches!((&subject, &customer), (Some(Subject::Direct), Some(None))) {
            return fields.problem("customerId", "is required for DIRECT");
        }
        Some(Self {
            subject: subject?,
            customer: customer?,
        })
    }
}

impl JsonBody for StartBody {}

impl PartialSchema for StartContext {
    fn schema() -> RefOr<Schema> {
        let customer = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(PublicId::MAX_CHARS))
            .description(Some(
                "The customer's `publicId`. Needed for `DIRECT`. For `ORDER` and `RETURN` it may be left out; if it \
                 is given, it must be the order's customer.",
            ));
        ObjectBuilder::new()
            .property("type", Ref::from_schema_name(ContextTypeName::name()))
            .required("type")
            .property(
                "id",
                Ref::builder()
                    .ref_location_from_schema_name(JsonId::name())
                    .description(Some("The order's or the return's id; not for `DIRECT`.")),
            )
            .property("customerId", customer)
            .description(Some("What a chat to start is about, and with whom."))
            .into()
    }
}

impl ToSchema for StartContext {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        for (name, schema) in [
            (ContextTypeName::name(), ContextTypeName::schema()),
            (JsonId::name(), JsonId::schema()),
        ] {
            schemas.push((name.into_owned(), schema));
        }
    }
}

/// A chat.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Chat)]
pub(crate) struct ChatJson {
    /// The business that it belongs to.
    business_id: JsonId,
    /// Its id.
    chat_id: JsonId,
    /// An ordinary chat, or an arbitration.
    r#type: ChatTypeName,
    /// Whose turn it is.
    status: ChatStatusName,
    /// What it is about, and with whom.
    context: ContextJson,
    /// When it began.
    created_at: Utc,
    /// The time of its last message; of its beginning while there is none.
    updated_at: Utc,
    /// Its last message; absent while there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_message_id: Option<JsonId>,
}

/// What a chat is about, and with whom.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChatContext)]
pub(crate) struct ContextJson {
    /// About what.
    r#type: ContextTypeName,
    /// The order; absent for `DIRECT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    order_id: Option<JsonId>,
    /// The return; only for `RETURN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    return_id: Option<JsonId>,
    /// The campaign that sold the order; absent for `DIRECT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    campaign_id: Option<JsonId>,
    /// The buyer.
    customer: ChatCustomer,
}

/// The buyer in a chat.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChatCustomer {
    /// The marketplace's own id of the customer: `publicId`.
    #[schema(example = "c-4711")]
    id: String,
    /// The name that sellers see.
    #[schema(example = "Анна К.")]
    name: String,
}

impl From<Chat> for ChatJson {
    fn from(chat: Chat) -> Self {
        let context = &chat.context;
        Self {
            business_id: JsonId(chat.business.get()),
            chat_id: JsonId(chat.id.get()),
            r#type: ChatTypeName(chat.kind),
            status: ChatStatusName(chat.status),
            context: ContextJson {
                r#type: ContextTypeName(context.kind()),
                order_id: context.order().map(OrderId::get).map(JsonId),
                return_id: context.returned().map(ReturnId::get).map(JsonId),
                campaign_id: context.campaign().map(CampaignId::get).map(JsonId),
                customer: ChatCustomer {
                    id: chat.customer.public_id.as_str().to_owned(),
                    name: chat.customer.name.as_str().to_owned(),
                },
            },
            created_at: Utc(chat.created_at),
            updated_at: Utc(chat.updated_at),
            last_message_id: chat.last_message.map(MessageId::get).map(JsonId),
        }
    }
}
