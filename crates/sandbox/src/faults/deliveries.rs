//! Faults of deliveries.

use prilavok_domain::{Event, Timestamp};
use prilavok_notify::{DeliveryFault, DeliveryFaults};
use prilavok_store::Subscription;

use super::{Act, Faults};

impl DeliveryFaults for Faults {
    fn of(&self, subscription: &Subscription, event: &Event, now: Timestamp) -> Option<DeliveryFault> {
        let key = (subscription.id, event.id);
        if let Some(until) = self.held_until(subscription, event) {
            if now < until {
                return Some(DeliveryFault::Delay(until));
            }
            self.0.lock().held.remove(&key);
            return None;
        }
        match self.of_delivery(event.kind, event.business.get())? {
            Act::Drop => Some(DeliveryFault::Drop),
            Act::Duplicate => Some(DeliveryFault::Duplicate),
            Act::Delay(span) => {
                let until = now.plus_millis(span.millis());
                self.0.lock().held.insert(key, until);
                Some(DeliveryFault::Delay(until))
            }
            Act::Error(_) | Act::CutOff | Act::LoseAnswer => None,
        }
    }

    fn held_until(&self, subscription: &Subscription, event: &Event) -> Option<Timestamp> {
        self.0.lock().held.get(&(subscription.id, event.id)).copied()
    }
}
