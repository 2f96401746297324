//! Businesses, campaigns, customers, orders and returns: put and read.
//!
//! A list of puts is four round trips however long it is: what is there is read at once, the checks look at it in memory, and
//! what is new or differs is written by one statement for each kind.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use prilavok_domain::{
    Business, BusinessId, Campaign, CampaignId, Customer, Order, OrderId, PublicId, Return, ReturnId,
};

use super::db::{Source, Value};
use super::statements::statements;
use super::transaction::{Write, kept};
use super::{meta, rows};
use crate::registry::{self, Registered};
use crate::{Put, Registration, Result};

statements! {
    BUSINESS = "SELECT business_id, name, state FROM business WHERE business_id = $1";
    BUSINESSES = "SELECT business_id, name, state FROM business WHERE business_id > $1 ORDER BY business_id LIMIT $2",
        across: "it lists the businesses";
    /// For what is counted within a business, or must be unique in it. Chats and messages do not wait for it.
    LOCK_BUSINESS = "SELECT 1 FROM business WHERE business_id = $1 FOR NO KEY UPDATE";
    CAMPAIGN = "SELECT business_id, campaign_id, domain, placement, state FROM campaign \
        WHERE business_id = $1 AND campaign_id = $2";
    CAMPAIGNS = "SELECT business_id, campaign_id, domain, placement, state FROM campaign \
        WHERE business_id = $1 AND campaign_id > $2 ORDER BY campaign_id LIMIT $3";
    CAMPAIGNS_NAMED = "SELECT business_id, campaign_id, domain, placement, state FROM campaign \
        WHERE business_id = $1 AND campaign_id = ANY ($2)";
    CUSTOMER = "SELECT customer_id, name FROM customer WHERE customer_id = $1",
        across: "customers are known to all businesses";
    CUSTOMERS = "SELECT customer_id, name FROM customer WHERE customer_id > $1 ORDER BY customer_id LIMIT $2",
        across: "customers are known to all businesses";
    CUSTOMERS_NAMED = "SELECT customer_id, name FROM customer WHERE customer_id = ANY ($1)",
        across: "customers are known to all businesses";
    ORDER = "SELECT business_id, order_id, campaign_id, customer_id, test FROM purchase \
        WHERE business_id = $1 AND order_id = $2";
    ORDERS = "SELECT business_id, order_id, campaign_id, customer_id, test FROM purchase \
        WHERE business_id = $1 AND order_id > $2 ORDER BY order_id LIMIT $3";
    /// Locked: a chat that is just being started holds its order, and is seen by whoever asks afterwards whether there are chats.
    ORDERS_NAMED = "SELECT business_id, order_id, campaign_id, customer_id, test FROM purchase \
        WHERE business_id = $1 AND order_id = ANY ($2) ORDER BY order_id FOR NO KEY UPDATE";
    RETURN = "SELECT business_id, return_id, order_id FROM purchase_return WHERE business_id = $1 AND return_id = $2";
    RETURNS = "SELECT business_id, return_id, order_id FROM purchase_return \
        WHERE business_id = $1 AND return_id > $2 ORDER BY return_id LIMIT $3";
    RETURNS_NAMED = "SELECT business_id, return_id, order_id FROM purchase_return \
        WHERE business_id = $1 AND return_id = ANY ($2) ORDER BY return_id FOR NO KEY UPDATE";
    ORDERS_WITH_CHATS = "SELECT o.order_id FROM unnest($2::bigint[]) AS o (order_id) \
        WHERE EXISTS (SELECT 1 FROM chat c WHERE c.business_id = $1 AND c.order_id = o.order_id)";
    RETURNS_WITH_CHATS = "SELECT r.return_id FROM unnest($2::bigint[]) AS r (return_id) \
        WHERE EXISTS (SELECT 1 FROM chat c WHERE c.business_id = $1 AND c.context_type = 'RETURN' \
            AND c.context_id = r.return_id)";
    PUT_BUSINESSES = "INSERT INTO business (business_id, name, state) \
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[]) \
        ON CONFLICT (business_id) DO UPDATE SET name = excluded.name, state = excluded.state",
        across: "a list of puts may name several businesses";
    ADD_HEADS = "INSERT INTO business_head (business_id) SELECT * FROM unnest($1::bigint[]) ON CONFLICT DO NOTHING",
        across: "a list of puts may name several businesses";
    PUT_CAMPAIGNS = "INSERT INTO campaign (business_id, campaign_id, domain, placement, state) \
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[]) \
        ON CONFLICT (business_id, campaign_id) DO UPDATE SET domain = excluded.domain, \
            placement = excluded.placement, state = excluded.state",
        across: "a list of puts may name several businesses";
    /// Not put but added: a name that another node has just written must be changed, not lost.
    ADD_CUSTOMERS = "INSERT INTO customer (customer_id, name) SELECT * FROM unnest($1::text[], $2::text[])",
        across: "customers are known to all businesses";
    RENAME_CUSTOMERS = "UPDATE customer u SET name = n.name, renamed = $3 + n.place \
        FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS n (customer_id, name, place) \
        WHERE u.customer_id = n.customer_id",
        across: "customers are known to all businesses";
    PUT_ORDERS = "INSERT INTO purchase (business_id, order_id, campaign_id, customer_id, test) \
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::boolean[]) \
        ON CONFLICT (business_id, order_id) DO UPDATE SET campaign_id = excluded.campaign_id, \
            customer_id = excluded.customer_id, test = excluded.test",
        across: "a list of puts may name several businesses";
    PUT_RETURNS = "INSERT INTO purchase_return (business_id, return_id, order_id) \
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) \
        ON CONFLICT (business_id, return_id) DO UPDATE SET order_id = excluded.order_id",
        across: "a list of puts may name several businesses";
}

