//! Registering many things in one call: all of them, in order, or none.

use std::borrow::Cow;
use std::str::FromStr;

use axum::extract::State;
use prilavok_domain::UnknownName;
use prilavok_store::{Entity, Put, Refusal, Registration, StoreError};
use serde::Serialize;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::auth::Operator;
use super::businesses::BusinessBody;
use super::campaigns::CampaignBody;
use super::customers::CustomerBody;
use super::openapi::{BULK, WriteErrors};
use super::orders::OrderBody;
use super::registry;
use super::returns::ReturnBody;
use crate::app::SharedApp;
use crate::json_api::body::{Json, JsonBody};
use crate::json_api::error::ApiError;
use crate::json_api::fields::{self, Fields, FromFields};
use crate::json_api::json_id::JsonId;
use crate::json_api::names::Named;

const MAX_ITEMS: usize = 1_000;

/// What an item of a bulk call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = BulkItemType)]
pub(super) enum ItemType {
    Business,
    Campaign,
    Customer,
    Order,
    Return,
}

impl Named for ItemType {
    const ALL: &'static [Self] = &[
        Self::Business,
        Self::Campaign,
        Self::Customer,
        Self::Order,
        Self::Return,
    ];

    fn text(self) -> &'static str {
        match self {
            Self::Business => "BUSINESS",
            Self::Campaign => "CAMPAIGN",
            Self::Customer => "CUSTOMER",
            Self::Order => "ORDER",
            Self::Return => "RETURN",
        }
    }
}

impl FromStr for ItemType {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.iter().copied().find(|it| it.text() == text);
        found.ok_or_else(|| UnknownName {
            of: "ItemType",
            text: text.to_owned(),
        })
    }
}

/// One thing to register: its type, its ids, and the fields that its own PUT takes.
#[derive(Debug)]
pub(super) struct Item(Registration);

impl FromFields for Item {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let Some(kind) = fields.required("type", fields::named::<ItemType>) else {
            fields.let_all_pass();
            return None;
        };
        // Both halves are read before either can end the reading, so that all problems are noted.
        Some(Self(match kind {
            ItemType::Business => {
                let (id, body) = (
                    fields.required("businessId", fields::json_id),
                    BusinessBody::from_fields(fields),
                );
                Registration::Business(body?.with(id?))
            }
            ItemType::Campaign => {
                let business = fields.required("businessId", fields::json_id);
                let (id, body) = (
                    fields.required("campaignId", fields::json_id),
                    CampaignBody::from_fields(fields),
                );
                Registration::Campaign(body?.with(business?, id?))
            }
            ItemType::Customer => {
                let (id, body) = (
                    fields.required("publicId", fields::public_id),
                    CustomerBody::from_fields(fields),
                );
                Registration::Customer(body?.with(id?))
            }
            ItemType::Order => {
                let business = fields.required("businessId", fields::json_id);
                let (id, body) = (
                    fields.required("orderId", fields::json_id),
                    OrderBody::from_fields(fields),
                );
                Registration::Order(body?.with(business?, id?))
            }
            ItemType::Return => {
                let business = fields.required("businessId", fields::json_id);
                let (id, body) = (
                    fields.required("returnId", fields::json_id),
                    ReturnBody::from_fields(fields),
                );
                Registration::Return(body?.with(business?, id?))
            }
        }))
    }
}

impl PartialSchema for Item {
    fn schema() -> RefOr<Schema> {
        let item = |kind: ItemType, ids: &[&str], put: Cow<'static, str>| {
            let name = ObjectBuilder::new()
                .schema_type(Type::String)
                .enum_values(Some([kind.text()]));
            let mut own = ObjectBuilder::new().property("type", name).required("type");
            for id in ids {
                let schema = if *id == "publicId" {
                    RefOr::T(
                        ObjectBuilder::new()
                            .schema_type(Type::String)
                            .max_length(Some(100))
                            .into(),
                    )
                } else {
                    Ref::from_schema_name(JsonId::name()).into()
                };
                own = own.property(*id, schema).required(*id);
            }
            AllOfBuilder::new().item(own).item(Ref::from_schema_name(put))
        };
        OneOfBuilder::new()
            .item(item(ItemType::Business, &["businessId"], BusinessBody::name()))
            .item(item(
                ItemType::Campaign,
                &["businessId", "campaignId"],
                CampaignBody::name(),
            ))
            .item(item(ItemType::Customer, &["publicId"], CustomerBody::name()))
            .item(item(
                ItemType::Order,
                &["businessId", "orderId"],
                OrderBody::name(),
            ))
            .item(item(
                ItemType::Return,
                &["businessId", "returnId"],
                ReturnBody::name(),
            ))
            .description(Some(
                "One thing to register: its type, its ids, and the fields that its own PUT takes.",
            ))
            .into()
    }
}

