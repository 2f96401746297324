//! Isolated businesses: one call gives a test a business of its own, with everything in it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use http::StatusCode;
use prilavok_domain::{
    Business, BusinessId, BusinessState, Campaign, CampaignId, CampaignState, Clock, Customer, Name, Order,
    OrderId, Placement, PublicId, Return, ReturnId, Scope, ScopeSet,
};
use prilavok_server::demo::new_key;
use prilavok_store::Registration;
use serde::{Deserialize, Serialize};

use super::error::{ApiError, read};
use crate::sandbox::Sandbox;

/// Orders that a business has; the last one is a test order.
const ORDERS: i64 = 5;
const CUSTOMERS: [&str; 3] = ["Анна Котова", "Борис Лунин", "Вера Соколова"];

/// What is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default = "usual_name")]
    name: String,
    #[serde(default = "usual_placement")]
    placement: String,
}

fn usual_name() -> String {
    "Sandbox".to_owned()
}

fn usual_placement() -> String {
    Placement::Fbs.as_str().to_owned()
}

/// A business of one's own.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Given {
    business_id: i64,
    campaign_id: i64,
    api_key: String,
    read_only_api_key: String,
    order_ids: Vec<i64>,
    test_order_id: i64,
    return_id: i64,
    customer_ids: Vec<String>,
}

pub(super) async fn create(
    State(sandbox): State<Arc<Sandbox>>,
    body: Bytes,
) -> Result<(StatusCode, Json<Given>), ApiError> {
    let asked: Asked = read(&body)?;
    let name = Name::new(&asked.name).map_err(|error| ApiError::bad(format!("'name' {error}")))?;
    let placement: Placement = asked.placement.parse().map_err(|_| {
        let names: Vec<_> = Placement::ALL.iter().map(|it| it.as_str()).collect();
        ApiError::bad(format!("'placement' must be one of {}", names.join(", ")))
    })?;
    let given = sandbox.give(name, placement).await?;
    Ok((StatusCode::CREATED, Json(given)))
}

impl Sandbox {
    async fn give(&self, name: Name, placement: Placement) -> anyhow::Result<Given> {
        let _turn = self.turn().await;
        let world = self.world();
        let store = &*world.app.store;
        let id = loop {
            let id = BusinessId::new(self.next_business.fetch_add(1, Ordering::Relaxed))?;
            // A state that was kept has businesses of an earlier run.
            if store.business(id).await?.is_none() {
                break id;
            }
        };
        // Campaigns, orders and customers are known by their ids beyond their business.
        let number = |of: i64| id.get() * 100 + of;
        let campaign = CampaignId::new(number(1))?;
        let customers = CUSTOMERS.iter().zip(1..);
        let customers = customers.map(|(name, of)| {
            Ok(Customer {
                public_id: PublicId::new(format!("buyer-{}", number(of)))?,
                name: Name::new(*name)?,
                erased_at: None,
            })
        });
        let customers = customers.collect::<anyhow::Result<Vec<_>>>()?;
        let mut items = vec![
            Registration::Business(Business {
                id,
                name,
                state: BusinessState::Active,
            }),
            Registration::Campaign(Campaign {
                business: id,
                id: campaign,
                domain: Name::new(format!("shop-{id}.example"))?,
                placement,
                state: CampaignState::Available,
            }),
        ];
        items.extend(customers.iter().cloned().map(Registration::Customer));
        for (of, customer) in (1..=ORDERS).zip(customers.iter().cycle()) {
            items.push(Registration::Order(Order {
                business: id,
                id: OrderId::new(number(of))?,
                campaign,
                customer: customer.public_id.clone(),
                test: of == ORDERS,
            }));
        }
        items.push(Registration::Return(Return {
            business: id,
            id: ReturnId::new(number(1))?,
            order: OrderId::new(number(1))?,
        }));
        store.register(items).await?;
        let now = self.clock().now();
        let api_key = new_key(store, id, "sandbox", ScopeSet::of(&[Scope::Communication]), now).await?;
        let read_only_api_key = new_key(
            store,
            id,
            "sandbox reader",
            ScopeSet::of(&[Scope::AllMethodsReadOnly]),
            now,
        )
        .await?;
        world.app.access.refresh().await?;
        Ok(Given {
            business_id: id.get(),
            campaign_id: campaign.get(),
            api_key,
            read_only_api_key,
            order_ids: (1..ORDERS).map(number).collect(),
            test_order_id: number(ORDERS),
            return_id: number(1),
            customer_ids: customers
                .into_iter()
                .map(|it| it.public_id.as_str().to_owned())
                .collect(),
        })
    }
}