/// Things by their key, and which of them are to be written.
struct Things<K, T> {
    there: HashMap<K, T>,
    new: BTreeSet<K>,
    changed: BTreeSet<K>,
}

impl<K: Copy + Eq + Hash + Ord, T> Things<K, T> {
    fn of(things: Vec<T>, key: impl Fn(&T) -> K) -> Self {
        Self {
            there: things.into_iter().map(|thing| (key(&thing), thing)).collect(),
            new: BTreeSet::new(),
            changed: BTreeSet::new(),
        }
    }

    fn put(&mut self, key: K, thing: T, put: Put) {
        match put {
            Put::Unchanged => return,
            Put::Created => self.new.insert(key),
            // What was new a moment ago is new still.
            Put::Changed => !self.new.contains(&key) && self.changed.insert(key),
        };
        self.there.insert(key, thing);
    }

    fn chosen(&self, keys: &BTreeSet<K>) -> Vec<&T> {
        keys.iter().filter_map(|key| self.there.get(key)).collect()
    }

    /// What is to be written, in the order of keys.
    fn written(&self) -> Vec<&T> {
        self.chosen(&self.new.union(&self.changed).copied().collect())
    }
}

/// What is there of what a list names.
struct There<'a> {
    businesses: Things<BusinessId, Business>,
    campaigns: Things<(BusinessId, CampaignId), Campaign>,
    customers: Things<&'a str, Customer>,
    orders: Things<(BusinessId, OrderId), Order>,
    returns: Things<(BusinessId, ReturnId), Return>,
    orders_with_chats: HashSet<(BusinessId, OrderId)>,
    returns_with_chats: HashSet<(BusinessId, ReturnId)>,
}