impl ToSchema for Item {
    fn name() -> Cow<'static, str> {
        "BulkItem".into()
    }
}

/// Things to register, each after what it refers to.
#[derive(Debug, ToSchema)]
#[schema(as = Bulk, example = json!({"items": [
    {"type": "BUSINESS", "businessId": 1, "name": "Ромашка"},
    {"type": "CAMPAIGN", "businessId": 1, "campaignId": 1, "domain": "romashka.example", "placement": "FBS"},
    {"type": "CUSTOMER", "publicId": "c-4711", "name": "Анна К."},
    {"type": "ORDER", "businessId": 1, "orderId": 7, "campaignId": 1, "customerId": "c-4711"},
    {"type": "RETURN", "businessId": 1, "returnId": 3, "orderId": 7},
]}))]
pub(super) struct BulkBody {
    /// 1 to 1,000 things.
    #[schema(min_items = 1, max_items = 1000)]
    items: Vec<Item>,
}

impl FromFields for BulkBody {
    fn from_fields(fields: &mut Fields<'_>) -> Option<Self> {
        let items = fields.objects("items", MAX_ITEMS)?;
        if items.is_empty() {
            return fields.problem("items", format!("must have 1 to {MAX_ITEMS} elements"));
        }
        Some(Self { items })
    }
}

impl JsonBody for BulkBody {
    const MAX_BYTES: usize = 2 * 1024 * 1024;
}

/// What a PUT did.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = BulkResult)]
pub(super) enum Outcome {
    /// It is new.
    Created,
    /// It was there and differed.
    Changed,
    /// It was there already, just so.
    Unchanged,
}

/// What was done with one item.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkItemResult)]
pub(super) struct ItemOutcome {
    /// What the item is.
    #[serde(rename = "type")]
    kind: ItemType,
    /// What was done.
    result: Outcome,
}

/// What was done, item by item, in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkAnswer)]
pub(super) struct BulkAnswer {
    /// One for each item.
    items: Vec<ItemOutcome>,
}

/// Register many things
///
/// All of them, in the order given, or none: an item may refer to one before it. An error names the item
/// and the field (`items[3].campaignId`). Sending the same call again changes nothing.
#[utoipa::path(
    post,
    path = "/bulk",
    tag = BULK,
    operation_id = "bulk",
    request_body = BulkBody,
    responses((status = 200, description = "All items are registered.", body = BulkAnswer), WriteErrors),
)]
pub(super) async fn register_many(
    _: Operator,
    State(app): State<SharedApp>,
    Json { value: body, .. }: Json<BulkBody>,
) -> Result<axum::Json<BulkAnswer>, ApiError> {
    let items: Vec<Registration> = body.items.into_iter().map(|Item(item)| item).collect();
    let kinds: Vec<ItemType> = items.iter().map(kind).collect();
    let puts = registry::put_all(&app, items)
        .await
        .map_err(|error| refused(error, &kinds))?;
    let items = kinds.into_iter().zip(puts).map(|(kind, put)| ItemOutcome {
        kind,
        result: outcome(put),
    });
    Ok(axum::Json(BulkAnswer {
        items: items.collect(),
    }))
}

const fn kind(item: &Registration) -> ItemType {
    match item {
        Registration::Business(_) => ItemType::Business,
        Registration::Campaign(_) => ItemType::Campaign,
        Registration::Customer(_) => ItemType::Customer,
        Registration::Order(_) => ItemType::Order,
        Registration::Return(_) => ItemType::Return,
    }
}

const fn outcome(put: Put) -> Outcome {
    match put {
        Put::Created => Outcome::Created,
        Put::Changed => Outcome::Changed,
        Put::Unchanged => Outcome::Unchanged,
    }
}

fn refused(error: StoreError, kinds: &[ItemType]) -> ApiError {
    match error {
        StoreError::Refused(Refusal::AtItem { index, refusal }) => {
            let field_of = match kinds.get(index) {
                Some(ItemType::Order) => of_order,
                Some(ItemType::Return) => of_return,
                _ => of_business,
            };
            ApiError::refused(*refusal, &format!("items[{index}]"), field_of)
        }
        other => other.into(),
    }
}

const fn of_business(entity: &Entity) -> Option<&'static str> {
    match entity {
        Entity::Business(_) => Some("businessId"),
        _ => None,
    }
}

fn of_order(entity: &Entity) -> Option<&'static str> {
    of_business(entity).or_else(|| OrderBody::field_of(entity))
}

fn of_return(entity: &Entity) -> Option<&'static str> {
    of_business(entity).or_else(|| ReturnBody::field_of(entity))
}
