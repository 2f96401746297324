//! What may go wrong with a delivery on purpose. A server has no such faults; the sandbox makes them.

use prilavok_domain::{Event, Timestamp};
use prilavok_store::Subscription;

/// What happens to one delivery instead of the usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryFault {
    /// It is taken for delivered, and was never sent.
    Drop,
    /// It is sent twice.
    Duplicate,
    /// It is not sent before this time, nor is what waits behind it.
    Delay(Timestamp),
}

/// Chooses the faults of deliveries.
pub trait DeliveryFaults: Send + Sync + 'static {
    /// The fault of the delivery that is about to be made. Asked before every try.
    fn of(&self, subscription: &Subscription, event: &Event, now: Timestamp) -> Option<DeliveryFault>;

    /// Until when a delivery is held back, where it is.
    fn held_until(&self, subscription: &Subscription, event: &Event) -> Option<Timestamp>;
}

/// No faults.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFaults;

impl DeliveryFaults for NoFaults {
    fn of(&self, _: &Subscription, _: &Event, _: Timestamp) -> Option<DeliveryFault> {
        None
    }

    fn held_until(&self, _: &Subscription, _: &Event) -> Option<Timestamp> {
        None
    }
}