impl Registered for There<'_> {
    fn business(&self, id: BusinessId) -> Result<Option<Business>> {
        Ok(self.businesses.there.get(&id).cloned())
    }

    fn campaign(&self, business: BusinessId, id: CampaignId) -> Result<Option<Campaign>> {
        Ok(self.campaigns.there.get(&(business, id)).cloned())
    }

    fn customer(&self, id: &PublicId) -> Result<Option<Customer>> {
        Ok(self.customers.there.get(id.as_str()).cloned())
    }

    fn order(&self, business: BusinessId, id: OrderId) -> Result<Option<Order>> {
        Ok(self.orders.there.get(&(business, id)).cloned())
    }

    fn returned(&self, business: BusinessId, id: ReturnId) -> Result<Option<Return>> {
        Ok(self.returns.there.get(&(business, id)).cloned())
    }

    fn order_has_chats(&self, business: BusinessId, id: OrderId) -> Result<bool> {
        Ok(self.orders_with_chats.contains(&(business, id)))
    }

    fn return_has_chats(&self, business: BusinessId, id: ReturnId) -> Result<bool> {
        Ok(self.returns_with_chats.contains(&(business, id)))
    }
}

/// The ids that a list names within one business.
#[derive(Default)]
struct Named {
    campaigns: Vec<i64>,
    orders: Vec<i64>,
    returns: Vec<i64>,
}

/// The ids that a list names, by business, and the customers.
fn named(items: &[Registration]) -> (HashMap<BusinessId, Named>, Vec<&str>) {
    let mut of: HashMap<BusinessId, Named> = HashMap::new();
    let mut customers = Vec::new();
    for item in items {
        match item {
            Registration::Business(it) => {
                of.entry(it.id).or_default();
            }
            Registration::Campaign(it) => of.entry(it.business).or_default().campaigns.push(it.id.get()),
            Registration::Customer(it) => customers.push(it.public_id.as_str()),
            Registration::Order(it) => {
                let named = of.entry(it.business).or_default();
                named.campaigns.push(it.campaign.get());
                named.orders.push(it.id.get());
                customers.push(it.customer.as_str());
            }
            Registration::Return(it) => {
                let named = of.entry(it.business).or_default();
                named.orders.push(it.order.get());
                named.returns.push(it.id.get());
            }
        }
    }
    (of, customers)
}

