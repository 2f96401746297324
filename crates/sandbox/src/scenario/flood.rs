//! Many customers at once: as quick as the store commits, so many writes are under way at a time.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use prilavok_domain::rules::Initiator;
use prilavok_domain::{Customer, Name, Order, OrderId, PublicId, Sender};
use prilavok_store::{NewMessage, Registration, StartChat, Subject};

use super::acts::{NotDone, Stage};
use super::script::Flood;

/// Orders registered in one transaction.
const BATCH: usize = 1_000;
/// Chats under way at a time: enough for the store to commit many writes together, and far fewer than it lets wait.
const AT_A_TIME: usize = 512;

const NAMES: [&str; 12] = [
    "Анна",
    "Дмитрий",
    "Мария",
    "Сергей",
    "Ольга",
    "Алексей",
    "Елена",
    "Иван",
    "Наталья",
    "Павел",
    "Татьяна",
    "Руслан",
];
const INITIALS: [&str; 9] = ["А.", "Б.", "В.", "Г.", "К.", "М.", "Н.", "П.", "С."];

impl Stage {
    /// Makes so many customers with an order each, and lets every one of them write.
    pub(super) async fn flood(&mut self, flood: &Flood) -> Result<(), NotDone> {
        let count = flood.chats.value;
        let named = i64::try_from(self.cast.orders.len()).unwrap_or_default();
        let first = named + i64::from(self.flooded) + 1;
        // Before anything is written: a flood that is done over makes other orders.
        self.flooded += count;
        let orders: Vec<i64> = (first..first + i64::from(count)).collect();
        for batch in orders.chunks(BATCH) {
            let mut items = Vec::with_capacity(2 * batch.len());
            for order in batch {
                items.extend(self.order(*order)?);
            }
            self.app.store.register(items).await?;
        }
        let business = self.cast.business;
        let write = |order: i64| {
            let (store, clock) = (Arc::clone(&self.app.store), Arc::clone(&self.app.clock));
            let text = flood.says.0.clone();
            async move {
                let start = StartChat {
                    initiator: Initiator::Customer,
                    subject: Subject::Order(OrderId::new(order).map_err(anyhow::Error::from)?),
                    customer: None,
                };
                let new = NewMessage {
                    sender: Sender::Customer,
                    text: Some(text),
                    files: Vec::new(),
                    wait_for: None,
                };
                let started = store.start_chat(business, start, None, clock.now()).await?;
                let chat = started.value.chat.id;
                store
                    .append_message(business, chat, new, None, clock.now())
                    .await?;
                Ok::<(), NotDone>(())
            }
        };
        let writes = stream::iter(orders).map(write).buffer_unordered(AT_A_TIME);
        writes.try_collect::<()>().await
    }

    fn order(&self, id: i64) -> anyhow::Result<[Registration; 2]> {
        let business = self.cast.business;
        let public_id = PublicId::new(format!("flood-{id}-{business}"))?;
        let number = usize::try_from(id)?;
        let initial = INITIALS[number / NAMES.len() % INITIALS.len()];
        let name = Name::new(format!("{} {initial}", NAMES[number % NAMES.len()]))?;
        Ok([
            Registration::Customer(Customer {
                public_id: public_id.clone(),
                name,
                erased_at: None,
            }),
            Registration::Order(Order {
                business,
                id: OrderId::new(id)?,
                campaign: self.cast.default_campaign(&self.scenario.script)?,
                customer: public_id,
                test: false,
            }),
        ])
    }
}
