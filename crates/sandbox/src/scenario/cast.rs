//! Who and what there is in a scenario, once it is registered.

use std::collections::BTreeMap;

use prilavok_domain::{
    Business, BusinessId, BusinessState, Campaign, CampaignId, CampaignState, Customer, Name, Order, OrderId,
    Placement, PublicId, Return, ReturnId, Scope, ScopeSet,
};
use prilavok_server::app::App;
use prilavok_server::demo::new_key;
use prilavok_store::Registration;
use serde::Serialize;

use super::script::Script;
use super::source::Scenario;

/// A page of businesses.
const PAGE: usize = 1_000;

/// What was registered for a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cast {
    /// The scenario.
    pub scenario: String,
    /// Its business.
    #[serde(rename = "businessId", serialize_with = "super::report::business")]
    pub business: BusinessId,
    /// An Api-Key of the business with the scope `communication`, shown this once.
    pub api_key: String,
    /// The ids of the campaigns, by how they sell.
    pub campaigns: BTreeMap<&'static str, i64>,
    /// The public ids of the customers, by their names in the file.
    pub customers: BTreeMap<String, String>,
    /// The ids of the orders, by their names in the file.
    pub orders: BTreeMap<String, i64>,
    /// The ids of the returns, by their names in the file.
    pub returns: BTreeMap<String, i64>,
}

impl Cast {
    /// Registers what a scenario needs, in a business of its own.
    pub(super) async fn register(app: &App, scenario: &Scenario) -> anyhow::Result<Self> {
        let script = &*scenario.script;
        let business = free_business(app).await?;
        let mut cast = Self {
            scenario: scenario.name().to_owned(),
            business,
            api_key: String::new(),
            campaigns: BTreeMap::new(),
            customers: BTreeMap::new(),
            orders: BTreeMap::new(),
            returns: BTreeMap::new(),
        };
        let items = cast.items(script)?;
        app.store.register(items).await?;
        let scopes = ScopeSet::of(&[Scope::Communication]);
        cast.api_key = new_key(&*app.store, business, "scenario", scopes, app.now()).await?;
        app.access.refresh().await?;
        Ok(cast)
    }

    /// The campaign of the orders that a flood makes.
    pub(super) fn default_campaign(&self, script: &Script) -> anyhow::Result<CampaignId> {
        let placement = script.business.placement.0.as_str();
        let id = self.campaigns.get(placement).copied();
        Ok(CampaignId::new(id.unwrap_or_default())?)
    }

    fn items(&mut self, script: &Script) -> anyhow::Result<Vec<Registration>> {
        let business = self.business;
        let mut items = vec![Registration::Business(Business {
            id: business,
            name: script.business.name.0.clone(),
            state: BusinessState::Active,
        })];
        let usual = script.business.placement.0;
        let others = script.orders.values().filter_map(|order| order.placement);
        let mut campaigns = BTreeMap::<Placement, CampaignId>::new();
        for placement in std::iter::once(usual).chain(others.map(|it| it.0)) {
            let next = i64::try_from(campaigns.len())? + 1;
            if campaigns.contains_key(&placement) {
                continue;
            }
            // Campaigns of different businesses have different ids, as upstream's have.
            let id = CampaignId::new(business.get() * 10 + next)?;
            campaigns.insert(placement, id);
            self.campaigns.insert(placement.as_str(), id.get());
            let domain = format!("shop-{id}.example");
            items.push(Registration::Campaign(Campaign {
                business,
                id,
                domain: Name::new(domain)?,
                placement,
                state: CampaignState::Available,
            }));
        }
        let public_id = |name: &str| PublicId::new(format!("{name}-{business}"));
        for (name, title) in &script.customers {
            let id = public_id(name)?;
            self.customers.insert(name.clone(), id.as_str().to_owned());
            items.push(Registration::Customer(Customer {
                public_id: id,
                name: title.value.0.clone(),
                erased_at: None,
            }));
        }
        for (id, (name, order)) in (1..).zip(&script.orders) {
            self.orders.insert(name.clone(), id);
            let placement = order.placement.map_or(usual, |it| it.0);
            items.push(Registration::Order(Order {
                business,
                id: OrderId::new(id)?,
                campaign: campaigns[&placement],
                customer: public_id(&order.customer.value)?,
                test: order.test,
            }));
        }
        for (id, (name, returned)) in (1..).zip(&script.returns) {
            self.returns.insert(name.clone(), id);
            let order = self.orders.get(&returned.order.value).copied();
            items.push(Registration::Return(Return {
                business,
                id: ReturnId::new(id)?,
                order: OrderId::new(order.unwrap_or_default())?,
            }));
        }
        Ok(items)
    }
}

/// An id above those of all businesses.
async fn free_business(app: &App) -> anyhow::Result<BusinessId> {
    let mut last = None;
    loop {
        let page = app.store.businesses(last, PAGE).await?;
        let full = page.len() == PAGE;
        last = page.last().map(|business| business.id).or(last);
        if !full {
            return Ok(BusinessId::new(last.map_or(0, BusinessId::get) + 1)?);
        }
    }
}