async fn read<'a>(write: &Write, items: &'a [Registration]) -> Result<There<'a>> {
    let (of, names) = named(items);
    let mut of: Vec<_> = of
        .into_iter()
        .map(|(business, named)| (business.get(), named))
        .collect();
    // Orders are locked in the order of businesses.
    of.sort_unstable_by_key(|(business, _)| *business);
    let customers: [Value<'_>; 1] = [&names];
    let ids: Vec<[[Value<'_>; 2]; 3]> = of
        .iter()
        .map(|(business, named)| {
            let of = |ids| -> [Value<'_>; 2] { [business, ids] };
            [of(&named.campaigns), of(&named.orders), of(&named.returns)]
        })
        .collect();
    let mut questions = vec![(CUSTOMERS_NAMED, customers.as_slice())];
    for [campaigns, orders, returns] in &ids {
        questions.extend([
            (BUSINESS, &campaigns[..1]),
            (CAMPAIGNS_NAMED, campaigns.as_slice()),
            (ORDERS_NAMED, orders.as_slice()),
            (RETURNS_NAMED, returns.as_slice()),
            (ORDERS_WITH_CHATS, orders.as_slice()),
            (RETURNS_WITH_CHATS, returns.as_slice()),
        ]);
    }
    let answers = write.ask_all(&questions).await?;
    let (mut businesses, mut campaigns, mut orders, mut returns) = (vec![], vec![], vec![], vec![]);
    let (mut orders_with_chats, mut returns_with_chats) = (HashSet::new(), HashSet::new());
    let known = answers
        .first()
        .into_iter()
        .flatten()
        .map(rows::customer)
        .collect::<Result<Vec<_>>>()?;
    let own_name = |customer: &Customer| {
        names
            .iter()
            .find(|name| **name == customer.public_id.as_str())
            .copied()
    };
    let known = known
        .into_iter()
        .filter_map(|customer| own_name(&customer).map(|name| (name, customer)));
    for ((business, _), answers) in of.iter().zip(answers[1..].chunks(6)) {
        let [own, of_campaigns, of_orders, of_returns, with_chats, returns_with] = answers else {
            continue;
        };
        let business = BusinessId::new(*business).map_err(|error| rows::bad("business_id", &error))?;
        for row in own {
            businesses.push(rows::business(row)?);
        }
        for row in of_campaigns {
            campaigns.push(rows::campaign(row)?);
        }
        for row in of_orders {
            orders.push(rows::order(row)?);
        }
        for row in of_returns {
            returns.push(rows::returned(row)?);
        }
        for row in with_chats {
            orders_with_chats.insert((business, rows::id(row, 0, "order_id")?));
        }
        for row in returns_with {
            returns_with_chats.insert((business, rows::id(row, 0, "return_id")?));
        }
    }
    Ok(There {
        businesses: Things::of(businesses, |it| it.id),
        campaigns: Things::of(campaigns, |it| (it.business, it.id)),
        customers: Things {
            there: known.collect(),
            new: BTreeSet::new(),
            changed: BTreeSet::new(),
        },
        orders: Things::of(orders, |it| (it.business, it.id)),
        returns: Things::of(returns, |it| (it.business, it.id)),
        orders_with_chats,
        returns_with_chats,
    })
}

/// Puts all of `items` in order, or none.
pub(super) async fn register(write: &Write, items: &[Registration]) -> Result<Vec<Put>> {
    let mut there = read(write, items).await?;
    let mut puts = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let put = registry::put(&there, item).map_err(registry::at_item(index))?;
        match item {
            Registration::Business(it) => there.businesses.put(it.id, it.clone(), put),
            Registration::Campaign(it) => there.campaigns.put((it.business, it.id), it.clone(), put),
            Registration::Customer(it) => there.customers.put(it.public_id.as_str(), it.clone(), put),
            Registration::Order(it) => there.orders.put((it.business, it.id), it.clone(), put),
            Registration::Return(it) => there.returns.put((it.business, it.id), it.clone(), put),
        }
        puts.push(put);
    }
    keep(write, &there).await?;
    if registry::access_changes(items, &puts) {
        write.access_changes();
    }
    Ok(puts)
}

fn column<T, V>(things: &[&T], value: impl Fn(&T) -> V) -> Vec<V> {
    things.iter().map(|thing| value(thing)).collect()
}

/// Writes what is new or differs.
async fn keep(write: &Write, there: &There<'_>) -> Result<()> {
    let businesses = there.businesses.written();
    if !businesses.is_empty() {
        let ids = column(&businesses, |it| it.id.get());
        let names = column(&businesses, |it| it.name.as_str().to_owned());
        let states = column(&businesses, |it| it.state.as_str());
        write.put(PUT_BUSINESSES, kept![ids.clone(), names, states]);
        write.put(ADD_HEADS, kept![ids]);
    }
    let campaigns = there.campaigns.written();
    if !campaigns.is_empty() {
        write.put(
            PUT_CAMPAIGNS,
            kept![
                column(&campaigns, |it| it.business.get()),
                column(&campaigns, |it| it.id.get()),
                column(&campaigns, |it| it.domain.as_str().to_owned()),
                column(&campaigns, |it| it.placement.as_str()),
                column(&campaigns, |it| it.state.as_str()),
            ],
        );
    }
    keep_customers(write, &there.customers).await?;
    let orders = there.orders.written();
    if !orders.is_empty() {
        write.put(
            PUT_ORDERS,
            kept![
                column(&orders, |it| it.business.get()),
                column(&orders, |it| it.id.get()),
                column(&orders, |it| it.campaign.get()),
                column(&orders, |it| it.customer.as_str().to_owned()),
                column(&orders, |it| it.test),
            ],
        );
    }
    let returns = there.returns.written();
    if !returns.is_empty() {
        write.put(
            PUT_RETURNS,
            kept![
                column(&returns, |it| it.business.get()),
                column(&returns, |it| it.id.get()),
                column(&returns, |it| it.order.get()),
            ],
        );
    }
    Ok(())
}

async fn keep_customers(write: &Write, customers: &Things<&str, Customer>) -> Result<()> {
    let ids = |things: &[&Customer]| column(things, |it| it.public_id.as_str().to_owned());
    let names = |things: &[&Customer]| column(things, |it| it.name.as_str().to_owned());
    let new = customers.chosen(&customers.new);
    if !new.is_empty() {
        write.put(ADD_CUSTOMERS, kept![ids(&new), names(&new)]);
    }
    let renamed = customers.chosen(&customers.changed);
    if !renamed.is_empty() {
        let count = rows::count(renamed.len());
        let last = write
            .first(meta::NEXT_RENAMED, &[&count], |row| rows::get::<i64>(row, 0))
            .await?;
        let before = last.unwrap_or_default() - count;
        write.put(RENAME_CUSTOMERS, kept![ids(&renamed), names(&renamed), before]);
    }
    Ok(())
}

pub(super) async fn business(source: &impl Source, id: BusinessId) -> Result<Option<Business>> {
    source.first(BUSINESS, &[&id.get()], rows::business).await
}

pub(super) async fn businesses(
    source: &impl Source,
    after: Option<BusinessId>,
    limit: usize,
) -> Result<Vec<Business>> {
    let values: &[Value<'_>] = &[&after.map_or(0, BusinessId::get), &rows::count(limit)];
    source.all(BUSINESSES, values, rows::business).await
}

pub(super) async fn campaign(
    source: &impl Source,
    business: BusinessId,
    id: CampaignId,
) -> Result<Option<Campaign>> {
    source
        .first(CAMPAIGN, &[&business.get(), &id.get()], rows::campaign)
        .await
}

pub(super) async fn campaigns(
    source: &impl Source,
    business: BusinessId,
    after: Option<CampaignId>,
    limit: usize,
) -> Result<Vec<Campaign>> {
    let after = after.map_or(0, CampaignId::get);
    source
        .all(
            CAMPAIGNS,
            &[&business.get(), &after, &rows::count(limit)],
            rows::campaign,
        )
        .await
}

pub(super) async fn customer(source: &impl Source, id: &PublicId) -> Result<Option<Customer>> {
    source.first(CUSTOMER, &[&id.as_str()], rows::customer).await
}

pub(super) async fn customers(
    source: &impl Source,
    after: Option<&PublicId>,
    limit: usize,
) -> Result<Vec<Customer>> {
    let after = after.map_or("", PublicId::as_str);
    source
        .all(CUSTOMERS, &[&after, &rows::count(limit)], rows::customer)
        .await
}

pub(super) async fn order(source: &impl Source, business: BusinessId, id: OrderId) -> Result<Option<Order>> {
    source
        .first(ORDER, &[&business.get(), &id.get()], rows::order)
        .await
}

pub(super) async fn orders(
    source: &impl Source,
    business: BusinessId,
    after: Option<OrderId>,
    limit: usize,
) -> Result<Vec<Order>> {
    let after = after.map_or(0, OrderId::get);
    source
        .all(
            ORDERS,
            &[&business.get(), &after, &rows::count(limit)],
            rows::order,
        )
        .await
}

pub(super) async fn returned(
    source: &impl Source,
    business: BusinessId,
    id: ReturnId,
) -> Result<Option<Return>> {
    source
        .first(RETURN, &[&business.get(), &id.get()], rows::returned)
        .await
}

pub(super) async fn returns(
    source: &impl Source,
    business: BusinessId,
    after: Option<ReturnId>,
    limit: usize,
) -> Result<Vec<Return>> {
    let after = after.map_or(0, ReturnId::get);
    source
        .all(
            RETURNS,
            &[&business.get(), &after, &rows::count(limit)],
            rows::returned,
        )
        .await
}
